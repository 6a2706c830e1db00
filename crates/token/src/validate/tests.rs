//! Every rule of access-token validation, each with the case that breaks it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{AccessTokenPolicy, verify_access_token};
use crate::base64url;
use crate::cnf::Confirmation;
use crate::jws;
use crate::key::{KeySet, MacKey, PrivateKey};
use crate::term::{Algorithm, MacAlgorithm};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

struct Bench {
    key: PrivateKey,
    keys: KeySet,
    policy: AccessTokenPolicy,
}

impl Bench {
    fn new() -> Self {
        Self::signing(Algorithm::Es256)
    }

    fn signing(algorithm: Algorithm) -> Self {
        let key = PrivateKey::generate(algorithm).expect("key");
        let keys = [Arc::clone(key.public())].into_iter().collect();
        let policy = AccessTokenPolicy {
            issuer: "https://issuer.example".into(),
            audiences: vec!["https://api.example".into()],
            leeway: Duration::from_secs(5),
        };
        Self { key, keys, policy }
    }

    fn claims(&self) -> Value {
        json!({
            "iss": "https://issuer.example", "aud": "https://api.example", "sub": "u1",
            "exp": NOW.as_secs() + 300, "iat": NOW.as_secs(), "jti": "t1", "client_id": "c1",
            "scope": "orders:read",
        })
    }

    fn without(&self, name: &str) -> Value {
        let mut claims = self.claims();
        claims.as_object_mut().expect("object").remove(name);
        claims
    }

    fn with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    fn sign(&self, claims: &Value) -> String {
        jws::sign(&self.key, "at+jwt", claims.to_string().as_bytes()).expect("token")
    }

    /// Signs whatever header is wanted, with our real key.
    fn sign_header(&self, header: &str) -> String {
        let input = format!(
            "{}.{}",
            base64url::encode(header),
            base64url::encode(self.claims().to_string())
        );
        let signature = self.key.sign(input.as_bytes()).expect("signature");
        format!("{input}.{}", base64url::encode(signature))
    }

    fn refused(&self, token: &str) -> String {
        match verify_access_token(token, &self.keys, &self.policy, NOW) {
            Ok(_) => "accepted".to_owned(),
            Err(refused) => refused.refused.to_string(),
        }
    }

    fn header(&self, alg: &str, more: &str) -> String {
        format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{}"{more}}}"#, self.key.public().kid())
    }
}

#[test]
fn a_good_token_is_accepted_with_its_facts() {
    let bench = Bench::new();
    let token = bench.sign(&bench.claims());
    let verified = verify_access_token(&token, &bench.keys, &bench.policy, NOW).expect("verified");
    assert_eq!(verified.facts().client.as_str(), "c1");
    assert_eq!(verified.facts().issued_at, NOW);
    assert!(verified.scopes().contains("orders:read"));
    assert!(!verified.expired(NOW));
    assert!(verified.expired(NOW.plus(Duration::from_secs(305))));
}

#[test]
fn every_algorithm_signs_tokens_and_is_taken_for_no_other() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::signing(*algorithm);
        let token = bench.sign(&bench.claims());
        assert_eq!(bench.refused(&token), "accepted", "{algorithm}");
        for other in Algorithm::ALL {
            let token = bench.sign_header(&bench.header(other.as_str(), ""));
            let expected = if algorithm.is_named(other.as_str()) {
                "accepted"
            } else {
                "forged:key_confusion"
            };
            assert_eq!(bench.refused(&token), expected, "{algorithm} as {other}");
        }
    }
}

#[test]
fn a_public_key_used_as_a_secret_opens_nothing() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let bench = Bench::signing(algorithm);
        let public = serde_json::to_vec(bench.key.public().jwk()).expect("JSON");
        let kid = bench.key.public().kid().clone();
        let secret = MacKey::new(MacAlgorithm::Hs256, kid, &public).expect("secret");
        let token = jws::sign_with_secret(&secret, "at+jwt", bench.claims().to_string().as_bytes());
        assert_eq!(bench.refused(&token), "forged:key_confusion", "{algorithm}");
    }
}

#[test]
fn forged_headers_are_named() {
    let bench = Bench::new();
    let cases = [
        (bench.header("none", ""), "forged:alg_none"),
        (bench.header("nOnE", ""), "forged:alg_none"),
        (bench.header("HS256", ""), "forged:key_confusion"),
        (bench.header("ES384", ""), "forged:key_confusion"),
        (bench.header("es256", ""), "forged:key_confusion"),
        (bench.header("", ""), "forged:key_confusion"),
        (bench.header("ES256", r#","crit":["exp"]"#), "forged:crit"),
        (bench.header("ES256", r#","b64":false"#), "forged:crit"),
        (
            bench.header("ES256", r#","jku":"https://evil.example/jwks"}"#.trim_end_matches('}')),
            "forged:jku",
        ),
        (bench.header("ES256", r#","x5u":"https://evil.example/x5u""#), "forged:jku"),
        (bench.header("ES256", r#","jwk":{}"#), "forged:jwk"),
        (bench.header("ES256", r#","x5c":[]"#), "forged:jwk"),
        (r#"{"alg":"ES256","typ":"at+jwt","kid":"../../dev/null"}"#.into(), "forged:kid"),
        (r#"{"alg":"ES256","typ":"at+jwt","kid":"x' UNION SELECT 'a"}"#.into(), "forged:kid"),
        (r#"{"alg":"ES256","typ":"at+jwt","kid":{"a":1}}"#.into(), "forged:kid"),
        (r#"{"alg":"ES256","typ":"at+jwt","kid":""}"#.into(), "forged:kid"),
        (r#"{"alg":"ES256","typ":"at+jwt","kid":"other"}"#.into(), "forged:unknown_key"),
        (r#"{"alg":"ES256","typ":"at+jwt"}"#.into(), "forged:unknown_key"),
        (r#"{"alg":"HS256","typ":"at+jwt"}"#.into(), "forged:key_confusion"),
        (r#"{"alg":null,"typ":"at+jwt"}"#.into(), "malformed"),
        (r#"{"alg":["ES256"],"typ":"at+jwt"}"#.into(), "malformed"),
        (r#"{"Alg":"ES256","typ":"at+jwt"}"#.into(), "malformed"),
        (r#"{"alg":"none","alg":"ES256"}"#.into(), "malformed"),
    ];
    for (header, expected) in cases {
        assert_eq!(bench.refused(&bench.sign_header(&header)), expected, "{header}");
    }
}

#[test]
fn a_signature_must_fit_and_have_its_length() {
    let bench = Bench::new();
    let token = bench.sign(&bench.claims());
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    let bytes = base64url::decode(signature).expect("signature");
    let with = |bytes: &[u8]| format!("{input}.{}", base64url::encode(bytes));
    assert_eq!(bench.refused(&with(&bytes)), "accepted");
    for bad in [
        &[][..],
        &bytes[..63],
        &[0; 64],
        &[&bytes[..], &[0]].concat(),
        &[bytes[32..].to_vec(), bytes[..32].to_vec()].concat(),
    ] {
        assert_eq!(bench.refused(&with(bad)), "forged:bad_signature");
    }
    let stranger = Bench::new();
    let foreign = PrivateKey::generate(Algorithm::Es256).expect("key");
    let foreign =
        jws::sign(&foreign, "at+jwt", bench.claims().to_string().as_bytes()).expect("token");
    assert_eq!(stranger.refused(&foreign), "forged:unknown_key");
}

#[test]
fn an_unsigned_token_is_seen_with_and_without_its_last_dot() {
    let bench = Bench::new();
    let header = base64url::encode(r#"{"alg":"none"}"#);
    let payload = base64url::encode(bench.claims().to_string());
    assert_eq!(bench.refused(&format!("{header}.{payload}.")), "forged:alg_none");
    assert_eq!(bench.refused(&format!("{header}.{payload}")), "forged:alg_none");
}

#[test]
fn texts_that_are_no_token_are_malformed() {
    let bench = Bench::new();
    let token = bench.sign(&bench.claims());
    for text in [
        "",
        ".",
        "..",
        "a.b.c",
        "....",
        &format!("{token}."),
        &format!("{token}="),
        &format!(" {token}"),
        &token.replacen('.', "..", 1),
        &".".repeat(9000),
        "{\"payload\":\"\"}",
    ] {
        let refused = bench.refused(text);
        assert!(refused == "malformed" || refused == "wrong_type", "{text:?}: {refused}");
    }
    assert_eq!(bench.refused(&"a".repeat(20_000)), "too_large");
    assert_eq!(bench.refused("a.b.c.d.e"), "wrong_type");
}

#[test]
fn another_kind_of_token_is_refused() {
    let bench = Bench::new();
    for typ in ["JWT", "jwt", "logout+jwt", "dpop+jwt", "at+jwtx"] {
        let token =
            jws::sign(&bench.key, typ, bench.claims().to_string().as_bytes()).expect("token");
        assert_eq!(bench.refused(&token), "wrong_type", "{typ}");
    }
    let long = jws::sign(&bench.key, "application/at+jwt", bench.claims().to_string().as_bytes());
    assert_eq!(bench.refused(&long.expect("token")), "accepted");
    let untyped =
        bench.sign_header(&format!(r#"{{"alg":"ES256","kid":"{}"}}"#, bench.key.public().kid()));
    assert_eq!(bench.refused(&untyped), "wrong_type");
}

#[test]
fn claims_must_be_there_and_fit() {
    let bench = Bench::new();
    let now = NOW.as_secs();
    for name in ["iss", "aud", "sub", "exp", "iat", "jti", "client_id"] {
        let refused = bench.refused(&bench.sign(&bench.without(name)));
        assert_eq!(refused, "malformed", "without {name}");
    }
    let cases = [
        ("iss", json!("https://issuer.example/"), "wrong_issuer"),
        ("iss", json!("https://ISSUER.example"), "wrong_issuer"),
        ("aud", json!(["https://x.example", "https://api.example"]), "accepted"),
        ("aud", json!("https://api.example.evil.example"), "wrong_audience"),
        ("aud", json!("*"), "wrong_audience"),
        ("aud", json!([]), "wrong_audience"),
        ("exp", json!(now - 5), "expired"),
        ("exp", json!(now - 4), "accepted"),
        ("exp", json!("9999999999"), "malformed"),
        ("exp", json!(-1), "expired"),
        ("exp", json!(1e300), "malformed"),
        ("iat", json!(now + 5), "accepted"),
        ("iat", json!(now + 6), "not_yet_valid"),
        ("nbf", json!(now + 60), "not_yet_valid"),
        ("sub", json!(null), "malformed"),
        ("sub", json!(7), "malformed"),
        ("scope", json!(["orders:read"]), "malformed"),
        ("scope", json!("orders:read\torders:write"), "malformed"),
    ];
    for (name, value, expected) in cases {
        let refused = bench.refused(&bench.sign(&bench.with(name, value.clone())));
        assert_eq!(refused, expected, "{name} = {value}");
    }
    let twice = bench.claims().to_string().replacen('{', r#"{"scope":"admin","#, 1);
    let twice = jws::sign(&bench.key, "at+jwt", twice.as_bytes()).expect("token");
    assert_eq!(bench.refused(&twice), "malformed");
}

#[test]
fn a_stranger_is_no_forger_and_names_only_claims() {
    let bench = Bench::new();
    let other = PrivateKey::generate(Algorithm::Es256).expect("key");
    let claims = bench.with("iss", json!("https://other.example"));
    let token = jws::sign(&other, "at+jwt", claims.to_string().as_bytes()).expect("token");
    assert_eq!(bench.refused(&token), "wrong_issuer");
    let forged = bench.sign_header(&bench.header("none", ""));
    let refused =
        verify_access_token(&forged, &bench.keys, &bench.policy, NOW).expect_err("refused");
    assert_eq!(refused.claimed.subject.as_deref(), Some("u1"));
    assert_eq!(refused.claimed.client.as_deref(), Some("c1"));
}

#[test]
fn a_sender_constrained_token_says_so() {
    let bench = Bench::new();
    let verify = |claims: &Value| {
        verify_access_token(&bench.sign(claims), &bench.keys, &bench.policy, NOW).expect("token")
    };
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    assert_eq!(verify(&bench.claims()).confirmation(), None);
    let bound = verify(&bench.with("cnf", json!({ "jkt": jkt })));
    assert_eq!(bound.confirmation(), Some(&Confirmation::jkt(jkt.into())));
    let unknown = verify(&bench.with("cnf", json!({ "kid": "k" })));
    assert!(unknown.confirmation().is_some_and(|cnf| cnf.unknown));
}

#[test]
fn what_limits_a_token_is_never_lost() {
    let bench = Bench::new();
    for (name, value) in [
        ("cnf", json!(null)),
        ("cnf", json!([])),
        ("cnf", json!({"jkt": "x"})),
        ("status", json!(null)),
        ("status", json!({"status_list": {"idx": -1, "uri": "https://s.example"}})),
        ("act", json!({"iss": "https://s.example"})),
        ("authorization_details", json!({"type": "payment"})),
        ("authorization_details", json!([{}])),
    ] {
        assert_eq!(bench.refused(&bench.sign(&bench.with(name, value))), "malformed", "{name}");
    }
}
