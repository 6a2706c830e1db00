//! Signatures both ways with libraries of other makers: every algorithm, random payloads.

use std::process::Command;

use serde_json::{Value, json};
use token::base64url;
use token::jwk::PublicJwk;
use token::jws::{self, Jws};
use token::key::{MacKey, PrivateKey, PublicKey};
use token::random::{OsRandom, Random as _};
use token::term::{Algorithm, MacAlgorithm};

use crate::interop;
use crate::support::output_of;

const EACH: usize = 20;

/// Those that the libraries of today sign with on the platforms of today.
fn algorithms() -> impl Iterator<Item = Algorithm> {
    let post_quantum = [Algorithm::MlDsa44, Algorithm::MlDsa65];
    Algorithm::ALL.iter().copied().filter(move |algorithm| !post_quantum.contains(algorithm))
}

pub(crate) fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    OsRandom::new().fill(&mut bytes);
    bytes
}

/// Tokens of ours, each with what checks it.
fn ours() -> Vec<Value> {
    let mut given = Vec::new();
    for algorithm in algorithms() {
        let key = PrivateKey::generate(algorithm).expect("key");
        for number in 0..EACH {
            let payload = random(number * 17);
            let token = jws::sign(&key, "JWT", &payload).expect("token");
            given.push(json!({ "alg": algorithm, "jwk": key.public().jwk(), "token": token,
                "payload": base64url::encode(payload) }));
        }
    }
    for algorithm in MacAlgorithm::ALL {
        let secret = random(algorithm.bytes());
        let key = MacKey::new(*algorithm, "secret".into(), &secret).expect("key");
        let jwk = json!({ "kty": "oct", "k": base64url::encode(&secret), "alg": algorithm });
        for number in 0..EACH {
            let payload = random(number * 17);
            let token = jws::sign_with_secret(&key, "JWT", &payload);
            given.push(json!({ "alg": algorithm, "jwk": jwk, "token": token,
                "payload": base64url::encode(payload) }));
        }
    }
    given
}

/// Checks one token of theirs, and that a changed one does not pass.
fn check(made: &Value) {
    let member = |name: &str| made[name].as_str().expect("member");
    let jws = Jws::parse(member("token")).expect("JWS");
    assert_eq!(base64url::encode(jws.unverified_payload()), member("payload"));
    assert_eq!(jws.header().alg, member("alg"));
    let mut changed = jws.signature().to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 0x10;
    assert!(fits(made, jws.signing_input(), jws.signature()), "{made}");
    assert!(!fits(made, jws.signing_input(), &changed), "{made}");
}

/// Whether the key that came with a token checks this signature.
fn fits(made: &Value, input: &[u8], signature: &[u8]) -> bool {
    let alg = made["alg"].as_str().expect("alg");
    if let Ok(algorithm) = alg.parse::<MacAlgorithm>() {
        let secret = base64url::decode(made["jwk"]["k"].as_str().expect("k")).expect("secret");
        let key = MacKey::new(algorithm, "k".into(), &secret).expect("key");
        return key.verifies(input, signature);
    }
    let jwk = PublicJwk::parse(made["jwk"].to_string().as_bytes()).expect("JWK");
    let key = PublicKey::from_jwk(jwk).expect("key");
    assert!(key.algorithm().is_named(alg));
    key.verifies(input, signature)
}

/// Gives another library what we made, and returns what it made.
pub(crate) fn exchange(mut command: Command, ours: &[Value]) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("folder");
    let (given, made) = (folder.path().join("given.json"), folder.path().join("made.json"));
    assert!(ours.len() >= 200);
    std::fs::write(&given, serde_json::to_vec(ours).expect("JSON")).expect("file");
    let said = output_of(command.env("GIVEN", &given).env("MADE", &made));
    assert!(said.lines().last().is_some_and(|line| line.starts_with("ok")), "{said}");
    serde_json::from_slice(&std::fs::read(&made).expect("made")).expect("JSON")
}

fn both_ways(command: Command) {
    let made = exchange(command, &ours());
    assert!(made.len() >= 200);
    made.iter().for_each(check);
}

#[test]
fn npm_jose() {
    both_ways(interop::node_script("jws.mjs"));
}

#[test]
fn pypi_joserfc() {
    both_ways(interop::python_script("joserfc_jws.py"));
}

#[test]
fn pypi_jwcrypto() {
    both_ways(interop::python_script("jwcrypto_jws.py"));
}
