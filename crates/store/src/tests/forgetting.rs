//! What is over is forgotten, what is not stays.

use std::time::Duration;

use token::restriction::Selector;

use super::support::{
    Fixture, NOW, after, begin, code, issued, name, new_refresh, session, suspend,
};
use crate::{Forgotten, IssuedToken, NewRestriction, Redeemed};

#[tokio::test]
async fn nothing_is_forgotten_before_its_time() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.start_session(&session("s1", "u1"), None).await.expect("session");
    begin(store, &code("g1"), "r1").await;
    store.save_code(&code("g2")).await.expect("code");
    store.record_token(issued("t1"));
    store.restrict(suspend(Selector::Issuer), NOW).await.expect("restriction");
    assert_eq!(store.forget(NOW).await.expect("forget"), Forgotten::default());
    assert!(store.code(&code("g2").hash).await.expect("store").is_some());
    assert_eq!(store.index().len(), 1);
}

#[tokio::test]
async fn each_kind_goes_at_its_own_end() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.start_session(&session("s1", "u1"), None).await.expect("session");
    begin(store, &code("g1"), "r1").await;
    store.save_code(&code("g2")).await.expect("code");
    store.record_token(issued("t1"));
    store.rotate_refresh(super::refresh::rotate("r1", "r2")).await.expect("rotation");

    let forgotten = store.forget(after(60)).await.expect("forget");
    assert_eq!(forgotten, Forgotten { codes: 1, ..Forgotten::default() }, "the unredeemed one");
    let forgotten = store.forget(after(600)).await.expect("forget");
    let expected = Forgotten { issued_tokens: 1, sessions: 1, ..Forgotten::default() };
    assert_eq!(forgotten, expected);
    assert!(store.issued_token(&"t1".into()).await.expect("store").is_none());
    let forgotten = store.forget(after(3000)).await.expect("forget");
    assert_eq!(forgotten, Forgotten { codes: 1, grants: 1, ..Forgotten::default() });
}

#[tokio::test]
async fn a_redeemed_code_is_remembered_as_long_as_its_grant() {
    let fixture = Fixture::new();
    let code = code("g1");
    begin(&fixture.store, &code, "r1").await;
    fixture.store.forget(after(2999)).await.expect("forget");
    let replayed = fixture.store.redeem_code(&code.hash, None, None, after(2999)).await;
    assert_eq!(replayed.expect("store"), Redeemed::Replayed { grant: "g1".into() });
}

#[tokio::test]
async fn a_grant_takes_its_refresh_tokens_with_it() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let long = crate::NewRefresh { expires_at: after(9000), ..new_refresh("r1") };
    store.save_code(&code("g1")).await.expect("code");
    store.redeem_code(&code("g1").hash, Some(long), None, NOW).await.expect("redeemed");
    assert_eq!(store.forget(after(3000)).await.expect("forget").grants, 1);
    assert!(store.refresh(&name("r1")).await.expect("store").is_none());
}

#[tokio::test]
async fn a_block_leaves_memory_at_its_end_and_the_disk_a_week_later() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let block = NewRestriction { until: Some(after(900)), ..suspend(Selector::Issuer) };
    store.restrict(block, NOW).await.expect("restriction");
    let lifted = store.restrict(suspend(Selector::Issuer), NOW).await.expect("restriction");
    store.lift(lifted.seq, "admin:test", after(900)).await.expect("lift");
    store.forget(after(900)).await.expect("forget");
    assert!(store.index().is_empty());
    let week = after(900).plus(Duration::from_secs(7 * 24 * 3600));
    let early = week.minus(Duration::from_millis(1));
    assert_eq!(store.forget(early).await.expect("forget").restrictions, 0);
    // The block, the lifted row, and its lift.
    assert_eq!(store.forget(week).await.expect("forget").restrictions, 3);
    let next = store.restrict(suspend(Selector::Issuer), week).await.expect("restriction");
    assert_eq!(next.seq, 4, "numbers are never given twice");
}

#[tokio::test]
async fn a_long_list_is_forgotten_in_bites() {
    let fixture = Fixture::new();
    for number in 0..2500 {
        fixture
            .store
            .record_token(IssuedToken { expires_at: after(1), ..issued(format!("t{number}")) });
    }
    fixture.store.set_meta("behind them", "1").await.expect("store");
    assert_eq!(fixture.store.forget(after(1)).await.expect("forget").issued_tokens, 2500);
}
