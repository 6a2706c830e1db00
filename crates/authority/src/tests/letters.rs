//! What people are told by letters, and that pages wait for none.

use std::time::Duration;

use mail::Letter;
use token::id::SubjectId;
use token::personal::Owner;

use super::browser::PASSWORD;
use super::support::{Harness, scopes, settings};
use crate::personal::Order;
use crate::settings::{Notices, Settings};

const DAY: u64 = 24 * 3600;

impl Harness {
    /// All letters so far, the oldest first; waits until there are so many.
    pub(super) async fn letters(&self, number: usize) -> Vec<Letter> {
        let mailbox = self.authority.outbox().kept().expect("mailbox");
        for _ in 0..400 {
            let mut letters = mailbox.newest(None, 1000);
            if letters.len() >= number {
                assert_eq!(letters.len(), number, "{letters:?}");
                letters.reverse();
                return letters.into_iter().map(|kept| kept.letter).collect();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{:?}", mailbox.newest(None, 1000));
    }

    /// Lets work that was put off come to its end: there is no more of it than was seen.
    pub(super) async fn settled(&self) {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The link in a letter, as a path.
#[track_caller]
pub(super) fn link(letter: &Letter) -> String {
    let at = letter.text.find("http://127.0.0.1:8080/link?code=").expect("link");
    let url = letter.text[at..].split_whitespace().next().expect("link");
    url.trim_start_matches("http://127.0.0.1:8080").to_owned()
}

#[tokio::test]
async fn an_owner_is_told_of_the_end_of_a_token_twice() {
    let week = Duration::from_secs(7 * DAY);
    let token_ends = vec![week, week / 7];
    let notices = Notices { token_ends, new_browser: false };
    let harness = Harness::with(Settings { notices, ..settings() }).await;
    let order = Order {
        owner: Owner::Person(SubjectId::from("alice-id")),
        name: "nightly build".to_owned(),
        scopes: scopes("orders:read"),
        resources: Vec::new(),
        life: Duration::from_secs(30 * DAY),
        idle: None,
        networks: Vec::new(),
        places: Vec::new(),
        jkt: None,
        by: "person:alice-id".to_owned(),
    };
    harness.authority.make_personal(order, harness.now()).await.expect("made");
    for (days, number) in [(22, 0), (1, 1), (1, 1), (5, 2), (2, 2)] {
        harness.clock.pass(days * i64::try_from(DAY).expect("day"));
        harness.authority.tell_of_ends(harness.now()).await.expect("told");
        let letters = harness.letters(number).await;
        if let Some(letter) = letters.last() {
            assert_eq!(letter.to.to_string(), "alice@example.com");
            assert!(letter.text.contains("“nightly build” of alice"), "{}", letter.text);
        }
    }
}

#[tokio::test]
async fn a_sign_in_with_a_new_browser_is_told_where_that_is_wanted() {
    let notices = Notices { token_ends: Vec::new(), new_browser: true };
    let harness = Harness::with_password_and(Settings { notices, ..settings() }).await;
    let mut browser = harness.browser();
    for _ in 0..2 {
        let answer = browser.sign_in("/account/factors", "alice", PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser.cookies.remove("tokenward");
    }
    let letters = harness.letters(1).await;
    assert!(letters[0].text.contains("from the address 203.0.113.5"), "{}", letters[0].text);
    assert!(letters[0].text.contains("a browser that was not used before"), "{}", letters[0].text);
    assert!(link(&letters[0]).starts_with("/link?code="));
    let silent = Harness::with_password().await;
    silent.browser().sign_in("/account/factors", "alice", PASSWORD).await;
    silent.letters(0).await;
}

#[tokio::test]
async fn a_network_and_an_address_have_so_many_letters_and_the_answer_says_nothing_of_the_address()
{
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let page = browser.get("/forgotten").await;
    let mut answers = Vec::new();
    for who in ["alice"; 10].into_iter().chain(["nobody"; 10]) {
        answers.push(browser.submit(&page.form(), &[("who", who)]).await);
    }
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (200, &answers[0].text));
    }
    harness.settled().await;
    harness.letters(4).await;
    let refused = browser.submit(&page.form(), &[("who", "bob")]).await;
    refused.assert_page(429);
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|secs| secs <= 60));
    // Elsewhere, the address still has had enough; ten minutes later it gets one more.
    let mut elsewhere = harness.browser();
    elsewhere.ip = "198.51.100.9".to_owned();
    let page = elsewhere.get("/forgotten").await;
    assert_eq!(elsewhere.submit(&page.form(), &[("who", "alice")]).await.status, 200);
    harness.settled().await;
    harness.letters(4).await;
    harness.clock.pass(600);
    assert_eq!(elsewhere.submit(&page.form(), &[("who", "alice")]).await.status, 200);
    let letters = harness.letters(5).await;
    // And the one that came thirty minutes before it is the oldest that is over.
    assert_eq!(elsewhere.get(&link(&letters[0])).await.status, 200);
}
