//! Accounts from a letter: made, reset, and given another address. Forms alone, no script.

use axum::body::Body;
use http::Request;

use super::browser::{Browser, PASSWORD, request};
use super::letters::link;
use super::support::{Answer, Harness, claims, person, settings};
use crate::login::factor::totp;
use crate::settings::Settings;
use crate::sign_up::{Mode, SignUp};

const NEW: &str = "lantern orbit mustard";
/// One of the built-in list, in letters of its own.
const COMMON: &str = "KartoffelPuffer";

fn with(mode: Mode, domains: &[&str]) -> Settings {
    let email_domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
    Settings { sign_up: SignUp { mode, email_domains }, ..settings() }
}

/// Asks for a new password; the link of the letter, which is the number-th.
pub(super) async fn forgotten(browser: &mut Browser<'_>, who: &str, number: usize) -> String {
    let page = browser.get("/forgotten").await;
    page.assert_page(200);
    let answer = browser.submit(&page.form(), &[("who", who)]).await;
    answer.assert_page(200);
    let letters = browser.harness.letters(number).await;
    link(letters.last().expect("letter"))
}

/// Opens a link and sends its form with these.
pub(super) async fn follow(
    browser: &mut Browser<'_>,
    link: &str,
    typed: &[(&str, &str)],
) -> Answer {
    let page = browser.get(link).await;
    page.assert_page(200);
    browser.submit(&page.form(), typed).await
}

async fn can_sign_in(harness: &Harness, password: &str) -> bool {
    let mut browser = harness.browser();
    let answer = browser.sign_in("/account", "alice", password).await;
    answer.status == 303
}

async fn actions(harness: &Harness) -> Vec<String> {
    let rows = harness.store.audit(None, 100).await.expect("audit");
    rows.into_iter().rev().map(|row| format!("{} {}", row.entry.actor, row.entry.action)).collect()
}

fn common(answer: &Answer) {
    answer.assert_page(400);
    assert!(answer.notice().contains("that are used most"), "{}", answer.notice());
}

fn over(answer: &Answer) {
    answer.assert_page(400);
    assert!(answer.text.contains("This link is over"), "{}", answer.text);
}

#[tokio::test]
async fn a_password_is_reset_by_a_link_that_is_good_once() {
    let harness = Harness::with_password().await;
    let mut signed_in = harness.browser();
    let client = &harness.confidential;
    let code = signed_in.agree(&request(client, &[])).await.at_client()["code"].clone();
    let tokens = harness.redeem(client, &code).await;
    let mut browser = harness.browser();
    let link = forgotten(&mut browser, "ALICE@example.com", 1).await;
    let letters = harness.letters(1).await;
    assert_eq!(letters[0].to.to_string(), "alice@example.com");
    assert!(letters[0].text.contains("password of alice at"), "{}", letters[0].text);
    // A program that looks through mail opens links; so does a person who thinks about it.
    for _ in 0..3 {
        harness.browser().get(&link).await.assert_page(200);
        let head = Request::head(&link).body(Body::empty()).expect("request");
        assert_eq!(harness.send(head).await.status, 200);
    }
    assert!(can_sign_in(&harness, PASSWORD).await, "nothing has changed");

    let weak = follow(&mut browser, &link, &[("password", "alice.liddell 12")]).await;
    weak.assert_page(400);
    assert!(weak.notice().contains("easy to guess"), "{}", weak.notice());
    common(&follow(&mut browser, &link, &[("password", COMMON)]).await);
    let done = follow(&mut browser, &link, &[("password", NEW)]).await;
    done.assert_page(200);
    assert!(done.text.contains("Your password is changed"), "{}", done.text);
    assert!(!can_sign_in(&harness, PASSWORD).await && can_sign_in(&harness, NEW).await);
    over(&browser.get(&link).await);
    // What there was before is over: the session, and the tokens.
    let answer = signed_in.get("/account").await;
    assert_eq!(answer.form().action, "/login", "{}", answer.text);
    let token = tokens.member("access_token");
    let asked = harness.post("/introspect", client, &[("token", &token)]).await;
    assert_eq!(asked.json()["active"], false);
    let letters = harness.letters(2).await;
    assert_eq!(letters[1].subject, "Your password at 127.0.0.1:8080 was changed");
    assert_eq!(actions(&harness).await, ["subject:alice-id user.password.reset"]);
    assert!(!harness.events.all().contains(link.trim_start_matches("/link?code=")));
}

#[tokio::test]
async fn the_answer_is_the_same_whoever_is_named() {
    let harness = Harness::with_password().await;
    let mut mute = person("mute");
    mute.email = None;
    let disabled =
        store::User { disabled: true, email: Some("d@example.com".into()), ..person("d") };
    for user in [mute, disabled] {
        harness.store.create_user(&user).await.expect("user");
    }
    let mut browser = harness.browser();
    let page = browser.get("/forgotten").await;
    let known = browser.submit(&page.form(), &[("who", "alice")]).await;
    for who in ["nobody", "nobody@example.com", "mute", "d", "x' OR 1=1 --", "\r\nBcc: a@b.example"]
    {
        let answer = browser.submit(&page.form(), &[("who", who)]).await;
        assert_eq!((answer.status, &answer.text), (known.status, &known.text), "{who}");
        assert_eq!(answer.headers.len(), known.headers.len());
    }
    harness.settled().await;
    harness.letters(1).await;
    browser.submit(&page.form(), &[("who", " ")]).await.assert_page(400);
}

#[tokio::test]
async fn a_link_is_bound_to_its_time_its_browser_form_and_its_address() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let first = forgotten(&mut browser, "alice", 1).await;
    let page = browser.get(&first).await;
    // A form that another site sends, or another browser.
    let mut stranger = harness.browser();
    stranger.get("/forgotten").await;
    let answer = stranger.submit(&page.form(), &[("password", NEW)]).await;
    answer.assert_page(400);
    assert!(answer.notice().contains("open for a long time"), "{}", answer.text);
    harness.clock.pass(1799);
    browser.get(&first).await.assert_page(200);
    harness.clock.pass(1);
    over(&browser.get(&first).await);
    over(&browser.submit(&page.form(), &[("password", NEW)]).await);
    // The address was changed meanwhile, or the person turned away.
    let second = forgotten(&mut browser, "alice", 2).await;
    let page = browser.get(&second).await;
    let held = harness.store.user(&harness.user.id).await.expect("store").expect("user");
    let moved = store::User { email: Some("new@example.com".into()), ..held.clone() };
    harness.store.update_user(&moved).await.expect("user");
    over(&browser.submit(&page.form(), &[("password", NEW)]).await);
    harness.store.update_user(&store::User { disabled: true, ..held }).await.expect("user");
    over(&browser.get(&second).await);
    for text in ["", "code=", "code=x", "code=%00", &format!("code={}", "a".repeat(43))] {
        over(&browser.get(&format!("/link?{text}")).await);
    }
    assert_eq!(harness.store.audit(None, 10).await.expect("audit").len(), 0);
}

#[tokio::test]
async fn a_link_is_under_the_issuer_whatever_host_was_asked() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let page = browser.get("/forgotten").await;
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(&page.form().fields).append_pair("who", "alice");
    let cookie = format!("tokenward-browser={}", browser.cookies["tokenward-browser"]);
    let request = Request::post("/forgotten")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body.finish()));
    assert_eq!(harness.send(request.expect("request")).await.status, 200);
    let letters = harness.letters(1).await;
    let both = format!("{}{}", letters[0].text, letters[0].html);
    assert!(both.contains("http://127.0.0.1:8080/link") && !both.contains("evil"), "{both}");
}

#[tokio::test]
async fn whoever_has_a_second_factor_shows_it_beside_the_link() {
    let harness = Harness::with_password().await;
    let secret = vec![7; 20];
    let factor = store::TotpFactor {
        id: "f1".to_owned(),
        subject: harness.user.id.clone(),
        secret: secret.clone().into(),
        last_step: 0,
        created_at: harness.now(),
        last_used_at: None,
    };
    assert!(harness.store.add_totp(&factor, None).await.expect("factor"));
    let mut browser = harness.browser();
    let link = forgotten(&mut browser, "alice", 1).await;
    let page = browser.get(&link).await;
    assert!(page.text.contains("autocomplete=\"one-time-code\""), "{}", page.text);
    for (code, words) in [("", "Enter a code"), ("000000", "The code is wrong")] {
        let answer = follow(&mut browser, &link, &[("password", NEW), ("factor_code", code)]).await;
        answer.assert_page(400);
        assert!(answer.notice().contains(words), "{}", answer.text);
    }
    assert!(!can_sign_in(&harness, NEW).await);
    let step = u64::try_from(harness.now().as_secs()).expect("time") / 30;
    let code = totp::code(&secret, step);
    // A password that is not taken uses up neither the code nor the link.
    let answer = follow(&mut browser, &link, &[("password", "x"), ("factor_code", &code)]).await;
    answer.assert_page(400);
    let answer = follow(&mut browser, &link, &[("password", NEW), ("factor_code", &code)]).await;
    answer.assert_page(200);
    over(&browser.get(&link).await);
}

#[tokio::test]
async fn somebody_makes_an_account_where_that_is_open() {
    let harness = Harness::with(with(Mode::Open, &["example.com"])).await;
    let mut browser = harness.browser();
    let login = browser.get("/account").await;
    assert!(login.text.contains("href=\"/sign-up\""), "{}", login.text);
    let page = browser.get("/sign-up").await;
    for (typed, words) in [
        ("bob", "Enter a mail address"),
        ("bob@example.com, eve@example.com", "Enter a mail address"),
        ("bob@example.com.evil.example", "must end with @example.com"),
        ("", "Enter a mail address"),
    ] {
        let answer = browser.submit(&page.form(), &[("email", typed)]).await;
        answer.assert_page(400);
        assert!(answer.notice().contains(words), "{}", answer.text);
    }
    let new = browser.submit(&page.form(), &[("email", "bob@EXAMPLE.com")]).await;
    let letters = harness.letters(1).await;
    let known = browser.submit(&page.form(), &[("email", "Alice@example.com")]).await;
    assert_eq!((new.status, &new.text), (known.status, &known.text));
    let both = harness.letters(2).await;
    assert!(both[1].text.contains("Its username is alice"), "{}", both[1].text);
    assert!(!both[1].text.contains("/link?"), "no account is made beside it");

    let link = link(&letters[0]);
    for name in ["ALICE", "ａｌｉｃｅ"] {
        let taken = [("username", name), ("name", ""), ("password", NEW)];
        let answer = follow(&mut browser, &link, &taken).await;
        answer.assert_page(400);
        assert!(answer.notice().contains("taken"), "{name}: {}", answer.text);
    }
    let used_most = [("username", "bob"), ("name", ""), ("password", COMMON)];
    common(&follow(&mut browser, &link, &used_most).await);
    let good = [("username", "bob"), ("name", "Bob B."), ("password", NEW)];
    let done = follow(&mut browser, &link, &good).await;
    done.assert_page(200);
    over(&browser.get(&link).await);
    let bob = harness.store.user_by_name("bob").await.expect("store").expect("user");
    assert_eq!(bob.email.as_deref(), Some("bob@EXAMPLE.com"));
    assert!(bob.email_verified && bob.name.as_deref() == Some("Bob B."));
    let mut bobs = harness.browser();
    let client = &harness.confidential;
    let path = request(client, &[("scope", "openid email")]);
    let answer = bobs.sign_in(&path, "bob", NEW).await;
    let onward = answer.header("location").to_owned();
    let page = bobs.get(&onward).await;
    let code =
        bobs.submit(&page.form(), &[("decision", "allow")]).await.at_client()["code"].clone();
    let tokens = harness.redeem(client, &code).await;
    let bearer = format!("Bearer {}", tokens.member("access_token"));
    let told = Request::get("/userinfo").header("authorization", bearer).body(Body::empty());
    let told = harness.send(told.expect("request")).await.json();
    assert_eq!(
        (&told["email"], &told["email_verified"]),
        (&"bob@EXAMPLE.com".into(), &true.into())
    );
    assert!(claims(&tokens.member("id_token"))["sub"].is_string());
}

#[tokio::test]
async fn nobody_makes_an_account_where_that_is_closed() {
    for mode in [Mode::Off, Mode::Invitation] {
        let harness = Harness::with(with(mode, &[])).await;
        let mut browser = harness.browser();
        assert!(!browser.get("/account").await.text.contains("/sign-up"));
        browser.get("/sign-up").await.assert_page(403);
        let answer = harness.post_bare("/sign-up", "email=bob%40example.com").await;
        answer.assert_page(403);
        harness.settled().await;
        harness.letters(0).await;
    }
}

#[tokio::test]
async fn an_invitation_leads_to_an_account_while_invitations_are_taken() {
    let harness = Harness::with(with(Mode::Invitation, &["example.com"])).await;
    let (name, proposed) = (Some("Carol".to_owned()), Some("carol".to_owned()));
    let invite =
        harness.authority.invite("c@other.example", proposed, name, "admin:x", harness.now());
    invite.await.expect("invited");
    let letters = harness.letters(1).await;
    assert_eq!(letters[0].to.to_string(), "c@other.example");
    let mut browser = harness.browser();
    let link = link(&letters[0]);
    harness.clock.pass(6 * 24 * 3600);
    let page = browser.get(&link).await;
    assert!(page.text.contains("value=\"carol\"") && page.text.contains("value=\"Carol\""));
    let typed = [("username", "carol"), ("name", "Carol"), ("password", NEW)];
    let closed = Harness::with(with(Mode::Off, &[])).await;
    over(&closed.browser().get(&link).await);
    let used_most = [("username", "carol"), ("name", "Carol"), ("password", COMMON)];
    common(&browser.submit(&page.form(), &used_most).await);
    browser.submit(&page.form(), &typed).await.assert_page(200);
    let carol = harness.store.user_by_name("carol").await.expect("store").expect("user");
    assert!(carol.email_verified);
    assert_eq!(actions(&harness).await, [format!("subject:{} user.create", carol.id)]);
}

#[tokio::test]
async fn an_address_counts_when_its_letter_was_answered() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    browser.sign_in("/account/email", "alice", PASSWORD).await;
    let page = browser.get("/account/email").await;
    assert!(page.text.contains("Your address is alice@example.com"), "{}", page.text);
    let wrong =
        browser.submit(&page.form(), &[("email", "new@example.com\r\nBcc: b@c.example")]).await;
    wrong.assert_page(400);
    let sent = browser.submit(&page.form(), &[("email", "new@example.com")]).await;
    sent.assert_page(200);
    let letters = harness.letters(1).await;
    assert_eq!(letters[0].to.to_string(), "new@example.com");
    assert!(!letters[0].text.contains("alice"), "nothing that somebody chose");
    let held = async || harness.store.user(&harness.user.id).await.expect("store").expect("user");
    assert_eq!(held().await.email.as_deref(), Some("alice@example.com"));
    let mut elsewhere = harness.browser();
    follow(&mut elsewhere, &link(&letters[0]), &[]).await.assert_page(200);
    let now = held().await;
    assert!(now.email.as_deref() == Some("new@example.com") && now.email_verified);
    let letters = harness.letters(2).await;
    assert_eq!(letters[1].to.to_string(), "alice@example.com");
    assert!(letters[1].text.contains("has another mail address"), "{}", letters[1].text);
    over(&elsewhere.get(&link(&letters[0])).await);
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_it() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    browser.sign_in("/account/password", "alice", PASSWORD).await;
    let page = browser.get("/account/password").await;
    let wrong = [("current_password", "another one that is long"), ("new_password", NEW)];
    let answer = browser.submit(&page.form(), &wrong).await;
    answer.assert_page(400);
    let weak = [("current_password", PASSWORD), ("new_password", "password123password123")];
    let answer = browser.submit(&page.form(), &weak).await;
    answer.assert_page(400);
    assert!(answer.notice().contains("easy to guess"), "{}", answer.notice());
    let used_most = [("current_password", PASSWORD), ("new_password", COMMON)];
    common(&browser.submit(&page.form(), &used_most).await);
    let good = [("current_password", PASSWORD), ("new_password", NEW)];
    // Another session's form is none of this one's.
    let mut other = harness.browser();
    other.sign_in("/account/password", "alice", PASSWORD).await;
    let answer = other.submit(&page.form(), &good).await;
    answer.assert_page(400);
    let done = browser.submit(&page.form(), &good).await;
    done.assert_page(200);
    assert!(can_sign_in(&harness, NEW).await && !can_sign_in(&harness, PASSWORD).await);
    for mut before in [browser, other] {
        assert_eq!(before.get("/account").await.form().action, "/login");
    }
    harness.letters(1).await;
    assert_eq!(actions(&harness).await, ["subject:alice-id user.password"]);
}

#[tokio::test]
async fn the_account_page_leads_to_all_of_it() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    browser.sign_in("/account", "alice", PASSWORD).await;
    let page = browser.get("/account").await;
    page.assert_page(200);
    for path in ["/account/password", "/account/email", "/account/factors"] {
        assert!(page.text.contains(&format!("href=\"{path}\"")), "{path}");
        browser.get(path).await.assert_page(200);
    }
    // A sign-in of an hour ago is not enough to change what protects it.
    harness.clock.pass(900);
    assert_eq!(browser.get("/account/email").await.form().action, "/login");
}
