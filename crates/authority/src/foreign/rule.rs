//! Which workload of an issuer is which client: patterns over the claims of its token.

use serde_json::{Map, Value};
use token::id::ClientId;

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

/// Claims of a workload's token, and the client that it is.
#[derive(Clone, Debug)]
pub struct WorkloadRule {
    /// All of them have to fit.
    pub claims: Vec<Pattern>,
    /// Who it is then.
    pub client: ClientId,
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

    fn fits(&self, claims: &Map<String, Value>) -> bool {
        let value = match self.claim.strip_prefix('/') {
            None => claims.get(&self.claim),
            Some(pointer) => at(claims, pointer),
        };
        match value {
            Some(Value::String(text)) => matches(&self.text, text),
            Some(Value::Bool(flag)) => self.text == flag.to_string(),
            Some(Value::Number(number)) => self.text == number.to_string(),
            _ => false,
        }
    }
}

// === impl WorkloadRule ===

impl WorkloadRule {
    /// Whether a token with these claims is this client's. A rule without claims fits nobody.
    pub fn fits(&self, claims: &Map<String, Value>) -> bool {
        !self.claims.is_empty() && self.claims.iter().all(|pattern| pattern.fits(claims))
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

    use super::{Pattern, PatternRefused, WorkloadRule, matches};

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
    fn every_pattern_has_to_fit() {
        let pattern = |claim, text| Pattern::new(claim, text).expect("pattern");
        let rule = WorkloadRule {
            claims: vec![
                pattern("sub", "system:serviceaccount:shop:*"),
                pattern("/kubernetes.io/namespace", "shop"),
                pattern("n", "1"),
            ],
            client: "c".into(),
        };
        let fits = |claims: Value| rule.fits(claims.as_object().expect("claims"));
        let good = json!({ "sub": "system:serviceaccount:shop:web", "n": 1,
            "kubernetes.io": { "namespace": "shop" } });
        assert!(fits(good.clone()));
        for (claim, value) in [
            ("sub", json!("system:serviceaccount:evil:web")),
            ("sub", json!(["system:serviceaccount:shop:web"])),
            ("kubernetes.io", json!("shop")),
            ("n", Value::Null),
        ] {
            let mut other = good.clone();
            other[claim] = value;
            assert!(!fits(other), "{claim}");
        }
        assert!(!WorkloadRule { claims: Vec::new(), client: "c".into() }.fits(&Default::default()));
    }

    #[test]
    fn a_pattern_that_fits_everybody_is_none() {
        assert_eq!(Pattern::new("", "x"), Err(PatternRefused::Claim));
        for text in ["", "*", "**"] {
            assert!(matches!(Pattern::new("sub", text), Err(PatternRefused::Everything(_))));
        }
    }
}
