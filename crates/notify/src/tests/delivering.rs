//! What is told waits until it is taken: through failures, a restart and other outlets that are down.

use std::time::Duration;

use remote::Reach;
use serde_json::Value;
use store::{DeliveryCounts, DeliveryState};
use token::finding::Severity;
use token::random::OsRandom;
use token::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::support::{
    NOW, PAUSES, Receiver, answer_with, finding, keep, notifier, store, until, webhook,
};
use crate::filter::Filter;
use crate::outlet::{NotTaken, Outlet, next_try};

fn near() -> Reach {
    Reach::public().and_loopback()
}

#[tokio::test]
async fn a_finding_is_told_again_until_it_is_taken() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let mut receiver =
        Receiver::answering(vec![answer_with(500, &[]), answer_with(429, &[])]).await;
    let notifier = notifier(vec![webhook("ops", &receiver.url, near())], &store);
    let stop = CancellationToken::new();
    let running = tokio::spawn(notifier.clone().run(stop.clone()));
    keep(&store, &notifier, &finding("f1", "high")).await;
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let request = receiver.next().await;
        bodies.push((request.field("webhook-id").to_owned(), request.body));
    }
    assert!(bodies.iter().all(|one| *one == bodies[0]), "the same name and the same bytes");
    let told: Value = serde_json::from_str(&bodies[0].1).expect("JSON");
    assert_eq!(told["type"], "finding.created");
    assert_eq!(told["data"]["id"], "f1");
    assert_eq!(told["data"]["evidence"]["summary"], "bait was used");
    let counts = || async { store.delivery_counts("ops").await.expect("counts") };
    until("nothing waits", || async { counts().await == DeliveryCounts::default() }).await;
    assert!(receiver.is_left_alone().await);
    stop.cancel();
    running.await.expect("ended");
}

#[tokio::test]
async fn what_nobody_takes_is_given_up_and_can_be_told_again() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let failing = (0..3).map(|_| answer_with(500, &[])).collect();
    let mut receiver = Receiver::answering(failing).await;
    let gone = Receiver::answering(vec![answer_with(410, &[])]).await;
    let outlets = vec![webhook("ops", &receiver.url, near()), webhook("gone", &gone.url, near())];
    let notifier = notifier(outlets, &store);
    let stop = CancellationToken::new();
    let running = tokio::spawn(notifier.clone().run(stop.clone()));
    keep(&store, &notifier, &finding("f1", "high")).await;
    let dead = || async {
        store.deliveries(DeliveryState::Dead, None, 10).await.expect("list").len() == 2
    };
    until("both are given up", dead).await;
    let dead = store.deliveries(DeliveryState::Dead, None, 10).await.expect("list");
    let mut seen: Vec<_> = dead.iter().map(|one| (one.outlet.as_str(), one.tries)).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("gone", 1), ("ops", 3)], "410 is final at once");
    let ours = dead.iter().find(|one| one.outlet == "ops").expect("ours");
    assert_eq!(ours.cause.as_deref(), Some("it answers with status 500"));
    for _ in 0..3 {
        receiver.next().await;
    }
    assert!(notifier.again(&ours.id).await.expect("again"));
    assert_eq!(receiver.next().await.field("webhook-id"), ours.id.as_str());
    let statuses = || async { notifier.outlets().await.expect("outlets") };
    until("it is taken", || async { statuses().await[0].dead == 0 }).await;
    assert_eq!((statuses().await[1].dead, statuses().await[1].kind), (1, "webhook"));
    stop.cancel();
    running.await.expect("ended");
}

#[tokio::test]
async fn what_waited_when_the_process_ended_is_told_by_the_next_one() {
    let folder = tempfile::tempdir().expect("folder");
    let mut receiver = Receiver::answering(Vec::new()).await;
    let first = store(&folder);
    let outlet = webhook("ops", &receiver.url, near());
    keep(&first, &notifier(vec![outlet.clone()], &first), &finding("f1", "high")).await;
    first.close().await;

    let store = store(&folder);
    let stop = CancellationToken::new();
    let running = tokio::spawn(notifier(vec![outlet], &store).run(stop.clone()));
    assert!(receiver.next().await.body.contains("f1"));
    stop.cancel();
    running.await.expect("ended");
}

#[tokio::test]
async fn an_outlet_is_told_what_it_asks_for() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let with = |name: &str, severity, detectors: &[&str]| {
        let detectors = detectors.iter().map(|name| (*name).to_owned()).collect();
        let filter = Filter { severity, detectors };
        Outlet { filter, ..webhook(name, "https://siem.example/", near()) }
    };
    let notifier = notifier(
        vec![
            with("all", Severity::Low, &[]),
            with("bad", Severity::High, &[]),
            with("bait", Severity::Low, &["honeytoken", "refresh_reuse"]),
            with("other", Severity::Low, &["refresh_reuse"]),
        ],
        &store,
    );
    let told = |severity: &str| -> Vec<String> {
        let told = notifier.told(&finding("f1", severity), NOW);
        told.into_iter().map(|delivery| delivery.outlet).collect()
    };
    assert_eq!(told("medium"), ["all", "bait"]);
    assert_eq!(told("critical"), ["all", "bad", "bait"]);
}

#[tokio::test]
async fn pauses_grow_and_a_receiver_can_ask_for_longer_ones() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let notifier = notifier(vec![webhook("ops", "https://siem.example/", near())], &store);
    keep(&store, &notifier, &finding("f1", "high")).await;
    let mut delivery = store.due_deliveries("ops", NOW, 1).await.expect("due").remove(0);
    let after = |delivery: &store::Delivery, wait: Option<Duration>| -> Option<Duration> {
        let failure = NotTaken::ForNow { cause: String::new(), wait };
        let next: Option<Timestamp> = next_try(delivery, &PAUSES, &failure, NOW, &OsRandom::new());
        next.map(|next| next.since(NOW))
    };
    for _ in 0..50 {
        let pause = after(&delivery, None).expect("a try");
        assert!((PAUSES[0] * 4 / 5..=PAUSES[0] * 6 / 5).contains(&pause), "{pause:?}");
    }
    let minute = Duration::from_secs(60);
    assert_eq!(after(&delivery, Some(minute)), Some(minute));
    let most = Duration::from_secs(8 * 3600);
    assert_eq!(after(&delivery, Some(minute * 60 * 24 * 30)), Some(most));
    delivery.tries = 2;
    assert_eq!(after(&delivery, Some(minute)), None, "that was the last");
}
