//! What is remembered of a verified token saves its signature and nothing else: whatever ends the
//! token ends it at once.

use axum::body::Body;
use axum::http::Request;
use store::Honeytoken;

use super::support::{API, Harness, ISSUER};
use crate::keys::Rotation;

/// Whether introspection and UserInfo take the token, which must agree.
async fn is_taken(harness: &Harness, token: &str) -> bool {
    let form = [("token", token)];
    let told = harness.post("/introspect", &harness.confidential, &form).await.json();
    let request = Request::get("/userinfo").header("authorization", format!("Bearer {token}"));
    let answer = harness.send(request.body(Body::empty()).expect("request")).await;
    assert_eq!(told["active"] == true, answer.status == 200, "{told} {}", answer.text);
    answer.status == 200
}

/// A person's token that was verified, and is remembered.
async fn remembered(harness: &Harness) -> String {
    let body = harness.signed_in(&harness.public, "openid orders:read").await;
    let token = body["access_token"].as_str().expect("token").to_owned();
    assert!(is_taken(harness, &token).await);
    assert_eq!(harness.authority.verified().len(), 1);
    assert!(is_taken(harness, &token).await);
    token
}

#[tokio::test]
async fn a_revocation_ends_a_remembered_token() {
    let harness = Harness::new().await;
    let token = remembered(&harness).await;
    let answer = harness.post("/revoke", &harness.public, &[("token", &token)]).await;
    assert_eq!(answer.status, 200);
    assert!(!is_taken(&harness, &token).await);
}

#[tokio::test]
async fn an_expiry_ends_a_remembered_token() {
    let harness = Harness::new().await;
    let token = remembered(&harness).await;
    harness.clock.pass(599);
    assert!(is_taken(&harness, &token).await);
    harness.clock.pass(1);
    assert!(!is_taken(&harness, &token).await);
}

#[tokio::test]
async fn a_key_that_is_gone_ends_a_remembered_token() {
    let harness = Harness::new().await;
    let token = remembered(&harness).await;
    let keys = harness.authority.keys();
    keys.rotate(Rotation::AtOnce, harness.now()).await.expect("rotation");
    assert!(is_taken(&harness, &token).await, "its key still verifies");
    keys.rotate(Rotation::Compromised, harness.now()).await.expect("rotation");
    assert!(!is_taken(&harness, &token).await);
}

#[tokio::test]
async fn a_disabled_client_or_person_ends_a_remembered_token() {
    let harness = Harness::new().await;
    let token = remembered(&harness).await;
    let mut user = harness.user.clone();
    user.disabled = true;
    harness.store.update_user(&user).await.expect("user");
    assert!(!is_taken(&harness, &token).await);
    user.disabled = false;
    harness.store.update_user(&user).await.expect("user");
    assert!(is_taken(&harness, &token).await);
    let client = harness.store.client(&"pub".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.disabled = true;
    harness.store.update_client(&client).await.expect("client");
    assert!(!is_taken(&harness, &token).await);
}

#[tokio::test]
async fn a_deleted_person_ends_a_remembered_token() {
    let harness = Harness::new().await;
    let token = remembered(&harness).await;
    let id = &harness.user.id;
    assert!(harness.store.delete_user(id, "admin:test", harness.now()).await.expect("store"));
    assert!(!is_taken(&harness, &token).await);
}

#[tokio::test]
async fn bait_ends_a_remembered_token() {
    let harness = Harness::new().await;
    let bait = harness.mint("orders:read", API);
    let form = [("token", bait.token.expose())];
    let ask = || harness.post("/introspect", &harness.confidential, &form);
    assert_eq!(ask().await.json()["active"], true);
    let row = Honeytoken {
        token: bait.id.clone(),
        label: "in the wiki".to_owned(),
        created_by: "admin:test".to_owned(),
        created_at: harness.now(),
        expires_at: bait.expires_at,
    };
    harness.store.add_honeytoken(&row).await.expect("honeytoken");
    assert_eq!(ask().await.json()["active"], false);
}

/// RFC 9068 §4: the audience is asked for on every use.
#[tokio::test]
async fn a_remembered_token_is_for_its_own_audience_alone() {
    let harness = Harness::new().await;
    for (audience, status) in [(API, 401), (ISSUER, 400)] {
        let token = harness.mint("tokenward:register", audience);
        let form = [("token", token.token.expose())];
        let told = harness.post("/introspect", &harness.confidential, &form).await.json();
        assert_eq!(told["active"], true);
        let bearer = format!("Bearer {}", token.token.expose());
        let request = Request::post("/register").header("authorization", bearer);
        let request = request.header("content-type", "application/json").body(Body::from("x"));
        let answer = harness.send(request.expect("request")).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_refused_is_not_remembered() {
    let harness = Harness::new().await;
    let token = remembered(&harness).await;
    let (head, _) = token.rsplit_once('.').expect("signature");
    let forged = format!("{head}.{}", "A".repeat(86));
    for text in [forged.as_str(), "a.b.c", "x"] {
        assert!(!is_taken(&harness, text).await, "{text}");
    }
    assert_eq!(harness.authority.verified().len(), 1);
}
