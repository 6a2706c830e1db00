//! Pushed authorization requests (RFC 9126): judged when pushed, kept from everybody, good once.

use super::browser::{STATE, request};
use super::support::{Answer, Harness, TestClient};

/// The parameters of an ordinary request, as they are pushed.
fn parameters(client: &TestClient, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let path = request(client, changes);
    let (_, query) = path.split_once('?').expect("query");
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

async fn push(harness: &Harness, client: &TestClient, changes: &[(&str, &str)]) -> Answer {
    let parameters = parameters(client, changes);
    let form: Vec<(&str, &str)> = parameters
        .iter()
        .filter(|(name, _)| name != "client_id")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    harness.post("/par", client, &form).await
}

fn path(client: &TestClient, uri: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::from("/authorize?"));
    query.append_pair("client_id", &client.id).append_pair("request_uri", uri);
    query.finish()
}

#[tokio::test]
async fn a_pushed_request_is_good_once_and_stays_off_the_front_channel() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    // It asks for a new sign-in, which must be asked for once and not for ever.
    let pushed = push(&harness, client, &[("prompt", "login"), ("max_age", "0")]).await;
    assert_eq!(
        (pushed.status, pushed.header("cache-control")),
        (201, "no-store"),
        "{}",
        pushed.text
    );
    assert_eq!(pushed.json()["expires_in"], 60);
    let uri = pushed.member("request_uri");
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:") && uri.len() > 70, "{uri}");
    let path = path(client, &uri);
    let mut browser = harness.browser();
    let page = browser.get(&path).await;
    page.assert_page(200);
    assert!(!page.text.contains("code_challenge"), "{}", page.text);
    let answer = browser.agree(&path).await;
    let told = answer.at_client();
    assert!(told.contains_key("code") && told["state"] == STATE, "{told:?}");
    browser.get(&path).await.assert_page(400);
    // What stands beside the name does not count.
    let pushed = push(&harness, client, &[("scope", "openid")]).await;
    let uri = pushed.member("request_uri");
    let more = format!("{}&scope=openid+orders%3Awrite&state=evil", self::path(client, &uri));
    let told = browser.get(&more).await.at_client();
    assert_eq!(told["state"], STATE);
    let redeemed = harness.redeem(client, &told["code"]).await;
    assert_eq!(redeemed.member("scope"), "openid");
}

#[tokio::test]
async fn what_is_wrong_is_said_when_it_is_pushed() {
    let harness = Harness::new().await;
    for (changes, code) in [
        ([("redirect_uri", "https://evil.example/")], "invalid_request"),
        ([("response_type", "token")], "unsupported_response_type"),
        ([("code_challenge", "")], "invalid_request"),
        ([("scope", "openid tokenward:admin")], "invalid_scope"),
        ([("resource", "https://elsewhere.example")], "invalid_target"),
        ([("request_uri", "urn:ietf:params:oauth:request_uri:x")], "invalid_request"),
        ([("request", "e30.e30.")], "invalid_request_object"),
        ([("prompt", "create")], "invalid_request"),
        ([("dpop_jkt", "x")], "invalid_request"),
    ] {
        let refused = push(&harness, &harness.confidential, &changes).await;
        refused.assert_refused(400, code);
    }
    let stranger = TestClient::named("conf", "wrong");
    push(&harness, &stranger, &[]).await.assert_refused(401, "invalid_client");
    // A public client can push as well: it is known by its name (RFC 9126 §2).
    assert_eq!(push(&harness, &harness.public, &[]).await.status, 201);
}

#[tokio::test]
async fn a_name_is_for_its_client_and_for_a_minute() {
    let harness = Harness::new().await;
    let uri = push(&harness, &harness.confidential, &[]).await.member("request_uri");
    harness.get(&path(&harness.public, &uri)).await.assert_page(400);
    harness.get(&path(&harness.confidential, &uri[..uri.len() - 1])).await.assert_page(400);
    harness.get(&path(&harness.confidential, &uri)).await.assert_page(200);
    // Whoever has arrived may take their time.
    harness.clock.pass(600);
    harness.get(&path(&harness.confidential, &uri)).await.assert_page(200);
    harness.clock.pass(1800);
    harness.get(&path(&harness.confidential, &uri)).await.assert_page(400);
    let late = push(&harness, &harness.confidential, &[]).await.member("request_uri");
    harness.clock.pass(60);
    harness.get(&path(&harness.confidential, &late)).await.assert_page(400);
}

#[tokio::test]
async fn a_client_that_promised_to_push_is_held_to_it() {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.options.require_pushed_authorization_requests = true;
    harness.store.update_client(&client).await.expect("client");
    let plain = harness.get(&request(&harness.confidential, &[])).await;
    plain.assert_refused_to_client("invalid_request");
    let uri = push(&harness, &harness.confidential, &[]).await.member("request_uri");
    harness.get(&path(&harness.confidential, &uri)).await.assert_page(200);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart_and_what_was_answered_is_not() {
    let harness = Harness::with_password().await;
    let client = harness.confidential.clone();
    let uri = push(&harness, &client, &[]).await.member("request_uri");
    let harness = harness.restart().await;
    let path = path(&client, &uri);
    let mut browser = harness.browser();
    browser.get(&path).await.assert_page(200);
    assert!(browser.agree(&path).await.at_client().contains_key("code"));
    let harness = harness.restart().await;
    harness.browser().get(&path).await.assert_page(400);
}
