//! Clients that nobody registered: their id leads to what describes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::get;
use axum::{Router, http};
use serde_json::{Value, json};
use token::jws;
use token::key::PrivateKey;
use token::term::{Algorithm, GrantType};

use super::browser::request;
use super::support::{Harness, ISSUER, REDIRECT, TestClient, settings};
use crate::Settings;

/// Publishes a document at a port of its own; the client's id, and how often it was fetched.
async fn publish(change: impl FnOnce(&mut Value)) -> (TestClient, Arc<AtomicUsize>) {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("socket");
    let id = format!("http://{}/client.json", socket.local_addr().expect("address"));
    let mut document = json!({
        "client_id": id, "client_name": "A desktop agent", "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token", "urn:example:unknown"],
        "response_types": ["code"], "scope": "openid orders:read offline_access files:write",
    });
    change(&mut document);
    let (document, fetched) = (document.to_string(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&fetched);
    let router = Router::new().route(
        "/client.json",
        get(async move || {
            count.fetch_add(1, Ordering::SeqCst);
            ([(http::header::CACHE_CONTROL, "max-age=120")], document)
        }),
    );
    tokio::spawn(async move { axum::serve(socket, router).await.expect("serve") });
    (TestClient { id, secret: None }, fetched)
}

#[tokio::test]
async fn a_published_client_signs_people_in() {
    let harness = Harness::with_password().await;
    let (client, fetched) = publish(|_| {}).await;
    let mut browser = harness.browser();
    let path = request(&client, &[]);
    let page = browser.as_alice(&path).await;
    page.assert_page(200);
    for words in ["A desktop agent", "published by <b>127.0.0.1</b>"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let told = browser.submit(&page.form(), &[("decision", "allow")]).await.at_client();
    let body = harness.redeem(&client, &told["code"]).await.json();
    assert_eq!(body["scope"], "openid orders:read", "{body}");
    let refresh = body["refresh_token"].as_str().expect("token");
    assert_eq!(harness.refresh(&client, refresh).await.status, 200);
    assert_eq!(fetched.load(Ordering::SeqCst), 1, "kept as long as its host allows");
    harness.clock.pass(121);
    browser.get(&path).await;
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_published_client_can_have_keys() {
    let harness = Harness::new().await;
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let jwks = json!({ "keys": [key.public().jwk()] });
    let (client, _) = publish(|document| {
        document["token_endpoint_auth_method"] = json!("private_key_jwt");
        document["jwks"] = jwks;
    })
    .await;
    let now = harness.now().as_secs();
    let claims = json!({
        "iss": client.id, "sub": client.id, "aud": ISSUER, "exp": now + 60, "jti": "j-1",
    });
    let assertion = jws::sign(&key, "JWT", claims.to_string().as_bytes()).expect("assertion");
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_assertion", assertion.as_str()), ("client_assertion_type", kind)])
        .extend_pairs([("token", "x")])
        .finish();
    assert_eq!(harness.post_bare("/introspect", &form).await.text, r#"{"active":false}"#);
    let bare = format!("token=x&client_id={}", client.id);
    harness.post_bare("/introspect", &bare).await.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn a_document_that_does_not_describe_its_client_is_refused() {
    let harness = Harness::new().await;
    for (member, value) in [
        ("client_id", json!("https://elsewhere.example/client.json")),
        ("client_id", Value::Null),
        ("client_secret", json!("s")),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("redirect_uris", json!([])),
        ("redirect_uris", json!(["javascript:alert(1)"])),
        ("client_name", json!("")),
        ("grant_types", json!(["client_credentials"])),
    ] {
        let (client, fetched) = publish(|document| document[member] = value.clone()).await;
        let path = request(&client, &[]);
        harness.get(&path).await.assert_page(400);
        // What is bad is not asked for again at once.
        harness.get(&path).await.assert_page(400);
        assert_eq!(fetched.load(Ordering::SeqCst), 1, "{member}");
        let form = format!("grant_type=client_credentials&client_id={}", client.id);
        harness.post_bare("/token", &form).await.assert_refused(401, "invalid_client");
    }
    // Another redirect URI than the published ones.
    let (client, _) = publish(|_| {}).await;
    harness
        .get(&request(&client, &[("redirect_uri", "https://evil.example/")]))
        .await
        .assert_page(400);
}

#[tokio::test]
async fn only_where_it_is_switched_on() {
    let off = Settings { client_id_metadata_documents: false, ..settings() };
    let harness = Harness::with(off).await;
    let (client, fetched) = publish(|_| {}).await;
    harness.get(&request(&client, &[])).await.assert_page(400);
    assert_eq!(fetched.load(Ordering::SeqCst), 0);
    let metadata = harness.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], false);
}

#[tokio::test]
async fn a_document_gives_no_more_than_registration() {
    let mut narrow = settings();
    narrow.registration.redirect_hosts = vec!["*.example.com".parse().expect("host")];
    narrow.registration.grant_types = vec![GrantType::AuthorizationCode];
    let harness = Harness::with(narrow).await;
    let (client, _) = publish(|_| {}).await;
    harness.get(&request(&client, &[])).await.assert_page(400);
    let uri = "https://app.example.com/cb";
    let (client, _) = publish(|document| document["redirect_uris"] = json!([uri])).await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", "twr_x")];
    harness.post("/token", &client, &form).await.assert_refused(400, "unauthorized_client");
}
