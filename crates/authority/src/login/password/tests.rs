//! Hashes, comparisons, and what happens when too many come at once.

use std::sync::atomic::Ordering;

use token::secret::Secret;

use super::policy::{PolicyRefused, Rules};
use super::{DUMMY, PasswordError, Passwords, WAITING_PER_THREAD};

const PASSWORD: &str = "correct horse battery";

fn pool() -> Passwords {
    Passwords::new(1, Rules::default())
}

#[tokio::test]
async fn a_password_fits_its_own_hash_only() {
    let passwords = pool();
    let stored = passwords.hash(Secret::new(PASSWORD), Vec::new()).await.expect("hash");
    assert!(stored.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    let fits = |presented: &str| passwords.verify(Some(stored.clone()), Secret::new(presented));
    assert_eq!(fits(PASSWORD).await, Ok(true));
    for wrong in ["", "correct horse batterz", "Correct horse battery", "correct horse battery "] {
        assert_eq!(fits(wrong).await, Ok(false), "{wrong:?}");
    }
}

#[tokio::test]
async fn another_keyboard_writes_the_same_password() {
    let passwords = pool();
    let composed = Secret::new("caf\u{e9} au lait, s'il vous pla\u{ee}t");
    let stored = passwords.hash(composed, Vec::new()).await.expect("hash");
    let decomposed = Secret::new("cafe\u{301} au lait, s'il vous plai\u{302}t");
    assert_eq!(passwords.verify(Some(stored), decomposed).await, Ok(true));
}

#[tokio::test]
async fn the_same_password_has_a_different_hash_each_time() {
    let passwords = pool();
    let first = passwords.hash(Secret::new(PASSWORD), Vec::new()).await.expect("hash");
    let second = passwords.hash(Secret::new(PASSWORD), Vec::new()).await.expect("hash");
    assert_ne!(first.expose(), second.expose());
}

#[tokio::test]
async fn nobody_costs_the_same_and_fits_nothing() {
    let passwords = pool();
    let stored = passwords.hash(Secret::new(PASSWORD), Vec::new()).await.expect("hash");
    // The same parameters are the same work.
    let cost = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(cost(DUMMY), cost(stored.expose()));
    assert_eq!(DUMMY.len(), stored.expose().len());
    assert_eq!(passwords.verify(None, Secret::new(PASSWORD)).await, Ok(false));
    assert_eq!(passwords.verify(None, Secret::new("")).await, Ok(false));
}

#[tokio::test]
async fn a_weak_password_is_not_hashed() {
    let refused = pool().hash(Secret::new("hunter2"), Vec::new()).await;
    assert_eq!(refused.err(), Some(PasswordError::Policy(PolicyRefused::TooShort(15))));
}

#[tokio::test]
async fn a_damaged_hash_is_an_error_and_not_a_no() {
    let passwords = pool();
    for stored in ["", "plain text", "$argon2id$v=19$m=19456"] {
        let refused = passwords.verify(Some(Secret::new(stored)), Secret::new(PASSWORD)).await;
        assert!(refused.is_err(), "{stored}: {refused:?}");
    }
}

#[tokio::test]
async fn who_comes_to_a_full_queue_is_turned_away_at_once() {
    let passwords = pool();
    let limit = WAITING_PER_THREAD + 1;
    passwords.0.present.store(limit, Ordering::Release);
    let refused = passwords.verify(None, Secret::new("x")).await;
    assert_eq!(refused, Err(PasswordError::Busy));
    // Who was turned away takes no place.
    assert_eq!(passwords.0.present.load(Ordering::Acquire), limit);
    passwords.0.present.store(limit - 1, Ordering::Release);
    assert_eq!(passwords.verify(None, Secret::new("x")).await, Ok(false));
    assert_eq!(passwords.0.present.load(Ordering::Acquire), limit - 1);
}

#[tokio::test]
async fn who_stops_waiting_gives_the_place_back() {
    let passwords = pool();
    let running = passwords.verify(None, Secret::new("x"));
    let waiting = passwords.verify(None, Secret::new("y"));
    let both = async { tokio::join!(running, waiting) };
    assert!(tokio::time::timeout(std::time::Duration::from_millis(1), both).await.is_err());
    // The one that runs goes on to its end and only then makes room.
    assert_eq!(passwords.verify(None, Secret::new("z")).await, Ok(false));
    assert_eq!(passwords.0.present.load(Ordering::Acquire), 0);
}
