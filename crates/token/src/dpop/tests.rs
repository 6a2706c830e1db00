//! Proofs against the examples of RFC 9449, and each of its rules broken.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Nonces, ProofDesk, ProofRefused, ProofRules, Request, normal_uri, token_hash, verify_proof,
};
use crate::base64url;
use crate::jws::NotJws;
use crate::key::{MacKey, PrivateKey};
use crate::term::{Algorithm, MacAlgorithm};
use crate::time::Timestamp;
use crate::verify::{Refusal, Rule};

const NOW: Timestamp = Timestamp::from_secs(1_562_262_616);
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const CALL: Request<'static> = Request {
    method: "GET",
    uri: "https://api.example/orders?page=2#top",
    access_token: Some(TOKEN),
    nonces: None,
    max_age: Duration::from_secs(60),
    leeway: Duration::from_secs(5),
};

/// A proof with the header and claims as they are given.
fn proof(key: &PrivateKey, header: &Value, claims: &Value) -> String {
    let parts = [header, claims].map(|part| base64url::encode(part.to_string()));
    let input = parts.join(".");
    let signature = key.sign(input.as_bytes()).expect("signature");
    format!("{input}.{}", base64url::encode(signature))
}

fn header(key: &PrivateKey) -> Value {
    let mut jwk = serde_json::to_value(key.public().jwk()).expect("JWK");
    for name in ["alg", "kid", "use"] {
        jwk.as_object_mut().expect("object").remove(name);
    }
    json!({ "typ": "dpop+jwt", "alg": key.public().algorithm(), "jwk": jwk })
}

fn claims() -> Value {
    json!({ "jti": "a-1", "htm": "GET", "htu": "https://api.example/orders",
        "iat": NOW.as_secs(), "ath": token_hash(TOKEN) })
}

/// RFC 9449 §4.1 (figure 2), with the thumbprint of §6.1.
#[test]
fn the_published_proof_for_a_token_request_is_taken() {
    let text = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik\
        VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR\
        nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE\
        QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj\
        oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia\
        WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg\
        4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let request = Request {
        method: "POST",
        uri: "https://server.example.com/token",
        access_token: None,
        ..CALL
    };
    let proof = verify_proof(text, request, NOW).expect("RFC 9449 figure 2");
    assert_eq!(proof.jkt().as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_eq!((proof.jti(), proof.issued_at()), ("-BwC3ESc6acc2lTc", NOW));
    let get = Request { method: "GET", ..request };
    let refused = Err(Refusal::Claim { claim: "htm", rule: Rule::Mismatch });
    assert_eq!(verify_proof(text, get, NOW), refused);
    // RFC 9449 §7.1 (figure 12).
    assert_eq!(token_hash(TOKEN), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

#[test]
fn every_algorithm_with_a_public_half_proves() {
    for algorithm in Algorithm::ALL.iter().filter(|one| !one.as_str().starts_with("ML-")) {
        let key = PrivateKey::generate(*algorithm).expect("key");
        let proof = verify_proof(&proof(&key, &header(&key), &claims()), CALL, NOW);
        assert_eq!(proof.expect("proof").jkt(), &key.public().jwk().thumbprint(), "{algorithm}");
    }
}

#[test]
fn each_rule_of_section_4_3_refuses() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    use Rule::{Invalid, Mismatch, Missing, NotYet, TooOld};
    let late = NOW.as_secs() - 61;
    let early = NOW.as_secs() + 6;
    for (claim, value, rule) in [
        ("jti", json!(null), None),
        ("jti", json!(""), Some(Invalid)),
        ("jti", json!("x".repeat(257)), Some(Invalid)),
        ("htm", json!("get"), Some(Mismatch)),
        ("htm", json!("POST"), Some(Mismatch)),
        ("htu", json!("https://api.example/other"), Some(Mismatch)),
        ("htu", json!("http://api.example/orders"), Some(Mismatch)),
        ("htu", json!("https://api.example:8443/orders"), Some(Mismatch)),
        ("htu", json!("https://api.example/orders/"), Some(Mismatch)),
        ("htu", json!("https://api.example.evil/orders"), Some(Mismatch)),
        ("htu", json!("https://u@api.example/orders"), Some(Invalid)),
        ("htu", json!("/orders"), Some(Invalid)),
        ("htu", json!(["https://api.example/orders"]), None),
        ("iat", json!(late), Some(TooOld)),
        ("iat", json!(early), Some(NotYet)),
        ("iat", json!(i64::MAX), Some(NotYet)),
        ("iat", json!(i64::MIN), Some(TooOld)),
        ("iat", json!("1562262616"), None),
        ("ath", json!(token_hash("another")), Some(Mismatch)),
        ("ath", json!(null), Some(Missing)),
    ] {
        let mut changed = claims();
        changed[claim] = value;
        let refused = verify_proof(&proof(&key, &header(&key), &changed), CALL, NOW).err();
        let expected = rule.map_or(Refusal::Payload, |rule| Refusal::Claim { claim, rule });
        assert_eq!(refused, Some(expected), "{changed}");
    }
    for claim in ["jti", "htm", "htu", "iat"] {
        let mut without = claims();
        without.as_object_mut().expect("object").remove(claim);
        let refused = verify_proof(&proof(&key, &header(&key), &without), CALL, NOW).err();
        assert_eq!(refused, Some(Refusal::Claim { claim, rule: Missing }));
    }
}

/// RFC 7519 §2: a NumericDate may have a fraction.
#[test]
fn a_time_with_a_fraction_is_a_time() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let judged = |iat: f64| {
        let mut changed = claims();
        changed["iat"] = json!(iat);
        verify_proof(&proof(&key, &header(&key), &changed), CALL, NOW)
    };
    let now = NOW.as_secs() as f64;
    assert_eq!(judged(now + 0.75).map(|proof| proof.issued_at()), Ok(NOW));
    let broken = |rule| Err(Refusal::Claim { claim: "iat", rule });
    assert_eq!(judged(now - 60.5), broken(Rule::TooOld));
    assert_eq!(judged(now + 6.5), broken(Rule::NotYet));
    assert_eq!(judged(1e300), Err(Refusal::Payload));
}

#[test]
fn a_nonce_that_was_handed_out_has_to_come_back() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let nonces = Nonces::new(&[7; 32], Duration::from_secs(60));
    let request = Request { nonces: Some(&nonces), ..CALL };
    let (ours, old) = (nonces.issue(NOW), nonces.issue(NOW.minus(Duration::from_secs(61))));
    for (nonce, rule) in [
        (None, Some(Rule::Missing)),
        (Some("n-0"), Some(Rule::Mismatch)),
        (Some(&*old), Some(Rule::Mismatch)),
        (Some(&*ours), None),
    ] {
        let mut claims = claims();
        claims["nonce"] = nonce.into();
        let refused = verify_proof(&proof(&key, &header(&key), &claims), request, NOW).err();
        assert_eq!(refused, rule.map(|rule| Refusal::Claim { claim: "nonce", rule }));
    }
}

#[test]
fn headers_that_are_no_proofs_are_refused() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let other = PrivateKey::generate(Algorithm::Es256).expect("key");
    let private: Value =
        serde_json::from_str(key.expose_jwk().expect("text").expose()).expect("JSON");
    let secret = MacKey::generate(MacAlgorithm::Hs256).expect("key").expose_jwk();
    let secret: Value = serde_json::from_str(secret.expose()).expect("JSON");
    let bad_key = Refusal::Claim { claim: "jwk", rule: Rule::Invalid };
    let no_key = Refusal::Claim { claim: "jwk", rule: Rule::Missing };
    for (name, value, expected) in [
        ("typ", json!("JWT"), Refusal::Type),
        ("typ", json!("at+jwt"), Refusal::Type),
        ("typ", json!(null), Refusal::Form(NotJws::Typ)),
        ("alg", json!("none"), bad_key.clone()),
        ("alg", json!("HS256"), bad_key.clone()),
        ("alg", json!("ES384"), bad_key.clone()),
        ("jwk", private, bad_key.clone()),
        ("jwk", secret, bad_key.clone()),
        ("jwk", json!(null), no_key.clone()),
        ("jwk", json!("text"), no_key.clone()),
        ("x5c", json!([]), no_key),
    ] {
        let mut changed = header(&key);
        changed[name] = value;
        let refused = verify_proof(&proof(&key, &changed, &claims()), CALL, NOW).err();
        assert_eq!(refused, Some(expected), "{changed}");
    }
    for (name, value) in [("crit", json!(["exp"])), ("jku", json!("https://evil.example"))] {
        let mut changed = header(&key);
        changed[name] = value;
        let refused = verify_proof(&proof(&key, &changed, &claims()), CALL, NOW);
        assert!(matches!(refused, Err(Refusal::Signature { .. })), "{changed}");
    }
    // Another key's signature under this key.
    let refused = verify_proof(&proof(&other, &header(&key), &claims()), CALL, NOW);
    assert!(matches!(refused, Err(Refusal::Signature { .. })));
}

#[test]
fn uris_are_compared_in_their_normal_form() {
    let normal = normal_uri("https://api.example/a/~b?q#f");
    for same in [
        "https://api.example/a/~b",
        "HTTPS://API.example:443/a/%7eb",
        "https://api.example/x/../a/%7Eb",
        "https://api.example/%61/~b?other",
    ] {
        assert_eq!(normal_uri(same), normal, "{same}");
    }
    for other in [
        "https://api.example/A/~b",
        "https://api.example/a%2f~b",
        "https://api.example//a/~b",
        "https://api.example:444/a/~b",
    ] {
        assert_ne!(normal_uri(other), normal, "{other}");
    }
    assert_eq!(normal_uri("https://a/%+f%zz%"), normal_uri("https://a/%+f%zz%"));
    assert_eq!(normal_uri("ftp://api.example/a"), None);
}

#[test]
fn a_desk_takes_a_proof_once() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let desk = ProofDesk::new(ProofRules::default(), None);
    let take = |proof: &str, now| desk.take(proof, "GET", CALL.uri, Some(TOKEN), now);
    let first = proof(&key, &header(&key), &claims());
    assert!(take(&first, NOW).is_ok());
    assert_eq!(take(&first, NOW), Err(ProofRefused::Replayed));
    // The same name by another key is another proof.
    let other = PrivateKey::generate(Algorithm::Es256).expect("key");
    assert!(take(&proof(&other, &header(&other), &claims()), NOW).is_ok());
    // A broken one uses no name up.
    let mut claims = claims();
    claims["jti"] = "another".into();
    claims["htm"] = "POST".into();
    assert!(take(&proof(&key, &header(&key), &claims), NOW).is_err());
    claims["htm"] = "GET".into();
    assert!(take(&proof(&key, &header(&key), &claims), NOW).is_ok());
    assert_eq!(desk.nonce(NOW), None);
}

#[test]
fn a_desk_with_nonces_says_that_it_wants_one() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let nonces = Nonces::new(&[7; 32], Duration::from_secs(60));
    let desk = ProofDesk::new(ProofRules::default(), Some(Arc::new(nonces)));
    let mut claims = claims();
    let mut take = |nonce: Option<&str>, now| {
        claims["nonce"] = nonce.into();
        desk.take(&proof(&key, &header(&key), &claims), "GET", CALL.uri, Some(TOKEN), now)
    };
    assert_eq!(take(None, NOW), Err(ProofRefused::Nonce));
    assert_eq!(take(Some("invented"), NOW), Err(ProofRefused::Nonce));
    let nonce = desk.nonce(NOW).expect("nonce");
    assert!(take(Some(&nonce), NOW).is_ok());
    assert_eq!(take(Some(&nonce), NOW), Err(ProofRefused::Replayed));
}
