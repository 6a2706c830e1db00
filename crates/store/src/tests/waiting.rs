//! A request that waits for a person is decided once and redeemed once.

use serde_json::json;

use super::support::{Fixture, NOW, after, grant, hash, name, new_refresh, scopes, session};
use crate::{
    ClaimsRequest, Grant, Progress, Redeemed, StoreError, Waiting, WaitingKind, WaitingState,
};

fn request(name: &str) -> Waiting {
    let detail = json!({"type": "payment", "amount": "1"});
    Waiting {
        hash: hash(name),
        kind: WaitingKind::Device,
        user_code: Some(hash(&format!("user code of {name}"))),
        client: "c1".into(),
        subject: None,
        scopes: scopes("openid orders:read"),
        audiences: vec!["https://api.example".to_owned()],
        details: vec![serde_json::from_value(detail).expect("detail")],
        message: Some("W4SCT".to_owned()),
        asked_from: Some("192.0.2.1".to_owned()),
        asked_by: Some("tv/1.0".to_owned()),
        asked_at: NOW,
        expires_at: after(600),
        notify: Some(vec![1, 2]),
    }
}

fn yes(request: &Waiting) -> Grant {
    request.granted("g1".into(), &session("s1", "u1"), after(3000), NOW)
}

#[tokio::test]
async fn it_reads_back_as_written() {
    let fixture = Fixture::new();
    let request = request("d1");
    fixture.store.save_waiting(&request).await.expect("saved");
    let state = WaitingState { request: request.clone(), progress: Progress::Waiting };
    assert_eq!(fixture.store.waiting(&request.hash).await.expect("store"), Some(state.clone()));
    let code = request.user_code.expect("user code");
    let found = fixture.store.waiting_by_user_code(&code, NOW).await.expect("store");
    assert_eq!(found, Some(state));
    assert!(fixture.store.waiting_by_user_code(&code, after(600)).await.expect("store").is_none());
    let again = Waiting { hash: hash("d2"), ..request };
    let again = fixture.store.save_waiting(&again).await;
    assert!(matches!(again, Err(StoreError::NameTaken { .. })), "one code, one request");
}

#[tokio::test]
async fn a_yes_is_redeemed_once() {
    let fixture = Fixture::new();
    let (store, request) = (&fixture.store, request("d1"));
    store.save_waiting(&request).await.expect("saved");
    let redeem = async |refresh: &str| {
        let refresh = Some(new_refresh(refresh));
        store.redeem_waiting(&request.hash, refresh, Some("key".into()), NOW).await.expect("store")
    };
    assert_eq!(redeem("r0").await, Redeemed::Unknown, "nobody has decided");
    assert!(store.decide_waiting(&request.hash, Some(yes(&request)), NOW).await.expect("store"));
    assert!(!store.decide_waiting(&request.hash, None, NOW).await.expect("store"), "decided");
    assert_eq!(redeem("r1").await, Redeemed::Done);
    let state = store.refresh(&name("r1")).await.expect("store").expect("refresh");
    let bound = Grant { jkt: Some("key".into()), ..yes(&request) };
    assert_eq!(state.grant, bound);
    assert_eq!(redeem("r2").await, Redeemed::Replayed { grant: "g1".into() });
    assert!(store.refresh(&name("r1")).await.expect("store").expect("refresh").ended);
}

#[tokio::test]
async fn a_no_gives_nothing_and_neither_does_a_late_yes() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    for name in ["no", "late"] {
        store.save_waiting(&request(name)).await.expect("saved");
    }
    assert!(store.decide_waiting(&hash("no"), None, NOW).await.expect("store"));
    let yes = yes(&request("late"));
    assert!(!store.decide_waiting(&hash("late"), Some(yes), after(600)).await.expect("store"));
    for name in ["no", "late", "unknown"] {
        let redeemed = store.redeem_waiting(&hash(name), None, None, NOW).await;
        assert_eq!(redeemed.expect("store"), Redeemed::Unknown, "{name}");
    }
    assert_eq!(store.forget(after(600)).await.expect("forgotten").waiting, 2);
    assert!(store.waiting(&hash("no")).await.expect("store").is_none());
}

#[tokio::test]
async fn requests_about_a_person_are_found_by_that_person() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    for (name, subject) in [("a", Some("u1")), ("b", Some("u2")), ("c", None)] {
        let about = Waiting {
            kind: WaitingKind::Backchannel,
            subject: subject.map(Into::into),
            ..request(name)
        };
        store.save_waiting(&about).await.expect("saved");
    }
    let found = store.waiting_for(&"u1".into(), NOW, 10).await.expect("store");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].request.hash, hash("a"));
    store.decide_waiting(&hash("a"), None, NOW).await.expect("store");
    assert!(store.waiting_for(&"u1".into(), NOW, 10).await.expect("store").is_empty());
}

#[tokio::test]
async fn a_grant_keeps_its_details_and_claims() {
    let fixture = Fixture::new();
    let detail = json!({"type": "payment", "actions": ["pay"], "amount": {"eur": 45}});
    let claims = ClaimsRequest { userinfo: vec!["email".to_owned()], id_token: Vec::new() };
    let detailed = Grant {
        details: vec![serde_json::from_value(detail).expect("detail")],
        claims,
        ..grant("g1")
    };
    let code = crate::Code { grant: detailed.clone(), ..super::support::code("g1") };
    super::support::begin(&fixture.store, &code, "r1").await;
    let state = fixture.store.refresh(&name("r1")).await.expect("store").expect("refresh");
    assert_eq!(state.grant, detailed);
}
