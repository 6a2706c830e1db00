//! What a publisher says of its software goes before what a client says, and nobody else's word does (RFC 7591 §2.3).

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use token::jws;
use token::key::{KeySet, MacKey, PrivateKey};
use token::term::{Algorithm, MacAlgorithm};

use super::support::{Answer, Harness, ISSUER, settings};
use crate::Settings;
use crate::foreign::KeySource;
use crate::register::policy::{Policy, Registration};

const PUBLISHER: &str = "https://publisher.example";

fn publisher(key: &PrivateKey) -> KeySource {
    let keys = json!({ "keys": [key.public().jwk()] }).to_string();
    let keys = KeySet::from_jwks(keys.as_bytes()).expect("keys");
    KeySource { issuer: PUBLISHER.to_owned(), jwks_uri: None, keys: Some(Arc::new(keys)) }
}

async fn harness(policy: Policy, key: &PrivateKey) -> Harness {
    let registration = Registration::new(policy, settings().registration.scopes);
    let software_publishers = vec![publisher(key)];
    Harness::with(Settings { registration, software_publishers, ..settings() }).await
}

fn said(harness: &Harness) -> Value {
    json!({
        "iss": PUBLISHER, "iat": harness.now().as_secs(), "exp": harness.now().as_secs() + 3600,
        "jti": "s-1", "software_id": "orders-app", "client_name": "Orders",
        "redirect_uris": ["https://orders.example/cb"], "scope": "openid orders:read",
    })
}

fn sign(key: &PrivateKey, claims: &Value) -> String {
    jws::sign(key, "JWT", claims.to_string().as_bytes()).expect("statement")
}

async fn register(harness: &Harness, body: &Value) -> Answer {
    let request = Request::post("/register").header("content-type", "application/json");
    harness.send(request.body(Body::from(body.to_string())).expect("request")).await
}

#[tokio::test]
async fn a_trusted_publisher_lets_its_software_in() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(Policy::Statement, &key).await;
    let statement = sign(&key, &said(&harness));
    let body = json!({
        "client_name": "Your bank", "redirect_uris": ["https://evil.example/cb"],
        "client_uri": "https://here.example", "software_id": "other", "scope": "openid email",
        "software_statement": statement,
    });
    let answer = register(&harness, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let made = answer.json();
    // The statement goes before the body; what it does not say is the body's.
    for (member, value) in [
        ("client_name", json!("Orders")),
        ("redirect_uris", json!(["https://orders.example/cb"])),
        ("software_id", json!("orders-app")),
        ("scope", json!("openid orders:read")),
        ("client_uri", json!("https://here.example")),
        // RFC 7591 §3.2.1: unmodified.
        ("software_statement", json!(statement)),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    for member in ["iss", "exp", "jti"] {
        assert!(made.get(member).is_none(), "{member} is about the statement");
    }
    let id = answer.member("client_id").as_str().into();
    let stored = harness.store.client(&id).await.expect("store").expect("client");
    assert_eq!(stored.created_by, format!("registration:{PUBLISHER}"));
}

#[tokio::test]
async fn nobody_elses_word_is_taken() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let stranger = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(Policy::Statement, &key).await;
    let now = harness.now().as_secs();
    let good = said(&harness);
    let with = |member: &str, value: Value| {
        let mut claims = good.clone();
        claims[member] = value;
        sign(&key, &claims)
    };
    let public = serde_json::to_vec(key.public().jwk()).expect("jwk");
    let kid = key.public().kid().clone();
    let secret = MacKey::new(MacAlgorithm::Hs256, kid, &public).expect("secret");
    let confused = jws::sign_with_secret(&secret, "JWT", good.to_string().as_bytes());
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token::base64url::encode(good.to_string()));
    let mut broken = sign(&key, &good);
    broken.replace_range(broken.len() - 4.., "AAAA");
    for (statement, code) in [
        (json!(with("exp", json!(now - 31))), "invalid_software_statement"),
        (json!(with("nbf", json!(now + 31))), "invalid_software_statement"),
        (json!(with("aud", json!("https://elsewhere.example"))), "invalid_software_statement"),
        (json!(with("software_statement", json!(sign(&key, &good)))), "invalid_software_statement"),
        (json!(sign(&stranger, &good)), "invalid_software_statement"),
        (json!(broken), "invalid_software_statement"),
        (json!(unsigned), "invalid_software_statement"),
        (json!(confused), "invalid_software_statement"),
        (
            json!(jws::sign(&key, "at+jwt", good.to_string().as_bytes()).expect("token")),
            "invalid_software_statement",
        ),
        (json!("nonsense"), "invalid_software_statement"),
        (json!({}), "invalid_software_statement"),
        // RFC 7591 §3.2.2 has a word of its own for a publisher who is not approved.
        (json!(with("iss", json!("https://elsewhere.example"))), "unapproved_software_statement"),
        (json!(with("iss", json!(format!("{PUBLISHER}/")))), "unapproved_software_statement"),
        // The policy wants one.
        (Value::Null, "invalid_software_statement"),
    ] {
        let body = json!({
            "redirect_uris": ["https://orders.example/cb"], "software_statement": statement,
        });
        register(&harness, &body).await.assert_refused(400, code);
        assert_eq!(harness.events.last("register")["result"], code, "{statement}");
    }
    let body = json!({ "redirect_uris": ["https://orders.example/cb"] });
    register(&harness, &body).await.assert_refused(400, "invalid_software_statement");
    let for_us = with("aud", json!(ISSUER));
    let body = json!({ "software_statement": for_us });
    assert_eq!(register(&harness, &body).await.status, 201);
}

#[tokio::test]
async fn a_statement_gives_no_more_than_the_policy() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(Policy::Statement, &key).await;
    for (member, value) in [
        ("scope", json!("orders:write")),
        ("grant_types", json!(["urn:ietf:params:oauth:grant-type:token-exchange"])),
        ("access_token_life", json!(1)),
    ] {
        let mut claims = said(&harness);
        claims[member] = value;
        let body = json!({ "software_statement": sign(&key, &claims) });
        register(&harness, &body).await.assert_refused(400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn the_keys_are_those_that_the_publisher_names() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let evil = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(Policy::Statement, &key).await;
    let mut claims = said(&harness);
    claims["jwks_uri"] = json!("https://orders.example/jwks");
    claims["token_endpoint_auth_method"] = json!("private_key_jwt");
    let body = json!({
        "jwks": { "keys": [evil.public().jwk()] }, "software_statement": sign(&key, &claims),
    });
    let made = register(&harness, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json().get("jwks"), None);
    assert_eq!(made.member("jwks_uri"), "https://orders.example/jwks");
}

#[tokio::test]
async fn where_none_is_needed_one_still_counts() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(Policy::Open, &key).await;
    let body = json!({
        "client_name": "Your bank", "software_statement": sign(&key, &said(&harness)),
    });
    assert_eq!(register(&harness, &body).await.member("client_name"), "Orders");
    let mut claims = said(&harness);
    claims["iss"] = json!("https://elsewhere.example");
    let body = json!({ "software_statement": sign(&key, &claims) });
    register(&harness, &body).await.assert_refused(400, "unapproved_software_statement");
}

#[tokio::test]
async fn a_change_is_held_to_the_statement_too() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(Policy::Statement, &key).await;
    let body = json!({ "software_statement": sign(&key, &said(&harness)) });
    let made = register(&harness, &body).await;
    let change = |body: Value| {
        let path = format!("/register/{}", made.member("client_id"));
        let token = format!("Bearer {}", made.member("registration_access_token"));
        let request = Request::put(path).header("authorization", token);
        let request = request.header("content-type", "application/json");
        harness.send(request.body(Body::from(body.to_string())).expect("request"))
    };
    let mut other = json!({
        "client_id": made.member("client_id"), "client_name": "Your bank",
        "redirect_uris": ["https://evil.example/cb"],
    });
    change(other.clone()).await.assert_refused(400, "invalid_software_statement");
    other["software_statement"] = made.json()["software_statement"].clone();
    let changed = change(other.clone()).await;
    assert_eq!(changed.member("client_name"), "Orders", "{}", changed.text);
    assert_eq!(changed.json()["redirect_uris"], json!(["https://orders.example/cb"]));
    // What the publisher said is over.
    harness.clock.pass(3600 + 31);
    change(other).await.assert_refused(400, "invalid_software_statement");
}
