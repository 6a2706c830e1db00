//! Scopes in one normal form (RFC 6749 §3.3).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set of scope tokens; printed in alphabetical order, separated by single spaces. A copy
/// shares the set: every event carries one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(Arc<BTreeSet<Box<str>>>);

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
        if text.len() > 4096 || !text.split(' ').all(is_scope_token) {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
            return Err(NotScopes(shown));
        }
        Ok(Self(Arc::new(text.split(' ').map(Box::from).collect())))
    }

    /// Whether this one scope is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Whether every scope of `other` is in this set.
    pub fn contains_all(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// The scopes in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(Arc::new(self.0.intersection(&other.0).cloned().collect()))
    }

    /// The scopes of this set that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(Arc::new(self.0.difference(&other.0).cloned().collect()))
    }

    /// The scopes in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(Arc::new(self.0.union(&other.0).cloned().collect()))
    }

    /// Whether there is no scope in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|scope| &**scope)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

/// As the wire has it: one text.
impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
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
        assert_eq!(parse("a b").intersection(&parse("b c")), parse("b"));
        assert_eq!(parse("a b").difference(&parse("b c")), parse("a"));
        assert_eq!(parse("a").union(&parse("b")), parse("a b"));
    }
}
