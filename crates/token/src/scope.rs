//! Scopes in one normal form (RFC 6749 §3.3).

use std::fmt;
use std::sync::Arc;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of scope tokens, kept as it is printed: in alphabetical order, separated by single spaces.
/// A copy shares the text: every event carries one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ScopeSet(Arc<str>);

/// A text that is no list of scope tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a list of scopes separated by single spaces (RFC 6749 section 3.3)")]
pub struct NotScopes(String);

// === impl ScopeSet ===

impl ScopeSet {
    /// Parses `scope = scope-token *( SP scope-token )`; the empty text is the empty set.
    ///
    /// # Errors
    /// [`NotScopes`] for tabs, doubled spaces, quotes, backslashes or other characters that
    /// RFC 6749 §3.3 excludes.
    pub fn parse(text: &str) -> Result<Self, NotScopes> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > 4096 {
            return Err(NotScopes::of(text));
        }
        let (mut last, mut in_order) = ("", true);
        for scope in text.split(' ') {
            if !is_scope_token(scope) {
                return Err(NotScopes::of(text));
            }
            in_order &= last < scope;
            last = scope;
        }
        // What we issued is in order already.
        if in_order {
            return Ok(Self(Arc::from(text)));
        }
        Ok(Self::collect(text.split(' ')))
    }

    /// These scope tokens.
    pub(crate) fn of<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        Self::collect(scopes.into_iter())
    }

    fn collect<'a>(scopes: impl Iterator<Item = &'a str>) -> Self {
        let mut scopes: Vec<&str> = scopes.collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(Arc::from(scopes.join(" ")))
    }

    /// Whether this one scope is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|known| known == scope)
    }

    /// Whether every scope of `other` is in this set.
    pub fn contains_all(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        // Both are in order, so that one walk over this set meets all of the other.
        let mut own = self.iter();
        other.iter().all(|scope| own.by_ref().find(|known| *known >= scope) == Some(scope))
    }

    /// The scopes in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.only(|scope| other.contains(scope))
    }

    /// The scopes of this set that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.only(|scope| !other.contains(scope))
    }

    /// The scopes in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::collect(self.iter().chain(other.iter()))
    }

    /// The scopes that are to be kept.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept: Vec<&str> = self.iter().filter(|scope| keep(scope)).collect();
        // Most often everything is kept, and then the text is shared.
        if kept.len() == self.iter().count() {
            return self.clone();
        }
        Self(Arc::from(kept.join(" ")))
    }

    /// Whether there is no scope in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The set as it is printed: equal sets have one text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scopes, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|scope| !scope.is_empty())
    }
}

impl NotScopes {
    fn of(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_control()).take(64).collect())
    }
}

impl Default for ScopeSet {
    fn default() -> Self {
        Self(Arc::from(""))
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// As the wire has it: one text.
impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = ScopeSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scopes separated by single spaces")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ScopeSet, E> {
        ScopeSet::parse(text).map_err(E::custom)
    }
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::ScopeSet;

    #[test]
    fn one_normal_form() {
        let scopes = ScopeSet::parse("orders:write orders:read orders:read").unwrap_or_default();
        assert_eq!(scopes.to_string(), "orders:read orders:write");
        assert!(scopes.contains("orders:read"));
        assert!(!scopes.contains("Orders:read"));
        assert!(!scopes.contains("orders"));
        assert!(ScopeSet::parse("").is_ok_and(|scopes| scopes.is_empty()));
    }

    #[test]
    fn refuses_what_the_grammar_excludes() {
        for text in [" a", "a ", "a  b", "a\tb", "a\nb", "a\"b", "a\\b", "é"] {
            assert!(ScopeSet::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn set_operations() {
        let parse = |text| ScopeSet::parse(text).unwrap_or_default();
        assert!(parse("a b c").contains_all(&parse("a c")));
        assert!(!parse("a b").contains_all(&parse("a c")));
        assert!(!parse("b c").contains_all(&parse("a")) && !parse("").contains_all(&parse("a")));
        assert!(parse("a").contains_all(&parse("")) && parse("").contains_all(&parse("")));
        assert!(parse("a b").intersection(&parse("c")).iter().next().is_none());
        assert_eq!(parse("a b").intersection(&parse("b c")), parse("b"));
        assert_eq!(parse("a b").difference(&parse("b c")), parse("a"));
        assert_eq!(parse("a").union(&parse("b")), parse("a b"));
    }
}
