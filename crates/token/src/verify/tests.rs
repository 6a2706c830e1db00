//! Each kind of token: taken as what it is, refused as every other kind, each of its rules broken.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Policy, Refusal, Rule, verify, verify_with_key};
use crate::jws;
use crate::key::{KeySet, PrivateKey};
use crate::kind::attestation::{AttestationProof, ClientAttestation};
use crate::kind::software_statement::SoftwareStatement;
use crate::kind::{
    ClientAssertion, IdToken, IntrospectionResponse, Kind, LogoutToken, RequestObject,
};
use crate::reason::Reason;
use crate::status_list::{StatusList, StatusListToken};
use crate::term::Algorithm;
use crate::time::Timestamp;

const NOW: i64 = 1_790_000_000;

struct Issuer {
    key: PrivateKey,
    keys: KeySet,
}

// === impl Issuer ===

impl Issuer {
    fn new() -> Self {
        let key = PrivateKey::generate(Algorithm::Es256).expect("key");
        let keys = KeySet::from_iter([key.public().clone()]);
        Self { key, keys }
    }

    fn refused<K: Kind>(&self, typ: &str, claims: &Value, policy: &Policy) -> Option<Refusal> {
        let token = jws::sign(&self.key, typ, claims.to_string().as_bytes()).expect("token");
        verify::<K>(&token, &self.keys, policy, Timestamp::from_secs(NOW)).err()
    }
}

fn policy() -> Policy {
    Policy::new("https://as.example", "client")
}

fn broken(claim: &'static str, rule: Rule) -> Option<Refusal> {
    Some(Refusal::Claim { claim, rule })
}

fn base() -> Value {
    json!({ "iss": "https://as.example", "aud": "client", "iat": NOW, "exp": NOW + 60 })
}

fn with(mut claims: Value, members: Value) -> Value {
    let members = members.as_object().expect("object").clone();
    claims.as_object_mut().expect("object").extend(members);
    claims
}

fn id_token() -> Value {
    with(base(), json!({ "sub": "u-1", "nonce": "n-1" }))
}

fn logout_token() -> Value {
    let event = "http://schemas.openid.net/event/backchannel-logout";
    with(base(), json!({ "jti": "l-1", "sid": "s-1", "events": { event: {} } }))
}

fn introspection() -> Value {
    json!({ "iss": "https://as.example", "aud": "client", "iat": NOW,
        "token_introspection": { "active": true, "scope": "read" } })
}

fn assertion() -> Value {
    json!({ "iss": "https://as.example", "sub": "https://as.example", "aud": "client",
        "exp": NOW + 60, "jti": "c-1" })
}

fn request_object() -> Value {
    with(base(), json!({ "client_id": "https://as.example", "scope": "openid" }))
}

/// Holds each change of good claims against the refusal that it has to meet.
fn hold<K: Kind>(typ: &str, good: &Value, cases: Vec<(&'static str, Value, Rule)>) {
    let issuer = Issuer::new();
    assert_eq!(issuer.refused::<K>(typ, good, &policy()), None);
    for (claim, value, rule) in cases {
        let mut changed = good.clone();
        changed[claim] = value;
        let refused = issuer.refused::<K>(typ, &changed, &policy());
        assert_eq!(refused, broken(claim, rule), "{changed}");
    }
    for claim in K::REQUIRED {
        let mut without = good.clone();
        without.as_object_mut().expect("object").remove(*claim);
        let refused = issuer.refused::<K>(typ, &without, &policy());
        assert_eq!(refused, broken(claim, Rule::Missing));
        let mut odd = good.clone();
        odd[*claim] = json!({ "a": [true] });
        let refused = issuer.refused::<K>(typ, &odd, &policy());
        assert!(refused.is_some(), "{claim} of a wrong type");
    }
    let mut other = good.clone();
    other["iss"] = "https://as.example/".into();
    assert!(issuer.refused::<K>(typ, &other, &policy()).is_some());
    let other = Issuer::new().refused::<K>(typ, good, &policy());
    assert_eq!(other, None);
}

/// RFC 7519 §2: a NumericDate may have a fraction, whatever kind of token it is in.
#[test]
fn times_may_have_fractions() {
    fn good<K: Kind>(typ: &str, claims: Value) {
        let fractions = json!({ "iat": NOW as f64 - 0.5, "exp": NOW as f64 + 1.5 });
        let claims = with(claims, fractions);
        assert_eq!(Issuer::new().refused::<K>(typ, &claims, &policy()), None, "{claims}");
    }
    good::<IdToken>("JWT", id_token());
    good::<LogoutToken>("logout+jwt", logout_token());
    good::<ClientAssertion>("JWT", assertion());
    good::<RequestObject>("oauth-authz-req+jwt", request_object());
    let statement = json!({ "iss": "https://as.example", "client_name": "a" });
    good::<SoftwareStatement>("JWT", statement);
}

#[test]
fn id_tokens() {
    hold::<IdToken>(
        "JWT",
        &id_token(),
        vec![
            ("iss", json!("https://AS.example"), Rule::Mismatch),
            ("aud", json!("client2"), Rule::Mismatch),
            ("aud", json!(["other"]), Rule::Mismatch),
            ("aud", json!([]), Rule::Mismatch),
            ("exp", json!(NOW), Rule::Expired),
            ("exp", json!(i64::MIN), Rule::Expired),
            ("iat", json!(NOW + 1), Rule::NotYet),
            ("sub", json!(""), Rule::Invalid),
            ("sub", json!("x".repeat(256)), Rule::Invalid),
            ("sub", json!("a\r\nb"), Rule::Invalid),
            ("azp", json!("other"), Rule::Mismatch),
            ("events", json!({}), Rule::Forbidden),
        ],
    );
    let issuer = Issuer::new();
    let several = with(id_token(), json!({ "aud": ["client", "other"] }));
    let refused = issuer.refused::<IdToken>("JWT", &several, &policy());
    assert_eq!(refused, broken("azp", Rule::Missing));
    let refused = |policy: Policy| issuer.refused::<IdToken>("JWT", &id_token(), &policy);
    assert_eq!(refused(policy().nonce("n-1")), None);
    assert_eq!(refused(policy().nonce("n-2")), broken("nonce", Rule::Mismatch));
}

#[test]
fn status_lists() {
    let packed = StatusList::new(2, 8).expect("list").pack();
    let token = json!({ "sub": "https://as.example/s/1", "iat": NOW, "status_list": packed });
    let issuer = Issuer::new();
    let refused = |claims: &Value, policy: Policy| {
        issuer.refused::<StatusListToken>("statuslist+jwt", claims, &policy)
    };
    let ours = || policy().subject("https://as.example/s/1");
    assert_eq!(refused(&token, ours()), None);
    assert_eq!(refused(&token, policy()), broken("sub", Rule::Mismatch));
    let other = policy().subject("https://as.example/s/2");
    assert_eq!(refused(&token, other), broken("sub", Rule::Mismatch));
    for claim in StatusListToken::REQUIRED {
        let mut without = token.clone();
        without.as_object_mut().expect("object").remove(*claim);
        assert_eq!(refused(&without, ours()), broken(claim, Rule::Missing));
    }
    for (claim, value, rule) in [
        ("exp", json!(NOW), Rule::Expired),
        ("iat", json!(NOW + 1), Rule::NotYet),
        ("iss", json!("https://other.example"), Rule::Mismatch),
    ] {
        let changed = with(token.clone(), json!({ claim: value }));
        assert_eq!(refused(&changed, ours()), broken(claim, rule), "{claim}");
    }
}

#[test]
fn logout_tokens() {
    hold::<LogoutToken>(
        "logout+jwt",
        &logout_token(),
        vec![
            ("nonce", json!("n-1"), Rule::Forbidden),
            ("jti", json!(""), Rule::Invalid),
            ("events", json!({}), Rule::Invalid),
            (
                "events",
                json!({ "http://schemas.openid.net/event/backchannel-logout": 1 }),
                Rule::Invalid,
            ),
            ("exp", json!(NOW - 1), Rule::Expired),
        ],
    );
    let mut nobody = logout_token();
    nobody.as_object_mut().expect("object").remove("sid");
    let refused = Issuer::new().refused::<LogoutToken>("logout+jwt", &nobody, &policy());
    assert_eq!(refused, broken("sub", Rule::Missing));
}

#[test]
fn introspection_responses() {
    hold::<IntrospectionResponse>(
        "token-introspection+jwt",
        &introspection(),
        vec![
            ("sub", json!("u-1"), Rule::Forbidden),
            ("exp", json!(NOW + 1), Rule::Forbidden),
            ("token_introspection", json!({}), Rule::Invalid),
            ("token_introspection", json!({ "active": "true" }), Rule::Invalid),
        ],
    );
}

#[test]
fn client_assertions() {
    let typ = "client-authentication+jwt";
    hold::<ClientAssertion>(
        typ,
        &assertion(),
        vec![
            ("sub", json!("other"), Rule::Mismatch),
            ("aud", json!(["client", "other"]), Rule::Invalid),
            ("aud", json!("other"), Rule::Mismatch),
            ("nbf", json!(NOW + 1), Rule::NotYet),
            ("jti", json!(""), Rule::Invalid),
        ],
    );
}

#[test]
fn request_objects() {
    hold::<RequestObject>(
        "oauth-authz-req+jwt",
        &request_object(),
        vec![
            ("client_id", json!("other"), Rule::Mismatch),
            ("request", json!("x"), Rule::Forbidden),
            ("request_uri", json!("https://x"), Rule::Forbidden),
            ("sub", json!("https://as.example"), Rule::Forbidden),
        ],
    );
}

/// RFC 7591 §2.3.
#[test]
fn software_statements() {
    let good = json!({ "iss": "https://as.example", "client_name": "App", "exp": NOW + 1 });
    hold::<SoftwareStatement>(
        "JWT",
        &good,
        vec![
            ("aud", json!("https://elsewhere.example"), Rule::Mismatch),
            ("exp", json!(NOW), Rule::Expired),
            ("nbf", json!(NOW + 1), Rule::NotYet),
            ("iat", json!(NOW + 1), Rule::NotYet),
            ("software_statement", json!("x.y.z"), Rule::Forbidden),
            ("nonce", json!("n-1"), Rule::Forbidden),
            ("auth_time", json!(NOW), Rule::Forbidden),
            ("events", json!({}), Rule::Forbidden),
            ("sub", json!("https://as.example"), Rule::Invalid),
        ],
    );
    let bare = json!({ "iss": "https://as.example" });
    assert_eq!(Issuer::new().refused::<SoftwareStatement>("JWT", &bare, &policy()), None);
    let access = Issuer::new().refused::<SoftwareStatement>("at+jwt", &bare, &policy());
    assert_eq!(access, Some(Refusal::Type));
    let refused = Issuer::new().refused::<SoftwareStatement>("JWT", &assertion(), &policy());
    assert_eq!(refused, broken("sub", Rule::Invalid), "an assertion of the publisher's");
}

fn attestation() -> Value {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    json!({ "iss": "https://as.example", "sub": "c", "exp": NOW + 60,
        "cnf": { "jwk": key.public().jwk() } })
}

fn attestation_proof() -> Value {
    json!({ "aud": "client", "jti": "p-1", "iat": NOW })
}

/// draft-ietf-oauth-attestation-based-client-auth-10 §4.
#[test]
fn client_attestations() {
    let good = attestation();
    let mut private = good["cnf"].clone();
    private["jwk"]["d"] = json!("AA");
    hold::<ClientAttestation>(
        "oauth-client-attestation+jwt",
        &good,
        vec![
            ("exp", json!(NOW), Rule::Expired),
            ("nbf", json!(NOW + 1), Rule::NotYet),
            ("iat", json!(NOW + 1), Rule::NotYet),
            ("aud", json!("https://elsewhere.example"), Rule::Mismatch),
            ("cnf", private, Rule::Invalid),
            ("cnf", json!({ "jwk": "x" }), Rule::Invalid),
        ],
    );
    let issuer = Issuer::new();
    let mut unnamed = good.clone();
    unnamed.as_object_mut().expect("object").remove("iss");
    let refused = |typ| issuer.refused::<ClientAttestation>(typ, &unnamed, &policy());
    assert_eq!(refused("oauth-client-attestation+jwt"), None);
    for typ in ["JWT", "oauth-client-attestation-pop+jwt", "at+jwt"] {
        assert_eq!(refused(typ), Some(Refusal::Type), "{typ}");
    }
    let mut by_name = good;
    by_name["cnf"] = json!({ "jkt": "x" });
    let refused =
        issuer.refused::<ClientAttestation>("oauth-client-attestation+jwt", &by_name, &policy());
    assert_eq!(refused, Some(Refusal::Payload));
}

/// draft-ietf-oauth-attestation-based-client-auth-10 §5.1.
#[test]
fn proofs_of_attested_keys() {
    const TYPE: &str = "oauth-client-attestation-pop+jwt";
    let good = with(attestation_proof(), json!({ "challenge": "c-1" }));
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let now = Timestamp::from_secs(NOW);
    let policy = policy().max_age(Duration::from_secs(60));
    let refused = |key: &PrivateKey, by: &PrivateKey, typ: &str, claims: &Value| {
        let proof = jws::sign(by, typ, claims.to_string().as_bytes()).expect("proof");
        verify_with_key::<AttestationProof>(&proof, key.public(), &policy, now).err()
    };
    assert_eq!(refused(&key, &key, TYPE, &good), None);
    assert_eq!(refused(&key, &key, TYPE, &attestation_proof()), None);
    let other = PrivateKey::generate(Algorithm::Es256).expect("key");
    let signature = refused(&key, &other, TYPE, &good);
    assert!(matches!(signature, Some(Refusal::Signature { .. })), "{signature:?}");
    for typ in ["JWT", "dpop+jwt", "oauth-client-attestation+jwt"] {
        assert_eq!(refused(&key, &key, typ, &good), Some(Refusal::Type), "{typ}");
    }
    for (claim, value, rule) in [
        ("aud", json!("client2"), Rule::Mismatch),
        ("aud", json!(["client", "other"]), Rule::Invalid),
        ("iat", json!(NOW - 61), Rule::TooOld),
        ("iat", json!(NOW + 1), Rule::NotYet),
        ("exp", json!(NOW), Rule::Expired),
        ("nbf", json!(NOW + 1), Rule::NotYet),
        ("jti", json!(""), Rule::Invalid),
        ("cnf", json!({}), Rule::Forbidden),
    ] {
        let changed = with(good.clone(), json!({ claim: value }));
        assert_eq!(refused(&key, &key, TYPE, &changed), broken(claim, rule), "{changed}");
    }
    for claim in AttestationProof::REQUIRED {
        let mut without = good.clone();
        without.as_object_mut().expect("object").remove(*claim);
        assert_eq!(refused(&key, &key, TYPE, &without), broken(claim, Rule::Missing));
    }
}

/// RFC 8725 §2.8: whatever one kind is taken as, no other kind is.
#[test]
fn no_kind_passes_for_another() {
    let issuer = Issuer::new();
    let access = with(base(), json!({ "sub": "u-1", "jti": "a-1", "client_id": "c" }));
    let kinds = [
        ("JWT", id_token()),
        ("logout+jwt", logout_token()),
        ("token-introspection+jwt", introspection()),
        ("client-authentication+jwt", assertion()),
        ("oauth-authz-req+jwt", request_object()),
        ("oauth-client-attestation+jwt", attestation()),
        ("oauth-client-attestation-pop+jwt", attestation_proof()),
        ("at+jwt", access),
        ("JWT", assertion()),
    ];
    for (typ, claims) in &kinds {
        let taken = [
            issuer.refused::<IdToken>(typ, claims, &policy()).is_none(),
            issuer.refused::<LogoutToken>(typ, claims, &policy()).is_none(),
            issuer.refused::<IntrospectionResponse>(typ, claims, &policy()).is_none(),
            issuer.refused::<ClientAssertion>(typ, claims, &policy()).is_none(),
            issuer.refused::<RequestObject>(typ, claims, &policy()).is_none(),
            issuer.refused::<ClientAttestation>(typ, claims, &policy()).is_none(),
            issuer.refused::<AttestationProof>(typ, claims, &policy()).is_none(),
        ];
        let times = taken.iter().filter(|taken| **taken).count();
        assert_eq!(times, usize::from(*typ != "at+jwt"), "{typ}: {claims}");
    }
}

#[test]
fn a_policy_is_kept() {
    let issuer = Issuer::new();
    let refused = |policy: Policy| issuer.refused::<IdToken>("JWT", &id_token(), &policy);
    assert_eq!(refused(policy().algorithms(&[Algorithm::Es256])), None);
    assert_eq!(refused(policy().algorithms(&[Algorithm::Rs256])), Some(Refusal::Algorithm));
    assert_eq!(refused(policy().algorithms(&[])), Some(Refusal::Algorithm));
    assert_eq!(refused(policy().require("acr")), Some(Refusal::Demanded("acr".to_owned())));
    assert_eq!(refused(policy().require("nonce")), None);
    assert_eq!(refused(Policy::new("https://as.example", "x").or_audience("client")), None);

    let minute = Duration::from_secs(60);
    let old = with(id_token(), json!({ "iat": NOW - 90, "exp": NOW - 30 }));
    let refused = |policy: Policy| issuer.refused::<IdToken>("JWT", &old, &policy);
    assert_eq!(refused(policy()), broken("exp", Rule::Expired));
    assert_eq!(refused(policy().leeway(minute)), None);
    assert_eq!(refused(policy().leeway(minute).max_age(minute)), None);
    let short = Duration::from_secs(20);
    assert_eq!(refused(policy().leeway(minute).max_age(short)), broken("iat", Rule::TooOld));
    let older = with(id_token(), json!({ "exp": NOW - 61 }));
    let hour = policy().leeway(Duration::from_secs(3600));
    let refused = issuer.refused::<IdToken>("JWT", &older, &hour);
    assert_eq!(refused, broken("exp", Rule::Expired), "leeway is at most 60 s");
    let refused = issuer.refused::<ClientAssertion>("JWT", &assertion(), &policy().max_age(minute));
    assert_eq!(refused, broken("iat", Rule::Missing));
}

#[test]
fn refusals_say_the_claim_and_repeat_nothing() {
    let issuer = Issuer::new();
    let odd = with(id_token(), json!({ "aud": "secret-value" }));
    let refused = issuer.refused::<IdToken>("JWT", &odd, &policy()).expect("refused");
    assert_eq!(refused.to_string(), "claim `aud`: is not the expected value");
    assert_eq!(refused.reason(), Reason::WrongAudience.into());
    let stranger = Issuer::new();
    let token = jws::sign(&stranger.key, "JWT", id_token().to_string().as_bytes()).expect("token");
    let refused = verify::<IdToken>(&token, &issuer.keys, &policy(), Timestamp::from_secs(NOW));
    let words = refused.expect_err("refused").to_string();
    assert_eq!(words, "no key of this name signs tokens here (forged:unknown_key)");
}
