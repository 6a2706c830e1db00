//! Security events: pushed as they were made, and judged by what the receiver says.

use std::sync::Arc;

use remote::{Fetcher, Limits, Reach};
use store::NewDelivery;
use token::id::DeliveryId;
use token::secret::Secret;
use url::Url;

use super::support::{
    NOW, Receiver, answer_saying, answer_with, finding, keep, notifier, store, until,
};
use crate::filter::Filter;
use crate::notifier::Tested;
use crate::outlet::{NotTaken, Outlet, Way};
use crate::signals::{self, Tries, Verifies};

/// Signs nothing, and says for whom.
struct Signing;

impl Verifies for Signing {
    fn verification(&self, receiver: &str) -> Result<NewDelivery, String> {
        Ok(event("v1", &format!("verification.for.{receiver}")))
    }
}

fn outlet(url: &str, tries: &Tries) -> Outlet {
    let reach = Reach::public().and_loopback();
    let fetcher = Fetcher::new(reach, Limits::default()).expect("fetcher");
    let (url, token) = (Url::parse(url).expect("url"), Secret::new("let-us-in"));
    let receiver = signals::Receiver::new(url, token, fetcher, tries.clone());
    let way = Way::Signals(Box::new(receiver));
    Outlet { name: "crm".to_owned(), filter: Filter::default(), way }
}

fn event(id: &str, body: &str) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::from(id),
        outlet: "crm".to_owned(),
        about: "session_revoked of alice".to_owned(),
        body: body.to_owned(),
        until: None,
    }
}

#[tokio::test]
async fn a_test_is_a_verification_event() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let tries = Tries::default();
    let mut receiver = Receiver::answering(vec![answer_with(202, &[])]).await;
    let notifier = notifier(vec![outlet(&receiver.url, &tries)], &store);
    let early = notifier.test("crm").await;
    assert_eq!(early, Tested::NotTaken("nobody signs yet".to_owned()));
    tries.made_by(Arc::new(Signing));
    assert_eq!(notifier.test("crm").await, Tested::Taken);
    let request = receiver.next().await;
    assert_eq!(request.field("content-type"), "application/secevent+jwt");
    assert_eq!(request.field("accept"), "application/json");
    assert_eq!(request.field("authorization"), "Bearer let-us-in");
    assert_eq!(request.body, "verification.for.crm");
}

#[tokio::test]
async fn what_was_kept_is_pushed_and_findings_are_not() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let mut receiver = Receiver::answering(vec![answer_with(503, &[])]).await;
    let notifier = notifier(vec![outlet(&receiver.url, &Tries::default())], &store);
    keep(&store, &notifier, &finding("f1", "critical")).await;
    let new = event("d1", "a.signed.event");
    store.add_deliveries_upto(vec![new], "stream:crm", 7, NOW).await.expect("kept");
    assert_eq!(store.meta("stream:crm").await.expect("store").as_deref(), Some("7"));
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(notifier.clone().run(stop.clone()));
    for _ in 0..2 {
        assert_eq!(receiver.next().await.body, "a.signed.event");
    }
    until("nothing waits", async || {
        store.delivery_counts("crm").await.expect("store").waiting == 0
    })
    .await;
    assert!(receiver.is_left_alone().await);
    stop.cancel();
    running.await.expect("ended");
}

#[tokio::test]
async fn what_the_receiver_says_decides_whether_it_is_tried_again() {
    let said = |err: &str| {
        let body = serde_json::json!({ "err": err, "description": "words\u{7} of theirs" });
        answer_saying(400, body.to_string())
    };
    let answers = vec![
        said("invalid_audience"),
        said("authentication_failed"),
        answer_saying(400, "no".to_owned()),
        answer_with(410, &[]),
    ];
    let receiver = Receiver::answering(answers).await;
    let outlet = outlet(&receiver.url, &Tries::default());
    let id = DeliveryId::from("d1");
    let mut causes = Vec::new();
    for is_for_good in [true, false, false, true] {
        let refused = outlet.send(&id, "a.signed.event", NOW).await.expect_err("refused");
        assert_eq!(matches!(refused, NotTaken::ForGood(_)), is_for_good, "{refused}");
        causes.push(refused.to_string());
    }
    assert_eq!(causes[0], "it refuses the event: invalid_audience words of theirs");
    assert_eq!(causes[2], "it answers with status 400");
}

#[tokio::test]
async fn what_is_fetched_is_not_sent_and_given_up_when_nobody_comes_for_a_week() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let tries = Tries::default();
    let (way, filter) = (Way::Fetched(tries.clone()), Filter::default());
    let notifier = notifier(vec![Outlet { name: "crm".to_owned(), filter, way }], &store);
    assert!(matches!(notifier.test("crm").await, Tested::NotTaken(_)), "nobody signs yet");
    tries.made_by(Arc::new(Signing));
    assert_eq!(notifier.test("crm").await, Tested::Taken);
    keep(&store, &notifier, &finding("f1", "critical")).await;
    let day = std::time::Duration::from_hours(24);
    let (old, young) = (NOW.minus(day * 7).minus(day), NOW.minus(day * 6));
    store.add_deliveries(vec![event("old", "a")], old).await.expect("kept");
    store.add_deliveries(vec![event("young", "b")], young).await.expect("kept");
    let mut others = event("others", "c");
    others.outlet = "erp".to_owned();
    store.add_deliveries(vec![others], old).await.expect("kept");

    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(notifier.clone().run(stop.clone()));
    until("the old one is given up", async || {
        store.delivery_counts("crm").await.expect("store").dead == 1
    })
    .await;
    stop.cancel();
    running.await.expect("ended");
    let held = store.due_deliveries("crm", NOW, 10).await.expect("store");
    let held: Vec<_> = held.iter().map(|one| (one.id.as_str(), one.tries)).collect();
    assert_eq!(held, [("young", 0), ("v1", 0)], "and no finding");
    let dead = store.deliveries(store::DeliveryState::Dead, None, 10).await.expect("store");
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].cause.as_deref(), Some("nobody has fetched it for 7 days"));
    // Tried again, it waits anew.
    assert!(notifier.again(&dead[0].id).await.expect("store"));
    let status = notifier.outlets().await.expect("store").remove(0);
    assert_eq!((status.kind, status.waiting, status.dead), ("signals", 3, 0));
}
