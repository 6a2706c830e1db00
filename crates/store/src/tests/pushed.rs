//! Pushed authorization requests: on disk before they are acknowledged, good for one code.

use super::support::{Fixture, NOW, after, code, hash};
use crate::{PushedRequest, StoreError};

const MOST: usize = 3;

fn pushed(uri: &str) -> PushedRequest {
    let request = format!("scope=openid&login_hint=alice&state={uri}");
    PushedRequest { name: hash(uri), client: "c1".into(), request, expires_at: after(60) }
}

#[tokio::test]
async fn a_request_is_there_after_a_restart_for_its_client_and_its_time() {
    let fixture = Fixture::new();
    let request = pushed("r1");
    assert!(fixture.store.push_request(&request, MOST, NOW).await.expect("store"));
    let again = fixture.store.push_request(&request, MOST, NOW).await;
    assert!(matches!(again, Err(StoreError::NameTaken { .. })));
    let fixture = fixture.reopen(after(1)).await;
    let open = async |uri: &str, client: &str, secs: u64| {
        let (name, until, now) = (hash(uri), after(secs + 1800), after(secs));
        fixture.store.open_pushed_request(&name, client, until, now).await.expect("store")
    };
    assert_eq!(open("r2", "c1", 1).await, None);
    assert_eq!(open("r1", "c2", 1).await, None);
    assert_eq!(open("r1", "c1", 60).await, None, "nobody came in time");
    assert_eq!(open("r1", "c1", 59).await.as_ref(), Some(&request.request));
    // Whoever has come may take their time, but no more of it by coming again.
    assert_eq!(open("r1", "c1", 1858).await.as_ref(), Some(&request.request));
    assert_eq!(open("r1", "c1", 1859).await, None);
    let bytes = std::fs::read(super::support::settings(fixture.folder.path()).path).expect("file");
    assert!(!bytes.windows(10).any(|part| part == b"login_hint"), "it lies there sealed");
}

#[tokio::test]
async fn a_name_is_good_for_one_code() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.push_request(&pushed("r1"), MOST, NOW).await.expect("store");
    let (first, second) = (code("g1"), code("g2"));
    let save = async |code| store.save_code_of_pushed(code, &hash("r1"), NOW).await;
    let (one, other) = tokio::join!(save(&first), save(&second));
    assert_eq!(u8::from(one.expect("store")) + u8::from(other.expect("store")), 1);
    let (one, other) = (store.code(&first.hash).await, store.code(&second.hash).await);
    assert_ne!(one.expect("store").is_some(), other.expect("store").is_some());
    let fixture = fixture.reopen(after(1)).await;
    let opened = fixture.store.open_pushed_request(&hash("r1"), "c1", after(60), after(1)).await;
    assert_eq!(opened.expect("store"), None);
}

#[tokio::test]
async fn only_so_many_are_kept_and_what_is_over_does_not_count() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    for uri in ["r1", "r2", "r3"] {
        assert!(store.push_request(&pushed(uri), MOST, NOW).await.expect("store"));
    }
    assert!(!store.push_request(&pushed("r4"), MOST, NOW).await.expect("store"));
    let late = PushedRequest { expires_at: after(120), ..pushed("r4") };
    assert!(store.push_request(&late, MOST, after(60)).await.expect("store"));
    assert_eq!(store.forget(after(60)).await.expect("forget").pushed, 3);
    let saved = store.save_code_of_pushed(&code("g1"), &hash("r4"), after(120)).await;
    assert!(!saved.expect("store"), "its time is over");
    assert!(store.code(&code("g1").hash).await.expect("store").is_none());
}
