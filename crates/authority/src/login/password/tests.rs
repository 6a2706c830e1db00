//! Hashes, comparisons, and what happens when too many come at once.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use token::secret::Secret;
use tokio::task::JoinSet;

use super::policy::{PolicyRefused, Rules};
use super::pool::{WAITING_IN_LINE_PER_THREAD, WAITING_PER_THREAD};
use super::{Asker, DUMMY, Load, PasswordError, Passwords};

const PASSWORD: &str = "correct horse battery";
const ALICE: Asker<'_> = Asker { ip: None, account: "alice", is_known: false };

fn pool() -> Passwords {
    Passwords::new(1, Rules::default())
}

#[tokio::test]
async fn a_password_fits_its_own_hash_only() {
    let passwords = pool();
    let stored = passwords.hash(ALICE, Secret::new(PASSWORD), Vec::new()).await.expect("hash");
    assert!(stored.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    let fits =
        |presented: &str| passwords.verify(ALICE, Some(stored.clone()), Secret::new(presented));
    assert_eq!(fits(PASSWORD).await, Ok(true));
    for wrong in ["", "correct horse batterz", "Correct horse battery", "correct horse battery "] {
        assert_eq!(fits(wrong).await, Ok(false), "{wrong:?}");
    }
}

#[tokio::test]
async fn another_keyboard_writes_the_same_password() {
    let passwords = pool();
    let composed = Secret::new("caf\u{e9} au lait, s'il vous pla\u{ee}t");
    let stored = passwords.hash(ALICE, composed, Vec::new()).await.expect("hash");
    let decomposed = Secret::new("cafe\u{301} au lait, s'il vous plai\u{302}t");
    assert_eq!(passwords.verify(ALICE, Some(stored), decomposed).await, Ok(true));
}

#[tokio::test]
async fn the_same_password_has_a_different_hash_each_time() {
    let passwords = pool();
    let first = passwords.hash(ALICE, Secret::new(PASSWORD), Vec::new()).await.expect("hash");
    let second = passwords.hash(ALICE, Secret::new(PASSWORD), Vec::new()).await.expect("hash");
    assert_ne!(first.expose(), second.expose());
}

#[tokio::test]
async fn nobody_costs_the_same_and_fits_nothing() {
    let passwords = pool();
    let stored = passwords.hash(ALICE, Secret::new(PASSWORD), Vec::new()).await.expect("hash");
    // The same parameters are the same work.
    let cost = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(cost(DUMMY), cost(stored.expose()));
    assert_eq!(DUMMY.len(), stored.expose().len());
    assert_eq!(passwords.verify(ALICE, None, Secret::new(PASSWORD)).await, Ok(false));
    assert_eq!(passwords.verify(ALICE, None, Secret::new("")).await, Ok(false));
}

#[tokio::test]
async fn a_weak_password_is_not_hashed() {
    let refused = pool().hash(ALICE, Secret::new("hunter2"), Vec::new()).await;
    assert_eq!(refused.err(), Some(PasswordError::Policy(PolicyRefused::TooShort(15))));
}

#[tokio::test]
async fn a_damaged_hash_is_an_error_and_not_a_no() {
    let passwords = pool();
    for stored in ["", "plain text", "$argon2id$v=19$m=19456"] {
        let refused =
            passwords.verify(ALICE, Some(Secret::new(stored)), Secret::new(PASSWORD)).await;
        assert!(refused.is_err(), "{stored}: {refused:?}");
    }
}

/// A pool whose only thread is held until it is let go, and who had a turn after that.
struct Scene {
    passwords: Passwords,
    tries: JoinSet<Result<bool, PasswordError>>,
    turns: Arc<Mutex<Vec<String>>>,
    hold: mpsc::Sender<()>,
}

impl Scene {
    async fn new() -> Self {
        let (hold, held) = mpsc::channel();
        let (passwords, mut tries) = (pool(), JoinSet::new());
        let holding = passwords.clone();
        tries.spawn(async move { holding.run(ALICE, move || held.recv().is_err()).await });
        until(&passwords, |load| load == Load { running: 1, waiting: 0, shed: 0 }).await;
        Self { passwords, tries, turns: Arc::default(), hold }
    }

    /// Somebody queues.
    async fn enter(&mut self, ip: [u8; 4], account: &str, is_known: bool) {
        let (passwords, turns) = (self.passwords.clone(), Arc::clone(&self.turns));
        let account = account.to_owned();
        let before = passwords.load();
        self.tries.spawn(async move {
            let asker = Asker { ip: Some(ip.into()), account: &account, is_known };
            let name = account.clone();
            passwords
                .run(asker, move || turns.lock().expect("turns").push(name))
                .await
                .map(|()| true)
        });
        until(&self.passwords, |load| load != before).await;
    }

    /// From so many addresses of a network, each for another account.
    async fn flood(&mut self, network: impl Fn(u8) -> [u8; 4]) {
        for number in 0..u8::MAX {
            self.enter(network(number), &format!("guess {number}"), false).await;
        }
    }

    /// Lets the thread go: who had a turn, in order, and how many were turned away.
    async fn end(self) -> (Vec<String>, usize) {
        drop(self.hold);
        let answers = self.tries.join_all().await;
        let shed = answers.iter().filter(|answer| **answer == Err(PasswordError::Busy)).count();
        assert!(answers.iter().all(|answer| matches!(answer, Ok(true) | Err(PasswordError::Busy))));
        until(&self.passwords, |load| load.running == 0 && load.waiting == 0).await;
        assert_eq!(u64::try_from(shed), Ok(self.passwords.load().shed));
        let turns = self.turns.lock().expect("turns").clone();
        (turns, shed)
    }
}

/// Waits until the pool is as it should be, at most 10 s.
async fn until(passwords: &Passwords, is_so: impl Fn(Load) -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so(passwords.load()) {
        assert!(Instant::now() < end, "{:?}", passwords.load());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_flood_from_one_network_is_shed_and_others_have_their_turn() {
    let mut scene = Scene::new().await;
    scene.flood(|number| [192, 0, 2, number]).await;
    let most = WAITING_IN_LINE_PER_THREAD;
    assert_eq!(scene.passwords.load().waiting, most);
    scene.enter([198, 51, 100, 7], "alice", false).await;
    scene.enter([203, 0, 113, 7], "bob", false).await;
    let (turns, shed) = scene.end().await;
    assert_eq!(shed, 255 - most);
    assert_eq!(turns.len(), most + 2);
    // One of each network in turn.
    assert_eq!(turns[..3], ["guess 235", "alice", "bob"]);
}

#[tokio::test]
async fn whoever_is_known_does_not_wait_behind_strangers_of_the_same_network() {
    let mut scene = Scene::new().await;
    scene.flood(|number| [192, 0, 2, number]).await;
    scene.enter([192, 0, 2, 1], "alice", true).await;
    let (turns, _) = scene.end().await;
    assert_eq!(turns[..2], ["guess 235", "alice"]);
}

#[tokio::test]
async fn many_networks_together_are_bounded() {
    let mut scene = Scene::new().await;
    scene.flood(|number| [10, 0, number, 1]).await;
    assert_eq!(scene.passwords.load().waiting, WAITING_PER_THREAD);
    let (turns, shed) = scene.end().await;
    assert_eq!((turns.len(), shed), (WAITING_PER_THREAD, 255 - WAITING_PER_THREAD));
}

#[tokio::test]
async fn so_many_run_as_there_are_threads() {
    let passwords = Passwords::new(3, Rules::default());
    let (hold, held) = mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let mut tries = JoinSet::new();
    for _ in 0..5 {
        let (passwords, held) = (passwords.clone(), Arc::clone(&held));
        let work = move || held.lock().expect("hold").recv().is_err();
        tries.spawn(async move { passwords.run(ALICE, work).await });
    }
    until(&passwords, |load| load == Load { running: 3, waiting: 2, shed: 0 }).await;
    drop(hold);
    assert!(tries.join_all().await.iter().all(Result::is_ok));
    until(&passwords, |load| load == Load::default()).await;
}

#[tokio::test]
async fn who_stops_waiting_gives_the_place_back() {
    let passwords = pool();
    let running = passwords.verify(ALICE, None, Secret::new("x"));
    let waiting = passwords.verify(ALICE, None, Secret::new("y"));
    let both = async { tokio::join!(running, waiting) };
    assert!(tokio::time::timeout(Duration::from_millis(1), both).await.is_err());
    assert_eq!(passwords.load().waiting, 0);
    // The one that runs goes on to its end; then the thread ends too.
    assert_eq!(passwords.verify(ALICE, None, Secret::new("z")).await, Ok(false));
    until(&passwords, |load| load == Load::default()).await;
}

#[tokio::test]
async fn work_that_panics_is_an_error_and_takes_nobody_with_it() {
    let passwords = pool();
    let broken = passwords.run(ALICE, || std::panic::resume_unwind(Box::new("for a test")));
    let refused: Result<(), _> = broken.await;
    assert!(matches!(refused, Err(PasswordError::Hashing(_))), "{refused:?}");
    assert_eq!(passwords.verify(ALICE, None, Secret::new("x")).await, Ok(false));
    until(&passwords, |load| load == Load::default()).await;
}
