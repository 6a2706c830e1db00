//! Encryption both ways with libraries of other makers: every algorithm, random contents.

use std::process::Command;

use serde_json::{Value, json};
use token::base64url;
use token::encryption_key::DecryptionKey;
use token::jwe::{self, Description, Jwe, NotDecrypted};
use token::term::KeyManagement;

use crate::interop;
use crate::jws::{exchange, random};

const EACH: usize = 40;

/// Encrypted texts of ours, each with the key that opens it.
fn ours() -> Vec<Value> {
    let mut given = Vec::new();
    for algorithm in KeyManagement::ALL {
        let key = DecryptionKey::generate(*algorithm).expect("key");
        let jwk = key.expose_jwk().expect("JWK");
        let jwk: Value = serde_json::from_str(jwk.expose()).expect("JSON");
        for number in 0..EACH {
            // jwcrypto takes an empty content for none.
            let content = random(number * 17 + 1);
            let description = Description { typ: Some("JWT"), cty: None };
            let token = match key.public() {
                Some(public) => jwe::encrypt(&public, &content, description),
                None => jwe::encrypt_with_secret(&key, &content, description),
            };
            given.push(json!({ "alg": algorithm, "jwk": jwk, "token": token.expect("text"),
                "content": base64url::encode(content) }));
        }
    }
    given
}

/// Opens one text of theirs, and sees that a changed one does not open.
fn check(made: &Value) {
    let member = |name: &str| made[name].as_str().expect("member");
    let key = DecryptionKey::from_jwk(made["jwk"].to_string().as_bytes(), None).expect("key");
    let open = |text: &str| -> Result<String, NotDecrypted> {
        Ok(base64url::encode(Jwe::parse(text)?.decrypt(&key)?.content))
    };
    let text = member("token");
    assert_eq!(open(text).as_deref(), Ok(member("content")), "{made}");
    let (before, after) = text.split_at(text.len() - 10);
    let other = if after.starts_with('A') { "B" } else { "A" };
    assert_eq!(open(&format!("{before}{other}{}", &after[1..])), Err(NotDecrypted::Key));
}

fn both_ways(command: Command) {
    let made = exchange(command, &ours());
    assert!(made.len() >= 200);
    made.iter().for_each(check);
}

#[test]
fn npm_jose() {
    both_ways(interop::node_script("jwe.mjs"));
}

#[test]
fn pypi_jwcrypto() {
    both_ways(interop::python_script("jwcrypto_jwe.py"));
}

#[test]
fn pypi_joserfc() {
    both_ways(interop::python_script("joserfc_jwe.py"));
}
