//! Signing keys: one is active, private parts are sealed, and gone is gone.

use token::id::KeyId;
use token::time::Timestamp;

use super::support::{Fixture, NOW, after};
use crate::{KeyState, StoreError, StoredKey};

const PRIVATE: &[u8] = b"the private part of a key, as PKCS #8";

fn pending(kid: &str, created_at: Timestamp) -> StoredKey {
    StoredKey {
        kid: kid.into(),
        alg: token::term::Algorithm::Es256,
        state: KeyState::Pending,
        pkcs8: PRIVATE.to_vec().into(),
        public_jwk: format!(r#"{{"kid":"{kid}"}}"#),
        created_at,
        activated_at: None,
        retired_at: None,
    }
}

async fn with_keys(kids: &[&str]) -> Fixture {
    let fixture = Fixture::new();
    for (kid, secs) in kids.iter().zip(0..) {
        fixture.store.add_key(&pending(kid, after(secs))).await.expect("key");
    }
    fixture
}

async fn states(fixture: &Fixture) -> Vec<(String, KeyState)> {
    let keys = fixture.store.keys().await.expect("keys");
    keys.into_iter().map(|key| (key.kid.to_string(), key.state)).collect()
}

fn kid(text: &str) -> KeyId {
    text.into()
}

#[tokio::test]
async fn a_key_reads_back_as_written() {
    let fixture = with_keys(&["b", "a"]).await.reopen(NOW).await;
    let keys = fixture.store.keys().await.expect("keys");
    assert_eq!(keys, [pending("b", NOW), pending("a", after(1))], "oldest first");
    assert!(!format!("{keys:?}").contains(&format!("{PRIVATE:?}")));
    let again = fixture.store.add_key(&pending("a", NOW)).await;
    assert!(matches!(again, Err(StoreError::NameTaken { what: "key name" })));
}

#[tokio::test]
async fn promotion_changes_places_at_once() {
    let fixture = with_keys(&["a", "b"]).await;
    assert!(fixture.store.promote_key(&kid("a"), after(10)).await.expect("store"));
    assert!(fixture.store.promote_key(&kid("b"), after(20)).await.expect("store"));
    let keys = fixture.store.keys().await.expect("keys");
    assert_eq!((keys[0].state, keys[1].state), (KeyState::Retiring, KeyState::Active));
    assert_eq!((keys[0].activated_at, keys[0].retired_at), (Some(after(10)), Some(after(20))));
    assert_eq!((keys[1].activated_at, keys[1].retired_at), (Some(after(20)), None));
    assert_eq!(*keys[0].pkcs8, PRIVATE);
}

#[tokio::test]
async fn only_a_pending_key_is_promoted() {
    let fixture = with_keys(&["a", "b", "c"]).await;
    for key in ["a", "b"] {
        assert!(fixture.store.promote_key(&kid(key), NOW).await.expect("store"));
    }
    assert!(fixture.store.drop_key(&kid("c"), NOW).await.expect("store"));
    let before = states(&fixture).await;
    for key in ["a", "b", "c", "unknown"] {
        assert!(!fixture.store.promote_key(&kid(key), after(9)).await.expect("store"), "{key}");
    }
    assert_eq!(states(&fixture).await, before, "the active key must stay in its place");
}

#[tokio::test]
async fn a_dropped_key_has_no_private_part_left() {
    let fixture = with_keys(&["a", "b"]).await;
    for key in ["a", "b"] {
        fixture.store.promote_key(&kid(key), after(5)).await.expect("store");
    }
    assert!(!fixture.store.drop_key(&kid("b"), after(9)).await.expect("store"), "it signs");
    assert!(!fixture.store.drop_key(&kid("x"), after(9)).await.expect("store"));
    assert!(fixture.store.drop_key(&kid("a"), after(9)).await.expect("store"));
    assert!(!fixture.store.drop_key(&kid("a"), after(9)).await.expect("store"));
    let keys = fixture.store.keys().await.expect("keys");
    assert_eq!((keys[0].state, keys[0].pkcs8.len()), (KeyState::Gone, 0));
    assert_eq!(keys[0].retired_at, Some(after(5)), "when it ceased to sign");
    assert_eq!((keys[1].state, keys[1].pkcs8.as_slice()), (KeyState::Active, PRIVATE));
}

#[tokio::test]
async fn a_private_part_is_not_on_disk_in_the_clear() {
    let fixture = with_keys(&["a"]).await;
    fixture.store.close().await;
    let file = std::fs::read(super::support::settings(fixture.folder.path()).path).expect("file");
    assert!(file.windows(5).any(|part| part == br#""kid""#), "the row is in the file");
    assert!(!file.windows(16).any(|part| part == &PRIVATE[..16]));
}

#[tokio::test]
async fn a_private_part_that_was_moved_does_not_open() {
    let fixture = with_keys(&["a", "b"]).await;
    let swap = fixture.store.write(|act| {
        let sql = "UPDATE signing_keys SET sealed_pkcs8 = \
                   (SELECT sealed_pkcs8 FROM signing_keys WHERE kid = 'b') WHERE kid = 'a'";
        crate::sql::execute(act.db, sql, [])
    });
    swap.await.expect("store");
    assert!(matches!(fixture.store.keys().await, Err(StoreError::Sealed)));
}
