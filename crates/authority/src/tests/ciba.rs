//! Questions by the back channel (CIBA Core 1.0): asked, decided by the person alone, fetched once.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router, http};
use serde_json::{Value, json};
use store::ClientOptions;
use token::term::{DeliveryMode, GrantType};

use super::browser::PASSWORD;
use super::support::{Answer, Harness, claims};

type Told = Arc<Mutex<Vec<(String, Value)>>>;

const GRANT: &str = "urn:openid:params:grant-type:ciba";

async fn harness(options: ClientOptions) -> Harness {
    let harness = Harness::with_password().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.grant_types.push(GrantType::Ciba);
    client.options = options;
    harness.store.update_client(&client).await.expect("client");
    harness
}

async fn ask(harness: &Harness, changes: &[(&str, &str)]) -> Answer {
    let mut form = vec![("scope", "openid orders:read"), ("login_hint", "alice")];
    form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    form.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    harness.post("/bc-authorize", &harness.confidential, &form).await
}

async fn poll(harness: &Harness, asked: &Answer) -> Answer {
    let id = asked.member("auth_req_id");
    let form = [("grant_type", GRANT), ("auth_req_id", id.as_str())];
    harness.post("/token", &harness.confidential, &form).await
}

async fn decide(harness: &Harness, decision: &str) -> Answer {
    let mut browser = harness.browser();
    let answer = browser.sign_in("/approvals", "alice", PASSWORD).await;
    assert_eq!(answer.header("location"), "/approvals", "{}", answer.text);
    let page = browser.get("/approvals").await;
    page.assert_page(200);
    browser.submit(&page.form(), &[("decision", decision)]).await
}

#[tokio::test]
async fn a_person_agrees_where_they_are() {
    let harness = harness(ClientOptions::default()).await;
    let asked = ask(&harness, &[("binding_message", "W4SCT")]).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    let answer = asked.json();
    assert_eq!((&answer["expires_in"], &answer["interval"]), (&json!(600), &json!(5)));
    poll(&harness, &asked).await.assert_refused(400, "authorization_pending");
    let mut browser = harness.browser();
    browser.sign_in("/approvals", "alice", PASSWORD).await;
    let page = browser.get("/approvals").await;
    for words in ["The conf client", "W4SCT", "Use orders:read"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let done = browser.submit(&page.form(), &[("decision", "allow")]).await;
    assert!(done.text.contains("You allowed it"), "{}", done.text);
    assert!(done.text.contains("Nothing waits for you"), "{}", done.text);
    assert!(done.text.contains("<a href=\"/account\">Back to your account</a>"), "{}", done.text);
    harness.clock.pass(5);
    let body = poll(&harness, &asked).await;
    assert_eq!(body.status, 200, "{}", body.text);
    assert_eq!(claims(&body.member("access_token"))["sub"], "alice-id");
    assert_eq!(claims(&body.member("id_token"))["sub"], "alice-id");
    poll(&harness, &asked).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_no_and_silence_are_told() {
    let harness = harness(ClientOptions::default()).await;
    let asked = ask(&harness, &[]).await;
    let done = decide(&harness, "deny").await;
    assert!(done.text.contains("You refused it"), "{}", done.text);
    poll(&harness, &asked).await.assert_refused(400, "access_denied");
    let asked = ask(&harness, &[("requested_expiry", "60")]).await;
    assert_eq!(asked.json()["expires_in"], 60);
    harness.clock.pass(60);
    poll(&harness, &asked).await.assert_refused(400, "expired_token");
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let harness = harness(ClientOptions::default()).await;
    let long = "x".repeat(65);
    for (changes, code) in [
        (vec![("login_hint", "nobody")], "unknown_user_id"),
        (vec![("login_hint", "")], "invalid_request"),
        (vec![("id_token_hint", "a.b.c"), ("login_hint", "")], "invalid_request"),
        (vec![("id_token_hint", "a.b.c")], "invalid_request"),
        (vec![("login_hint_token", "x")], "invalid_request"),
        (vec![("scope", "orders:read")], "invalid_scope"),
        (vec![("scope", "")], "invalid_request"),
        (vec![("scope", "openid tokenward:admin")], "invalid_scope"),
        (vec![("binding_message", long.as_str())], "invalid_binding_message"),
        (vec![("binding_message", "a\u{202e}b")], "invalid_binding_message"),
        (vec![("requested_expiry", "0")], "invalid_request"),
        (vec![("request", "x")], "invalid_request_object"),
        (vec![("resource", "https://elsewhere.example")], "invalid_target"),
    ] {
        ask(&harness, &changes).await.assert_refused(400, code);
    }
    // An address says who is meant as well as a user name.
    assert_eq!(ask(&harness, &[("login_hint", "Alice@example.com")]).await.status, 200);
    let form = [("scope", "openid"), ("login_hint", "alice")];
    let public = harness.post("/bc-authorize", &harness.public, &form).await;
    public.assert_refused(400, "unauthorized_client");
}

#[tokio::test]
async fn a_person_is_not_worn_down() {
    let harness = harness(ClientOptions::default()).await;
    for _ in 0..10 {
        assert_eq!(ask(&harness, &[]).await.status, 200);
    }
    ask(&harness, &[]).await.assert_refused(429, "temporarily_unavailable");
}

#[tokio::test]
async fn a_question_is_for_one_person_and_one_client() {
    let harness = harness(ClientOptions::default()).await;
    let asked = ask(&harness, &[]).await;
    let form = [("grant_type", GRANT), ("auth_req_id", &asked.member("auth_req_id"))];
    let other = harness.post("/token", &harness.public, &form).await;
    other.assert_refused(400, "unauthorized_client");
    // A form that was not given to this session decides nothing.
    let mut browser = harness.browser();
    browser.sign_in("/approvals", "alice", PASSWORD).await;
    let mut form = browser.get("/approvals").await.form();
    form.fields.retain(|(name, _)| name != "csrf");
    browser.submit(&form, &[("decision", "allow")]).await.assert_page(400);
    poll(&harness, &asked).await.assert_refused(400, "authorization_pending");
}

#[tokio::test]
async fn a_client_that_wants_to_be_told_is_told() {
    let told = Told::default();
    let take =
        async |State(told): State<Told>, headers: http::HeaderMap, Json(body): Json<Value>| {
            let field = headers["authorization"].to_str().expect("text").to_owned();
            told.lock().expect("lock").push((field, body));
            http::StatusCode::NO_CONTENT
        };
    let router = Router::new().route("/told", post(take)).with_state(Arc::clone(&told));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("socket");
    let place = format!("http://{}/told", socket.local_addr().expect("address"));
    tokio::spawn(async move { axum::serve(socket, router).await.expect("serve") });
    let harness = harness(ClientOptions {
        backchannel_token_delivery_mode: Some(DeliveryMode::Ping),
        backchannel_client_notification_endpoint: Some(place),
        ..ClientOptions::default()
    })
    .await;
    ask(&harness, &[]).await.assert_refused(400, "invalid_request");
    ask(&harness, &[("client_notification_token", "short")])
        .await
        .assert_refused(400, "invalid_request");
    let token = "8d67dc78-7faa-4d41-aabd-67707b374255";
    let asked = ask(&harness, &[("client_notification_token", token)]).await;
    decide(&harness, "allow").await;
    for _ in 0..200 {
        if !told.lock().expect("lock").is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // §10.2.
    let expected =
        (format!("Bearer {token}"), json!({ "auth_req_id": asked.member("auth_req_id") }));
    assert_eq!(*told.lock().expect("lock"), [expected]);
    assert_eq!(poll(&harness, &asked).await.status, 200);
}
