//! Responses against a real store: what holds, what is undone, what cannot be.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: helpers too"
)]

use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use detect::engine::Engine;
use detect::respond::{CarriedOut, UndoRefused, begin, undo};
use store::{FindingsSought, MasterKey, NewRestriction, Settings, Store};
use token::event::{Event, EventKind};
use token::finding::Finding;
use token::index::is_ahead;
use token::random::OsRandom;
use token::restriction::{Effect, Selector};
use token::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn store(folder: &tempfile::TempDir) -> Store {
    let settings = Settings {
        path: folder.path().join("t.db"),
        longest_token_life: Duration::from_secs(3600),
    };
    Store::open(settings, MasterKey::generate(&OsRandom::new()), NOW).expect("store")
}

fn event(line: &str) -> Event {
    let line = line.replace("NOW", &NOW.to_string());
    serde_json::from_str(&line).expect("event")
}

async fn respond(store: &Store, line: &str) -> CarriedOut {
    let findings = Engine::default().observe(&event(line));
    assert_eq!(findings.len(), 1);
    carry_out(store, &findings[0]).await
}

async fn carry_out(store: &Store, finding: &Finding) -> CarriedOut {
    let begun = begin(store, finding, NOW, &OsRandom::new(), &|_| Vec::new()).await;
    begun.expect("begun").written().await.expect("carried out")
}

const BAIT: &str = r#"{"ts":"NOW","kind":"request","ip":"2001:db8::7","token":"bait","method":"GET","path":"/","status":401,"refused":"honeytoken"}"#;
const REUSE: &str = r#"{"ts":"NOW","kind":"grant","ip":"192.0.2.1","grant":"g1","client":"c1","grant_type":"refresh_token","result":"invalid_grant","cause":"refresh_reused"}"#;

#[tokio::test]
async fn a_block_holds_for_the_network_is_told_and_is_undone_once() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let done = respond(&store, BAIT).await;
    let neighbour: IpAddr = "2001:db8::ffff".parse().expect("address");
    let stranger: IpAddr = "2001:db8:0:1::1".parse().expect("address");
    assert!(store.index().on_network(neighbour, NOW).is_some());
    assert!(store.index().on_network(stranger, NOW).is_none());
    assert!(store.index().on_network(neighbour, NOW.plus(Duration::from_secs(3600))).is_none());
    let told = done.event.expect("event");
    assert!(matches!(told.kind, EventKind::Revoke { actor: Some(actor), .. } if actor == "system"));
    let kept = store.finding(&done.finding.id).await.expect("read").expect("kept");
    assert_eq!(kept.finding["response"], "block:ip");
    let undone = undo(&store, &done.finding.id, "admin:a", NOW).await.expect("undone");
    assert_eq!((Some(undone.restriction), undone.kept), (kept.restriction, false));
    assert!(store.index().on_network(neighbour, NOW).is_none());
    let again = undo(&store, &done.finding.id, "admin:a", NOW).await;
    assert!(matches!(again, Err(UndoRefused::AlreadyUndone)), "{again:?}");
}

#[tokio::test]
async fn a_response_holds_before_it_is_on_disk_whoever_waits_and_not_when_it_cannot_be_written() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let findings = Engine::default().observe(&event(BAIT));
    let network: IpAddr = "2001:db8::7".parse().expect("address");
    let position = || store.index().on_network(network, NOW).map(|row| row.seq);
    let random = OsRandom::new();
    // Somebody else is writing, so that nothing of ours can have been written.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (begun, is_busy) = std::sync::mpsc::channel::<()>();
    let (first, wait) = (AtomicBool::new(true), Mutex::new(wait));
    store.index().on_restriction(move |_| {
        if first.swap(false, Ordering::SeqCst) {
            begun.send(()).expect("begun");
            let wait = wait.lock().expect("alone");
            wait.recv_timeout(Duration::from_secs(20)).expect("go on");
        }
    });
    let other = NewRestriction {
        selector: Selector::Token("other".into()),
        effect: Effect::Revoke,
        from: NOW,
        until: None,
        reason: "test".to_owned(),
        actor: "test".to_owned(),
    };
    let busy = tokio::spawn({
        let store = store.clone();
        async move { store.restrict(other, NOW).await }
    });
    tokio::task::spawn_blocking(move || is_busy.recv_timeout(Duration::from_secs(20)))
        .await
        .expect("joined")
        .expect("busy");

    let begun = begin(&store, &findings[0], NOW, &random, &|_| Vec::new()).await.expect("begun");
    assert!(position().is_some_and(is_ahead), "while the writer is busy");
    drop(begun);
    assert!(position().is_some_and(is_ahead), "it is written, whether or not anybody waits");
    go.send(()).expect("sent");
    busy.await.expect("joined").expect("written");
    store.close().await;
    assert_eq!(position(), Some(2), "and after it was written");

    let other = BAIT.replace("2001:db8::7", "192.0.2.7");
    let findings = Engine::default().observe(&event(&other));
    let refused = begin(&store, &findings[0], NOW, &random, &|_| Vec::new()).await;
    assert!(
        refused.is_err()
            && store.index().on_network("192.0.2.7".parse().expect("ip"), NOW).is_none()
    );
}

#[tokio::test]
async fn a_second_finding_about_the_same_thing_writes_no_second_restriction() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let first = respond(&store, BAIT).await;
    let second = respond(&store, BAIT).await;
    assert_eq!(first.finding.restriction, second.finding.restriction);
    assert!(first.finding.restriction_created && !second.finding.restriction_created);
    assert!(second.event.is_none());
}

#[tokio::test]
async fn a_revocation_is_final() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let done = respond(&store, REUSE).await;
    assert!(store.index().on_selector(&Selector::Grant("g1".into()), NOW).is_some());
    let refused = undo(&store, &done.finding.id, "admin:a", NOW).await;
    assert!(matches!(refused, Err(UndoRefused::Final)), "{refused:?}");
}

#[tokio::test]
async fn an_administrators_own_block_is_not_lifted_with_a_finding() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let new = NewRestriction {
        selector: Selector::Network("2001:db8::/64".parse().expect("network")),
        effect: Effect::Suspend,
        from: NOW,
        until: None,
        reason: "by hand".into(),
        actor: "admin:a".into(),
    };
    store.restrict(new, NOW).await.expect("restricted");
    let done = respond(&store, BAIT).await;
    assert!(!done.finding.restriction_created);
    let refused = undo(&store, &done.finding.id, "admin:a", NOW).await;
    assert!(matches!(refused, Err(UndoRefused::NothingDone)), "{refused:?}");
    assert!(store.index().on_network("2001:db8::7".parse().expect("address"), NOW).is_some());
}

#[tokio::test]
async fn an_unknown_finding_is_said_to_be_unknown() {
    let folder = tempfile::tempdir().expect("folder");
    let refused = undo(&store(&folder), &"nothing".into(), "admin:a", NOW).await;
    assert!(matches!(refused, Err(UndoRefused::Unknown)), "{refused:?}");
}

#[tokio::test]
async fn earlier_findings_join_a_campaign_and_incidents_go_on_after_a_restart() {
    let folder = tempfile::tempdir().expect("folder");
    let store = store(&folder);
    let mut engine = Engine::default();
    for n in 1..=6 {
        let line = BAIT.replace("2001:db8::7", &format!("198.51.100.{n}"));
        for finding in engine.observe(&event(&line)) {
            carry_out(&store, &finding).await;
        }
    }
    let incidents =
        store.incidents(&FindingsSought::default(), None, 100).await.expect("incidents");
    let campaign = incidents.iter().find(|one| one.kind == "campaign").expect("a campaign");
    assert_eq!((campaign.findings, campaign.answered), (6, 6));
    assert_eq!(campaign.detectors, [("honeytoken".to_owned(), 6)]);
    assert_eq!(incidents.len(), 7);
    assert_eq!(store.findings_of(&campaign.id, 100).await.expect("findings").len(), 6);

    let mut later = Engine::default();
    let since = NOW.minus(detect::incidents::INCIDENT_ENDS);
    for (incident, last) in store.incidents_since(since).await.expect("incidents") {
        later.incidents().resume(&incident, last);
    }
    let line = BAIT
        .replace("2001:db8::7", "198.51.100.3")
        .replace("NOW", &NOW.plus(Duration::from_secs(60)).to_string());
    let found = later.observe(&event(&line));
    assert!(incidents.iter().any(|one| one.id == found[0].incident), "{found:?}");
}
