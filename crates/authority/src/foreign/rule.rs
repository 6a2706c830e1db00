//! Which workload of an issuer is which client: patterns over the claims of its token.

use serde_json::{Map, Value};
use token::claim_pattern::Pattern;
use token::id::ClientId;

/// Claims of a workload's token, and the client that it is.
#[derive(Clone, Debug)]
pub struct WorkloadRule {
    /// All of them have to fit.
    pub claims: Vec<Pattern>,
    /// Who it is then.
    pub client: ClientId,
}

// === impl WorkloadRule ===

impl WorkloadRule {
    /// Whether a token with these claims is this client's. A rule without claims fits nobody.
    pub fn fits(&self, claims: &Map<String, Value>) -> bool {
        !self.claims.is_empty() && self.claims.iter().all(|pattern| pattern.fits(claims))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use token::claim_pattern::Pattern;

    use super::WorkloadRule;

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
}
