//! What claims of a token have to be: patterns, wherever somebody decides by claims.

use std::fmt;

use serde_json::{Map, Value};

/// What a claim has to be: a text in which each `*` stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    claim: String,
    text: String,
}

/// Why a pattern would trust too much, or nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternRefused {
    /// No claim named.
    #[error("the name of a claim must not be empty")]
    Claim,
    /// Every value would fit.
    #[error("`{0}` must have more than `*`: it would fit everybody")]
    Everything(String),
}

// === impl Pattern ===

impl Pattern {
    /// A pattern for one claim: by its name, or by a JSON pointer (RFC 6901) for one inside of others.
    ///
    /// # Errors
    /// [`PatternRefused`] for one that fits everything.
    pub fn new(claim: &str, text: &str) -> Result<Self, PatternRefused> {
        if claim.is_empty() {
            return Err(PatternRefused::Claim);
        }
        if text.chars().all(|c| c == '*') {
            return Err(PatternRefused::Everything(claim.to_owned()));
        }
        Ok(Self { claim: claim.to_owned(), text: text.to_owned() })
    }

    /// Whether the claim is there, and is one value that fits.
    pub fn fits(&self, claims: &Map<String, Value>) -> bool {
        self.value(claims).is_some_and(|value| self.is_fit(value))
    }

    /// Whether the claim is there, and is a value that fits or a list with one.
    pub fn fits_one_of(&self, claims: &Map<String, Value>) -> bool {
        match self.value(claims) {
            Some(Value::Array(many)) => many.iter().any(|value| self.is_fit(value)),
            Some(value) => self.is_fit(value),
            None => false,
        }
    }

    fn value<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        match self.claim.strip_prefix('/') {
            None => claims.get(&self.claim),
            Some(pointer) => at(claims, pointer),
        }
    }

    fn is_fit(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => matches(&self.text, text),
            Value::Bool(flag) => self.text == flag.to_string(),
            Value::Number(number) => self.text == number.to_string(),
            _ => false,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the claim `{}` is `{}`", self.claim, self.text)
    }
}

fn at<'a>(claims: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let mut parts = pointer.split('/').map(|part| part.replace("~1", "/").replace("~0", "~"));
    let mut value = claims.get(&parts.next()?)?;
    for part in parts {
        value = value.as_object()?.get(&part)?;
    }
    Some(value)
}

/// Whether a text fits: the pieces between the stars, in their order, the first and the last at the ends.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(text) = text.strip_prefix(first).and_then(|text| text.strip_suffix(last)) else {
        return false;
    };
    let mut left = text;
    for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Pattern, PatternRefused, matches};

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text) in [
            ("a", "a"),
            ("repo:acme/*", "repo:acme/shop:ref:refs/heads/main"),
            ("*:main", "x:main"),
            ("a*c*e", "abcde"),
            ("a*b", "ab"),
            ("a**b", "axb"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", "ab"),
            ("repo:acme/*", "repo:acme-evil/shop"),
            ("*:main", "x:main2"),
            ("ab*ba", "aba"),
            ("a*c*e", "abde"),
            ("A", "a"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_list_fits_where_one_of_it_is_enough() {
        let claims = json!({ "groups": ["staff", "sales-emea"], "one": "sales-apac", "n": 7,
            "realm": { "roles": [{ "a": 1 }, "admin"] }, "none": null });
        let claims = claims.as_object().expect("claims");
        for (claim, text, one_of, alone) in [
            ("groups", "sales-*", true, false),
            ("groups", "ops", false, false),
            ("one", "sales-*", true, true),
            ("n", "7", true, true),
            ("/realm/roles", "admin", true, false),
            ("/realm/roles/0", "admin", false, false),
            ("none", "null", false, false),
            ("absent", "x", false, false),
        ] {
            let pattern = Pattern::new(claim, text).expect("pattern");
            assert_eq!(pattern.fits_one_of(claims), one_of, "{claim} {text}");
            assert_eq!(pattern.fits(claims), alone, "{claim} {text}");
        }
        let pattern = Pattern::new("sub", "a*").expect("pattern");
        assert!(!pattern.fits_one_of(json!({ "sub": Value::Null }).as_object().expect("claims")));
    }

    #[test]
    fn a_pattern_that_fits_everybody_is_none() {
        assert_eq!(Pattern::new("", "x"), Err(PatternRefused::Claim));
        for text in ["", "*", "**"] {
            assert!(matches!(Pattern::new("sub", text), Err(PatternRefused::Everything(_))));
        }
    }
}
