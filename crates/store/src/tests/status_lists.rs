//! Status lists: which there are, and which tokens stand where.

use std::collections::BTreeMap;

use token::restriction::Selector;

use super::support::{Fixture, NOW, after, facts, issued, revoke};
use crate::{IssuedToken, StatusPlace, Store, StoreError};

fn placed(token: &str, list: &str, idx: u64) -> IssuedToken {
    IssuedToken { status: Some(StatusPlace { list: list.into(), idx }), ..issued(token) }
}

fn read(store: &Store, list: &str) -> Option<(u64, BTreeMap<u64, String>)> {
    let mut tokens = BTreeMap::new();
    let entries = store.read_status_list(&list.into(), |idx, facts| {
        tokens.insert(idx, facts.token.to_string());
    });
    entries.expect("store").map(|entries| (entries, tokens))
}

#[tokio::test]
async fn a_list_has_the_tokens_of_its_places_after_a_restart_too() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    assert_eq!(read(store, "a"), None);
    store.open_status_list(&"a".into(), 100, NOW).await.expect("list");
    store.open_status_list(&"b".into(), 200, after(1)).await.expect("list");
    let again = store.open_status_list(&"a".into(), 100, NOW).await;
    assert!(matches!(again, Err(StoreError::NameTaken { .. })), "a name is never used again");
    for record in [placed("t1", "a", 7), placed("t2", "a", 3), placed("t3", "b", 7), issued("t4")] {
        store.record_token(record);
    }
    let fixture = fixture.reopen(after(2)).await;
    let store = &fixture.store;
    assert_eq!(store.status_lists().await.expect("store"), ["a".into(), "b".into()]);
    let expected = BTreeMap::from([(7, "t1".to_owned()), (3, "t2".to_owned())]);
    assert_eq!(read(store, "a"), Some((100, expected)));
    assert_eq!(read(store, "b"), Some((200, BTreeMap::from([(7, "t3".to_owned())]))));
    let held = store.issued_token(&"t1".into()).await.expect("store").expect("record");
    assert_eq!(held, placed("t1", "a", 7));
    let mut seen = None;
    store.read_status_list(&"b".into(), |_, facts| seen = Some(facts)).expect("store");
    let expected = token::restriction::TokenFacts { session: None, ..facts("t3") };
    assert_eq!(seen, Some(expected));
}

#[tokio::test]
async fn a_list_is_forgotten_after_its_last_token() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    for list in ["open", "closed", "earlier"] {
        store.open_status_list(&list.into(), 100, NOW).await.expect("list");
    }
    store.record_token(placed("t1", "closed", 1));
    store.close_status_list(&"closed".into(), after(10)).await.expect("closed");
    store.close_status_list(&"earlier".into(), after(10)).await.expect("closed");
    assert_eq!(store.forget(after(9)).await.expect("forget").status_lists, 0);
    assert_eq!(store.forget(after(10)).await.expect("forget").status_lists, 1);
    // Its record says that a token lives longer than was thought.
    assert!(read(store, "closed").is_some());
    assert_eq!(store.forget(after(600)).await.expect("forget").status_lists, 1);
    assert_eq!(store.status_lists().await.expect("store"), ["open".into()]);
    // What a process has left open when it ended.
    assert_eq!(store.close_status_lists(after(700)).await.expect("closed"), 1);
    assert_eq!(store.forget(after(700)).await.expect("forget").status_lists, 1);
}

#[tokio::test]
async fn the_mark_moves_with_everything_that_changes_a_status() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.open_status_list(&"a".into(), 100, NOW).await.expect("list");
    let first = store.status_mark();
    store.record_token(placed("t1", "a", 1));
    store.set_meta("behind it", "1").await.expect("store");
    assert_eq!(store.status_mark(), first, "a new token is valid, as its place was before");
    store.restrict(revoke(Selector::Grant("g1".into())), NOW).await.expect("restriction");
    let second = store.status_mark();
    assert!(second.covers(&first) && !first.covers(&second));
    // Signed while its grant was ended: its record comes after the restriction.
    store.record_token(placed("t2", "a", 2));
    store.set_meta("behind it", "2").await.expect("store");
    let third = store.status_mark();
    assert!(third.covers(&second) && !second.covers(&third));
    store.record_token(issued("t3"));
    store.set_meta("behind it", "3").await.expect("store");
    assert_eq!(store.status_mark(), third, "it is in no list");
}

#[tokio::test]
async fn there_is_room_for_records_until_the_queue_is_half_full() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let half = u64::try_from(crate::background::WAITING_MAX / 2).expect("number");
    let standstill = fixture.stand_still().await;
    for number in 0..half {
        assert!(store.has_room_for_records(), "{number}");
        store.record_token(placed(&format!("t{number}"), "a", number));
    }
    assert!(!store.has_room_for_records());
    standstill.end().await;
    store.set_meta("behind them", "1").await.expect("store");
    assert!(store.has_room_for_records());
    assert_eq!(store.health().lost_background, 0);
}
