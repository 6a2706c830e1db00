//! Private keys: round trips of every algorithm, and what must not be taken for a key.

use serde_json::{Value, json};

use crate::jwk::{BadKey, PublicJwk};
use crate::jws::{Jws, Kid, sign_with_secret};
use crate::key::{MacKey, PrivateKey};
use crate::term::{Algorithm, MacAlgorithm};

fn exposed(key: &PrivateKey) -> Value {
    serde_json::from_str(key.expose_jwk().expect("private key").expose()).expect("JSON")
}

fn read(value: &Value) -> Result<PrivateKey, BadKey> {
    PrivateKey::from_jwk(value.to_string().as_bytes())
}

#[test]
fn every_kind_of_key_survives_its_text() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(*algorithm).expect("key");
        let mut text = exposed(&key);
        let again = read(&text).expect("key");
        assert_eq!(again.public().jwk(), key.public().jwk(), "{algorithm}");
        let signature = again.sign(b"message").expect("signature");
        assert!(key.public().verifies(b"message", &signature), "{algorithm}");
        // A private key is no public one; a public one is no private one.
        assert_eq!(PublicJwk::parse(text.to_string().as_bytes()), Err(BadKey::Private));
        let public = serde_json::to_value(key.public().jwk()).expect("JSON");
        assert!(matches!(read(&public), Err(BadKey::Member(_))), "{algorithm}");
        // The name it was given stays.
        text["kid"] = "a \"name\"".into();
        let named = read(&text).expect("key");
        assert_eq!(named.public().kid().as_str(), "a \"name\"");
        assert_eq!(exposed(&named), text);
    }
}

#[test]
fn a_private_half_of_another_key_is_refused() {
    for algorithm in Algorithm::ALL {
        let (one, other) = (
            exposed(&PrivateKey::generate(*algorithm).expect("key")),
            exposed(&PrivateKey::generate(*algorithm).expect("key")),
        );
        for name in ["d", "p", "q", "dp", "dq", "qi", "priv"] {
            let Some(member) = other.get(name) else { continue };
            let mut mixed = one.clone();
            mixed[name] = member.clone();
            assert!(matches!(read(&mixed), Err(BadKey::Unfit)), "{algorithm} {name}");
            for (odd, wrong) in
                [("short", json!("AA")), ("no text", json!(7)), ("padded", json!("AA=="))]
            {
                let mut damaged = one.clone();
                damaged[name] = wrong;
                assert!(read(&damaged).is_err(), "{algorithm} {name} {odd}");
            }
        }
        for (name, wrong) in
            [("use", json!("enc")), ("key_ops", json!(["verify"])), ("alg", json!("HS256"))]
        {
            let mut changed = one.clone();
            changed[name] = wrong;
            assert!(read(&changed).is_err(), "{algorithm} {name}");
        }
    }
}

/// RFC 7517 A.2 and RFC 8037 A.1, with the public halves and thumbprints that belong to them.
#[test]
fn published_private_keys_are_read() {
    let ec = json!({
        "kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    });
    assert!(matches!(read(&ec), Err(BadKey::Unsupported)), "it says that it is for encryption");
    let mut signing = ec;
    signing["use"] = "sig".into();
    assert_eq!(read(&signing).expect("RFC 7517 A.2").public().kid().as_str(), "1");

    let okp = json!({
        "kty": "OKP", "crv": "Ed25519",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    assert_eq!(
        read(&okp).expect("RFC 8037 A.1").public().kid().as_str(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

#[test]
fn a_shared_secret_survives_its_text_and_is_no_other_key() {
    for algorithm in MacAlgorithm::ALL {
        let key = MacKey::generate(*algorithm).expect("key");
        let text = key.expose_jwk();
        let again = MacKey::from_jwk(text.expose().as_bytes()).expect("key");
        assert_eq!((again.kid(), again.algorithm()), (key.kid(), *algorithm));
        assert!(again.verifies(b"message", &key.sign(b"message")));
        assert!(PublicJwk::parse(text.expose().as_bytes()).is_err());
        assert!(PrivateKey::from_jwk(text.expose().as_bytes()).is_err());
    }
    let long = "A".repeat(86);
    for (value, expected) in [
        (json!({ "kty": "oct", "k": long, "alg": "RS256" }), BadKey::Algorithm),
        (json!({ "kty": "oct", "k": long }), BadKey::Member("alg")),
        (json!({ "kty": "RSA", "k": long, "alg": "HS256" }), BadKey::Algorithm),
        (json!({ "kty": "oct", "k": "AAAA", "alg": "HS256" }), BadKey::Short),
        (json!({ "kty": "oct", "k": "", "alg": "HS256" }), BadKey::Short),
        (json!({ "kty": "oct", "alg": "HS256" }), BadKey::Member("k")),
        (json!({ "kty": "oct", "k": long, "d": long, "alg": "HS256" }), BadKey::Private),
        (json!({ "kty": "oct", "k": long, "alg": "HS256", "use": "enc" }), BadKey::Unsupported),
    ] {
        assert_eq!(MacKey::from_jwk(value.to_string().as_bytes()).err(), Some(expected), "{value}");
    }
}

#[test]
fn a_secret_without_a_name_signs_without_one() {
    let jwk = json!({ "kty": "oct", "k": "A".repeat(43), "alg": "HS256" });
    let key = MacKey::from_jwk(jwk.to_string().as_bytes()).expect("key");
    let token = sign_with_secret(&key, "JWT", b"{}");
    assert_eq!(Jws::parse(&token).expect("form").header().kid, Kid::Absent);
    assert!(MacKey::from_jwk(key.expose_jwk().expose().as_bytes()).is_ok());
}
