//! Second factors: sealed, good once, and gone with their person.

use token::opaque::OpaqueHash;
use zeroize::Zeroizing;

use super::support::{Fixture, NOW, after, hash, session, user};
use crate::{Factors, Removal, Store, StoreError, TotpFactor};

const SECRET: &[u8] = b"12345678901234567890";

fn totp(id: &str, subject: &str) -> TotpFactor {
    TotpFactor {
        id: id.to_owned(),
        subject: subject.into(),
        secret: Zeroizing::new(SECRET.to_vec()),
        last_step: 100,
        created_at: NOW,
        last_used_at: None,
    }
}

fn codes() -> Vec<OpaqueHash> {
    (0..10).map(|n| hash(&format!("code {n}"))).collect()
}

async fn of(store: &Store, subject: &str) -> Factors {
    store.factors_of(&subject.into()).await.expect("store")
}

async fn with_alice() -> Fixture {
    let fixture = Fixture::new();
    for (id, name) in [("u1", "alice"), ("u2", "bob")] {
        fixture.store.create_user(&user(id, name)).await.expect("user");
    }
    fixture.store.add_totp(&totp("f1", "u1"), Some(codes())).await.expect("factor");
    fixture
}

#[tokio::test]
async fn a_factor_reads_back_and_its_secret_is_nowhere_on_disk() {
    let fixture = with_alice().await;
    let expected =
        Factors { totp: vec![totp("f1", "u1")], recovery_codes: 10, ..Factors::default() };
    assert_eq!(of(&fixture.store, "u1").await, expected);
    assert!(of(&fixture.store, "u2").await.is_empty());
    let fixture = fixture.reopen(NOW).await;
    assert_eq!(of(&fixture.store, "u1").await, expected);
    fixture.store.close().await;
    for entry in std::fs::read_dir(fixture.folder.path().join("data")).expect("folder") {
        let bytes = std::fs::read(entry.expect("entry").path()).expect("file");
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET));
    }
}

#[tokio::test]
async fn a_step_is_good_once_and_time_does_not_go_back() {
    let fixture = with_alice().await;
    let store = &fixture.store;
    for (step, first) in [(100, false), (102, true), (102, false), (101, false), (103, true)] {
        assert_eq!(store.use_totp("f1", step, after(1)).await.expect("store"), first, "{step}");
    }
    let held = of(store, "u1").await.totp.remove(0);
    assert_eq!((held.last_step, held.last_used_at), (103, Some(after(1))));
    assert!(!store.use_totp("f2", 200, NOW).await.expect("store"));
}

#[tokio::test]
async fn a_recovery_code_is_good_once_for_its_person() {
    let fixture = with_alice().await;
    let (store, alice, bob) = (&fixture.store, "u1".into(), "u2".into());
    let code = hash("code 3");
    assert!(!store.use_recovery_code(&bob, &code, NOW).await.expect("store"));
    assert!(store.use_recovery_code(&alice, &code, NOW).await.expect("store"));
    assert!(!store.use_recovery_code(&alice, &code, NOW).await.expect("store"));
    assert!(!store.use_recovery_code(&alice, &hash("other"), NOW).await.expect("store"));
    assert_eq!(of(store, "u1").await.recovery_codes, 9);
    // New ones take the place of all others.
    assert!(store.renew_recovery_codes(&alice, vec![hash("new")], NOW).await.expect("store"));
    assert_eq!(of(store, "u1").await.recovery_codes, 1);
    assert!(!store.use_recovery_code(&alice, &hash("code 4"), NOW).await.expect("store"));
    assert!(!store.renew_recovery_codes(&bob, codes(), NOW).await.expect("store"));
    assert_eq!(of(store, "u2").await.recovery_codes, 0);
}

#[tokio::test]
async fn the_last_factor_takes_codes_and_remembered_browsers_along() {
    let fixture = with_alice().await;
    let (store, alice, bob) = (&fixture.store, "u1".into(), "u2".into());
    store.add_totp(&totp("f2", "u1"), None).await.expect("factor");
    let cookie = hash("browser");
    assert!(store.remember_browser(&cookie, &alice, NOW, after(60)).await.expect("store"));
    let remove = async |subject, id, keep_last| {
        store.remove_factor(subject, id, keep_last).await.expect("store")
    };
    assert_eq!(remove(&bob, "f1", false).await, Removal::Unknown);
    assert_eq!(remove(&alice, "f1", true).await, Removal::Removed);
    assert_eq!(of(store, "u1").await.recovery_codes, 10);
    assert!(store.is_remembered(&cookie, &alice, NOW).await.expect("store"));
    assert_eq!(remove(&alice, "f2", true).await, Removal::Last);
    assert_eq!(of(store, "u1").await.totp.len(), 1);
    assert_eq!(remove(&alice, "f2", false).await, Removal::Removed);
    assert_eq!(of(store, "u1").await, Factors::default());
    assert!(!store.is_remembered(&cookie, &alice, NOW).await.expect("store"));
    store.add_totp(&totp("f3", "u1"), Some(codes())).await.expect("factor");
    assert_eq!(store.remove_factors(&alice).await.expect("store"), 1);
    assert_eq!(of(store, "u1").await, Factors::default());
}

#[tokio::test]
async fn factors_go_with_their_person_and_come_to_nobody() {
    let fixture = with_alice().await;
    let (store, alice) = (&fixture.store, "u1".into());
    assert!(store.delete_user(&alice, "admin:test", NOW).await.expect("store"));
    assert_eq!(of(store, "u1").await, Factors::default());
    assert!(!store.add_totp(&totp("f1", "u1"), Some(codes())).await.expect("store"));
    assert!(!store.remember_browser(&hash("b"), &alice, NOW, after(60)).await.expect("store"));
    store.add_totp(&totp("f1", "u2"), None).await.expect("factor");
    let taken = store.add_totp(&totp("f1", "u2"), None).await;
    assert!(matches!(taken, Err(StoreError::NameTaken { .. })));
}

#[tokio::test]
async fn a_browser_is_remembered_for_one_person_and_a_while() {
    let fixture = with_alice().await;
    let (store, alice, bob, cookie) = (&fixture.store, "u1".into(), "u2".into(), hash("browser"));
    store.remember_browser(&cookie, &alice, NOW, after(60)).await.expect("store");
    assert_eq!(store.remembered_browsers(&alice, NOW).await.expect("store"), 1);
    assert!(!store.is_remembered(&cookie, &bob, NOW).await.expect("store"));
    assert!(!store.is_remembered(&hash("another"), &alice, NOW).await.expect("store"));
    assert!(!store.is_remembered(&cookie, &alice, after(60)).await.expect("store"));
    assert_eq!(store.forget(after(60)).await.expect("store").remembered_browsers, 1);
    store.remember_browser(&cookie, &alice, NOW, after(60)).await.expect("store");
    assert_eq!(store.forget_browsers(&alice).await.expect("store"), 1);
    assert!(!store.is_remembered(&cookie, &alice, NOW).await.expect("store"));
}

#[tokio::test]
async fn a_raised_session_has_another_cookie_and_keeps_its_id() {
    let fixture = with_alice().await;
    let (store, held) = (&fixture.store, session("s1", "u1"));
    store.start_session(&held, None).await.expect("session");
    let (new, amr) = (hash("new"), ["pwd", "otp", "mfa"].map(str::to_owned));
    assert!(store.raise_session(&held, &new, &amr, NOW).await.expect("store"));
    assert!(store.session_by_cookie(&held.cookie, NOW).await.expect("store").is_none());
    let raised = store.session_by_cookie(&new, NOW).await.expect("store").expect("session");
    assert_eq!((raised.id, raised.auth_time), (held.id.clone(), held.auth_time));
    assert_eq!(raised.amr, amr);
    // Whoever comes with the old cookie meanwhile raises nothing, nor does anybody when it is over.
    assert!(!store.raise_session(&held, &hash("newer"), &amr, NOW).await.expect("store"));
    let raised = crate::Session { cookie: new, ..held };
    assert!(!store.raise_session(&raised, &hash("newer"), &amr, after(600)).await.expect("store"));
}
