//! What people are shown of their sign-ins: bounded, gathered where it failed, forgotten in time.

use std::time::Duration;

use super::support::{Fixture, NOW, after, hash, session};
use crate::{FailedTry, Forgotten, MOST_SIGN_INS, SIGN_INS_KEPT, Session, Upstream, Wrong};

fn failed(wrong: Wrong, secs: u64) -> FailedTry {
    let (ip, browser) = (Some([198, 51, 100, 4].into()), Some("Chrome/Linux".to_owned()));
    FailedTry { subject: "u1".into(), wrong, at: after(secs), ip, browser }
}

#[tokio::test]
async fn a_sign_in_outlives_its_session_and_says_what_was_proven() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let client = "c1".into();
    let upstream = Upstream { provider: "corp".into(), subject: "a".into(), session: None };
    let held = Session { upstream: Some(upstream), ..session("s1", "u1") };
    store.start_session(&held, Some(&client)).await.expect("session");
    store.start_session(&session("s2", "u2"), None).await.expect("session");
    let more = ["pwd", "otp", "mfa"].map(str::to_owned);
    assert!(store.raise_session(&held, &hash("other"), &more, NOW).await.expect("raised"));
    store.end_session(&held.id, "subject:u1", NOW).await.expect("ended");
    let fixture = fixture.reopen(NOW).await;
    let kept = fixture.store.sign_ins_of(&"u1".into()).await.expect("sign-ins");
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0].session, kept[0].at, kept[0].ip), (&held.id, NOW, held.ip));
    assert_eq!((kept[0].amr.as_slice(), &kept[0].browser), (&more[..], &held.browser));
    assert_eq!((kept[0].provider.as_deref(), &kept[0].client), (Some("corp"), &Some(client)));
}

#[tokio::test]
async fn who_signs_in_anew_goes_on_in_the_session_under_another_cookie() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let held = session("s1", "u1");
    store.start_session(&held, Some(&"c1".into())).await.expect("session");
    let later = after(60);
    let renewed = Session {
        cookie: hash("other"),
        auth_time: later,
        last_used_at: later,
        expires_at: after(9000),
        amr: vec!["swk".to_owned()],
        ip: Some([203, 0, 113, 9].into()),
        ..held.clone()
    };
    // By whoever shows the cookie that it has, and by nobody else.
    assert!(!store.renew_session(&hash("stolen"), &renewed, None).await.expect("store"));
    assert!(store.renew_session(&held.cookie, &renewed, Some(&"c2".into())).await.expect("store"));
    assert!(!store.renew_session(&held.cookie, &renewed, None).await.expect("store"), "once");
    let by = async |cookie| store.session_by_cookie(&cookie, later).await.expect("store");
    assert_eq!(by(held.cookie).await, None);
    assert_eq!(by(hash("other")).await, Some(renewed.clone()));
    let kept = store.sign_ins_of(&"u1".into()).await.expect("sign-ins");
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].at, kept[0].ip, &kept[0].amr), (later, renewed.ip, &renewed.amr));
    assert_eq!(kept[0].client, Some("c2".into()));
    store.end_session(&held.id, "subject:u1", later).await.expect("ended");
    assert!(!store.renew_session(&hash("other"), &renewed, None).await.expect("store"), "over");
}

#[tokio::test]
async fn the_newest_are_kept_for_a_while() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    for number in 0..=MOST_SIGN_INS {
        let held = session(&format!("s{number:03}"), "u1");
        let at = after(u64::try_from(number).expect("number"));
        store.start_session(&Session { created_at: at, ..held }, None).await.expect("session");
    }
    let kept = store.sign_ins_of(&"u1".into()).await.expect("sign-ins");
    assert_eq!((kept.len(), kept[0].session.as_str()), (MOST_SIGN_INS, "s050"));
    assert_eq!(kept.last().map(|one| one.session.as_str()), Some("s001"));
    let end = after(1).plus(SIGN_INS_KEPT);
    let forgotten = store.forget(end).await.expect("forget");
    assert_eq!((forgotten.sign_ins, forgotten.sessions), (1, MOST_SIGN_INS + 1));
}

#[tokio::test]
async fn tries_that_failed_take_a_row_a_day() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let day = 24 * 3600;
    for secs in [0, 1, 2, day] {
        store.note_failed_try(failed(Wrong::Password, secs));
    }
    store.note_failed_try(failed(Wrong::Code, 1));
    // Whatever is written next takes them along.
    store.set_meta("a", "b").await.expect("written");
    let kept = store.failed_tries_of(&"u1".into(), 10).await.expect("tries");
    let shown = |index: usize| (kept[index].wrong, kept[index].tries, kept[index].last_at);
    assert_eq!(kept.len(), 3);
    assert_eq!(shown(0), (Wrong::Password, 1, after(day)));
    assert_eq!(shown(1), (Wrong::Code, 1, after(1)));
    assert_eq!(shown(2), (Wrong::Password, 3, after(2)));
    assert_eq!((kept[2].first_at, kept[2].ip), (NOW, Some([198, 51, 100, 4].into())));
    let early = after(2).plus(SIGN_INS_KEPT).minus(Duration::from_millis(1));
    assert_eq!(store.forget(early).await.expect("forget").failed_tries, 1);
    let expected = Forgotten { failed_tries: 1, ..Forgotten::default() };
    assert_eq!(store.forget(after(2).plus(SIGN_INS_KEPT)).await.expect("forget"), expected);
}

#[tokio::test]
async fn a_deleted_person_has_none() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.create_user(&super::support::user("u1", "alice")).await.expect("user");
    store.start_session(&session("s1", "u1"), None).await.expect("session");
    store.note_failed_try(failed(Wrong::Password, 0));
    store.set_meta("a", "b").await.expect("written");
    assert!(store.delete_user(&"u1".into(), "admin:test", NOW).await.expect("deleted"));
    assert!(store.sign_ins_of(&"u1".into()).await.expect("sign-ins").is_empty());
    assert!(store.failed_tries_of(&"u1".into(), 10).await.expect("tries").is_empty());
}
