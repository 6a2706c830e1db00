//! The watcher with a store whose commits are held up: what holds meanwhile, and what is there in the end.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use detect::policy::Standing;
use notify::notifier::Notifier;
use store::{FindingsSought, MasterKey, NewRestriction, Settings, Store, StoreError};
use tempfile::TempDir;
use token::event::Event;
use token::index::is_ahead;
use token::random::{OsRandom, Random};
use token::restriction::{Effect, Restriction, Selector};
use token::time::{Clock, Timestamp};
use tokio::task::JoinHandle;

use super::{Told, Watcher, under_way};
use crate::clock::SystemClock;
use crate::config;

/// A watcher with a store of its own.
struct Stage {
    watcher: Watcher,
    store: Store,
    master: MasterKey,
    folder: TempDir,
}

/// What is left when everything has ended.
struct Left {
    /// Addresses of the findings that are on disk, the first one first, and where their restrictions are.
    findings: Vec<(IpAddr, Option<u64>)>,
    /// Restrictions of the watcher that were in the recording when it had ended.
    recorded: usize,
}

/// A commit that is on disk and does not end.
struct HeldUp {
    go: mpsc::Sender<()>,
    busy: JoinHandle<Result<Arc<Restriction>, StoreError>>,
}

// === impl Stage ===

impl Stage {
    async fn new() -> Self {
        Self::with(Arc::new(OsRandom::new())).await
    }

    /// With this randomness for the ids of findings.
    async fn with(random: Arc<dyn Random>) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let master = MasterKey::generate(&OsRandom::new());
        let store = open(&folder, &master);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let notifier =
            Notifier::new(Vec::new(), store.clone(), Arc::clone(&clock), Arc::clone(&random));
        let record = Some(folder.path().join("events.jsonl"));
        let config = config::Detect { record, ..config::Detect::default() };
        let standing = Arc::new(Standing::new(config.terms().expect("terms")));
        let told = Told { store: &store, notifier: &notifier, standing };
        let started = Watcher::start(&config, told, &clock, &random, None).await;
        let Ok(watcher) = started else { panic!("the watcher does not start") };
        Self { watcher, store, master, folder }
    }

    /// Keeps the thread that writes from going on.
    async fn hold_up(&self) -> HeldUp {
        let (go, wait) = mpsc::channel::<()>();
        let (begun, is_busy) = mpsc::channel::<()>();
        let (first, wait) = (AtomicBool::new(true), Mutex::new(wait));
        self.store.index().on_restriction(move |_| {
            if first.swap(false, Ordering::SeqCst) {
                begun.send(()).expect("begun");
                let wait = wait.lock().expect("alone");
                wait.recv_timeout(Duration::from_secs(60)).expect("go on");
            }
        });
        let (store, at) = (self.store.clone(), SystemClock.now());
        let other = NewRestriction {
            selector: Selector::Token("other".into()),
            effect: Effect::Revoke,
            from: at,
            until: None,
            reason: "test".to_owned(),
            actor: "test".to_owned(),
        };
        let busy = tokio::spawn(async move { store.restrict(other, at).await });
        let begun = tokio::task::spawn_blocking(move || is_busy.recv());
        begun.await.expect("joined").expect("busy");
        HeldUp { go, busy }
    }

    /// Bait is used from this address.
    fn use_bait(&self, from: IpAddr) {
        let text = serde_json::json!({
            "ts": SystemClock.now(), "kind": "request", "ip": from, "token": "bait", "method": "GET",
            "path": "/", "status": 401, "refused": "honeytoken",
        });
        let event: Event = serde_json::from_value(text).expect("event");
        self.watcher.sink().emit(event);
    }

    /// Position of what blocks this address.
    fn blocks(&self, ip: IpAddr) -> Option<u64> {
        self.store.index().on_network(ip, SystemClock.now()).map(|row| row.seq)
    }

    /// Ends the watcher, lets commits go on meanwhile, and ends the store; says what is there then.
    async fn end(self, held_up: HeldUp) -> Left {
        tokio::join!(self.watcher.stop(), held_up.go_on());
        let recording = std::fs::read_to_string(self.folder.path().join("events.jsonl"));
        let recording = recording.expect("recording");
        let recorded = recording.lines().filter(|line| line.contains(r#""kind":"revoke""#)).count();
        self.store.close().await;
        drop(self.store);
        let store = open(&self.folder, &self.master);
        let mut findings =
            store.findings(&FindingsSought::default(), None, 1000).await.expect("findings");
        findings.reverse();
        let about = findings.into_iter().map(|found| {
            let ip = found.finding["ip"].as_str().expect("ip").parse().expect("address");
            (ip, found.restriction)
        });
        Left { findings: about.collect(), recorded }
    }
}

// === impl HeldUp ===

impl HeldUp {
    async fn go_on(self) {
        self.go.send(()).expect("it waits");
        self.busy.await.expect("joined").expect("written");
    }
}

fn open(folder: &TempDir, master: &MasterKey) -> Store {
    let path = folder.path().join("t.db");
    let settings = Settings { path, longest_token_life: Duration::from_secs(3600) };
    Store::open(settings, master.clone(), SystemClock.now()).expect("store")
}

fn network(n: u16) -> IpAddr {
    let [high, low] = n.to_be_bytes();
    IpAddr::from([198, high, low, 7])
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it does not come to that");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_waits_for_none_before_it_and_all_are_on_disk_at_the_end() {
    let stage = Stage::new().await;
    let held_up = stage.hold_up().await;
    let thieves = [network(1), network(2), network(3)];
    thieves.iter().for_each(|thief| stage.use_bait(*thief));
    until(|| thieves.iter().all(|thief| stage.blocks(*thief).is_some())).await;
    assert!(thieves.iter().all(|thief| stage.blocks(*thief).is_some_and(is_ahead)));
    assert!(
        stage
            .store
            .findings(&FindingsSought::default(), None, 10)
            .await
            .expect("findings")
            .is_empty(),
        "nothing is on disk"
    );
    let left = stage.end(held_up).await;
    let [first, second, third] = thieves;
    assert_eq!(left.findings, [(first, Some(2)), (second, Some(3)), (third, Some(4))]);
    assert_eq!(left.recorded, 3, "what came of all of them is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_findings_than_may_be_under_way_are_all_kept_in_their_order() {
    let stage = Stage::new().await;
    let held_up = stage.hold_up().await;
    let thieves: Vec<IpAddr> = (0..300).map(network).collect();
    thieves.iter().for_each(|thief| stage.use_bait(*thief));
    until(|| stage.store.health().queue_depth >= under_way::MOST).await;
    // One more is in the hands of the teller, and one in those of the watcher, who waits.
    assert!(stage.store.health().queue_depth <= under_way::MOST + 2);
    let findings = stage.end(held_up).await.findings;
    let kept: Vec<IpAddr> = findings.into_iter().map(|(ip, _)| ip).collect();
    assert_eq!(kept, thieves);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_ends_and_what_comes_later_is_still_looked_at() {
    let stage = Stage::new().await;
    stage.store.close().await;
    stage.use_bait(network(1));
    stage.use_bait(network(2));
    let Stage { watcher, store, .. } = stage;
    watcher.stop().await;
    let now: Timestamp = SystemClock.now();
    assert!([1, 2].iter().all(|n| store.index().on_network(network(*n), now).is_none()));
}

/// Something in a detector's place that panics.
struct Broken {
    once: AtomicBool,
    whole: OsRandom,
}

impl Random for Broken {
    fn fill(&self, buffer: &mut [u8]) {
        assert!(!self.once.swap(false, Ordering::SeqCst), "as a detector might");
        self.whole.fill(buffer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_does_not_end_the_watch() {
    let broken = Broken { once: AtomicBool::new(true), whole: OsRandom::new() };
    let stage = Stage::with(Arc::new(broken)).await;
    let [first, second] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().expect("address"));
    stage.use_bait(first);
    stage.use_bait(second);
    for _ in 0..200 {
        if stage.blocks(second).is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(stage.blocks(second).is_some(), "whoever comes after that is answered");
    stage.watcher.stop().await;
    stage.store.close().await;
}
