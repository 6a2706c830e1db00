//! The watch over a stream, without a stream.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use token::restriction::{Effect, LogEntry, Restriction, Selector};
use token::time::Timestamp;

use super::{Cut, Watch, Whose};
use crate::Worker;
use crate::tests::support_worker;

const IP: [u8; 4] = [192, 0, 2, 7];

fn watch(worker: &Worker) -> Watch {
    let whose = Whose { known: None, ip: IpAddr::from(IP) };
    Watch::new(&worker.streams, whose, worker.core.index.last_seq())
}

fn block(worker: &Worker, network: &str, until: Option<Timestamp>) {
    let index = &worker.core.index;
    let now = worker.core.clock.now();
    index.apply(&LogEntry::Restrict(Restriction {
        seq: index.last_seq() + 1,
        selector: Selector::Network(network.parse().expect("network")),
        effect: Effect::Suspend,
        from: now,
        until,
        reason: String::new(),
        actor: String::new(),
        at: now,
    }));
}

fn listed(worker: &Worker) -> usize {
    worker.streams.waiting.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
}

async fn cut(watch: &mut Watch, patience: u64) -> Option<Cut> {
    let waiting = poll_fn(|cx| watch.poll_cut(cx));
    tokio::time::timeout(Duration::from_millis(patience), waiting).await.ok()
}

#[tokio::test]
async fn a_waiting_stream_is_woken() {
    let worker = support_worker();
    let mut watch = watch(&worker);
    let other = worker.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        block(&other, "198.51.100.0/24", None);
        tokio::time::sleep(Duration::from_millis(20)).await;
        block(&other, "192.0.2.0/24", None);
    });
    assert_eq!(cut(&mut watch, 5000).await, Some(Cut::Restricted));
}

/// Between the check and the entry in the list nothing is missed.
#[tokio::test]
async fn what_came_before_the_entry_is_seen() {
    let worker = support_worker();
    let mut other = Watch::new(
        &worker.streams,
        Whose { known: None, ip: IpAddr::from([203, 0, 113, 1]) },
        worker.core.index.last_seq(),
    );
    assert_eq!(cut(&mut other, 1).await, None, "the list is looked through from now on");
    let mut watch = watch(&worker);
    block(&worker, "192.0.2.7/32", None);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(cut(&mut watch, 0).await, Some(Cut::Restricted));
    assert_eq!(watch.check(), Some(Cut::Restricted), "and stays so");
}

#[tokio::test]
async fn what_is_over_cuts_nothing() {
    let worker = support_worker();
    let mut watch = watch(&worker);
    assert_eq!(cut(&mut watch, 1).await, None);
    block(&worker, "192.0.2.0/24", Some(Timestamp::from_millis(1)));
    assert_eq!(cut(&mut watch, 50).await, None);
    assert_eq!(watch.check(), None);
}

/// The first stream of a worker is swept with whatever arrived before it.
#[tokio::test]
async fn what_was_lifted_before_a_stream_began_cuts_nothing() {
    let worker = support_worker();
    let index = &worker.core.index;
    for _ in 0..2 {
        block(&worker, "192.0.2.0/24", None);
        let lifts = index.last_seq();
        index.apply(&LogEntry::Lift { seq: lifts + 1, lifts });
        let mut watch = watch(&worker);
        assert_eq!(cut(&mut watch, 50).await, None);
    }
}

#[tokio::test]
async fn restrictions_are_not_kept_for_streams_that_nobody_has() {
    let worker = support_worker();
    let kept = || {
        let arrived = worker.streams.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        arrived.as_ref().map_or(0, Vec::len)
    };
    block(&worker, "198.51.100.0/24", None);
    assert_eq!(kept(), 0, "before the first stream");
    let mut watch = watch(&worker);
    assert_eq!(cut(&mut watch, 1).await, None);
    block(&worker, "203.0.113.0/24", None);
    assert_eq!(kept(), 1, "until it is swept");
    assert_eq!(cut(&mut watch, 50).await, None);
    assert_eq!(kept(), 0);
}

/// The list is looked through from the first stream on that waits; what came before it waits as long.
#[tokio::test]
async fn what_was_lifted_or_judged_before_a_stream_began_cuts_nothing() {
    let worker = support_worker();
    let index = &worker.core.index;
    block(&worker, "192.0.2.7/32", None);
    let seq = index.last_seq();
    index.apply(&LogEntry::Lift { seq: seq + 1, lifts: seq });
    let whose = Whose { known: None, ip: IpAddr::from(IP) };
    let mut before = Watch::new(&worker.streams, whose, 0);
    assert_eq!(cut(&mut before, 50).await, None, "it is lifted");
    block(&worker, "192.0.2.7/32", None);
    assert_eq!(cut(&mut watch(&worker), 50).await, None, "it was let through with that");
    assert_eq!(cut(&mut before, 5000).await, Some(Cut::Restricted));
}

#[tokio::test]
async fn a_stream_that_ends_leaves_the_list() {
    let worker = support_worker();
    let mut first = watch(&worker);
    let mut second = watch(&worker);
    assert_eq!(listed(&worker), 0, "entered only when it waits");
    assert_eq!((cut(&mut first, 1).await, cut(&mut second, 1).await), (None, None));
    assert_eq!((cut(&mut first, 1).await, listed(&worker)), (None, 2));
    drop(first);
    assert_eq!(listed(&worker), 1);
    drop(second);
    assert_eq!(listed(&worker), 0);
}

#[tokio::test]
async fn a_worker_that_is_gone_is_forgotten() {
    let worker = support_worker();
    let core = Arc::clone(&worker.core);
    let mut watch = watch(&worker);
    assert_eq!(cut(&mut watch, 1).await, None);
    drop((watch, worker));
    tokio::time::sleep(Duration::from_millis(10)).await;
    let workers = core.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(workers.iter().all(|streams| streams.upgrade().is_none()), "no task holds it");
}
