//! What many tokens say alike, kept once for all of them: a gateway remembers a hundred thousand.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::VerifiedAccessToken;
use crate::claims::Audience;
use crate::id::{ClientId, KeyId};
use crate::scope::ScopeSet;

/// What does not name a single token or person.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Alike {
    pub(super) issuer: Box<str>,
    pub(super) audience: Audience,
    pub(super) client: ClientId,
    pub(super) key: KeyId,
    pub(super) scope: ScopeSet,
    pub(super) acr: Option<Box<str>>,
    pub(super) leeway: Duration,
}

/// What the tokens that are remembered say alike. It only saves memory: when it is full it starts anew.
pub struct AlikeTokens {
    known: Mutex<HashSet<Arc<Alike>>>,
    most: usize,
}

// === impl AlikeTokens ===

impl AlikeTokens {
    /// Room for so many differences, some 300 bytes each.
    pub fn new(most: usize) -> Self {
        Self { known: Mutex::default(), most: most.max(1) }
    }

    /// The same token, which holds what others say too together with them.
    #[must_use]
    pub fn share(&self, token: VerifiedAccessToken) -> VerifiedAccessToken {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = if let Some(shared) = known.get(&token.alike) {
            Arc::clone(shared)
        } else {
            if known.len() >= self.most {
                known.clear();
            }
            known.insert(Arc::clone(&token.alike));
            Arc::clone(&token.alike)
        };
        drop(known);
        token.with(shared)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use super::AlikeTokens;
    use crate::claims::AccessTokenClaims;
    use crate::restriction::TokenFacts;
    use crate::time::Timestamp;
    use crate::validate::VerifiedAccessToken;

    fn token(id: &str, subject: &str, scope: &str) -> VerifiedAccessToken {
        let claims: AccessTokenClaims = serde_json::from_value(json!({
            "iss": "https://as.example", "sub": subject, "aud": "https://api.example", "exp": 2000, "iat": 1000,
            "jti": id, "client_id": "shop", "scope": scope, "acr": "1",
        }))
        .expect("claims");
        let facts = TokenFacts {
            token: claims.jti.clone(),
            grant: None,
            session: None,
            subject: claims.sub.clone(),
            client: claims.client_id.clone(),
            key: "k1".into(),
            issued_at: Timestamp::from_secs(1000),
            foreign: None,
        };
        VerifiedAccessToken::assertion(claims, facts, Duration::ZERO, b"{}")
    }

    #[test]
    fn tokens_that_differ_in_name_and_person_share_the_rest() {
        let alike = AlikeTokens::new(8);
        let first = alike.share(token("t1", "alice", "read write"));
        let second = alike.share(token("t2", "bob", "read write"));
        let third = alike.share(token("t3", "bob", "read"));
        assert!(Arc::ptr_eq(&first.alike, &second.alike));
        assert!(!Arc::ptr_eq(&second.alike, &third.alike));
        assert_eq!(first.claims(), token("t1", "alice", "read write").claims());
        assert_eq!(second.facts(), token("t2", "bob", "read write").facts());
        assert_eq!(third.scopes().to_string(), "read");
    }

    #[test]
    fn a_client_that_speaks_for_itself_is_named_once() {
        let alike = AlikeTokens::new(8);
        let itself = alike.share(token("t1", "shop", "read"));
        let (subject, client) = (&itself.facts().subject, &itself.facts().client);
        assert!(std::ptr::eq(subject.as_str(), client.as_str()));
    }

    #[test]
    fn a_full_room_starts_anew_and_nothing_is_lost() {
        let alike = AlikeTokens::new(2);
        for number in 0..10 {
            let scope = format!("s{number}");
            assert_eq!(alike.share(token("t", "alice", &scope)).scopes().to_string(), scope);
        }
        assert!(alike.known.lock().expect("lock").len() <= 2);
    }
}
