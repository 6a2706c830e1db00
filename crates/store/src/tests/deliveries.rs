//! What is to be told to others: kept with what it is about, tried again, given up, forgotten.

use std::time::Duration;

use serde_json::json;

use super::support::{Fixture, NOW, after};
use crate::{
    Delivery, DeliveryCounts, DeliveryState, NewDelivery, NewFinding, StoreError, StoredFinding,
};

fn new(id: &str, outlet: &str) -> NewDelivery {
    NewDelivery {
        id: id.into(),
        outlet: outlet.to_owned(),
        about: "f1".to_owned(),
        body: "{}".to_owned(),
        until: None,
    }
}

fn ids(list: &[Delivery]) -> Vec<&str> {
    list.iter().map(|delivery| delivery.id.as_str()).collect()
}

fn finding(id: &str) -> StoredFinding {
    StoredFinding {
        id: id.into(),
        finding: json!({}),
        ts: NOW,
        detector: "honeytoken".to_owned(),
        incident: "i1".to_owned(),
        campaign: None,
        restriction: None,
        restriction_created: false,
        undone_at: None,
        undone_by: None,
        verdict: None,
    }
}

#[tokio::test]
async fn a_finding_and_what_is_told_of_it_are_kept_together_or_not_at_all() {
    let fixture = Fixture::new();
    let told = vec![new("d1", "a"), new("d2", "b")];
    let kept = NewFinding { told, ..finding("f1").into() };
    fixture.store.begin_finding(kept, NOW).await.expect("finding");
    let again = NewFinding { told: vec![new("d1", "a")], ..finding("f2").into() };
    let again = fixture.store.begin_finding(again, NOW).await;
    assert!(matches!(again, Err(StoreError::NameTaken { .. })));
    assert_eq!(fixture.store.finding(&"f2".into()).await.expect("store"), None);

    let fixture = fixture.reopen(NOW).await;
    let due = fixture.store.due_deliveries("a", NOW, 10).await.expect("due");
    let expected = Delivery {
        id: "d1".into(),
        position: 1,
        outlet: "a".to_owned(),
        about: "f1".to_owned(),
        body: "{}".to_owned(),
        created_at: NOW,
        due_at: NOW,
        tries: 0,
        state: DeliveryState::Waiting,
        cause: None,
        until: None,
    };
    assert_eq!(due, [expected]);
}

#[tokio::test]
async fn what_is_not_taken_waits_and_is_given_up_in_the_end() {
    let store = &Fixture::new().store;
    store.add_deliveries(vec![new("d1", "a"), new("d2", "a")], NOW).await.expect("added");
    store.delivery_failed(&"d1".into(), Some(after(5)), "status 500", NOW).await.expect("failed");
    assert_eq!(ids(&store.due_deliveries("a", after(4), 10).await.expect("due")), ["d2"]);
    assert!(store.remove_delivery(&"d2".into()).await.expect("removed"));
    assert!(!store.remove_delivery(&"d2".into()).await.expect("removed"));
    assert_eq!(store.next_delivery("a").await.expect("next"), Some(after(5)));
    let due = store.due_deliveries("a", after(5), 10).await.expect("due");
    assert_eq!((due[0].tries, due[0].cause.as_deref()), (1, Some("status 500")));

    store.delivery_failed(&"d1".into(), None, "gone", after(5)).await.expect("failed");
    assert_eq!(store.next_delivery("a").await.expect("next"), None);
    let counts = store.delivery_counts("a").await.expect("counts");
    assert_eq!(counts, DeliveryCounts { waiting: 0, dead: 1 });
    let dead = store.deliveries(DeliveryState::Dead, None, 10).await.expect("list");
    assert_eq!((dead[0].due_at, dead[0].tries), (after(5), 2));

    assert!(store.deliver_again(&"d1".into(), after(9)).await.expect("again"));
    assert!(!store.deliver_again(&"d3".into(), after(9)).await.expect("again"));
    let again = store.delivery(&"d1".into()).await.expect("store").expect("delivery");
    assert_eq!((again.state, again.tries, again.due_at), (DeliveryState::Waiting, 0, after(9)));
}

#[tokio::test]
async fn an_outlet_that_takes_nothing_fills_up_and_the_others_do_not() {
    let store = &Fixture::new().store;
    let many = (0..10_001).map(|number| new(&format!("d{number}"), "a"));
    store.add_deliveries(many.chain([new("other", "b")]).collect(), NOW).await.expect("added");
    let counts = store.delivery_counts("a").await.expect("counts");
    assert_eq!(counts, DeliveryCounts { waiting: 10_000, dead: 1 });
    let dead = store.deliveries(DeliveryState::Dead, None, 10).await.expect("list");
    assert_eq!(ids(&dead), ["d10000"], "the one that was too many");
    assert_eq!(store.delivery_counts("b").await.expect("counts").waiting, 1);
}

#[tokio::test]
async fn what_was_given_up_stays_a_week() {
    let store = &Fixture::new().store;
    store.add_deliveries(vec![new("dead", "a"), new("waiting", "a")], NOW).await.expect("added");
    store.delivery_failed(&"dead".into(), None, "gone", NOW).await.expect("failed");
    let week = Duration::from_secs(7 * 24 * 3600);
    assert_eq!(store.forget(NOW.plus(week / 2)).await.expect("forget").deliveries, 0);
    assert_eq!(store.forget(NOW.plus(week)).await.expect("forget").deliveries, 1);
    let left = store.deliveries(DeliveryState::Waiting, None, 10).await.expect("list");
    assert_eq!(ids(&left), ["waiting"]);
}

#[tokio::test]
async fn what_has_an_end_is_kept_at_once_and_not_beyond_what_may_wait() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let letter = |id: &str| NewDelivery { until: Some(after(60)), ..new(id, "letters") };
    // Without waiting for it, and before whatever is done next.
    let kept = store.begin_delivery(letter("d1"), NOW);
    store.set_meta("a", "b").await.expect("written");
    let fixture = fixture.reopen(NOW).await;
    let due = fixture.store.due_deliveries("letters", NOW, 10).await.expect("due");
    assert_eq!((ids(&due), due[0].until), (vec!["d1"], Some(after(60))));
    assert!(kept.await.expect("kept"));
    let many = (0..9_999).map(|number| new(&format!("n{number}"), "letters")).collect();
    fixture.store.add_deliveries(many, NOW).await.expect("kept");
    assert!(!fixture.store.begin_delivery(letter("d2"), NOW).await.expect("written"));
    assert_eq!(fixture.store.delivery(&"d2".into()).await.expect("store"), None);
    let counts = fixture.store.delivery_counts("letters").await.expect("counts");
    assert_eq!(counts, DeliveryCounts { waiting: 10_000, dead: 0 });
}
