//! Published keys: which are read, which are refused, and what they are called.

use serde_json::{Map, Value, json};

use super::{BadKey, PublicJwk};
use crate::key::{KeySet, PrivateKey, PublicKey};
use crate::term::Algorithm;

/// RFC 7638 §3.1.
const RSA_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn ec() -> Value {
    // RFC 7515 §A.3.1.
    json!({ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" })
}

fn okp() -> Value {
    // RFC 8037 §A.2.
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

fn rsa() -> Value {
    json!({ "kty": "RSA", "n": RSA_N, "e": "AQAB" })
}

fn read(value: &Value) -> Result<PublicJwk, BadKey> {
    PublicJwk::parse(value.to_string().as_bytes())
}

fn with(base: Value, member: &str, value: Value) -> Value {
    let mut members: Map<String, Value> = base.as_object().cloned().expect("object");
    members.insert(member.to_owned(), value);
    Value::Object(members)
}

#[test]
fn a_key_without_a_name_is_called_by_its_thumbprint() {
    // RFC 7638 §3.1 and RFC 8037 §A.3.
    let name = |value: &Value| read(value).expect("key").kid.to_string();
    assert_eq!(name(&rsa()), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(name(&okp()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let named = read(&with(rsa(), "kid", json!("2011-04-29"))).expect("key");
    assert_eq!(named.kid.as_str(), "2011-04-29");
    assert_eq!(named.thumbprint().as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn a_key_says_what_it_is_for_or_it_is_implied() {
    let algorithm = |value: &Value| read(value).map(|jwk| jwk.alg);
    assert_eq!(algorithm(&ec()), Ok(Algorithm::Es256));
    assert_eq!(algorithm(&okp()), Ok(Algorithm::EdDsa));
    assert_eq!(algorithm(&rsa()), Ok(Algorithm::Rs256));
    assert_eq!(algorithm(&with(okp(), "alg", json!("Ed25519"))), Ok(Algorithm::Ed25519));
    assert_eq!(algorithm(&with(rsa(), "alg", json!("PS512"))), Ok(Algorithm::Ps512));
    for (base, alg) in [
        (ec(), "ES384"),
        (ec(), "RS256"),
        (ec(), "HS256"),
        (ec(), "none"),
        (ec(), "es256"),
        (okp(), "ES256"),
        (rsa(), "EdDSA"),
        (rsa(), "RSA-OAEP-256"),
    ] {
        assert_eq!(algorithm(&with(base, "alg", json!(alg))), Err(BadKey::Algorithm), "{alg}");
    }
    assert_eq!(algorithm(&with(ec(), "alg", json!(7))), Err(BadKey::Member("alg")));
}

#[test]
fn a_private_member_makes_a_public_key_a_leak() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        assert_eq!(read(&with(ec(), member, json!("AQAB"))), Err(BadKey::Private), "{member}");
    }
}

#[test]
fn a_key_for_something_else_checks_no_signature() {
    for (member, value) in [
        ("use", json!("enc")),
        ("use", json!("")),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("kty", json!("oct")),
        ("kty", json!("ec")),
        ("crv", json!("P-521")),
        ("crv", json!("secp256k1")),
        ("crv", json!("p-256")),
    ] {
        assert_eq!(read(&with(ec(), member, value.clone())), Err(BadKey::Unsupported), "{value}");
    }
    assert!(read(&with(ec(), "key_ops", json!(["verify"]))).is_ok());
    assert!(read(&with(ec(), "use", json!("sig"))).is_ok());
    assert_eq!(read(&with(okp(), "crv", json!("X25519"))), Err(BadKey::Unsupported));
    assert_eq!(read(&with(okp(), "crv", json!("Ed448"))), Err(BadKey::Unsupported));
}

#[test]
fn numbers_have_their_one_size_and_form() {
    let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    for bad in
        ["", "AA", &format!("{x}="), &format!("AA{x}"), "f83O J3D2", &x.replace('-', "+")[..42]]
    {
        assert_eq!(read(&with(ec(), "x", json!(bad))), Err(BadKey::Member("x")), "{bad}");
    }
    assert_eq!(read(&with(ec(), "x", json!(1))), Err(BadKey::Member("x")));
    let encode = |bytes: Vec<u8>| crate::base64url::encode(bytes);
    let modulus = |bytes: usize, first: u8, last: u8| {
        let mut number = vec![0xff; bytes];
        (number[0], number[bytes - 1]) = (first, last);
        encode(number)
    };
    assert!(read(&with(rsa(), "n", json!(modulus(256, 0x80, 1)))).is_ok());
    for (n, why) in [
        (modulus(255, 0xff, 1), "2040 bits"),
        (modulus(256, 0x7f, 1), "2047 bits"),
        (modulus(257, 0x00, 1), "leading zero"),
        (modulus(256, 0x80, 2), "even"),
        (modulus(1025, 0xff, 1), "8200 bits"),
        (String::new(), "empty"),
    ] {
        assert_eq!(read(&with(rsa(), "n", json!(n))), Err(BadKey::Member("n")), "{why}");
    }
    for e in [vec![], vec![1], vec![2], vec![0, 3], vec![1, 0, 0, 0, 1]] {
        let text = encode(e.clone());
        assert_eq!(read(&with(rsa(), "e", json!(text))), Err(BadKey::Member("e")), "{e:?}");
    }
    for (kid, good) in [("a".repeat(256), true), ("a".repeat(257), false), (String::new(), false)] {
        assert_eq!(read(&with(ec(), "kid", json!(kid))).is_ok(), good, "{}", kid.len());
    }
}

#[test]
fn a_text_that_is_no_strict_object_is_refused() {
    for text in ["", "[]", "{", r#"{"kty":"EC","kty":"EC"}"#, "null"] {
        assert!(matches!(PublicJwk::parse(text.as_bytes()), Err(BadKey::Json(_))), "{text}");
    }
    assert_eq!(read(&json!({})), Err(BadKey::Member("kty")));
    assert_eq!(read(&json!({ "kty": "AKP" })), Err(BadKey::Member("alg")));
    let short = json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AQAB" });
    assert_eq!(read(&short), Err(BadKey::Member("pub")));
    let other = json!({ "kty": "AKP", "alg": "ES256", "pub": "AQAB" });
    assert_eq!(read(&other), Err(BadKey::Algorithm));
}

#[test]
fn a_point_off_the_curve_is_refused() {
    let off = with(ec(), "y", json!(crate::base64url::encode([1u8; 32])));
    let jwk = read(&off).expect("well formed");
    assert!(matches!(PublicKey::from_jwk(jwk), Err(BadKey::Point)));
}

#[test]
fn a_set_leaves_out_what_it_does_not_know_and_refuses_what_leaks() {
    let set = |keys: Value| KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes());
    let known = with(ec(), "kid", json!("a"));
    let strange = json!({ "kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "b" });
    let held = set(json!([known, strange, rsa(), with(rsa(), "use", json!("enc"))])).expect("set");
    assert_eq!(held.iter().count(), 2);
    assert!(held.key("a").is_some() && held.key("b").is_none() && !held.is_empty());
    let leak = with(okp(), "d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
    assert!(matches!(set(json!([ec(), leak])), Err(BadKey::Private)));
    let twice = [with(ec(), "kid", json!("a")), with(rsa(), "kid", json!("a"))];
    assert!(matches!(set(json!(twice)), Err(BadKey::Member("kid"))));
    assert!(matches!(set(json!([7])), Err(BadKey::Member("keys"))));
    assert!(matches!(set(json!(vec![json!({}); 101])), Err(BadKey::Member("keys"))));
    assert!(set(json!([])).is_ok_and(|set| set.is_empty()));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#] {
        assert!(KeySet::from_jwks(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(*algorithm).expect("key");
        let text = serde_json::to_string(key.public().jwk()).expect("JSON");
        let again = PublicJwk::parse(text.as_bytes()).expect("key");
        assert_eq!(&again, key.public().jwk(), "{algorithm}");
        assert!(text.contains(r#""use":"sig""#), "{text}");
    }
}
