//! Signing in: who is believed, who is not, and what a stranger learns from it.

use std::time::Duration;

use store::NewRestriction;
use token::restriction::{Effect, Selector};
use token::secret::Secret;
use tokio::task::{JoinSet, yield_now};

use super::browser::{PASSWORD, request};
use super::support::{Harness, settings};
use crate::login::password::Asker;
use crate::settings::Settings;

#[tokio::test]
async fn the_page_names_the_client_and_keeps_the_request() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let page = browser.get(&request(&harness.confidential, &[("login_hint", "alice")])).await;
    page.assert_page(200);
    assert!(page.text.contains("The conf client"));
    assert!(page.text.contains("value=\"alice\""));
    for part in [
        "autocomplete=\"username\"",
        "autocomplete=\"current-password\"",
        "<label for=\"password\"",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("tokenward-browser="), "{cookie}");
    assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
    // A browser that has the cookie keeps it: its other tabs must go on working.
    let again = browser.get(&request(&harness.confidential, &[])).await;
    assert_eq!(again.header("set-cookie"), "");
}

#[tokio::test]
async fn a_good_password_starts_a_session_and_goes_on() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[("prompt", "login"), ("max_age", "0")]);
    let mut browser = harness.browser();
    let answer = browser.sign_in(&path, " ALICE ", PASSWORD).await;
    assert_eq!(answer.status, 303);
    let onward = answer.header("location").to_owned();
    assert!(onward.starts_with("/authorize?client_id=conf"), "{onward}");
    assert!(!onward.contains("prompt") && !onward.contains("max_age"), "{onward}");
    let session = &browser.cookies["tokenward"];
    assert!(session.starts_with("twi_"), "{session}");
    let event = harness.events.last("login");
    assert_eq!((&event["result"], &event["complete"]), (&"ok".into(), &true.into()));
    assert_eq!((&event["subject"], &event["factor"]), (&"alice-id".into(), &"password".into()));
    assert_eq!(event["ip"], "203.0.113.5");
    assert_eq!(browser.get(&onward).await.form().action, "/consent");
}

#[tokio::test]
async fn a_wrong_password_looks_like_an_unknown_name() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let without_password = super::support::person("bob");
    harness.store.create_user(&without_password).await.expect("user");
    let mut pages = Vec::new();
    for (username, result) in [
        ("alice", "bad_password"),
        ("nobody", "unknown_user"),
        ("bob", "bad_password"),
        ("nobody@example.com", "unknown_user"),
    ] {
        let mut browser = harness.browser();
        let answer = browser.sign_in(&path, username, "wrong horse battery").await;
        answer.assert_page(400);
        assert!(!browser.cookies.contains_key("tokenward"));
        let event = harness.events.last("login");
        assert_eq!((&event["result"], &event["complete"]), (&result.into(), &false.into()));
        assert!(event.get("subject").is_none());
        let proof = answer.form().fields[1].1.clone();
        pages.push(answer.text.replace(username, "NAME").replace(&proof, "PROOF"));
        assert!(answer.notice().contains("do not match"), "{}", answer.notice());
    }
    for page in &pages {
        assert_eq!(pages[0], *page);
    }
}

#[tokio::test]
async fn a_confirmed_address_stands_for_the_user_name() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let page = harness.browser().get(&path).await;
    assert!(page.text.contains("Username or mail address"), "{}", page.text);
    let mut browser = harness.browser();
    let answer = browser.sign_in(&path, " Alice@EXAMPLE.com", PASSWORD).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    // The browser is hers by either name: what strangers guess at does not hold her up there.
    let mut stranger = harness.browser();
    for _ in 0..5 {
        stranger.sign_in(&path, "alice@example.com", "wrong horse battery").await;
    }
    let refused = stranger.sign_in(&path, "alice@example.com", PASSWORD).await;
    refused.assert_page(429);
    browser.cookies.remove("tokenward");
    for name in ["alice@example.com", "alice"] {
        assert_eq!(browser.sign_in(&path, name, PASSWORD).await.status, 303, "{name}");
        browser.cookies.remove("tokenward");
    }
}

#[tokio::test]
async fn an_address_that_is_not_one_persons_own_opens_nothing() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let wrong = async |name: &str| {
        let answer = harness.browser().sign_in(&path, name, PASSWORD).await;
        answer.assert_page(400);
        assert!(answer.notice().contains("do not match"), "{}", answer.notice());
    };
    wrong("alice@example.org").await;
    // Somebody whose user name is her address does not come between.
    let mut squatter = super::support::person("alice@example.com");
    squatter.email = None;
    harness.store.create_user(&squatter).await.expect("user");
    let mut browser = harness.browser();
    assert_eq!(browser.sign_in(&path, "alice@example.com", PASSWORD).await.status, 303);
    // It is hers however its domain is written.
    let mut alice = harness.store.user(&harness.user.id).await.expect("store").expect("user");
    alice.email = Some("alice@xn--mller-kva.example".to_owned());
    harness.store.update_user(&alice).await.expect("user");
    for name in ["alice@MÜLLER.example", "alice@xn--mller-kva.example"] {
        assert_eq!(harness.browser().sign_in(&path, name, PASSWORD).await.status, 303, "{name}");
    }
    alice.email = Some("alice@example.com".to_owned());
    // Nobody has seen that it is hers, or two have it.
    alice.email_verified = false;
    harness.store.update_user(&alice).await.expect("user");
    wrong("alice@example.com").await;
    alice.email_verified = true;
    harness.store.update_user(&alice).await.expect("user");
    harness.store.create_user(&super::support::person("bob")).await.expect("user");
    wrong("alice@example.com").await;
}

#[tokio::test]
async fn neither_name_nor_password_reaches_an_event_or_the_page_as_typed() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let secret = "my other password 7";
    let answer = harness.browser().sign_in(&path, "<b>mallory", secret).await;
    assert!(!answer.text.contains(secret));
    assert!(!answer.text.contains("<b>mallory") && answer.text.contains("&#60;b&#62;mallory"));
    let events = harness.events.all();
    assert!(!events.contains("mallory") && !events.contains(secret));
    assert_eq!(harness.events.last("login")["username"].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn an_empty_field_is_no_try() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    for (username, password) in [("alice", ""), ("", PASSWORD), ("", "")] {
        let answer = harness.browser().sign_in(&path, username, password).await;
        answer.assert_page(400);
        assert_eq!(answer.notice(), "Enter your username and your password.");
    }
    assert!(!harness.events.all().contains("\"login\""));
}

#[tokio::test]
async fn a_form_that_this_browser_did_not_get_is_refused() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let fill = [("username", "alice"), ("password", PASSWORD)];
    let mut stranger = harness.browser();
    let foreign = stranger.get(&path).await.form();

    // Another browser's form, with and without a cookie of one's own.
    let mut browser = harness.browser();
    let refused = browser.submit(&foreign, &fill).await;
    refused.assert_page(400);
    assert!(refused.notice().contains("cookies"), "{}", refused.notice());
    let own = browser.get(&path).await.form();
    browser.submit(&foreign, &fill).await.assert_page(400);

    // One's own form, altered.
    for (field, value) in [
        ("csrf", "".to_owned()),
        ("csrf", "AAAA".to_owned()),
        ("request", own.fields[0].1.replace("orders%3Aread", "orders%3Awrite")),
    ] {
        let mut altered = own.clone();
        altered.fields.retain(|(name, _)| name != field);
        altered.fields.push((field.to_owned(), value));
        browser.submit(&altered, &fill).await.assert_page(400);
    }
    assert!(!browser.cookies.contains_key("tokenward"));
    assert!(!harness.events.all().contains("\"login\""));
    assert_eq!(browser.submit(&own, &fill).await.status, 303);
}

#[tokio::test]
async fn after_five_failures_even_the_right_password_has_to_wait() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    for _ in 0..5 {
        browser.sign_in(&path, "alice", "wrong").await.assert_page(400);
    }
    let answer = browser.sign_in(&path, "alice", PASSWORD).await;
    answer.assert_page(429);
    assert_eq!(answer.header("retry-after"), "30");
    assert!(answer.notice().contains("30 seconds"), "{}", answer.notice());
    assert_eq!(harness.events.last("login")["result"], "throttled");
    // Nobody learns from it who exists.
    for _ in 0..5 {
        browser.sign_in(&path, "nobody", "wrong").await.assert_page(400);
    }
    browser.sign_in(&path, "nobody", PASSWORD).await.assert_page(429);

    harness.clock.pass(30);
    assert_eq!(browser.sign_in(&path, "alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_stranger_cannot_lock_the_owner_out() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut owner = harness.browser();
    owner.as_alice(&path).await;
    // From elsewhere,
    let mut stranger = harness.browser();
    stranger.ip = "198.51.100.7".to_owned();
    for _ in 0..8 {
        stranger.sign_in(&path, "alice", "wrong").await;
    }
    let mut other = harness.browser();
    assert_eq!(other.sign_in(&path, "alice", PASSWORD).await.status, 303);
    // and from behind the same address, where the owner has signed in before.
    let mut neighbour = harness.browser();
    for _ in 0..8 {
        neighbour.sign_in(&path, "alice", "wrong").await;
    }
    neighbour.sign_in(&path, "alice", PASSWORD).await.assert_page(429);
    let path = request(&harness.confidential, &[("prompt", "login")]);
    assert_eq!(owner.sign_in(&path, "alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn who_is_disabled_or_suspended_cannot_sign_in_and_is_signed_out() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    browser.agree(&path).await.at_client();
    let mut user = harness.store.user(&"alice-id".into()).await.expect("store").expect("user");
    user.disabled = true;
    harness.store.update_user(&user).await.expect("user");
    assert_eq!(browser.get(&path).await.form().action, "/login");
    let answer = browser.sign_in(&path, "alice", PASSWORD).await;
    answer.assert_page(403);
    assert_eq!(harness.events.last("login")["result"], "disabled");
    // Only who knows the password is told so.
    let answer = browser.sign_in(&path, "alice", "wrong").await;
    assert!(answer.notice().contains("do not match"));

    user.disabled = false;
    harness.store.update_user(&user).await.expect("user");
    assert!(browser.get(&path).await.at_client().contains_key("code"));
    restrict(&harness, Selector::Subject("alice-id".into()), Effect::Suspend).await;
    assert_eq!(browser.get(&path).await.form().action, "/login");
    browser.sign_in(&path, "alice", PASSWORD).await.assert_page(403);
}

#[tokio::test]
async fn what_revokes_tokens_ends_sessions_too() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    for selector in [Selector::Subject("alice-id".into()), Selector::Issuer] {
        browser.as_alice(&path).await;
        restrict(&harness, selector, Effect::Revoke).await;
        assert_eq!(browser.get(&path).await.form().action, "/login");
        harness.clock.pass(1);
    }
    browser.as_alice(&path).await;
    let session = harness.events.last("login")["session"].as_str().expect("session").to_owned();
    restrict(&harness, Selector::Session(session.into()), Effect::Revoke).await;
    assert_eq!(browser.get(&path).await.form().action, "/login");
}

#[tokio::test]
async fn a_session_ends_and_a_made_up_cookie_is_nobody() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    browser.agree(&path).await.at_client();
    harness.clock.pass(3599);
    assert!(browser.get(&path).await.at_client().contains_key("code"));
    harness.clock.pass(1);
    assert_eq!(browser.get(&path).await.form().action, "/login");
    for value in ["", "x", "twi_x", "alice-id"] {
        browser.cookies.insert("tokenward".to_owned(), value.to_owned());
        assert_eq!(browser.get(&path).await.form().action, "/login");
    }
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_earlier() {
    let settings = Settings { session_idle: Duration::from_secs(600), ..settings() };
    let harness = Harness::with_password_and(settings).await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    browser.agree(&path).await.at_client();
    for _ in 0..3 {
        harness.clock.pass(599);
        assert!(browser.get(&path).await.at_client().contains_key("code"));
    }
    harness.clock.pass(600);
    assert_eq!(browser.get(&path).await.form().action, "/login");
}

#[tokio::test]
async fn a_planted_session_cookie_is_never_continued() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut attacker = harness.browser();
    attacker.as_alice(&path).await;
    let planted = attacker.cookies["tokenward"].clone();
    let mut victim = harness.browser();
    victim.cookies.insert("tokenward".to_owned(), planted.clone());
    let path = request(&harness.confidential, &[("prompt", "login")]);
    victim.as_alice(&path).await;
    assert_ne!(victim.cookies["tokenward"], planted);
}

#[tokio::test]
async fn a_client_can_ask_for_a_fresh_sign_in() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    browser.agree(&request(client, &[])).await.at_client();
    harness.clock.pass(61);
    assert!(
        browser.get(&request(client, &[("max_age", "61")])).await.at_client().contains_key("code")
    );
    for change in [("max_age", "60"), ("max_age", "0"), ("prompt", "login")] {
        let page = browser.get(&request(client, &[change])).await;
        assert_eq!(page.form().action, "/login", "{change:?}");
        assert!(page.text.contains("value=\"alice\""), "{change:?}");
    }
    let quiet = browser.get(&request(client, &[("prompt", "none"), ("max_age", "60")])).await;
    quiet.assert_refused_to_client("login_required");
    // Once done, the question does not come again, and the new time is in the token.
    let answer = browser.as_alice(&request(client, &[("prompt", "login"), ("max_age", "0")])).await;
    let tokens = harness.redeem(client, &answer.at_client()["code"]).await;
    let id = super::support::claims(&tokens.member("id_token"));
    assert_eq!(id["auth_time"], harness.now().as_secs());
}

#[tokio::test]
async fn cancelling_goes_back_to_the_client() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let form = browser.get(&request(&harness.confidential, &[])).await.form();
    let answer = browser.submit(&form, &[("username", ""), ("cancel", "yes")]).await;
    answer.assert_refused_to_client("access_denied");
    assert_eq!(harness.events.last("authorize")["result"], "denied");
}

#[tokio::test]
async fn a_blocked_network_cannot_try_passwords() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let network = Selector::Network("203.0.113.0/24".parse().expect("network"));
    restrict(&harness, network, Effect::Suspend).await;
    harness.browser().sign_in(&path, "alice", PASSWORD).await.assert_page(403);
    let mut elsewhere = harness.browser();
    elsewhere.ip = "198.51.100.1".to_owned();
    assert_eq!(elsewhere.sign_in(&path, "alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn over_https_cookies_are_bound_to_the_host() {
    let issuer = "https://id.example/tenant".to_owned();
    let harness = Harness::with(Settings { issuer, ..settings() }).await;
    let path = request(&harness.public, &[]);
    let page = harness.browser().get(&format!("/tenant{path}")).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-tokenward-browser.tenant="), "{cookie}");
    assert!(cookie.ends_with("; Secure") && cookie.contains("; Path=/;"), "{cookie}");
    assert_eq!(page.form().action, "/tenant/login");
    let age = format!("Max-Age={}", Duration::from_secs(24 * 3600).as_secs());
    assert!(cookie.contains(&age), "{cookie}");
}

async fn restrict(harness: &Harness, selector: Selector, effect: Effect) {
    let restriction = NewRestriction {
        selector,
        effect,
        from: harness.now(),
        until: None,
        reason: "test".to_owned(),
        actor: "admin:test".to_owned(),
    };
    harness.store.restrict(restriction, harness.now()).await.expect("restriction");
}

#[tokio::test]
async fn who_is_turned_away_for_the_many_is_told_when_to_come_again() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let flood = async {
        let mut guesses = JoinSet::new();
        // Far more than are let wait, until the sign-in is the one that has waited longest.
        for number in 0..1_000_000u32 {
            let passwords = harness.authority.passwords().clone();
            guesses.spawn(async move {
                let account = format!("guess {number}");
                let ip = Some([203, 0, 113, 9].into());
                let asker = Asker { ip, account: &account, is_known: false };
                passwords.verify(asker, None, Secret::new("a guess")).await
            });
            while guesses.try_join_next().is_some() {}
            yield_now().await;
        }
    };
    let turned_away = async {
        while harness.authority.passwords().load().waiting == 0 {
            yield_now().await;
        }
        // Now and then it is just their turn.
        for _ in 0..50 {
            let mut browser = harness.browser();
            let answer = browser.sign_in(&path, "alice", PASSWORD).await;
            if answer.status != 303 {
                return (answer, browser);
            }
        }
        panic!("everybody gets in")
    };
    let (answer, mut browser) = tokio::select! {
        answer = turned_away => answer,
        () = flood => panic!("the sign-in was never answered"),
    };
    answer.assert_page(503);
    assert_eq!(answer.header("retry-after"), "1");
    assert!(answer.notice().contains("again"), "{}", answer.notice());
    assert!(!browser.cookies.contains_key("tokenward"));
    // The same person gets in when it is quiet.
    let later = browser.sign_in(&path, "alice", PASSWORD).await;
    assert_eq!(later.status, 303);
}
