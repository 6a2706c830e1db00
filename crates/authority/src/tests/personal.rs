//! Personal tokens at the authority: told of by introspection, ended by whoever holds them.

use std::time::Duration;

use store::StoredPersonal;
use token::id::SubjectId;
use token::personal::Owner;
use token::scope::ScopeSet;
use token::time::Timestamp;

use super::support::{API, Answer, Harness, ISSUER, scopes};
use crate::personal::{Order, OrderRefused, Policy, Rotation};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn order() -> Order {
    Order {
        owner: Owner::Person(SubjectId::from("alice-id")),
        name: "ci".to_owned(),
        scopes: scopes("orders:read orders:write"),
        resources: Vec::new(),
        life: DAY,
        idle: None,
        networks: Vec::new(),
        places: Vec::new(),
        jkt: None,
        by: "person:alice-id".to_owned(),
    }
}

async fn make(harness: &Harness, order: Order) -> (String, StoredPersonal) {
    let made = harness.authority.make_personal(order, harness.now()).await.expect("made");
    (made.token.expose().to_owned(), made.stored)
}

async fn ask(harness: &Harness, token: &str) -> Answer {
    harness.post("/introspect", &harness.confidential, &[("token", token)]).await
}

#[track_caller]
fn assert_inactive(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"active":false}"#));
}

#[tokio::test]
async fn introspection_tells_what_it_is_and_keeps_it_alive() {
    let harness = Harness::new().await;
    let networks = vec!["192.0.2.0/24".parse().expect("net")];
    let (token, stored) = make(&harness, Order { networks, idle: Some(DAY / 2), ..order() }).await;
    let described = ask(&harness, &token).await.json();
    assert_eq!(described["active"], true);
    assert_eq!((&described["iss"], &described["aud"]), (&ISSUER.into(), &API.into()));
    assert_eq!((&described["sub"], &described["username"]), (&"alice-id".into(), &"alice".into()));
    assert_eq!(described["jti"], stored.terms.token.as_str());
    assert_eq!(described["scope"], "orders:read orders:write");
    assert_eq!(described["networks"], serde_json::json!(["192.0.2.0/24"]));
    // Asked about at eleven hours, it is good at twenty-two.
    for _ in 0..2 {
        harness.clock.pass(11 * 3600);
        assert_eq!(ask(&harness, &token).await.json()["active"], true);
    }
    harness.clock.pass(3600);
    assert_eq!(ask(&harness, &token).await.json()["active"], true);
    harness.clock.pass(3600);
    assert_inactive(&ask(&harness, &token).await);
}

#[tokio::test]
async fn what_is_over_is_inactive() {
    let harness = Harness::new().await;
    let (idle, _) = make(&harness, Order { idle: Some(DAY / 2), ..order() }).await;
    let (token, _) = make(&harness, order()).await;
    harness.clock.pass(12 * 3600);
    assert_inactive(&ask(&harness, &idle).await);
    assert_eq!(ask(&harness, &token).await.json()["active"], true);
    harness.clock.pass(12 * 3600);
    assert_inactive(&ask(&harness, &token).await);
    for garbage in ["twp_", "twp_x", &idle[..52]] {
        assert_inactive(&ask(&harness, garbage).await);
    }

    let (token, _) = make(&harness, order()).await;
    let alice = harness.store.user(&"alice-id".into()).await.expect("store").expect("alice");
    harness.store.update_user(&store::User { disabled: true, ..alice }).await.expect("user");
    assert_inactive(&ask(&harness, &token).await);
}

#[tokio::test]
async fn whoever_holds_it_can_end_it() {
    let harness = Harness::new().await;
    let (token, stored) = make(&harness, order()).await;
    let answer = harness.post("/revoke", &harness.confidential, &[("token", &token)]).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_inactive(&ask(&harness, &token).await);
    let held = harness.store.personal_token(&stored.terms.token).await.expect("store");
    assert_eq!(held.expect("token").revoked_at, Some(harness.now()));
    let event = harness.events.last("revoke");
    assert_eq!(event["selector"], format!("token:{}", stored.terms.token));
    assert_eq!(event["subject"], "alice-id");
}

#[tokio::test]
async fn it_opens_no_door_of_the_authority() {
    let harness = Harness::new().await;
    let (token, _) = make(&harness, order()).await;
    let request =
        http::Request::get("/userinfo").header("authorization", format!("Bearer {token}"));
    let answer = harness.send(request.body(axum::body::Body::empty()).expect("request")).await;
    assert_eq!(answer.status, 403, "it lacks every built-in scope: {}", answer.text);
}

#[tokio::test]
async fn a_successor_overlaps_and_has_no_more_than_its_owner_then() {
    let harness = Harness::new().await;
    let (old, stored) = make(&harness, order()).await;
    let rotation = |overlap| Rotation { life: None, overlap, by: "person:alice-id".to_owned() };
    let made = harness
        .authority
        .rotate_personal(&stored, rotation(Some(Duration::from_secs(600))), harness.now())
        .await
        .expect("rotated");
    let new = made.token.expose().to_owned();
    for token in [&old, &new] {
        assert_eq!(ask(&harness, token).await.json()["active"], true);
    }
    harness.clock.pass(600);
    assert_inactive(&ask(&harness, &old).await);
    assert_eq!(ask(&harness, &new).await.json()["active"], true);
    let alice = harness.store.user(&"alice-id".into()).await.expect("store").expect("alice");
    harness.store.update_user(&store::User { disabled: true, ..alice }).await.expect("user");
    let refused = harness.authority.rotate_personal(&made.stored, rotation(None), harness.now());
    assert!(matches!(refused.await, Err(OrderRefused::Owner)));
}

#[tokio::test]
async fn the_policy_bounds_what_is_made() {
    let policy = Policy {
        max_life: DAY,
        idle: Some(DAY / 2),
        scopes: Some(ScopeSet::parse("orders:read").expect("scopes")),
        ..Policy::default()
    };
    let settings = super::support::settings();
    let harness =
        Harness::with(crate::Settings { personal_tokens: policy, ..settings.clone() }).await;
    let refused = |order: Order, now: Timestamp| harness.authority.make_personal(order, now);
    let longer = Order { life: DAY * 2, scopes: scopes("orders:read"), ..order() };
    assert!(matches!(refused(longer, harness.now()).await, Err(OrderRefused::Life(_))));
    assert!(matches!(refused(order(), harness.now()).await, Err(OrderRefused::Scope(_))));
    let (_, stored) = make(&harness, Order { scopes: scopes("orders:read"), ..order() }).await;
    assert_eq!(stored.terms.idle, Some(DAY / 2));

    let closed = Policy { enabled: false, ..Policy::default() };
    let harness = Harness::with(crate::Settings { personal_tokens: closed, ..settings }).await;
    let refused = harness.authority.make_personal(order(), harness.now()).await;
    assert!(matches!(refused, Err(OrderRefused::Closed)));
}
