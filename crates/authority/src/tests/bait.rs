//! Bait is noticed wherever it is shown, and nobody is named for it but who holds it.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use store::Honeytoken;
use token::opaque::Family;
use token::reference;

use super::support::{API, Harness, TestClient};

struct Baited {
    harness: Harness,
    /// A JWT, an opaque token, a refresh token, a personal token.
    bait: Vec<(String, String)>,
}

impl Baited {
    async fn new() -> Self {
        let harness = Harness::new().await;
        let jwt = harness.mint("orders:read", API);
        let mut bait = vec![(jwt.id.to_string(), jwt.token.expose().to_owned())];
        for family in [Family::Access, Family::Refresh, Family::Personal] {
            let text = family.generate(harness.authority.random());
            bait.push((reference::name(text.expose()).to_string(), text.expose().to_owned()));
        }
        for (name, _) in &bait {
            let row = Honeytoken {
                token: name.as_str().into(),
                label: "in the wiki".to_owned(),
                created_by: "admin:test".to_owned(),
                created_at: harness.now(),
                expires_at: harness.now(),
            };
            harness.store.add_honeytoken(&row).await.expect("honeytoken");
        }
        Self { harness, bait }
    }

    /// What the watcher hears of bait in the last request to `path`.
    fn heard(&self, path: &str) -> Value {
        let event = self.harness.events.last("request");
        assert_eq!((&event["refused"], &event["path"]), (&json!("honeytoken"), &json!(path)));
        event
    }
}

fn nobody() -> TestClient {
    TestClient::named("nobody", "secret")
}

#[tokio::test]
async fn a_client_that_asks_about_bait_is_told_of_and_not_taken_for_the_thief() {
    let baited = Baited::new().await;
    for path in ["/introspect", "/revoke"] {
        for (name, text) in &baited.bait {
            let form = [("token", text.as_str())];
            let answer = baited.harness.post(path, &baited.harness.confidential, &form).await;
            assert_eq!(answer.status, 200);
            let event = baited.heard(path);
            assert_eq!(
                (&event["claimed_token"], &event["passed_on_by"]),
                (&json!(name), &json!("client:conf"))
            );
            assert!(event["ip"].is_null() && event["ua"].is_null(), "{event}");
            assert!(event["client"].is_null(), "traffic of the API is not the client's");
        }
    }
}

#[tokio::test]
async fn who_holds_it_themselves_is_named_by_their_address() {
    let baited = Baited::new().await;
    let (harness, (name, text)) = (&baited.harness, &baited.bait[1]);
    let form = [("token", text.as_str())];
    harness.post("/revoke", &harness.public, &form).await;
    let heard = |path: &str| {
        let event = baited.heard(path);
        assert_eq!((&event["claimed_token"], &event["ip"]), (&json!(name), &json!("192.0.2.7")));
        assert!(event["passed_on_by"].is_null(), "{event}");
    };
    heard("/revoke");
    for path in ["/introspect", "/revoke"] {
        harness
            .post_bare(path, &format!("token={text}"))
            .await
            .assert_refused(401, "invalid_client");
        heard(path);
        harness.post(path, &nobody(), &form).await.assert_refused(401, "invalid_client");
        heard(path);
    }
    harness.post("/introspect", &harness.public, &form).await.assert_refused(401, "invalid_client");
    heard("/introspect");
}

/// A resource server whose secret was changed is none of the thieves.
#[tokio::test]
async fn who_cannot_show_now_which_client_it_is_is_not_taken_for_the_thief() {
    let baited = Baited::new().await;
    let (_, text) = &baited.bait[0];
    let wrong = TestClient::named("conf", "old-secret");
    baited
        .harness
        .post("/introspect", &wrong, &[("token", text)])
        .await
        .assert_refused(401, "invalid_client");
    let event = baited.heard("/introspect");
    assert_eq!((&event["passed_on_by"], &event["ip"]), (&json!("unproven"), &json!(null)));
}

#[tokio::test]
async fn bait_is_not_traded() {
    let baited = Baited::new().await;
    let (name, text) = &baited.bait[0];
    let grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    let form = [("grant_type", grant), ("subject_token", text.as_str())];
    assert_eq!(
        baited.harness.post("/token", &baited.harness.confidential, &form).await.status,
        400
    );
    let event = baited.heard("/token");
    assert_eq!(
        (&event["claimed_token"], &event["passed_on_by"]),
        (&json!(name), &json!("client:conf"))
    );
}

/// Who has found bait must not have others blocked by sending them to a page.
#[tokio::test]
async fn a_browser_that_another_site_had_send_it_is_nobodys_thief() {
    let baited = Baited::new().await;
    let (_, text) = &baited.bait[2];
    for (site, by) in [
        ("cross-site", json!("site")),
        ("same-site", json!("site")),
        ("none", json!("site")),
        ("same-origin", json!(null)),
    ] {
        let request = Request::post("/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .body(Body::from(format!("grant_type=refresh_token&client_id=x&refresh_token={text}")));
        baited.harness.send(request.expect("request")).await;
        let event = baited.heard("/token");
        assert_eq!((&event["passed_on_by"], &event["ip"]), (&by, &json!("192.0.2.7")), "{site}");
    }
}

#[tokio::test]
async fn what_is_no_bait_is_not_told_of() {
    let baited = Baited::new().await;
    let harness = &baited.harness;
    let body = harness.signed_in(&harness.confidential, "orders:read").await;
    for token in [body["access_token"].as_str().expect("token"), "x", "a.b.c", ""] {
        harness.post("/introspect", &harness.confidential, &[("token", token)]).await;
        harness.post("/revoke", &harness.confidential, &[("token", token)]).await;
    }
    assert!(!harness.events.all().contains("honeytoken"));
}
