//! What a token is and whether it is good, from the command line.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{PROGRAM, Product, text};

fn token(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(PROGRAM)
        .arg("token")
        .args(arguments)
        .env_remove("TOKENWARD_ADMIN_URL")
        .env_remove("TOKENWARD_ADMIN_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run");
    child.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("input");
    child.wait_with_output().expect("output")
}

fn inspected(input: &str) -> Value {
    let output = token(&["inspect", "--json"], input);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("json")
}

/// A changed character in the middle of the last part.
fn altered(token: &str) -> String {
    let middle = token.len() - 20;
    let other = if &token[middle..=middle] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &token[..middle], &token[middle + 1..])
}

#[test]
fn a_found_string_is_named_offline() {
    let product = Product::start();
    let access = product.access_token();
    let seen = inspected(&access);
    assert_eq!((&seen["kind"], &seen["header"]["alg"]), (&"jwt".into(), &"ES256".into()));
    assert_eq!((&seen["claims"]["client_id"], &seen["expired"]), (&"demo".into(), &false.into()));
    assert_eq!(seen["verified"], false);
    let (_, secret) = product.client();
    let seen = inspected(&format!("  {secret}\n"));
    assert_eq!((&seen["kind"], &seen["prefix"]), (&"opaque".into(), &"tws_".into()));
    assert!(!seen.to_string().contains(&secret[4..]), "a secret is not repeated");
    for (input, why) in [
        (altered(&secret), "checksum"),
        (secret[..30].to_owned(), "form"),
        ("hello".to_owned(), "neither"),
        (String::new(), "no token"),
        (format!("{access}."), "neither"),
        ("e30.e30.".to_owned(), "alg"),
        ("a.b.c".to_owned(), "base64url"),
        ("e30.AA.AA.A!.AA".to_owned(), "base64url"),
    ] {
        let output = token(&["inspect"], &input);
        let code = if input.is_empty() { 2 } else { 1 };
        assert_eq!(output.status.code(), Some(code), "{why}");
        assert!(text(&output.stderr).contains(why), "{why}: {}", text(&output.stderr));
    }
}

#[test]
fn a_token_is_verified_as_an_api_would_and_the_broken_rule_is_named() {
    let product = Product::start();
    let access = product.access_token();
    let (issuer, audience) = (product.said("issuer"), product.said("gateway"));
    let url = product.issuer("/.well-known/jwks.json");
    let verify = |jwks: &str, issuer: &str, audience: &str, token_text: &str| {
        let options =
            ["verify", "--json", "--jwks", jwks, "--issuer", issuer, "--audience", audience];
        token(&options, token_text)
    };
    let good = verify(&url, issuer, audience, &access);
    assert!(good.status.success(), "{}", text(&good.stderr));
    let said: Value = serde_json::from_slice(&good.stdout).expect("json");
    assert_eq!((&said["valid"], &said["claims"]["sub"]), (&true.into(), &"demo".into()));
    // The same from a file.
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("keys.json");
    std::fs::write(&file, product.http.get(&url, None).body).expect("file");
    let file = file.to_str().expect("path");
    assert!(verify(file, issuer, audience, &access).status.success());
    let elsewhere = "https://elsewhere.example";
    for (issuer, audience, token_text, rule) in [
        (issuer, elsewhere, access.clone(), "wrong_audience"),
        (elsewhere, audience, access.clone(), "wrong_issuer"),
        (issuer, audience, altered(&access), "forged:bad_signature"),
        (issuer, audience, "eyJhbGciOiJub25lIn0.e30.".to_owned(), "forged:alg_none"),
        (issuer, audience, "nonsense".to_owned(), "malformed"),
    ] {
        let output = verify(file, issuer, audience, &token_text);
        assert_eq!(output.status.code(), Some(1), "{rule}");
        let said: Value = serde_json::from_slice(&output.stdout).expect("json");
        assert_eq!((&said["valid"], &said["rule"]), (&false.into(), &rule.into()));
        assert!(text(&output.stderr).contains(rule), "{}", text(&output.stderr));
    }
}

#[test]
fn a_bad_key_set_is_said_to_be_one_and_wrong_usage_is_2() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("keys.json");
    let with = |jwks: &str| {
        let options =
            ["verify", "--jwks", jwks, "--issuer", "https://a", "--audience", "https://b"];
        let output = token(&options, "e30.e30.e30");
        // No verdict on the token.
        assert_eq!(output.status.code(), Some(2), "{jwks}");
        text(&output.stderr)
    };
    let path = file.to_str().expect("path");
    assert!(with(path).contains("keys.json"), "a missing file is named");
    for (content, why) in [
        (r#"{"keys":[]}"#, "no key"),
        (r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#, "private"),
        ("not json", "strict JSON"),
    ] {
        std::fs::write(&file, content).expect("file");
        assert!(with(path).contains(why), "{why}: {}", with(path));
    }
    assert!(with("http://keys.example/jwks.json").contains("https"));
    assert!(with("http://127.0.0.1:9/jwks.json").contains("cannot be reached"));
    assert_eq!(token(&["verify"], "").status.code(), Some(2));
    assert_eq!(token(&["inspect", "a", "b"], "").status.code(), Some(2));
}
