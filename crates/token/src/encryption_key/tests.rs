//! Keys for encryption: round trips, and what must not be taken for one.

use serde_json::{Value, json};

use super::{DecryptionKey, EncryptionKey};
use crate::jwk::BadKey;
use crate::key::PrivateKey;
use crate::term::{Algorithm, KeyManagement};

fn exposed(key: &DecryptionKey) -> Value {
    serde_json::from_str(key.expose_jwk().expect("private key").expose()).expect("JSON")
}

fn read(value: &Value) -> Result<DecryptionKey, BadKey> {
    DecryptionKey::from_jwk(value.to_string().as_bytes(), None)
}

#[test]
fn every_kind_of_key_survives_its_text() {
    for algorithm in KeyManagement::ALL {
        let key = DecryptionKey::generate(*algorithm).expect("key");
        assert!(!format!("{key:?}").contains(exposed(&key)["kid"].as_str().unwrap_or("?")));
        let again = read(&exposed(&key)).expect("key");
        assert_eq!(exposed(&again), exposed(&key), "{algorithm}");
        let Some(public) = key.public() else {
            assert!(matches!(algorithm, KeyManagement::Dir | KeyManagement::A256GcmKw));
            continue;
        };
        let text = serde_json::to_vec(&public).expect("JSON");
        let read = EncryptionKey::from_jwk(&text, None).expect("key");
        assert_eq!(serde_json::to_vec(&read).expect("JSON"), text);
        assert_eq!(read.thumbprint(), *key.kid().expect("name"));
        // A private key where a public one belongs is a leak.
        let private = exposed(&key).to_string();
        let refused = EncryptionKey::from_jwk(private.as_bytes(), None);
        assert!(matches!(refused, Err(BadKey::Private)));
        assert!(DecryptionKey::from_jwk(&text, None).is_err());
    }
}

#[test]
fn keys_for_other_things_are_refused() {
    let signing = PrivateKey::generate(Algorithm::Es256).expect("key");
    let text = signing.expose_jwk().expect("text");
    let ecdh = Some(KeyManagement::EcdhEs);
    assert!(DecryptionKey::from_jwk(text.expose().as_bytes(), ecdh).is_err());
    let public = serde_json::to_vec(signing.public().jwk()).expect("JSON");
    assert!(EncryptionKey::from_jwk(&public, ecdh).is_err());

    let good = exposed(&DecryptionKey::generate(KeyManagement::EcdhEs).expect("key"));
    let other = exposed(&DecryptionKey::generate(KeyManagement::EcdhEs).expect("key"));
    for (name, value, expected) in [
        ("d", other["d"].clone(), BadKey::Unfit),
        ("d", json!("AAAA"), BadKey::Member("d")),
        ("d", json!(null), BadKey::Private),
        ("y", other["y"].clone(), BadKey::Point),
        ("x", json!("AAAA"), BadKey::Member("x")),
        ("crv", json!("P-521"), BadKey::Unsupported),
        ("crv", json!("P-384"), BadKey::Member("x")),
        ("kty", json!("oct"), BadKey::Algorithm),
        ("alg", json!("ES256"), BadKey::Algorithm),
        ("alg", json!("RSA-OAEP"), BadKey::Algorithm),
        ("alg", json!("PBES2-HS256+A128KW"), BadKey::Algorithm),
        ("alg", json!("dir"), BadKey::Algorithm),
        ("alg", json!(7), BadKey::Member("alg")),
        ("use", json!("sig"), BadKey::Unsupported),
        ("key_ops", json!(["sign"]), BadKey::Unsupported),
        ("kid", json!(""), BadKey::Member("kid")),
    ] {
        let mut changed = good.clone();
        changed[name] = value;
        assert_eq!(read(&changed).err(), Some(expected), "{name}: {}", changed[name]);
    }
    let mut nameless = good.clone();
    nameless.as_object_mut().expect("object").remove("alg");
    assert_eq!(read(&nameless).err(), Some(BadKey::Member("alg")));
    let text = nameless.to_string();
    assert!(DecryptionKey::from_jwk(text.as_bytes(), ecdh).is_ok());

    for (k, expected) in [
        ("AAAAAAAAAAAAAAAAAAAAAA", Some(BadKey::Member("k"))),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None),
    ] {
        let secret = json!({ "kty": "oct", "k": k, "alg": "A256GCMKW" });
        assert_eq!(read(&secret).err(), expected);
    }
}
