//! Keys change places in time, and every token that is alive can be checked.

use std::time::Duration;

use store::Store;
use tempfile::TempDir;
use token::id::KeyId;
use token::term::Algorithm;
use token::time::Timestamp;

use super::{KeySchedule, Rotation, SigningKeys};
use crate::tests::support::open_store;

const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const SCHEDULE: KeySchedule = KeySchedule {
    rotate_every: Some(Duration::from_secs(1000)),
    overlap: Duration::from_secs(100),
    retire_after: Duration::from_secs(500),
};

fn at(secs: u64) -> Timestamp {
    START.plus(Duration::from_secs(secs))
}

async fn load(schedule: KeySchedule) -> (SigningKeys, Store, TempDir) {
    let folder = tempfile::tempdir().expect("folder");
    let store = open_store(&folder, START);
    let keys = SigningKeys::load_or_create(&store, &[Algorithm::Es256], schedule, START)
        .await
        .expect("keys");
    (keys, store, folder)
}

fn active(keys: &SigningKeys) -> KeyId {
    keys.active().public().kid().clone()
}

fn verifies(keys: &SigningKeys, kid: &KeyId) -> bool {
    let published = String::from_utf8(keys.jwks().to_vec()).expect("text").contains(kid.as_str());
    assert_eq!(published, keys.keyring().current().key(kid.as_str()).is_some());
    published
}

#[tokio::test]
async fn the_key_survives_a_restart() {
    let (keys, store, _folder) = load(SCHEDULE).await;
    let again = SigningKeys::load_or_create(&store, &[Algorithm::Es256], SCHEDULE, at(10))
        .await
        .expect("keys");
    assert_eq!(active(&keys), active(&again));
    assert_eq!(keys.jwks(), again.jwks());
}

#[tokio::test]
async fn a_scheduled_key_is_published_before_it_signs() {
    let (keys, _store, _folder) = load(SCHEDULE).await;
    let first = active(&keys);
    let next = keys.rotate(Rotation::Scheduled, at(0)).await.expect("rotation");
    assert_eq!(keys.rotate(Rotation::Scheduled, at(1)).await.expect("rotation"), next);
    assert!(verifies(&keys, &next) && active(&keys) == first);
    keys.tend(at(99)).await.expect("tend");
    assert_eq!(active(&keys), first);
    keys.tend(at(100)).await.expect("tend");
    assert_eq!(active(&keys), next);
    // Tokens of the former key live on until none can be alive.
    keys.tend(at(599)).await.expect("tend");
    assert!(verifies(&keys, &first));
    keys.tend(at(600)).await.expect("tend");
    assert!(!verifies(&keys, &first) && verifies(&keys, &next));
}

#[tokio::test]
async fn the_schedule_turns_by_itself() {
    let (keys, _store, _folder) = load(SCHEDULE).await;
    let first = active(&keys);
    let published = |keys: &SigningKeys| keys.keyring().current().iter().count();
    keys.tend(at(899)).await.expect("tend");
    assert_eq!(published(&keys), 1);
    keys.tend(at(900)).await.expect("tend");
    assert_eq!((published(&keys), active(&keys) == first), (2, true));
    keys.tend(at(1000)).await.expect("tend");
    assert!(active(&keys) != first);
    keys.tend(at(1500)).await.expect("tend");
    assert!(!verifies(&keys, &first));
}

#[tokio::test]
async fn without_a_schedule_nothing_turns() {
    let (keys, _store, _folder) = load(KeySchedule { rotate_every: None, ..SCHEDULE }).await;
    let before = keys.jwks();
    keys.tend(at(1_000_000)).await.expect("tend");
    assert_eq!(keys.jwks(), before);
}

#[tokio::test]
async fn at_once_replaces_the_active_and_the_waiting_key() {
    let (keys, store, _folder) = load(SCHEDULE).await;
    let first = active(&keys);
    let waiting = keys.rotate(Rotation::Scheduled, at(0)).await.expect("rotation");
    let version = keys.keyring().version();
    let new = keys.rotate(Rotation::AtOnce, at(1)).await.expect("rotation");
    assert_eq!(active(&keys), new);
    assert!(keys.keyring().version() > version);
    assert!(verifies(&keys, &first) && !verifies(&keys, &waiting));
    let again = SigningKeys::load_or_create(&store, &[Algorithm::Es256], SCHEDULE, at(2))
        .await
        .expect("keys");
    assert_eq!(active(&again), new);
}

#[tokio::test]
async fn algorithms_stand_side_by_side_and_turn_on_their_own() {
    let (_, store, _folder) = load(SCHEDULE).await;
    let algorithms = [Algorithm::Es256, Algorithm::Ed25519, Algorithm::EdDsa];
    let load = async |algorithms: &[Algorithm], now| {
        SigningKeys::load_or_create(&store, algorithms, SCHEDULE, now).await.expect("keys")
    };
    let keys = load(&algorithms, at(500)).await;
    let first = active(&keys);
    let of = |keys: &SigningKeys, algorithm| {
        keys.active_for(algorithm).map(|key| key.public().kid().clone())
    };
    assert_eq!(of(&keys, Algorithm::Es256), Some(first.clone()));
    assert_eq!(of(&keys, Algorithm::Ps256), None);
    let ed25519 = of(&keys, Algorithm::Ed25519);
    assert!(ed25519.is_some() && ed25519 != of(&keys, Algorithm::EdDsa));
    assert_eq!(keys.keyring().current().iter().count(), 3);
    // The older one is due first.
    keys.tend(at(900)).await.expect("tend");
    assert_eq!(keys.keyring().current().iter().count(), 4);
    keys.tend(at(1000)).await.expect("tend");
    assert!(active(&keys) != first && of(&keys, Algorithm::Ed25519) == ed25519);
    // At once means all of them.
    keys.rotate(Rotation::AtOnce, at(1001)).await.expect("rotation");
    assert_ne!(of(&keys, Algorithm::Ed25519), ed25519);
    // An algorithm that is not wanted any more signs nothing; what it signed can still be checked.
    let fewer = load(&algorithms[..1], at(1002)).await;
    assert_eq!(of(&fewer, Algorithm::Ed25519), None);
    assert!(verifies(&fewer, &ed25519.expect("key")));
}
