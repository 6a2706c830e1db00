//! Whole texts: round trips, RFC 7520's examples, and every way in which one must not open.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::{
    Description, Jwe, MAX_CONTENT_BYTES, NotDecrypted, NotEncrypted, encrypt, encrypt_with_secret,
};
use crate::base64url;
use crate::encryption_key::{DecryptionKey, EncryptionKey};
use crate::secret::Secret;
use crate::term::KeyManagement;

const TOKEN: Description<'static> = Description { typ: Some("at+jwt"), cty: Some("JWT") };

fn seal(key: &DecryptionKey, content: &[u8]) -> String {
    match key.public() {
        Some(public) => encrypt(&public, content, TOKEN),
        None => encrypt_with_secret(key, content, TOKEN),
    }
    .expect("text")
}

fn open(text: &str, key: &DecryptionKey) -> Result<Vec<u8>, NotDecrypted> {
    Ok(Jwe::parse(text)?.decrypt(key)?.content.to_vec())
}

/// A key without the seconds that an RSA key takes.
fn quickly(algorithm: KeyManagement) -> DecryptionKey {
    static RSA: OnceLock<Secret> = OnceLock::new();
    if algorithm != KeyManagement::RsaOaep256 {
        return DecryptionKey::generate(algorithm).expect("key");
    }
    let text = RSA.get_or_init(|| {
        DecryptionKey::generate(algorithm).and_then(|key| key.expose_jwk()).expect("key")
    });
    DecryptionKey::from_jwk(text.expose().as_bytes(), None).expect("key")
}

/// The text with one character changed, for every character, and cut short at every dot.
fn each_change(text: &str) -> Vec<String> {
    let changed = (0..text.len()).map(|at| {
        let other = if text[at..].starts_with('A') { "B" } else { "A" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    });
    let cut = text.match_indices('.').map(|(at, _)| text[..at].to_owned());
    changed.chain(cut).collect()
}

/// The text with its header changed.
fn with_header(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let (header, rest) = text.split_once('.').expect("parts");
    let bytes = base64url::decode(header).expect("header");
    let mut members: Value = serde_json::from_slice(&bytes).expect("JSON");
    change(&mut members);
    format!("{}.{rest}", base64url::encode(members.to_string()))
}

#[test]
fn what_is_encrypted_opens_with_its_key_alone() {
    for algorithm in KeyManagement::ALL {
        let key = DecryptionKey::generate(*algorithm).expect("key");
        let other = DecryptionKey::generate(*algorithm).expect("key");
        for content in [&b""[..], b"x", &[0xab; MAX_CONTENT_BYTES]] {
            let text = seal(&key, content);
            let jwe = Jwe::parse(&text).expect("form");
            assert_eq!(jwe.kid(), key.kid().map(|kid| kid.as_str()));
            let opened = jwe.decrypt(&key).expect("content");
            assert_eq!(opened.content.as_slice(), content);
            assert_eq!((opened.typ.as_deref(), opened.cty.as_deref()), (TOKEN.typ, TOKEN.cty));
            assert_eq!(open(&text, &other), Err(NotDecrypted::Key), "{algorithm}");
        }
        assert_ne!(seal(&key, b"x"), seal(&key, b"x"), "{algorithm}");
        // A private key also encrypts to its own public half.
        let text = encrypt_with_secret(&key, b"x", Description::default()).expect("text");
        assert_eq!(open(&text, &key), Ok(b"x".to_vec()));
    }
    let key = DecryptionKey::generate(KeyManagement::Dir).expect("key");
    let long = encrypt_with_secret(&key, &[0; MAX_CONTENT_BYTES + 1], TOKEN);
    assert_eq!(long, Err(NotEncrypted::TooLong));
}

#[test]
fn nothing_altered_opens() {
    for algorithm in KeyManagement::ALL {
        let key = DecryptionKey::generate(*algorithm).expect("key");
        let text = seal(&key, b"content");
        for altered in each_change(&text) {
            assert!(open(&altered, &key).is_err(), "{algorithm}: {altered}");
        }
        for extra in [".", ".x", "\n", " ", "="] {
            assert!(open(&format!("{text}{extra}"), &key).is_err());
        }
        // A key of another algorithm is not tried.
        for other in KeyManagement::ALL.iter().filter(|other| *other != algorithm) {
            let other = quickly(*other);
            assert_eq!(open(&text, &other), Err(NotDecrypted::Algorithm));
        }
    }
}

#[test]
fn headers_that_ask_for_more_are_refused() {
    let key = DecryptionKey::generate(KeyManagement::EcdhEsA256Kw).expect("key");
    let text = seal(&key, b"content");
    let refused = |name: &str, value: Value| {
        open(&with_header(&text, |header| header[name] = value), &key).err()
    };
    use NotDecrypted::{Algorithm, Compressed, Critical, Encryption, Key, Member};
    for (name, value, expected) in [
        ("zip", json!("DEF"), Compressed),
        ("zip", json!(null), Compressed),
        ("crit", json!([]), Critical),
        ("crit", json!(["exp"]), Critical),
        ("alg", json!("PBES2-HS256+A128KW"), Algorithm),
        ("alg", json!("RSA1_5"), Algorithm),
        ("alg", json!("RSA-OAEP"), Algorithm),
        ("alg", json!("ECDH-ES+A128KW"), Algorithm),
        ("alg", json!("ECDH-ES"), Algorithm),
        ("alg", json!("dir"), Algorithm),
        ("alg", json!("none"), Algorithm),
        ("alg", json!("ecdh-es+a256kw"), Algorithm),
        ("alg", json!(["dir"]), Member("alg")),
        ("enc", json!("A128GCM"), Encryption),
        ("enc", json!("A256GCM "), Encryption),
        ("enc", json!(null), Member("enc")),
        ("enc", json!("A128CBC-HS256"), Key),
        ("kid", json!({ "a": 1 }), Member("kid")),
        ("typ", json!(1), Member("typ")),
        ("cty", json!([]), Member("cty")),
        ("epk", json!(null), Member("epk")),
        ("epk", json!("text"), Member("epk")),
        ("epk", json!({}), Member("epk")),
        ("apu", json!("="), Member("apu")),
        ("apv", json!(3), Member("apv")),
        ("apu", json!("QWxpY2U"), Key),
        ("more", json!(1), Key),
    ] {
        assert_eq!(refused(name, value.clone()), Some(expected), "{name}: {value}");
    }
}

/// The invalid-curve attack: a point that is not on the curve would leak the private key, one
/// remainder at a time.
#[test]
fn ephemeral_keys_are_on_our_curve_or_refused() {
    let key = DecryptionKey::generate(KeyManagement::EcdhEs).expect("key");
    let text = seal(&key, b"content");
    let refused = |change: fn(&mut Value)| {
        open(&with_header(&text, |header| change(&mut header["epk"])), &key).err()
    };
    let wrong = Some(NotDecrypted::Member("epk"));
    assert_eq!(refused(|epk| epk["y"] = epk["x"].clone()), wrong);
    assert_eq!(refused(|epk| epk["x"] = "AA".into()), wrong);
    assert_eq!(refused(|epk| epk["crv"] = "P-384".into()), wrong);
    assert_eq!(refused(|epk| epk["kty"] = "OKP".into()), wrong);
    assert_eq!(refused(|epk| epk["d"] = epk["x"].clone()), wrong);
    let zero = "A".repeat(43);
    let x25519 = json!({ "kty": "OKP", "crv": "X25519", "x": zero, "d": zero });
    let text = with_header(&text, |header| header["epk"] = x25519);
    assert_eq!(open(&text, &key).err(), wrong);
}

#[test]
fn forms_that_are_no_jwe_are_named() {
    let header = base64url::encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    let twice = base64url::encode(r#"{"alg":"dir","alg":"dir","enc":"A256GCM"}"#);
    for (text, expected) in [
        (String::new(), NotDecrypted::Parts),
        ("a.b.c".to_owned(), NotDecrypted::Parts),
        (format!("{header}...."), NotDecrypted::Key),
        (format!("{header}....."), NotDecrypted::Parts),
        (format!("{header}=...."), NotDecrypted::Base64("header")),
        (format!("{header}.a..."), NotDecrypted::Base64("encrypted key")),
        (format!("{header}..a.."), NotDecrypted::Base64("initialization vector")),
        (format!("{header}...a."), NotDecrypted::Base64("ciphertext")),
        (format!("{header}....a"), NotDecrypted::Base64("authentication tag")),
        (format!("{header}.AA..."), NotDecrypted::Key),
        (format!("{twice}...."), NotDecrypted::Header),
        ("bnVsbA....".to_owned(), NotDecrypted::Header),
        (".".repeat(1 << 20), NotDecrypted::TooLong),
        (format!("{}....", "A".repeat(5000)), NotDecrypted::TooLong),
    ] {
        let key = quickly(KeyManagement::Dir);
        assert_eq!(open(&text, &key), Err(expected), "{:.60}", text);
    }
}

/// RFC 7520: what is within our algorithms opens; the rest is refused by what it asks for.
#[test]
fn the_cookbook_of_rfc_7520() {
    let book: Value =
        serde_json::from_str(include_str!("../../vectors/rfc7520.json")).expect("JSON");
    let mut opened = 0;
    for vector in book["vectors"].as_array().expect("list") {
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        let (section, compact) = (text("section"), text("compact"));
        if !section.starts_with('5') {
            continue;
        }
        let parsed = Jwe::parse(compact);
        match text("expect") {
            "algorithm" => assert_eq!(parsed.err(), Some(NotDecrypted::Algorithm), "{section}"),
            "compressed" => assert_eq!(parsed.err(), Some(NotDecrypted::Compressed), "{section}"),
            "encryption" => assert_eq!(parsed.err(), Some(NotDecrypted::Encryption), "{section}"),
            "opens" => {
                let algorithm = text("alg").parse().expect("algorithm");
                let key = vector["key"].to_string();
                let key = DecryptionKey::from_jwk(key.as_bytes(), Some(algorithm)).expect("key");
                let content = parsed.expect("form").decrypt(&key).expect("content").content;
                assert_eq!(content.as_slice(), text("content").as_bytes(), "{section}");
                opened += 1;
            }
            other => panic!("{section}: {other}"),
        }
    }
    assert_eq!(opened, 2);
}

/// RFC 7516 A.1 to A.3 ask for RSA-OAEP with SHA-1, RSA1_5 and A128KW.
#[test]
fn the_examples_of_rfc_7516_ask_for_algorithms_that_are_refused() {
    for header in [
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ",
        "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0",
        "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0",
    ] {
        let refused = Jwe::parse(&format!("{header}.AA.AA.AA.AA")).err();
        assert_eq!(refused, Some(NotDecrypted::Algorithm));
    }
}

#[test]
fn a_public_key_never_opens() {
    // By type: `EncryptionKey` has no way to decrypt; what it reads back is no private key.
    let key = DecryptionKey::generate(KeyManagement::EcdhEs).expect("key");
    let text = serde_json::to_vec(&key.public().expect("public")).expect("JSON");
    assert!(EncryptionKey::from_jwk(&text, None).is_ok());
    assert!(DecryptionKey::from_jwk(&text, None).is_err());
}
