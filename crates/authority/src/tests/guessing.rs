//! Many guesses: strangers' browsers work or wait before a password is looked at, and nobody is kept out.

use std::net::{IpAddr, Ipv4Addr};

use super::accounts::{follow, forgotten};
use super::browser::{Browser, PASSWORD, PageForm, request};
use super::languages::{MOST_BYTES, loaded, reading};
use super::passkeys::authenticator::Authenticator;
use super::passkeys::{self, registered, used};
use super::support::{Answer, Harness, settings};
use crate::language::Language;
use crate::login::puzzle::tests::solve;
use crate::login::throttle::Place;
use crate::settings::Settings;

const NEW: &str = "lantern orbit mustard";
/// Where the owner has never been, and nobody guesses from.
const ELSEWHERE: &str = "198.51.100.77";

/// Ten failures from each of a thousand networks. They are counted as sign-in does, without the hashing.
fn attack(harness: &Harness, name: &str) {
    let (desk, now) = (harness.authority.desk(), harness.now());
    for number in 0..10_000u32 {
        let ip = Some(IpAddr::V4(Ipv4Addr::from_bits(0x0a01_0000 + number % 1000)));
        let _ = desk.begin(name, Place { ip, known_browser: None }, now);
    }
}

async fn attacked() -> Harness {
    let harness = Harness::with_password().await;
    attack(&harness, "alice");
    harness
}

fn elsewhere(harness: &Harness) -> Browser<'_> {
    Browser { ip: ELSEWHERE.to_owned(), ..harness.browser() }
}

/// What the script does with the form of a page.
fn solved(page: &Answer) -> PageForm {
    let attribute = |name: &str| {
        let rest = page.text.split(&format!(" {name}=\"")).nth(1).expect("puzzle");
        rest.split('"').next().expect("value").to_owned()
    };
    let (digits, mut seed) = (attribute("data-puzzle"), [0; 32]);
    for (place, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).expect("digits");
    }
    answered(page, &solve(&seed, attribute("data-bits").parse().expect("bits")))
}

fn answered(page: &Answer, answer: &str) -> PageForm {
    let mut form = page.form();
    form.fields.retain(|(name, _)| name != "answer");
    form.fields.push(("answer".to_owned(), answer.to_owned()));
    form
}

fn puzzle(page: &Answer) -> Option<String> {
    let fields = page.form().fields.into_iter();
    fields.into_iter().find(|(name, _)| name == "puzzle").map(|(_, value)| value)
}

const OWNER: [(&str, &str); 2] = [("username", "alice"), ("password", PASSWORD)];
const GUESS: [(&str, &str); 2] = [("username", "alice"), ("password", "wrong horse battery")];

#[tokio::test]
async fn the_owner_gets_in_with_a_script_after_work() {
    let harness = attacked().await;
    let mut owner = elsewhere(&harness);
    let page = owner.sign_in("/account", "alice", PASSWORD).await;
    page.assert_page(429);
    assert_eq!(page.header("retry-after"), "112");
    assert!(page.notice().contains("Enter your password once more"), "{}", page.notice());
    assert!(!owner.cookies.contains_key("tokenward"));
    assert_eq!(harness.events.last("login")["result"], "throttled");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let answer = owner.submit(&solved(&page), &OWNER).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/account"), "{}", answer.text);
    assert_eq!(harness.events.last("login")["result"], "ok");
}

#[tokio::test]
async fn the_owner_gets_in_without_a_script_after_a_bounded_wait() {
    let harness = attacked().await;
    let mut owner = elsewhere(&harness);
    let page = owner.sign_in("/account", "alice", PASSWORD).await;
    assert!(page.text.contains("Wait 2 minutes before you send this form."), "{}", page.text);
    harness.clock.pass(100);
    // Somebody goes on guessing meanwhile.
    attack(&harness, "alice");
    let early = owner.submit(&page.form(), &OWNER).await;
    early.assert_page(429);
    assert_eq!(early.header("retry-after"), "12");
    assert_eq!(puzzle(&early), puzzle(&page), "who comes early waits no longer for it");
    harness.clock.pass(12);
    assert_eq!(owner.submit(&early.form(), &OWNER).await.status, 303);
}

#[tokio::test]
async fn a_remembered_browser_and_a_session_are_never_asked() {
    let harness = Harness::with_password().await;
    let mut owner = harness.browser();
    let _ = owner.as_alice("/account/password").await;
    attack(&harness, "alice");
    // Wherever the browser is, also behind an address that guesses come from.
    for ip in [ELSEWHERE, "10.1.0.7"] {
        owner.ip = ip.to_owned();
        let page = owner.get(&request(&harness.confidential, &[("prompt", "login")])).await;
        assert_eq!(puzzle(&page), None);
        assert_eq!(owner.submit(&page.form(), &OWNER).await.status, 303);
    }
    // The browser is that of one account; at another it is a stranger's.
    attack(&harness, "bob");
    let page = owner.get(&request(&harness.confidential, &[("prompt", "login")])).await;
    let typed = [("username", "bob"), ("password", PASSWORD)];
    owner.submit(&page.form(), &typed).await.assert_page(429);
}

#[tokio::test]
async fn a_session_changes_its_password_without_work() {
    let harness = Harness::with_password().await;
    let mut owner = harness.browser();
    let _ = owner.as_alice("/account/password").await;
    attack(&harness, "alice");
    owner.cookies.remove("tokenward-browser");
    let page = owner.get("/account/password").await;
    let typed = [("current_password", PASSWORD), ("new_password", NEW)];
    let done = owner.submit(&page.form(), &typed).await;
    done.assert_page(200);
}

#[tokio::test]
async fn a_session_confirms_its_person_without_work_and_nobody_else() {
    let harness = Harness::with_password().await;
    let mut owner = harness.browser();
    let _ = owner.as_alice("/account").await;
    attack(&harness, "alice");
    attack(&harness, "bob");
    owner.cookies.remove("tokenward-browser");
    let path = request(&harness.confidential, &[("prompt", "login")]);
    let page = owner.get(&path).await;
    assert_eq!(puzzle(&page), None);
    let other = [("username", "bob"), ("password", PASSWORD)];
    owner.submit(&page.form(), &other).await.assert_page(429);
    assert_eq!(owner.submit(&page.form(), &OWNER).await.status, 303);
}

#[tokio::test]
async fn a_passkey_goes_around_it() {
    let issuer = passkeys::ISSUER.to_owned();
    let harness = Harness::with_password_and(Settings { issuer, ..settings() }).await;
    let mut phone = Authenticator::new("phone");
    registered(&mut harness.browser(), &mut phone).await.assert_page(200);
    phone.counter = 2;
    attack(&harness, "alice");
    let mut owner = elsewhere(&harness);
    let page = owner.sign_in("/account", "alice", PASSWORD).await;
    page.assert_page(429);
    assert_eq!(used(&mut owner, &page, &phone).await.status, 303);
}

#[tokio::test]
async fn a_link_by_mail_goes_around_it() {
    let harness = attacked().await;
    let mut owner = elsewhere(&harness);
    let page = owner.sign_in("/account", "alice", PASSWORD).await;
    page.assert_page(429);
    assert!(page.text.contains("Or set a new password with “Forgot your password?”"));
    let link = forgotten(&mut owner, "alice", 1).await;
    follow(&mut owner, &link, &[("password", NEW)]).await.assert_page(200);
    assert_eq!(owner.sign_in("/account", "alice", NEW).await.status, 303);
    // That browser alone.
    harness.browser().sign_in("/account", "alice", NEW).await.assert_page(429);
}

#[tokio::test]
async fn behind_an_address_that_guesses_come_from_the_owner_waits_and_works() {
    let harness = attacked().await;
    let mut owner = Browser { ip: "10.1.0.7".to_owned(), ..harness.browser() };
    let page = owner.sign_in("/account", "alice", PASSWORD).await;
    // The work is done; the address has to wait for half a minute as it ever had.
    let page = owner.submit(&solved(&page), &OWNER).await;
    page.assert_page(429);
    assert!(page.notice().contains("30 seconds"), "{}", page.notice());
    harness.clock.pass(30);
    assert_eq!(owner.submit(&solved(&page), &OWNER).await.status, 303);
}

#[tokio::test]
async fn an_answer_is_good_for_one_try() {
    let harness = attacked().await;
    let mut guesser = elsewhere(&harness);
    let page = guesser.sign_in("/account", "alice", "a first guess").await;
    let form = solved(&page);
    let wrong = guesser.submit(&form, &GUESS).await;
    wrong.assert_page(400);
    assert_eq!(harness.events.last("login")["result"], "bad_password");
    // The next work is on the page at once.
    assert!(puzzle(&wrong).is_some_and(|next| Some(next) != puzzle(&page)));
    for form in [form, answered(&wrong, "1.2.3"), answered(&wrong, "x")] {
        let refused = guesser.submit(&form, &OWNER).await;
        refused.assert_page(429);
        assert_ne!(puzzle(&refused), puzzle(&wrong), "neither the old one nor one that was tried");
    }
    assert!(!guesser.cookies.contains_key("tokenward"));
}

#[tokio::test]
async fn an_answer_is_good_for_its_name_and_browser() {
    let harness = attacked().await;
    attack(&harness, "bob");
    let mut guesser = elsewhere(&harness);
    let page = guesser.sign_in("/account", "bob", PASSWORD).await;
    guesser.submit(&solved(&page), &OWNER).await.assert_page(429);
    let mut other = elsewhere(&harness);
    let mut form = other.get("/account").await.form();
    form.fields.extend(
        solved(&page).fields.into_iter().filter(|(name, _)| name == "puzzle" || name == "answer"),
    );
    other.submit(&form, &[("username", "bob"), ("password", "x")]).await.assert_page(429);
    // Nor after its time.
    let page = guesser.sign_in("/account", "alice", PASSWORD).await;
    let form = solved(&page);
    harness.clock.pass(15 * 60);
    guesser.submit(&form, &OWNER).await.assert_page(429);
}

#[tokio::test]
async fn waiting_is_good_for_few_tries_from_one_site() {
    let harness = attacked().await;
    let mut pages = Vec::new();
    for number in 0..6 {
        let ip = format!("198.51.100.{number}");
        let mut guesser = Browser { ip, ..harness.browser() };
        let page = guesser.sign_in("/account", "alice", "wrong").await;
        pages.push((guesser, page));
    }
    harness.clock.pass(112);
    let mut looked_at = 0;
    for (guesser, page) in &mut pages {
        let answer = guesser.submit(&page.form(), &GUESS).await;
        looked_at += usize::from(answer.status == 400);
    }
    assert_eq!(looked_at, 2);
    // Nobody elsewhere waits longer for it.
    let mut owner = Browser { ip: "203.0.113.9".to_owned(), ..harness.browser() };
    let page = owner.sign_in("/account", "alice", PASSWORD).await;
    harness.clock.pass(112);
    assert_eq!(owner.submit(&page.form(), &OWNER).await.status, 303);
}

#[tokio::test]
async fn nobody_learns_from_it_who_exists() {
    let harness = attacked().await;
    attack(&harness, "nobody");
    let mut texts = Vec::new();
    for username in ["alice", "nobody"] {
        let mut browser = elsewhere(&harness);
        let first = browser.sign_in("/account", username, "wrong").await;
        first.assert_page(429);
        let typed = [("username", username), ("password", "wrong horse battery")];
        let second = browser.submit(&solved(&first), &typed).await;
        second.assert_page(400);
        for page in [first, second] {
            let mut text = page.text.replace(username, "NAME");
            for (_, value) in page.form().fields.iter().filter(|(_, value)| value.len() > 20) {
                text = text.replace(value.as_str(), "RANDOM");
            }
            let seed = text.split("data-puzzle=\"").nth(1).expect("seed")[..64].to_owned();
            texts.push((page.status, text.replace(&seed, "SEED")));
        }
    }
    assert_eq!(texts[..2], texts[2..]);
}

#[tokio::test]
async fn a_network_that_tries_many_names_works_and_its_neighbours_do_not() {
    let harness = Harness::with_password().await;
    let ip = ELSEWHERE.parse().ok();
    for number in 0..31 {
        let place = Place { ip, known_browser: None };
        let _ = harness.authority.desk().begin(&format!("name {number}"), place, harness.now());
    }
    elsewhere(&harness).sign_in("/account", "alice", PASSWORD).await.assert_page(429);
    assert_eq!(harness.browser().sign_in("/account", "alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let harness = Harness::with_password_and(Settings { puzzle_after: 0, ..settings() }).await;
    attack(&harness, "alice");
    assert_eq!(elsewhere(&harness).sign_in("/account", "alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn the_page_is_whole_in_every_language_and_small() {
    let harness = attacked().await;
    for language in Language::ALL {
        let mut browser = Browser { ip: ELSEWHERE.to_owned(), ..reading(&harness, language.tag()) };
        let page = browser.sign_in("/account", "alice", PASSWORD).await;
        page.assert_page(429);
        assert!(page.text.contains("role=\"status\"") && page.text.contains("data-unscripted"));
        for inline in [" style=", "<style", " onclick", "javascript:"] {
            assert!(!page.text.contains(inline), "{inline}");
        }
        let bytes = page.text.len() + loaded(&harness, &page).await;
        assert!(bytes < MOST_BYTES, "{bytes}");
    }
}
