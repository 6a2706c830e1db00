//! Introspection tells the truth of this moment, and only to those with a secret.

use std::time::Duration;

use store::{Honeytoken, NewRestriction};
use token::restriction::{Effect, Selector};

use super::support::{API, Answer, Harness, ISSUER, TestClient, claims};

async fn ask(harness: &Harness, token: &str) -> Answer {
    harness.post("/introspect", &harness.confidential, &[("token", token)]).await
}

#[track_caller]
fn assert_inactive(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"active":false}"#));
}

#[tokio::test]
async fn a_good_access_token_is_described() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.public, "openid orders:read").await;
    let access = body["access_token"].as_str().expect("token");
    let answer = ask(&harness, access).await;
    let claims = claims(access);
    let described = answer.json();
    assert_eq!(described["active"], true);
    assert_eq!((&described["iss"], &described["aud"]), (&ISSUER.into(), &API.into()));
    assert_eq!(described["username"], "alice");
    assert_eq!(described["token_type"], "Bearer");
    for name in ["scope", "client_id", "sub", "exp", "iat", "jti"] {
        assert_eq!(described[name], claims[name], "{name}");
    }
    let event = harness.events.last("introspect");
    assert_eq!((&event["result"], &event["client"]), (&"active".into(), &"conf".into()));
}

#[tokio::test]
async fn a_refresh_token_is_told_to_its_own_client_only() {
    let harness = Harness::new().await;
    let own = harness.signed_in(&harness.confidential, "orders:read").await;
    let text = own["refresh_token"].as_str().expect("token");
    let described = ask(&harness, text).await.json();
    assert_eq!((&described["active"], &described["sub"]), (&true.into(), &"alice-id".into()));
    let foreign = harness.signed_in(&harness.public, "orders:read").await;
    assert_inactive(&ask(&harness, foreign["refresh_token"].as_str().expect("token")).await);
    // A used one is not active any more.
    assert_eq!(harness.refresh(&harness.confidential, text).await.status, 200);
    assert_inactive(&ask(&harness, text).await);
}

/// RFC 7662 §4: where anybody can register, that alone lets nobody look into other clients' tokens.
#[tokio::test]
async fn who_registered_with_nothing_to_show_sees_own_tokens_only() {
    let harness = Harness::new().await;
    let other = harness.signed_in(&harness.public, "orders:read").await;
    let other = other["access_token"].as_str().expect("token");
    assert_eq!(ask(&harness, other).await.json()["active"], true);
    let known = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let created_by = "registration:open".to_owned();
    let anybody = store::Client { id: "anybody".into(), created_by, ..(*known).clone() };
    harness.store.create_client(&anybody).await.expect("client");
    let secret = harness.confidential.secret.as_deref().expect("secret");
    let anybody = TestClient::named("anybody", secret);
    let ask = async |token: &str| harness.post("/introspect", &anybody, &[("token", token)]).await;
    assert_inactive(&ask(other).await);
    let own = harness.signed_in(&anybody, "orders:read").await;
    let own = own["access_token"].as_str().expect("token");
    assert_eq!(ask(own).await.json()["active"], true);
}

#[tokio::test]
async fn what_is_not_good_is_inactive_and_nothing_more() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.confidential, "openid orders:read").await;
    let access = body["access_token"].as_str().expect("token");
    let id_token = body["id_token"].as_str().expect("token");
    let (head, _) = access.rsplit_once('.').expect("signature");
    for text in ["x", "a.b.c", "twr_x", id_token, head, &format!("{head}.AAAA"), &"é".repeat(99)] {
        assert_inactive(&ask(&harness, text).await);
    }
    harness.clock.pass(600);
    assert_inactive(&ask(&harness, access).await);
    assert_eq!(harness.events.last("introspect")["result"], "inactive");
}

#[tokio::test]
async fn a_revoked_or_suspended_token_is_inactive() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.public, "orders:read").await;
    let access = body["access_token"].as_str().expect("token");
    let suspension = NewRestriction {
        selector: Selector::Subject("alice-id".into()),
        effect: Effect::Suspend,
        from: harness.now(),
        until: Some(harness.now().plus(Duration::from_secs(60))),
        reason: "test".to_owned(),
        actor: "admin:test".to_owned(),
    };
    harness.store.restrict(suspension, harness.now()).await.expect("restriction");
    assert_inactive(&ask(&harness, access).await);
    harness.clock.pass(60);
    assert_eq!(ask(&harness, access).await.json()["active"], true);
    let revoked = harness.post("/revoke", &harness.public, &[("token", access)]).await;
    assert_eq!(revoked.status, 200);
    assert_inactive(&ask(&harness, access).await);
}

#[tokio::test]
async fn scopes_that_count_no_more_are_not_told_and_not_issued() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.confidential, "openid orders:read orders:write").await;
    let access = body["access_token"].as_str().expect("token");
    let narrowed = NewRestriction {
        selector: Selector::Subject("alice-id".into()),
        effect: "drop_scopes:orders:write".parse().expect("effect"),
        from: harness.now(),
        until: Some(harness.now().plus(Duration::from_secs(60))),
        reason: "test".to_owned(),
        actor: "admin:test".to_owned(),
    };
    harness.store.restrict(narrowed, harness.now()).await.expect("restriction");
    let described = ask(&harness, access).await.json();
    assert_eq!(
        (&described["active"], &described["scope"]),
        (&true.into(), &"openid orders:read".into())
    );
    let refresh = body["refresh_token"].as_str().expect("token");
    let refreshed = harness.refresh(&harness.confidential, refresh).await.json();
    assert_eq!(refreshed["scope"], "openid orders:read");
    let issued = claims(refreshed["access_token"].as_str().expect("token"));
    assert_eq!(issued["scope"], "openid orders:read");
    // The grant has it still: when the restriction has ended, so has the next token.
    harness.clock.pass(60);
    let refresh = refreshed["refresh_token"].as_str().expect("token");
    let whole = harness.refresh(&harness.confidential, refresh).await.json();
    assert_eq!(whole["scope"], "openid orders:read orders:write");
    assert_eq!(ask(&harness, access).await.json()["scope"], "openid orders:read orders:write");
}

#[tokio::test]
async fn tokens_of_a_disabled_person_or_client_are_inactive() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.public, "orders:read").await;
    let access = body["access_token"].as_str().expect("token");
    let mut user = harness.user.clone();
    user.disabled = true;
    harness.store.update_user(&user).await.expect("user");
    assert_inactive(&ask(&harness, access).await);
    user.disabled = false;
    harness.store.update_user(&user).await.expect("user");
    assert_eq!(ask(&harness, access).await.json()["active"], true);
    let client = harness.store.client(&"pub".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.disabled = true;
    harness.store.update_client(&client).await.expect("client");
    assert_inactive(&ask(&harness, access).await);
}

#[tokio::test]
async fn bait_is_never_good() {
    let harness = Harness::new().await;
    let bait = harness.mint("orders:read", API);
    let row = Honeytoken {
        token: bait.id.clone(),
        label: "in the wiki".to_owned(),
        created_by: "admin:test".to_owned(),
        created_at: harness.now(),
        expires_at: bait.expires_at,
    };
    harness.store.add_honeytoken(&row).await.expect("honeytoken");
    assert_inactive(&ask(&harness, bait.token.expose()).await);
}

#[tokio::test]
async fn only_clients_with_a_secret_may_ask() {
    let harness = Harness::new().await;
    harness
        .post("/introspect", &harness.public, &[("token", "x")])
        .await
        .assert_refused(401, "invalid_client");
    harness.post_bare("/introspect", "token=x").await.assert_refused(401, "invalid_client");
    harness
        .post("/introspect", &harness.confidential, &[])
        .await
        .assert_refused(400, "invalid_request");
}
