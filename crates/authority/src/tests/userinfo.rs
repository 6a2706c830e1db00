//! UserInfo: claims by scope, and every way not to get them.

use axum::body::Body;
use axum::http::Request;
use store::{Honeytoken, NewRestriction};
use token::restriction::{Effect, Selector};

use super::support::{API, Answer, Harness};

async fn ask(harness: &Harness, authorization: &str) -> Answer {
    let request = Request::get("/userinfo").header("authorization", authorization);
    harness.send(request.body(Body::empty()).expect("request")).await
}

async fn access_token(harness: &Harness, scopes: &str) -> String {
    let body = harness.signed_in(&harness.public, scopes).await;
    body["access_token"].as_str().expect("token").to_owned()
}

#[tokio::test]
async fn the_scopes_decide_what_is_told() {
    let harness = Harness::new().await;
    let all = access_token(&harness, "openid profile email").await;
    let answer = ask(&harness, &format!("Bearer {all}")).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.json(),
        serde_json::json!({
            "sub": "alice-id",
            "name": "Alice Liddell",
            "preferred_username": "alice",
            "email": "alice@example.com",
            "email_verified": true,
        })
    );
    let little = access_token(&harness, "openid").await;
    let answer = ask(&harness, &format!("bearer {little}")).await;
    assert_eq!(answer.json(), serde_json::json!({ "sub": "alice-id" }));
    let event = harness.events.last("request");
    assert_eq!((&event["status"], &event["subject"]), (&200.into(), &"alice-id".into()));
}

#[tokio::test]
async fn a_form_may_carry_the_token() {
    let harness = Harness::new().await;
    let token = access_token(&harness, "openid").await;
    let answer = harness.post_bare("/userinfo", &format!("access_token={token}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let request = Request::post("/userinfo").header("authorization", format!("Bearer {token}"));
    let answer = harness.send(request.body(Body::empty()).expect("request")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn without_a_token_the_challenge_is_bare() {
    let harness = Harness::new().await;
    let answer = harness.get("/userinfo").await;
    answer.assert_refused(401, "invalid_token");
    assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="tokenward""#);
    assert_eq!(harness.events.last("request")["refused"], "no_token");
}

#[tokio::test]
async fn one_token_in_one_place() {
    let harness = Harness::new().await;
    let token = access_token(&harness, "openid").await;
    harness
        .get(&format!("/userinfo?access_token={token}"))
        .await
        .assert_refused(400, "invalid_request");
    let request = Request::post("/userinfo")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("access_token={token}")));
    harness.send(request.expect("request")).await.assert_refused(400, "invalid_request");
    assert_eq!(harness.events.last("request")["refused"], "two_tokens");
    let request = Request::get("/userinfo")
        .header("authorization", format!("Bearer {token}"))
        .header("authorization", format!("Bearer {token}"));
    harness
        .send(request.body(Body::empty()).expect("request"))
        .await
        .assert_refused(400, "invalid_request");
    for field in ["Bearer", "Bearer ", "Basic eDp5", &format!("Bearer {token}, {token}")] {
        ask(&harness, field).await.assert_refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn the_scope_openid_is_needed() {
    let harness = Harness::new().await;
    let token = access_token(&harness, "orders:read").await;
    let answer = ask(&harness, &format!("Bearer {token}")).await;
    answer.assert_refused(403, "insufficient_scope");
    assert!(answer.header("www-authenticate").ends_with(r#"scope="openid""#));
    assert_eq!(harness.events.last("request")["refused"], "insufficient_scope");
}

#[tokio::test]
async fn a_token_that_does_not_verify_names_nobody() {
    let harness = Harness::new().await;
    let token = access_token(&harness, "openid").await;
    let (head, _) = token.rsplit_once('.').expect("signature");
    let answer = ask(&harness, &format!("Bearer {head}.{}", "A".repeat(86))).await;
    answer.assert_refused(401, "invalid_token");
    assert!(answer.header("www-authenticate").contains(r#"error="invalid_token""#));
    let event = harness.events.last("request");
    assert_eq!(event["refused"], "forged:bad_signature");
    assert_eq!(event["claimed_subject"], "alice-id");
    assert!(event.get("subject").is_none());
    harness.clock.pass(600);
    ask(&harness, &format!("Bearer {token}")).await.assert_refused(401, "invalid_token");
    assert_eq!(harness.events.last("request")["refused"], "expired");
}

#[tokio::test]
async fn bait_is_noticed_but_not_named() {
    let harness = Harness::new().await;
    let bait = harness.mint("openid", API);
    let row = Honeytoken {
        token: bait.id.clone(),
        label: "in the wiki".to_owned(),
        created_by: "admin:test".to_owned(),
        created_at: harness.now(),
        expires_at: bait.expires_at,
    };
    harness.store.add_honeytoken(&row).await.expect("honeytoken");
    let answer = ask(&harness, &format!("Bearer {}", bait.token.expose())).await;
    answer.assert_refused(401, "invalid_token");
    assert!(!answer.text.contains("honey") && !answer.text.contains("bait"));
    let event = harness.events.last("request");
    assert_eq!((&event["refused"], &event["ip"]), (&"honeytoken".into(), &"192.0.2.7".into()));
    assert_eq!(event["token"], bait.id.as_str());
}

#[tokio::test]
async fn a_revoked_token_and_a_disabled_person_are_refused() {
    let harness = Harness::new().await;
    let token = access_token(&harness, "openid").await;
    assert_eq!(ask(&harness, &format!("Bearer {token}")).await.status, 200);
    harness.post("/revoke", &harness.public, &[("token", &token)]).await;
    ask(&harness, &format!("Bearer {token}")).await.assert_refused(401, "invalid_token");
    assert_eq!(harness.events.last("request")["refused"], "revoked");

    let token = access_token(&harness, "openid").await;
    let mut user = harness.user.clone();
    user.disabled = true;
    harness.store.update_user(&user).await.expect("user");
    ask(&harness, &format!("Bearer {token}")).await.assert_refused(401, "invalid_token");
    assert_eq!(harness.events.last("request")["refused"], "disabled");
}

#[tokio::test]
async fn a_blocked_network_is_refused_before_anything_is_read() {
    let harness = Harness::new().await;
    let token = access_token(&harness, "openid").await;
    let block = NewRestriction {
        selector: Selector::Network("192.0.2.0/24".parse().expect("network")),
        effect: Effect::Suspend,
        from: harness.now(),
        until: None,
        reason: "test".to_owned(),
        actor: "admin:test".to_owned(),
    };
    harness.store.restrict(block, harness.now()).await.expect("restriction");
    ask(&harness, &format!("Bearer {token}")).await.assert_refused(403, "access_denied");
    assert_eq!(harness.events.last("request")["refused"], "blocked");
}

#[tokio::test]
async fn a_machine_has_no_user_info() {
    let harness = Harness::new().await;
    let token = harness.mint("openid", API);
    ask(&harness, &format!("Bearer {}", token.token.expose()))
        .await
        .assert_refused(401, "invalid_token");
}
