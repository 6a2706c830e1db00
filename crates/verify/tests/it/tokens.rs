//! Which tokens are let through.

use serde_json::{Value, json};
use token::jws;
use tokenward_verify::Ladder;

use crate::support::{Issuer, PATIENCE, Service, new_key, now};

#[tokio::test]
async fn a_good_token_reaches_its_handler_and_a_bad_one_does_not() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let answer = service.get(&issuer.token()).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "u-1"));

    let id_token = jws::sign(&issuer.key(), "JWT", issuer.claims().to_string().as_bytes());
    let forged = jws::sign(&new_key(), "at+jwt", issuer.claims().to_string().as_bytes());
    let cases = [
        (issuer.token_with("aud", json!("http://other.example")), "401 invalid_token"),
        (issuer.token_with("iss", json!("http://other.example")), "401 invalid_token"),
        (issuer.token_with("exp", json!(now() - 60)), "401 invalid_token"),
        (issuer.token_with("scope", json!("orders:write")), "403 insufficient_scope"),
        (id_token.expect("token"), "401 invalid_token"),
        (forged.expect("token"), "401 invalid_token"),
        ("abc".to_owned(), "401 invalid_token"),
    ];
    for (token, expected) in cases {
        assert_eq!(service.get(&token).await.error(), expected);
    }
    let none = service.ask("GET", "/orders", &[]).await;
    assert_eq!(none.error(), "401 unauthenticated");
    let challenges: Vec<_> = none.headers.get_all("www-authenticate").iter().collect();
    assert!(
        challenges.iter().any(|value| value.as_bytes().starts_with(b"Bearer resource_metadata"))
    );
    let query = service.ask("GET", &format!("/orders?access_token={}", issuer.token()), &[]).await;
    assert_eq!(query.error(), "400 invalid_request");
    assert_eq!(service.reached(), 1);
    assert_eq!(service.ask("GET", "/health", &[]).await.status, 200, "nobody asked for a token");
}

#[tokio::test]
async fn each_place_demands_its_own_scopes() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let write = async |scope: &str| {
        let token = format!("Bearer {}", issuer.token_with("scope", json!(scope)));
        service.ask("POST", "/orders/new", &[("authorization", &token)]).await
    };
    assert_eq!(write("orders:read orders:write").await.status, 200);
    let refused = write("orders:read").await;
    assert_eq!(refused.error(), "403 insufficient_scope");
    let challenge = refused.headers["www-authenticate"].to_str().expect("text");
    assert!(challenge.contains(r#"scope="orders:read orders:write""#), "{challenge}");
    assert!(verifier.require(["two scopes"]).is_err());
}

#[tokio::test]
async fn a_scope_opens_what_it_includes() {
    let issuer = Issuer::start().await;
    let steps: [(&str, &[&str]); 2] = [("orders:read", &[]), ("orders:write", &["orders:read"])];
    let ladder = Ladder::new(steps).expect("ladder");
    let verifier = issuer.verifier().ladder(ladder).build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    assert_eq!(service.get(&issuer.token_with("scope", json!("orders:write"))).await.status, 200);
    let refused = service.get(&issuer.token_with("scope", json!("mail"))).await;
    assert_eq!(refused.error(), "403 insufficient_scope");
}

#[tokio::test]
async fn other_audiences_count_if_they_are_named() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().or_audience("urn:orders").build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    assert_eq!(service.get(&issuer.token_with("aud", json!(["urn:orders"]))).await.status, 200);
    assert_eq!(service.get(&issuer.token_with("aud", json!(["urn:other"]))).await.status, 401);
    let document: serde_json::Value =
        serde_json::from_slice(&verifier.metadata()).expect("metadata");
    assert_eq!(document["authorization_servers"], json!([issuer.url]));
}

#[tokio::test]
async fn the_service_and_its_client_are_told_what_a_request_is_called() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let refused = service.get("none").await;
    let problem: Value = serde_json::from_str(&refused.text).expect("JSON");
    assert_eq!(problem["reason"], "malformed");
    assert_eq!(refused.headers["x-request-id"].to_str().ok(), problem["request_id"].as_str());
    assert!(service.get(&issuer.token()).await.headers.contains_key("x-request-id"));
}
