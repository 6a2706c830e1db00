//! Devices without a keyboard (RFC 8628): ask, type, decide, poll.

use serde_json::Value;

use super::browser::{Browser, PASSWORD};
use super::support::{Answer, Harness, TestClient, claims};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn start(harness: &Harness, client: &TestClient, scope: &str) -> Value {
    let answer = harness.post("/device_authorization", client, &[("scope", scope)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

fn text(started: &Value, member: &str) -> String {
    started[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {started}")).to_owned()
}

async fn poll(harness: &Harness, client: &TestClient, started: &Value) -> Answer {
    let code = text(started, "device_code");
    harness.post("/token", client, &[("grant_type", GRANT), ("device_code", &code)]).await
}

/// Signs Alice in, types the code, and gives the page where it is decided.
async fn type_code(browser: &mut Browser<'_>, code: &str) -> Answer {
    let answer = browser.sign_in("/device", "alice", PASSWORD).await;
    assert_eq!(answer.header("location"), "/device", "{}", answer.text);
    let page = browser.get("/device").await;
    browser.submit(&page.form(), &[("user_code", code)]).await
}

#[tokio::test]
async fn a_device_gets_its_tokens_when_its_person_agrees() {
    let harness = Harness::with_password().await;
    let client = harness.public.clone();
    let started = start(&harness, &client, "openid orders:read").await;
    // RFC 8628 §3.2.
    assert_eq!(
        (started["expires_in"].as_u64(), started["interval"].as_u64()),
        (Some(600), Some(5))
    );
    let code = text(&started, "user_code");
    let page = text(&started, "verification_uri");
    assert_eq!(text(&started, "verification_uri_complete"), format!("{page}?user_code={code}"));
    // §3.5: nobody has decided.
    poll(&harness, &client, &started).await.assert_refused(400, "authorization_pending");

    let mut browser = harness.browser();
    let typed = code.to_lowercase().replace('-', " ");
    let page = type_code(&mut browser, &typed).await;
    page.assert_page(200);
    for words in ["The pub client", &code, "Use orders:read", "on another network"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self';"), "{policy}");
    let done = browser.submit(&page.form(), &[("decision", "allow")]).await;
    done.assert_page(200);
    assert!(done.text.contains("Your device is connected"), "{}", done.text);
    let event = harness.events.last("device");
    assert_eq!((&event["step"], &event["subject"]), (&"approved".into(), &"alice-id".into()));

    harness.clock.pass(5);
    let answer = poll(&harness, &client, &started).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let token = claims(&answer.member("access_token"));
    assert_eq!((&token["sub"], &token["client_id"]), (&"alice-id".into(), &"pub".into()));
    assert_eq!(token["scope"], "openid orders:read");
    assert_eq!(claims(&answer.member("id_token"))["sub"], "alice-id");
    let refreshed = harness.refresh(&client, &answer.member("refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_its_second_use_ends_what_it_gave() {
    let harness = Harness::with_password().await;
    let client = harness.public.clone();
    let started = start(&harness, &client, "openid").await;
    let mut browser = harness.browser();
    let page = type_code(&mut browser, &text(&started, "user_code")).await;
    browser.submit(&page.form(), &[("decision", "allow")]).await;
    let first = poll(&harness, &client, &started).await;
    assert_eq!(first.status, 200, "{}", first.text);
    poll(&harness, &client, &started).await.assert_refused(400, "invalid_grant");
    let refreshed = harness.refresh(&client, &first.member("refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_refusal_and_the_end_of_its_time_are_told() {
    let harness = Harness::with_password().await;
    let client = harness.confidential.clone();
    let started = start(&harness, &client, "openid").await;
    let mut browser = harness.browser();
    let page = type_code(&mut browser, &text(&started, "user_code")).await;
    let done = browser.submit(&page.form(), &[("decision", "deny")]).await;
    assert!(done.text.contains("The device was refused"), "{}", done.text);
    poll(&harness, &client, &started).await.assert_refused(400, "access_denied");
    // Decided is decided.
    let again = browser.submit(&page.form(), &[("decision", "allow")]).await;
    again.assert_page(400);
    poll(&harness, &client, &started).await.assert_refused(400, "access_denied");

    let late = start(&harness, &client, "openid").await;
    harness.clock.pass(600);
    poll(&harness, &client, &late).await.assert_refused(400, "expired_token");
}

#[tokio::test]
async fn who_polls_too_fast_is_told_to_slow_down() {
    let harness = Harness::with_password().await;
    let client = harness.public.clone();
    let started = start(&harness, &client, "openid").await;
    poll(&harness, &client, &started).await.assert_refused(400, "authorization_pending");
    harness.clock.pass(1);
    poll(&harness, &client, &started).await.assert_refused(400, "slow_down");
    // §3.5: the interval has grown by five seconds.
    harness.clock.pass(6);
    poll(&harness, &client, &started).await.assert_refused(400, "slow_down");
    harness.clock.pass(15);
    poll(&harness, &client, &started).await.assert_refused(400, "authorization_pending");
}

#[tokio::test]
async fn a_device_code_is_its_own_clients() {
    let harness = Harness::with_password().await;
    let started = start(&harness, &harness.public, "openid").await;
    poll(&harness, &harness.confidential, &started).await.assert_refused(400, "invalid_grant");
    let form = [("grant_type", GRANT), ("device_code", "twd_nobody")];
    harness.post("/token", &harness.public, &form).await.assert_refused(400, "invalid_grant");
    let form = [("grant_type", GRANT)];
    harness.post("/token", &harness.public, &form).await.assert_refused(400, "invalid_request");
}

#[tokio::test]
async fn what_a_client_may_not_have_is_refused_at_once() {
    let harness = Harness::new().await;
    let start = async |scope: &str| {
        let form = [("scope", scope)];
        harness.post("/device_authorization", &harness.public, &form).await
    };
    start("openid nonsense").await.assert_refused(400, "invalid_scope");
    start("tokenward:admin").await.assert_refused(400, "invalid_scope");
    let wrong = TestClient::named("conf", "wrong");
    let answer = harness.post("/device_authorization", &wrong, &[]).await;
    answer.assert_refused(401, "invalid_client");
    let form = [("resource", "https://elsewhere.example")];
    let answer = harness.post("/device_authorization", &harness.public, &form).await;
    answer.assert_refused(400, "invalid_target");
    let mut stored =
        (*harness.store.client(&"pub".into()).await.expect("store").expect("client")).clone();
    stored.grant_types.retain(|grant| grant.as_str() != GRANT);
    harness.store.update_client(&stored).await.expect("store");
    start("openid").await.assert_refused(400, "unauthorized_client");
}

#[tokio::test]
async fn wrong_codes_are_counted_against_who_types_them() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    type_code(&mut browser, "BCDF-GHJK").await.assert_page(400);
    assert_eq!(harness.events.last("device")["step"], "bad_user_code");
    let page = browser.get("/device").await;
    for _ in 0..4 {
        let answer = browser.submit(&page.form(), &[("user_code", "no code")]).await;
        answer.assert_page(400);
        assert!(answer.notice().contains("There is no such code"), "{}", answer.text);
    }
    let answer = browser.submit(&page.form(), &[("user_code", "BCDF-GHJK")]).await;
    answer.assert_page(429);
    assert_eq!(answer.header("retry-after"), "60");
}

#[tokio::test]
async fn a_link_brings_the_code_and_decides_nothing() {
    let harness = Harness::with_password().await;
    let started = start(&harness, &harness.public, "openid").await;
    let code = text(&started, "user_code");
    let mut browser = harness.browser();
    let path = format!("/device?user_code={code}");
    let answer = browser.sign_in(&path, "alice", PASSWORD).await;
    assert_eq!(answer.header("location"), path);
    let page = browser.get(&path).await;
    page.assert_page(200);
    assert!(page.text.contains(&format!("value=\"{code}\"")), "{}", page.text);
    assert_eq!(page.form().action, "/device");
    poll(&harness, &harness.public, &started).await.assert_refused(400, "authorization_pending");
    // A decision without the proof of the page that shows what is decided.
    let mut form = page.form();
    form.action = "/device/decision".to_owned();
    let answer = browser.submit(&form, &[("user_code", &code), ("decision", "allow")]).await;
    answer.assert_page(400);
    harness.clock.pass(60);
    poll(&harness, &harness.public, &started).await.assert_refused(400, "authorization_pending");
}

#[tokio::test]
async fn cancelling_the_sign_in_changes_nothing() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let page = browser.get("/device?user_code=%22%3E%3Cscript%3E").await;
    page.assert_page(200);
    assert!(!page.text.contains("script"), "{}", page.text);
    let answer = browser.submit(&page.form(), &[("cancel", "yes")]).await;
    answer.assert_page(200);
    assert!(answer.text.contains("Nothing was changed"), "{}", answer.text);
}

#[tokio::test]
async fn the_picture_leads_to_the_page() {
    let harness = Harness::new().await;
    let answer = harness.get("/device/qr?user_code=bcdfghjk").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/svg+xml"));
    assert!(answer.text.contains("<svg"), "{}", answer.text);
    harness.get("/device/qr?user_code=nonsense").await.assert_page(400);
    harness.get("/device/qr").await.assert_page(400);
}

#[tokio::test]
async fn a_disabled_person_or_client_gets_nothing() {
    let harness = Harness::with_password().await;
    let started = start(&harness, &harness.public, "openid").await;
    let mut browser = harness.browser();
    let page = type_code(&mut browser, &text(&started, "user_code")).await;
    browser.submit(&page.form(), &[("decision", "allow")]).await;
    let mut user = harness.store.user(&"alice-id".into()).await.expect("store").expect("user");
    user.disabled = true;
    harness.store.update_user(&user).await.expect("user");
    poll(&harness, &harness.public, &started).await.assert_refused(400, "invalid_grant");
}
