//! Keys, signatures and encryption from the command line.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::{PROGRAM, text};

fn jose(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(PROGRAM)
        .arg("jose")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run");
    // A command that refuses its key never reads.
    let _ = child.stdin.take().expect("stdin").write_all(input);
    child.wait_with_output().expect("output")
}

fn good(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = jose(arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    output.stdout
}

/// The words of a refusal with this exit code.
fn bad(code: i32, arguments: &[&str], input: &[u8]) -> String {
    let output = jose(arguments, input);
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {words}");
    words
}

fn save(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, bytes).expect("file");
    file
}

/// A fresh key in a file, and its public half in another.
fn pair(folder: &Path, alg: &str) -> (String, String) {
    let private =
        save(folder, &format!("{alg}.jwk"), &good(&["jwk", "generate", "--alg", alg], b""));
    let private = private.to_str().expect("path").to_owned();
    let public = good(&["jwk", "public", &private], b"");
    let public = save(folder, &format!("{alg}.pub"), &public);
    (private, public.to_str().expect("path").to_owned())
}

#[test]
fn what_is_signed_verifies_by_key_and_by_set() {
    let folder = tempfile::tempdir().expect("folder");
    for alg in ["ES256", "ES384", "Ed25519", "EdDSA", "RS256", "PS512", "ML-DSA-44"] {
        let (private, public) = pair(folder.path(), alg);
        let token = good(&["sign", "--key", &private, "--typ", "at+jwt"], b"{\"sub\":\"x\"}");
        assert_eq!(good(&["verify", "--key", &public], &token), b"{\"sub\":\"x\"}");
        let set = good(&["jwk", "public", "--set", &private], b"");
        let set = save(folder.path(), "set.json", &set);
        let set = set.to_str().expect("path");
        let seen = good(&["verify", "--jwks", set, "--typ", "at+jwt", "--json"], &token);
        let seen: Value = serde_json::from_slice(&seen).expect("JSON");
        assert_eq!(seen["payload"], json!({ "sub": "x" }));
        assert_eq!((&seen["header"]["alg"], &seen["valid"]), (&json!(alg), &json!(true)));

        let words = bad(1, &["verify", "--jwks", set, "--typ", "JWT"], &token);
        assert!(words.contains("wrong_type"), "{words}");
        let (other, _) = pair(folder.path(), "ES256");
        let words = bad(1, &["verify", "--key", &other], &token);
        assert!(words.contains("forged:"), "{words}");
        let words = bad(2, &["sign", "--key", &public], b"x");
        assert!(words.contains("public key"), "{words}");
        let name = good(&["jwk", "thumbprint", &private], b"");
        assert_eq!(name, good(&["jwk", "thumbprint", &public], b""));
        let uri = good(&["jwk", "thumbprint", "--uri", &public], b"");
        let expected = format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{}", text(&name));
        assert_eq!(text(&uri), expected);
    }
}

#[test]
fn a_shared_secret_signs_and_has_no_public_half() {
    let folder = tempfile::tempdir().expect("folder");
    let key = good(&["jwk", "generate", "--alg", "HS256"], b"");
    let file = save(folder.path(), "hs.jwk", &key);
    let file = file.to_str().expect("path");
    let token = good(&["sign", "--key", file], b"\xff\x00");
    assert_eq!(good(&["verify", "--key", file], &token), b"\xff\x00");
    let seen = good(&["verify", "--key", file, "--json"], &token);
    let seen: Value = serde_json::from_slice(&seen).expect("JSON");
    assert_eq!(seen["payload_base64url"], "_wA");
    bad(2, &["jwk", "public", file], b"");
    bad(2, &["jwk", "thumbprint", file], b"");
    // The old confusion: a public key taken for a secret.
    let (_, public) = pair(folder.path(), "RS256");
    let words = bad(1, &["verify", "--key", &public], &token);
    assert!(words.contains("forged:key_confusion"), "{words}");
}

#[test]
fn what_is_encrypted_opens_with_the_private_key_alone() {
    let folder = tempfile::tempdir().expect("folder");
    for alg in ["ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256"] {
        let (private, public) = pair(folder.path(), alg);
        let sealed = good(&["encrypt", "--key", &public, "--cty", "JWT"], b"content");
        assert_eq!(good(&["decrypt", "--key", &private], &sealed), b"content");
        let seen = good(&["decrypt", "--key", &private, "--json"], &sealed);
        let seen: Value = serde_json::from_slice(&seen).expect("JSON");
        assert_eq!(
            (&seen["content_text"], &seen["header"]["cty"]),
            (&json!("content"), &json!("JWT"))
        );
        let words = bad(2, &["decrypt", "--key", &public], &sealed);
        assert!(words.contains("public key"), "{words}");
        assert_eq!(
            good(&["jwk", "thumbprint", &private], b""),
            good(&["jwk", "thumbprint", &public], b"")
        );
        let (other, _) = pair(folder.path(), "ECDH-ES");
        bad(1, &["decrypt", "--key", &other], &sealed);
    }
    for alg in ["dir", "A256GCMKW"] {
        let key = save(folder.path(), "s.jwk", &good(&["jwk", "generate", "--alg", alg], b""));
        let key = key.to_str().expect("path");
        let sealed = good(&["encrypt", "--key", key], b"content");
        assert_eq!(good(&["decrypt", "--key", key], &sealed), b"content");
    }
}

#[test]
fn refusals_name_the_rule_and_never_the_key() {
    let folder = tempfile::tempdir().expect("folder");
    let (private, public) = pair(folder.path(), "ES256");
    let token = good(&["sign", "--key", &private], b"{}");
    let token = text(&token).trim().to_owned();
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    for (given, rule) in [
        (unsigned.to_owned(), "forged:alg_none"),
        (format!("{token}AA"), "forged:bad_signature"),
        ("x.y".to_owned(), "malformed"),
        (format!("{token}=="), "malformed"),
    ] {
        let output = jose(&["verify", "--key", &public, "--json"], given.as_bytes());
        assert_eq!(output.status.code(), Some(1));
        let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((&seen["valid"], &seen["rule"]), (&json!(false), &json!(rule)), "{given}");
    }
    let odd = save(folder.path(), "odd.jwk", b"{\"kty\":\"EC\",\"kty\":\"EC\"}");
    let odd = odd.to_str().expect("path");
    let weak = save(folder.path(), "weak.jwk", br#"{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}"#);
    let weak = weak.to_str().expect("path");
    for arguments in [
        &["verify", "--key", "/nowhere"][..],
        &["verify", "--jwks", "/nowhere"],
        &["verify", "--jwks", "http://192.0.2.1/keys"],
        &["verify"],
        &["verify", "--key", odd],
        &["sign", "--key", weak],
        &["sign", "--key", &private, "--alg", "RS256"],
        &["sign", "--key", &private, "--typ", "a\"b"],
        &["encrypt", "--key", &public],
        &["jwk", "generate", "--alg", "PBES2-HS256+A128KW"],
    ] {
        let words = bad(2, arguments, token.as_bytes());
        assert!(!words.contains("c2VjcmV0"), "{words}");
    }
    let long = vec![b'x'; 20_000];
    bad(2, &["sign", "--key", &private], &long);
}

/// Signs each kind of token by hand and verifies it as what it is, and as nothing else.
#[test]
fn kinds_of_token_are_told_apart() {
    let folder = tempfile::tempdir().expect("folder");
    let (private, _) = pair(folder.path(), "ES256");
    let set = save(folder.path(), "set.json", &good(&["jwk", "public", "--set", &private], b""));
    let set = set.to_str().expect("path");
    let exp = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("time").as_secs() + 60;
    let base = json!({ "iss": "https://as.example", "aud": "c", "iat": exp - 60, "exp": exp });
    let with = |members: Value| {
        let mut claims = base.clone();
        let members = members.as_object().expect("object").clone();
        claims.as_object_mut().expect("object").extend(members);
        claims.to_string()
    };
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let kinds = [
        ("id", "JWT", with(json!({ "sub": "u", "nonce": "n" }))),
        ("logout", "logout+jwt", with(json!({ "jti": "1", "sub": "u", "events": { event: {} } }))),
        ("client-assertion", "JWT", with(json!({ "sub": "https://as.example", "jti": "1" }))),
        (
            "request-object",
            "oauth-authz-req+jwt",
            with(json!({ "client_id": "https://as.example" })),
        ),
    ];
    let verify = |kind: &str, token: &[u8], more: &[&str]| {
        let options =
            ["token", "verify", "--json", "--jwks", set, "--issuer", "https://as.example"];
        let mut child = Command::new(PROGRAM)
            .args(options)
            .args(["--audience", "c", "--type", kind])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("run");
        let _ = child.stdin.take().expect("stdin").write_all(token);
        let output = child.wait_with_output().expect("output");
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default())
    };
    for (kind, typ, claims) in &kinds {
        let token = good(&["sign", "--key", &private, "--typ", typ], claims.as_bytes());
        let (code, seen) = verify(kind, &token, &[]);
        assert_eq!((code, &seen["valid"]), (Some(0), &json!(true)), "{kind}: {seen}");
        assert_eq!(seen["claims"]["aud"], "c");
        for other in
            ["access", "id", "logout", "introspection", "client-assertion", "request-object"]
        {
            if other != *kind {
                let (code, seen) = verify(other, &token, &[]);
                assert_eq!((code, &seen["valid"]), (Some(1), &json!(false)), "{kind} as {other}");
            }
        }
    }
    let (_, _, claims) = &kinds[0];
    let token = good(&["sign", "--key", &private], claims.as_bytes());
    assert_eq!(verify("id", &token, &["--nonce", "n"]).0, Some(0));
    let (code, seen) = verify("id", &token, &["--nonce", "m"]);
    assert_eq!(
        (code, &seen["detail"]),
        (Some(1), &json!("claim `nonce`: is not the expected value"))
    );
    assert_eq!(verify("logout", &token, &["--nonce", "n"]).0, Some(2));
}
