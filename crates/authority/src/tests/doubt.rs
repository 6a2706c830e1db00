//! Somebody is asked whether it was them, and ends it where it was not.

use super::account::is_out;
use super::browser::PASSWORD;
use super::letters::link;
use super::support::Harness;
use crate::doubt::{Concern, Doubt};

fn concern(harness: &Harness, subject: &str) -> Concern {
    Concern {
        subject: subject.into(),
        doubt: Doubt::Travel,
        ip: "198.51.100.7".parse().ok(),
        at: harness.now(),
    }
}

async fn asked(harness: &Harness, subject: &str) -> bool {
    let concern = concern(harness, subject);
    harness.authority.ask_whether_it_was_them(&concern, harness.now()).await.expect("asked")
}

#[tokio::test]
async fn a_link_in_the_letter_ends_every_sign_in_when_its_button_is_pressed() {
    let harness = Harness::with_password().await;
    let mut thief = harness.browser();
    let answer = thief.sign_in("/account", "alice", PASSWORD).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert!(!is_out(&mut thief).await);
    assert!(asked(&harness, "alice-id").await);
    let letter = harness.letters(1).await.remove(0);
    assert!(letter.subject.starts_with("Was this you at "), "{}", letter.subject);
    assert!(letter.text.contains("from the address 198.51.100.7"), "{}", letter.text);
    assert!(letter.text.contains("two places"), "{}", letter.text);

    let mut browser = harness.browser();
    let path = link(&letter);
    let page = browser.get(&path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("End every sign-in"), "{}", page.text);
    // Programs that look through mail open links too.
    assert!(!is_out(&mut thief).await);
    let before = harness.store.index().len();
    let done = browser.submit(&page.form(), &[]).await;
    done.assert_page(200);
    assert!(done.text.contains("Every sign-in has ended"), "{}", done.text);
    assert!(is_out(&mut thief).await, "the thief has to sign in");
    assert!(harness.store.index().len() > before, "tokens are taken back");
    let over = browser.get(&path).await;
    assert!(over.text.contains("This link is over"), "{}", over.text);
}

#[tokio::test]
async fn nobody_is_asked_who_cannot_answer() {
    let harness = Harness::with_password().await;
    assert!(!asked(&harness, "no-such-person").await);
    harness.letters(0).await;
}

#[test]
fn a_person_is_asked_about_what_they_can_know() {
    assert_eq!(Doubt::of("impossible_travel"), Some(Doubt::Travel));
    assert_eq!(Doubt::of("copied_passkey"), Some(Doubt::Passkey));
    for other in ["honeytoken", "volume", "forged_token", ""] {
        assert_eq!(Doubt::of(other), None, "{other}");
    }
}
