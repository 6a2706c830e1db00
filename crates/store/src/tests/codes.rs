//! A code is redeemed once, by whoever comes first, and its second use ends what it gave.

use std::time::Duration;

use token::restriction::{Effect, Selector};
use token::time::Timestamp;

use super::support::{Fixture, NOW, after, begin, code, facts, grant, hash, name, new_refresh};
use crate::{CodeState, Grant, GrantsOf, Redeemed, StoreError};

#[tokio::test]
async fn a_code_reads_back_as_written() {
    let fixture = Fixture::new();
    let plain = crate::Code {
        hash: hash("plain"),
        grant: Grant { session: None, ..grant("g2") },
        redirect_uri_sent: false,
        challenge: None,
        nonce: None,
        ..code("g2")
    };
    for code in [code("g1"), plain] {
        fixture.store.save_code(&code).await.expect("code");
        let state = fixture.store.code(&code.hash).await.expect("store");
        assert_eq!(state, Some(CodeState { code, redeemed: false }));
    }
    assert!(fixture.store.code(&hash("unknown")).await.expect("store").is_none());
    let again = fixture.store.save_code(&code("g1")).await;
    assert!(matches!(again, Err(StoreError::NameTaken { .. })));
}

#[tokio::test]
async fn redeeming_begins_the_grant() {
    let fixture = Fixture::new();
    let (store, client) = (&fixture.store, "c1".into());
    begin(store, &code("g1"), "refresh").await;
    let state = store.refresh(&name("refresh")).await.expect("store").expect("refresh");
    assert_eq!(state.grant, grant("g1"));
    assert_eq!((state.rotated_at, state.ended), (None, false));
    let grants = store.grants_of(GrantsOf::Client(&client), NOW, 10).await.expect("store");
    assert_eq!(grants, [grant("g1")]);
    assert!(store.code(&code("g1").hash).await.expect("store").expect("code").redeemed);
    assert!(store.index().is_empty());
}

#[tokio::test]
async fn a_grant_may_begin_without_a_refresh_token() {
    let fixture = Fixture::new();
    fixture.store.save_code(&code("g1")).await.expect("code");
    let redeemed = fixture.store.redeem_code(&code("g1").hash, None, None, NOW).await;
    assert_eq!(redeemed.expect("store"), Redeemed::Done);
    let subject = "u1".into();
    let grants = fixture.store.grants_of(GrantsOf::Subject(&subject), NOW, 10).await;
    assert_eq!(grants.expect("store").len(), 1);
}

#[tokio::test]
async fn an_unknown_or_expired_code_gives_nothing() {
    let fixture = Fixture::new();
    let (store, code) = (&fixture.store, code("g1"));
    let unknown = store.redeem_code(&hash("x"), Some(new_refresh("r")), None, NOW).await;
    assert_eq!(unknown.expect("store"), Redeemed::Unknown);
    store.save_code(&code).await.expect("code");
    let late = store.redeem_code(&code.hash, Some(new_refresh("r")), None, after(60)).await;
    assert_eq!(late.expect("store"), Redeemed::Unknown);
    assert!(store.refresh(&name("r")).await.expect("store").is_none());
    let last = Timestamp::from_millis(after(60).as_millis() - 1);
    let in_time = store.redeem_code(&code.hash, None, None, last).await;
    assert_eq!(in_time.expect("store"), Redeemed::Done);
}

#[tokio::test]
async fn a_second_use_ends_the_grant_before_it_is_answered() {
    let fixture = Fixture::new();
    let (store, code) = (&fixture.store, code("g1"));
    begin(store, &code, "refresh").await;
    // Even long after the code itself is over.
    let replayed =
        store.redeem_code(&code.hash, Some(new_refresh("thief")), None, after(900)).await;
    assert_eq!(replayed.expect("store"), Redeemed::Replayed { grant: "g1".into() });
    let restriction = store.index().on_token(&facts("t1"), after(900)).expect("restriction");
    assert_eq!(restriction.selector, Selector::Grant("g1".into()));
    assert_eq!(restriction.effect, Effect::Revoke);
    assert_eq!(restriction.actor, "authority");
    assert_eq!(restriction.reason, "authorization code used twice");
    assert!(store.refresh(&name("refresh")).await.expect("store").expect("refresh").ended);
    assert!(store.refresh(&name("thief")).await.expect("store").is_none());
    // A third use finds it ended and does not fill the log.
    let again = store.redeem_code(&code.hash, None, None, after(901)).await;
    assert_eq!(again.expect("store"), Redeemed::Replayed { grant: "g1".into() });
    assert_eq!(store.index().last_seq(), 1);
}

#[tokio::test]
async fn a_token_signed_while_its_grant_ends_is_revoked_too() {
    let fixture = Fixture::new();
    begin(&fixture.store, &code("g1"), "refresh").await;
    fixture.store.end_grant(&"g1".into(), "test", "admin:test", NOW).await.expect("store");
    let issued_at = NOW.plus(Duration::from_secs(3));
    let under_way = token::restriction::TokenFacts { issued_at, ..facts("t1") };
    assert!(fixture.store.index().on_token(&under_way, issued_at).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_redeemers_one_wins_and_the_grant_is_ended() {
    let fixture = Fixture::new();
    let code = code("g1");
    fixture.store.save_code(&code).await.expect("code");
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let (store, hash) = (fixture.store.clone(), code.hash);
            let refresh = new_refresh(&format!("refresh {number}"));
            tokio::spawn(async move { store.redeem_code(&hash, Some(refresh), None, NOW).await })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        match task.await.expect("task").expect("store") {
            Redeemed::Done => done += 1,
            Redeemed::Replayed { .. } => {}
            Redeemed::Unknown => panic!("the code is known"),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(fixture.store.index().len(), 1);
}

#[tokio::test]
async fn a_grant_is_ended_once() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    begin(store, &code("g1"), "refresh").await;
    let end = || async {
        let ended = store.end_grant(&"g1".into(), "left", "client:c1", NOW).await;
        ended.expect("store")
    };
    assert!(end().await);
    assert!(!end().await);
    assert_eq!(store.index().len(), 1);
    assert!(!store.end_grant(&"g9".into(), "left", "client:c1", NOW).await.expect("store"));
    assert_eq!(store.index().len(), 1);
}

#[tokio::test]
async fn grants_that_are_over_are_not_listed() {
    let fixture = Fixture::new();
    let (store, subject) = (&fixture.store, "u1".into());
    for (id, refresh) in [("g1", "a"), ("g2", "b")] {
        begin(store, &code(id), refresh).await;
    }
    store.end_grant(&"g1".into(), "left", "client:c1", NOW).await.expect("store");
    let grants = store.grants_of(GrantsOf::Subject(&subject), NOW, 10).await.expect("store");
    assert_eq!(grants, [grant("g2")]);
    let later = store.grants_of(GrantsOf::Subject(&subject), after(3000), 10).await;
    assert!(later.expect("store").is_empty());
}
