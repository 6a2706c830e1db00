//! Honest rotation: a lost answer is repeated, a stolen token ends its family.

use std::time::Duration;

use serde_json::Value;
use store::NewRestriction;
use token::restriction::{Effect, Selector};

use super::support::{Harness, claims};

fn token(body: &Value) -> &str {
    body["refresh_token"].as_str().expect("refresh token")
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_of_the_same_grant() {
    let harness = Harness::new().await;
    let first = harness.signed_in(&harness.confidential, "openid orders:read").await;
    harness.clock.pass(60);
    let answer = harness.refresh(&harness.confidential, token(&first)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let second = answer.json();
    assert_ne!(token(&first), token(&second));
    assert_eq!(second["scope"], "openid orders:read");
    let of = |body: &Value, name| claims(body[name].as_str().expect("token"));
    assert_eq!(of(&first, "access_token")["grant_id"], of(&second, "access_token")["grant_id"]);
    // OpenID Connect Core 1.0 §12.2: the same person and sign-in, without the nonce.
    let (before, after) = (of(&first, "id_token"), of(&second, "id_token"));
    for name in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    assert!(after.get("nonce").is_none());
}

#[tokio::test]
async fn the_same_party_gets_the_same_answer_for_a_while() {
    let harness = Harness::new().await;
    let first = harness.signed_in(&harness.confidential, "orders:read").await;
    let lost = harness.refresh(&harness.confidential, token(&first)).await;
    harness.clock.pass(9);
    let again = harness.refresh(&harness.confidential, token(&first)).await;
    assert_eq!((lost.status, again.status), (200, 200));
    assert_eq!(lost.text, again.text);
    // Nobody was harmed: the successor works.
    let next = harness.refresh(&harness.confidential, &again.member("refresh_token")).await;
    assert_eq!(next.status, 200);
}

async fn assert_family_dead(harness: &Harness, first: &Value, successor: &str) {
    let event = harness.events.last("grant");
    assert_eq!(
        (&event["cause"], &event["result"]),
        (&"refresh_reused".into(), &"invalid_grant".into())
    );
    let access = claims(first["access_token"].as_str().expect("token"));
    for (member, claim) in
        [("grant", "grant_id"), ("subject", "sub"), ("client", "client_id"), ("session", "sid")]
    {
        assert_eq!(event[member], access[claim], "{member}");
    }
    let selector = Selector::Grant(access["grant_id"].as_str().expect("grant").into());
    assert!(harness.store.index().on_selector(&selector, harness.now()).is_some());
    harness.refresh(&harness.confidential, successor).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_late_repeat_ends_the_family() {
    let harness = Harness::new().await;
    let first = harness.signed_in(&harness.confidential, "orders:read").await;
    let second = harness.refresh(&harness.confidential, token(&first)).await;
    harness.clock.pass(11);
    harness
        .refresh(&harness.confidential, token(&first))
        .await
        .assert_refused(400, "invalid_grant");
    assert_family_dead(&harness, &first, &second.member("refresh_token")).await;
}

#[tokio::test]
async fn a_repeat_from_elsewhere_ends_the_family() {
    let harness = Harness::new().await;
    for field in [("user-agent", "thief/1.0"), ("x-forwarded-for", "203.0.113.66")] {
        let first = harness.signed_in(&harness.confidential, "orders:read").await;
        let mine = harness.refresh(&harness.confidential, token(&first)).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", token(&first))];
        let theirs = harness.post_with("/token", &harness.confidential, &form, &[field]).await;
        if field.0 == "x-forwarded-for" {
            // The peer is no trusted proxy: its word for another address changes nothing.
            assert_eq!(theirs.text, mine.text);
        } else {
            theirs.assert_refused(400, "invalid_grant");
            assert_family_dead(&harness, &first, &mine.member("refresh_token")).await;
        }
    }
}

#[tokio::test]
async fn a_repeat_after_the_successor_was_used_ends_the_family() {
    let harness = Harness::new().await;
    let first = harness.signed_in(&harness.confidential, "orders:read").await;
    let second = harness.refresh(&harness.confidential, token(&first)).await;
    let third = harness.refresh(&harness.confidential, &second.member("refresh_token")).await;
    harness
        .refresh(&harness.confidential, token(&first))
        .await
        .assert_refused(400, "invalid_grant");
    assert_family_dead(&harness, &first, &third.member("refresh_token")).await;
}

#[tokio::test]
async fn a_reuse_is_seen_whatever_else_is_wrong_with_the_request() {
    let harness = Harness::new().await;
    let first = harness.signed_in(&harness.confidential, "orders:read").await;
    let second = harness.refresh(&harness.confidential, token(&first)).await;
    harness.clock.pass(3000);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token(&first)),
        ("scope", "more than granted"),
    ];
    harness.post("/token", &harness.confidential, &form).await.assert_refused(400, "invalid_grant");
    assert_family_dead(&harness, &first, &second.member("refresh_token")).await;
}

#[tokio::test]
async fn another_client_harms_nobody() {
    let harness = Harness::new().await;
    let first = harness.signed_in(&harness.confidential, "orders:read").await;
    harness.refresh(&harness.public, token(&first)).await.assert_refused(400, "invalid_grant");
    assert_eq!(harness.events.last("grant")["cause"], "wrong_client");
    assert_eq!(harness.refresh(&harness.confidential, token(&first)).await.status, 200);
    // Not even with a used token can it end the family.
    harness.refresh(&harness.public, token(&first)).await.assert_refused(400, "invalid_grant");
    assert_eq!(harness.events.last("grant")["cause"], "wrong_client");
    assert!(harness.store.index().is_empty());
}

#[tokio::test]
async fn scopes_narrow_and_come_back_but_never_widen() {
    let harness = Harness::new().await;
    let first = harness.signed_in(&harness.confidential, "orders:read orders:write").await;
    let ask = async |refresh_token: &str, scope: &str| {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("scope", scope)];
        harness.post("/token", &harness.confidential, &form).await
    };
    let wider = ask(token(&first), "orders:read openid").await;
    wider.assert_refused(400, "invalid_scope");
    assert_eq!(harness.events.last("grant")["cause"], "scope_exceeded");
    let narrow = ask(token(&first), "orders:read").await;
    assert_eq!(narrow.member("scope"), "orders:read");
    // RFC 6749 §6: the refresh token itself keeps what was granted.
    let full = harness.refresh(&harness.confidential, &narrow.member("refresh_token")).await;
    assert_eq!(full.member("scope"), "orders:read orders:write");
}

#[tokio::test]
async fn an_idle_refresh_token_expires() {
    let harness = Harness::new().await;
    let first = harness.signed_in(&harness.confidential, "orders:read").await;
    harness.clock.pass(3600);
    harness
        .refresh(&harness.confidential, token(&first))
        .await
        .assert_refused(400, "invalid_grant");
    assert_eq!(harness.events.last("grant")["cause"], "expired");
}

#[tokio::test]
async fn a_grant_ends_however_often_it_is_refreshed() {
    let harness = Harness::new().await;
    let mut body = harness.signed_in(&harness.confidential, "orders:read").await;
    for _ in 0..4 {
        harness.clock.pass(3500);
        body = harness.refresh(&harness.confidential, token(&body)).await.json();
    }
    // 14,000 of 14,400 seconds have passed.
    assert_eq!(body["refresh_token_expires_in"], 400);
    harness.clock.pass(400);
    harness.refresh(&harness.confidential, token(&body)).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn what_ends_older_tokens_ends_their_refresh() {
    let harness = Harness::new().await;
    let access = claims(
        harness.signed_in(&harness.confidential, "orders:read").await["access_token"]
            .as_str()
            .expect("token"),
    );
    assert_eq!(access["sid"], "session-1");
    for selector in [
        Selector::Session("session-1".into()),
        Selector::Subject("alice-id".into()),
        Selector::Client("conf".into()),
        Selector::Issuer,
    ] {
        harness.clock.pass(1);
        let body = harness.signed_in(&harness.confidential, "orders:read").await;
        let restriction = NewRestriction {
            selector: selector.clone(),
            effect: Effect::Revoke,
            from: harness.now(),
            until: Some(harness.now().plus(Duration::from_secs(86_400))),
            reason: "test".to_owned(),
            actor: "admin:test".to_owned(),
        };
        harness.store.restrict(restriction, harness.now()).await.expect("restriction");
        harness.clock.pass(1);
        let answer = harness.refresh(&harness.confidential, token(&body)).await;
        answer.assert_refused(400, "invalid_grant");
        // Who signs in again is not touched by it.
        let again = harness.signed_in(&harness.confidential, "orders:read").await;
        let answer = harness.refresh(&harness.confidential, token(&again)).await;
        assert_eq!(answer.status, 200, "{selector}");
    }
}

#[tokio::test]
async fn a_disabled_person_is_not_refreshed() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.confidential, "orders:read").await;
    let mut user = harness.user.clone();
    user.disabled = true;
    harness.store.update_user(&user).await.expect("user");
    harness.refresh(&harness.confidential, token(&body)).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn of_many_at_once_one_rotates_and_the_others_repeat() {
    let harness = Harness::new().await;
    let first = harness.signed_in(&harness.confidential, "orders:read").await;
    let refresh = || harness.refresh(&harness.confidential, token(&first));
    let (a, b, c, d) = tokio::join!(refresh(), refresh(), refresh(), refresh());
    for answer in [&b, &c, &d] {
        assert_eq!((answer.status, &answer.text), (200, &a.text));
    }
}

#[tokio::test]
async fn an_unknown_refresh_token_is_refused() {
    let harness = Harness::new().await;
    for text in ["x", "twr_abc", "é"] {
        harness.refresh(&harness.confidential, text).await.assert_refused(400, "invalid_grant");
    }
}
