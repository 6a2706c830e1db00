//! Revocation holds before the answer goes out, and harms nobody else.

use token::restriction::Selector;

use super::support::{Harness, claims};

#[tokio::test]
async fn an_access_token_is_taken_back() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.confidential, "orders:read").await;
    let access = body["access_token"].as_str().expect("token");
    let form = [("token", access), ("token_type_hint", "refresh_token")];
    let answer = harness.post("/revoke", &harness.confidential, &form).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    let jti = claims(access)["jti"].as_str().expect("jti").to_owned();
    let selector = Selector::Token(jti.as_str().into());
    assert!(harness.store.index().on_selector(&selector, harness.now()).is_some());
    let event = harness.events.last("revoke");
    assert_eq!(event["selector"], format!("token:{jti}"));
    assert_eq!((&event["actor"], &event["subject"]), (&"client:conf".into(), &"alice-id".into()));
    // The grant lives on.
    let refresh = body["refresh_token"].as_str().expect("token");
    assert_eq!(harness.refresh(&harness.confidential, refresh).await.status, 200);
    // Once more changes nothing.
    let rows = harness.store.index().last_seq();
    assert_eq!(harness.post("/revoke", &harness.confidential, &form).await.status, 200);
    assert_eq!(harness.store.index().last_seq(), rows);
}

#[tokio::test]
async fn a_refresh_token_takes_its_whole_family_with_it() {
    let harness = Harness::new().await;
    for client in [&harness.confidential, &harness.public] {
        let body = harness.signed_in(client, "orders:read").await;
        let refresh = body["refresh_token"].as_str().expect("token");
        let answer = harness.post("/revoke", client, &[("token", refresh)]).await;
        assert_eq!(answer.status, 200);
        let access = claims(body["access_token"].as_str().expect("token"));
        let selector = Selector::Grant(access["grant_id"].as_str().expect("grant").into());
        assert!(harness.store.index().on_selector(&selector, harness.now()).is_some());
        harness.refresh(client, refresh).await.assert_refused(400, "invalid_grant");
        assert_eq!(harness.events.last("revoke")["grant"], access["grant_id"]);
    }
}

#[tokio::test]
async fn another_clients_token_is_left_alone() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.confidential, "orders:read").await;
    for name in ["access_token", "refresh_token"] {
        let form = [("token", body[name].as_str().expect("token"))];
        let answer = harness.post("/revoke", &harness.public, &form).await;
        assert_eq!(answer.status, 200, "{name}");
        assert!(harness.events.last("revoke").get("selector").is_none());
    }
    assert!(harness.store.index().is_empty());
}

#[tokio::test]
async fn unknown_and_expired_tokens_get_the_same_answer() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.confidential, "orders:read").await;
    harness.clock.pass(600);
    let access = body["access_token"].as_str().expect("token");
    for text in [access, "x", "a.b.c", "twr_x", "é"] {
        let answer = harness.post("/revoke", &harness.confidential, &[("token", text)]).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{text}");
    }
    assert!(harness.store.index().is_empty());
}

#[tokio::test]
async fn a_client_must_say_who_it_is_and_what_it_revokes() {
    let harness = Harness::new().await;
    harness.post_bare("/revoke", "token=x").await.assert_refused(401, "invalid_client");
    harness
        .post("/revoke", &harness.confidential, &[])
        .await
        .assert_refused(400, "invalid_request");
}
