//! Passkeys: sealed, counted, and gone with their person.

use super::support::{Fixture, NOW, after, hash, user};
use crate::{Factors, Passkey, PasskeyUse, Removal, StoreError};

const RECORD: &[u8] = b"what signatures are checked with";

fn passkey(id: &str, subject: &str) -> Passkey {
    Passkey {
        id: id.to_owned(),
        subject: subject.into(),
        credential: format!("credential {id}").into_bytes(),
        handle: vec![7; 16],
        name: "Phone".to_owned(),
        record: RECORD.to_vec(),
        counter: 4,
        is_backed_up: false,
        created_at: NOW,
        last_used_at: None,
    }
}

async fn with_alice() -> Fixture {
    let fixture = Fixture::new();
    for (id, name) in [("u1", "alice"), ("u2", "bob")] {
        fixture.store.create_user(&user(id, name)).await.expect("user");
    }
    fixture.store.add_passkey(&passkey("p1", "u1"), Some(vec![hash("c")])).await.expect("passkey");
    fixture
}

fn used(counter: u32) -> PasskeyUse {
    PasskeyUse { record: b"later".to_vec(), counter, is_backed_up: true, at: after(1) }
}

#[tokio::test]
async fn a_passkey_reads_back_and_its_record_is_sealed() {
    let fixture = with_alice().await.reopen(NOW).await;
    let store = &fixture.store;
    let held = store.factors_of(&"u1".into()).await.expect("store");
    let passkeys = vec![passkey("p1", "u1")];
    assert_eq!(held, Factors { passkeys, recovery_codes: 1, ..Factors::default() });
    assert!(store.has_factor(&"u1".into()).await.expect("store"));
    let found = store.passkey_by_credential(b"credential p1").await.expect("store");
    assert_eq!(found, Some(passkey("p1", "u1")));
    assert_eq!(store.passkey_by_credential(b"credential p2").await.expect("store"), None);
    store.close().await;
    for entry in std::fs::read_dir(fixture.folder.path().join("data")).expect("folder") {
        let bytes = std::fs::read(entry.expect("entry").path()).expect("file");
        assert!(!bytes.windows(RECORD.len()).any(|part| part == RECORD));
    }
}

#[tokio::test]
async fn a_counter_does_not_go_back() {
    let fixture = with_alice().await;
    let (store, held) = (&fixture.store, passkey("p1", "u1"));
    for (counter, accepted) in [(4, false), (0, false), (6, true), (6, false), (5, false)] {
        let noted = store.use_passkey(&held, used(counter)).await.expect("store");
        assert_eq!(noted, accepted, "{counter}");
    }
    let now = store.passkey_by_credential(&held.credential).await.expect("store").expect("passkey");
    assert_eq!((now.counter, now.is_backed_up, now.last_used_at), (6, true, Some(after(1))));
    assert_eq!(now.record, b"later");
    // One that does not count is good any number of times.
    let uncounted = Passkey { counter: 0, ..passkey("p2", "u1") };
    store.add_passkey(&uncounted, None).await.expect("passkey");
    for _ in 0..2 {
        assert!(store.use_passkey(&uncounted, used(0)).await.expect("store"));
    }
    assert!(!store.use_passkey(&passkey("p3", "u1"), used(9)).await.expect("store"));
}

#[tokio::test]
async fn a_credential_is_one_persons_once() {
    let fixture = with_alice().await;
    let store = &fixture.store;
    let copy = Passkey { id: "p2".to_owned(), ..passkey("p1", "u2") };
    let taken = Passkey { credential: b"credential p1".to_vec(), ..copy };
    let taken = store.add_passkey(&taken, None).await;
    assert!(matches!(taken, Err(StoreError::NameTaken { .. })));
    assert!(!store.add_passkey(&passkey("p9", "nobody"), None).await.expect("store"));
}

#[tokio::test]
async fn a_passkey_is_named_and_removed_by_its_person() {
    let fixture = with_alice().await;
    let (store, alice, bob) = (&fixture.store, "u1".into(), "u2".into());
    assert!(!store.rename_passkey(&bob, "p1", "Mine").await.expect("store"));
    assert!(store.rename_passkey(&alice, "p1", "Laptop").await.expect("store"));
    assert_eq!(store.factors_of(&alice).await.expect("store").passkeys[0].name, "Laptop");
    let removed = store.remove_factor(&bob, "p1", false).await.expect("store");
    assert_eq!(removed, Removal::Unknown);
    assert_eq!(store.remove_factor(&alice, "p1", true).await.expect("store"), Removal::Last);
    assert_eq!(store.remove_factor(&alice, "p1", false).await.expect("store"), Removal::Removed);
    assert_eq!(store.factors_of(&alice).await.expect("store"), Factors::default());
    store.add_passkey(&passkey("p1", "u1"), None).await.expect("passkey");
    assert!(store.delete_user(&alice, "admin:test", NOW).await.expect("store"));
    assert_eq!(store.passkey_by_credential(b"credential p1").await.expect("store"), None);
}
