//! What holds for every input: whatever is written is read again, and whatever is changed is refused.

#![allow(clippy::expect_used, reason = "tests may stop at once")]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::prelude::*;
use token::base64url;
use token::encryption_key::DecryptionKey;
use token::jwe::{self, Description, Jwe};
use token::jws::{self, Jws};
use token::key::{KeySet, PrivateKey};
use token::scope::ScopeSet;
use token::status_list::{Status, StatusList};
use token::term::{Algorithm, KeyManagement};
use token::time::Timestamp;
use token::validate::{AccessTokenPolicy, verify_access_token};
use token::{json, signature};

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(Algorithm::Ed25519).expect("key"));
static KEYS: LazyLock<KeySet> = LazyLock::new(|| [Arc::clone(KEY.public())].into_iter().collect());
static SECRET: LazyLock<DecryptionKey> =
    LazyLock::new(|| DecryptionKey::generate(KeyManagement::A256GcmKw).expect("key"));

fn now() -> Timestamp {
    Timestamp::from_secs(1_790_000_000)
}

fn good_token() -> String {
    let claims = serde_json::json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "u-1",
        "client_id": "c-1", "jti": "t-1", "iat": now().as_secs(), "exp": now().as_secs() + 60,
        "scope": "orders:read orders:write",
    });
    jws::sign(&KEY, "at+jwt", claims.to_string().as_bytes()).expect("token")
}

fn verifies(token: &str) -> bool {
    let policy = AccessTokenPolicy {
        issuer: "https://issuer.example".to_owned(),
        audiences: vec!["https://api.example".to_owned()],
        leeway: Duration::ZERO,
    };
    verify_access_token(token, &KEYS, &policy, now()).is_ok()
}

fn scope_tokens() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[a-c]{1,2}(:[rw])?", 0..8)
}

fn set(tokens: &[String]) -> ScopeSet {
    ScopeSet::parse(&tokens.join(" ")).expect("scopes")
}

proptest! {
    #[test]
    fn whatever_is_signed_is_read_and_checked(payload: Vec<u8>) {
        let token = jws::sign(&KEY, "JWT", &payload).expect("token");
        let jws = Jws::parse(&token).expect("JWS");
        prop_assert_eq!(jws.unverified_payload(), payload.as_slice());
        prop_assert!(signature::verify(&jws, &KEYS).is_ok());
    }

    #[test]
    fn no_changed_token_is_accepted(at: prop::sample::Index, other in "[A-Za-z0-9._=-]") {
        let token = good_token();
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &other);
        prop_assume!(changed != token);
        prop_assert!(verifies(&token) && !verifies(&changed));
    }

    #[test]
    fn no_shortened_or_lengthened_token_is_accepted(at: prop::sample::Index, more in "[A-Za-z0-9._=-]{1,9}") {
        let token = good_token();
        prop_assert!(!verifies(&token[..at.index(token.len())]));
        let (longer, later) = ([token.as_str(), &more].concat(), [&more, token.as_str()].concat());
        prop_assert!(!verifies(&longer));
        prop_assert!(!verifies(&later));
    }

    #[test]
    fn no_text_makes_the_parsers_stop(text: String, bytes: Vec<u8>) {
        let _ = (Jws::parse(&text).is_ok(), Jwe::parse(&text).is_ok(), verifies(&text));
        let _ = (json::parse_object(&bytes).is_ok(), KeySet::from_jwks(&bytes).is_ok());
        let _ = (ScopeSet::parse(&text).is_ok(), base64url::decode(&text).is_some());
    }

    #[test]
    fn whatever_is_encrypted_opens_and_whatever_is_changed_does_not(
        content: Vec<u8>, at: prop::sample::Index, other in "[A-Za-z0-9_-]",
    ) {
        let text = jwe::encrypt_with_secret(&SECRET, &content, Description { typ: None, cty: None });
        let text = text.expect("encrypted");
        let opened = Jwe::parse(&text).expect("JWE").decrypt(&SECRET).expect("opened");
        prop_assert_eq!(opened.content.as_slice(), content.as_slice());
        let at = at.index(text.len());
        let mut changed = text.clone();
        changed.replace_range(at..=at, &other);
        prop_assume!(changed != text);
        prop_assert!(Jwe::parse(&changed).and_then(|jwe| jwe.decrypt(&SECRET)).is_err());
    }

    #[test]
    fn base64url_has_one_text_for_every_value(bytes: Vec<u8>) {
        let text = base64url::encode(&bytes);
        prop_assert_eq!(base64url::decode(&text), Some(bytes));
        let padded = text + "=";
        prop_assert_eq!(base64url::decode(&padded), None);
    }

    #[test]
    fn scopes_are_a_set(a in scope_tokens(), b in scope_tokens()) {
        let (left, right) = (set(&a), set(&b));
        let has = |tokens: &[String], scope: &str| tokens.iter().any(|token| token == scope);
        for scope in a.iter().chain(&b) {
            let (in_a, in_b) = (has(&a, scope), has(&b, scope));
            prop_assert_eq!(left.contains(scope), in_a);
            prop_assert_eq!(left.union(&right).contains(scope), in_a || in_b);
            prop_assert_eq!(left.intersection(&right).contains(scope), in_a && in_b);
            prop_assert_eq!(left.difference(&right).contains(scope), in_a && !in_b);
        }
        prop_assert_eq!(left.contains_all(&right), b.iter().all(|scope| has(&a, scope)));
        let text = left.to_string();
        prop_assert_eq!(ScopeSet::parse(&text).expect("scopes"), left.clone());
        let mut again = a.clone();
        again.reverse();
        prop_assert_eq!(set(&again), left);
    }

    #[test]
    fn a_status_is_where_it_was_put(
        bits in prop::sample::select(vec![1u8, 2, 4, 8]),
        put in proptest::collection::vec((0u64..500, any::<bool>()), 0..40),
    ) {
        let mut list = StatusList::new(bits, 500).expect("list");
        let mut expected = std::collections::HashMap::new();
        for (idx, invalid) in put {
            let status = if invalid { Status::Invalid } else { Status::Valid };
            list.set(idx, status);
            expected.insert(idx, status);
        }
        let read = StatusList::unpack(&list.pack()).expect("list");
        for idx in 0..500 {
            let status = expected.get(&idx).copied().unwrap_or(Status::Valid);
            prop_assert_eq!(read.status(idx), Some(status));
        }
    }
}
