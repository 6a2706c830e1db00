//! More than a password: set up, asked for, used once, and told truthfully. Forms alone, no script.

use serde_json::json;

use super::browser::{Browser, PASSWORD, request};
use super::support::{Answer, Harness, TestClient, claims, settings};
use crate::login::factor::totp;
use crate::rule::mfa::{MfaPolicy, Require};
use crate::settings::Settings;

const ONE: &str = "urn:tokenward:acr:one-factor";
const TWO: &str = "urn:tokenward:acr:two-factor";
const FACTORS: &str = "/account/factors";

fn with(require: Require) -> Settings {
    Settings { mfa: MfaPolicy { require, ..MfaPolicy::USUAL }, ..settings() }
}

/// The key that an enrolment page shows, as the app would keep it.
fn key(page: &Answer) -> Vec<u8> {
    let text = page.text.split("?secret=").nth(1).expect("key");
    let text = text.split('&').next().expect("key");
    let mut bits = 0u64;
    let mut bytes = Vec::new();
    for (place, letter) in text.chars().enumerate() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("letter");
        bits = bits << 5 | value as u64;
        if place % 8 == 7 {
            bytes.extend_from_slice(&bits.to_be_bytes()[3..]);
            bits = 0;
        }
    }
    bytes
}

fn recovery_codes(page: &Answer) -> Vec<String> {
    let list = page.text.split("<ul class=\"codes\">").nth(1).expect("codes");
    let list = list.split("</ul>").next().expect("codes");
    let code = |item: &str| item.split("</code>").next().map(str::to_owned);
    list.split("<code>").skip(1).filter_map(code).collect()
}

pub(super) fn code(harness: &Harness, key: &[u8]) -> String {
    totp::code(key, u64::try_from(harness.now().as_secs()).expect("time") / 30)
}

/// Where the page with the recovery codes leads.
fn onward(page: &Answer) -> String {
    let link = page.text.split("class=\"button primary\" href=\"").nth(1).expect("link");
    link.split('"').next().expect("link").replace("&#38;", "&")
}

/// Signs Alice in at the page for factors, and sets an app up there.
pub(super) async fn enrolled(browser: &mut Browser<'_>) -> (Vec<u8>, Vec<String>) {
    let harness = browser.harness;
    let answer = browser.sign_in(FACTORS, "alice", PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, FACTORS), "{}", answer.text);
    let page = browser.get(FACTORS).await;
    page.assert_page(200);
    let offer = browser.submit(&page.form(), &[]).await;
    offer.assert_page(200);
    let key = key(&offer);
    let done = browser.submit(&offer.form(), &[("code", &code(harness, &key))]).await;
    done.assert_page(200);
    let codes = recovery_codes(&done);
    assert_eq!(codes.len(), 10, "{}", done.text);
    harness.clock.pass(30);
    (key, codes)
}

/// The claims of the tokens that a request gives Alice when she agrees to it, from this answer on.
async fn tokens(browser: &mut Browser<'_>, client: &TestClient, answer: Answer) -> Answer {
    let answer = match answer.header("location") {
        "" => answer,
        location if location.starts_with('/') => {
            let location = location.to_owned();
            browser.get(&location).await
        }
        _ => answer,
    };
    let answer = match answer.status {
        200 => browser.submit(&answer.form(), &[("decision", "allow")]).await,
        _ => answer,
    };
    browser.harness.redeem(client, &answer.at_client()["code"]).await
}

#[tokio::test]
async fn an_app_is_set_up_and_asked_for_from_then_on() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    let (key, _) = enrolled(&mut browser).await;

    let mut elsewhere = harness.browser();
    let path = request(client, &[("max_age", "60")]);
    let page = elsewhere.sign_in(&path, "alice", PASSWORD).await;
    page.assert_page(200);
    assert_eq!(page.form().action, "/login/code");
    assert!(page.text.contains("autocomplete=\"one-time-code\""), "{}", page.text);
    assert!(!elsewhere.cookies.contains_key("tokenward"), "not signed in by half");
    let event = harness.events.last("login");
    assert_eq!((&event["factor"], &event["result"]), (&json!("password"), &json!("ok")));
    assert_eq!((&event["complete"], &event["subject"]), (&json!(false), &json!("alice-id")));
    let signed_in = harness.now().as_secs();
    harness.clock.pass(20);
    let answer = elsewhere.submit(&page.form(), &[("code", &code(&harness, &key))]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let event = harness.events.last("login");
    assert_eq!((&event["factor"], &event["complete"]), (&json!("totp"), &json!(true)));
    assert!(event["session"].is_string(), "{event}");

    let tokens = tokens(&mut elsewhere, client, answer).await;
    let id = claims(&tokens.member("id_token"));
    assert_eq!((&id["acr"], &id["amr"]), (&json!(TWO), &json!(["pwd", "otp", "mfa"])));
    // When the password was shown.
    assert_eq!(id["auth_time"], signed_in);
    assert_eq!(claims(&tokens.member("access_token"))["acr"], TWO);
    // Signed in is signed in.
    assert!(elsewhere.get(&request(client, &[])).await.at_client().contains_key("code"));
}

#[tokio::test]
async fn a_code_is_good_once_and_what_was_set_up_cannot_be_replayed() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let (key, _) = enrolled(&mut browser).await;
    let path = request(&harness.confidential, &[]);
    let used = code(&harness, &key);
    let mut first = harness.browser();
    let page = first.sign_in(&path, "alice", PASSWORD).await;
    assert_eq!(first.submit(&page.form(), &[("code", &used)]).await.status, 303);
    let mut second = harness.browser();
    let page = second.sign_in(&path, "alice", PASSWORD).await;
    let refused = second.submit(&page.form(), &[("code", &used)]).await;
    refused.assert_page(400);
    assert!(refused.notice().contains("used already"), "{}", refused.notice());
    assert_eq!(harness.events.last("login")["result"], "mfa_failed");
    assert!(!second.cookies.contains_key("tokenward"));
    // Nor an older one; but the next.
    harness.clock.pass(30);
    let refused = second.submit(&refused.form(), &[("code", &used)]).await;
    refused.assert_page(400);
    let next = code(&harness, &key);
    assert_eq!(second.submit(&refused.form(), &[("code", &next)]).await.status, 303);
}

#[tokio::test]
async fn the_step_after_the_password_belongs_to_its_browser_and_its_time() {
    let harness = Harness::with_password().await;
    let (key, _) = enrolled(&mut harness.browser()).await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    let page = browser.sign_in(&path, "alice", PASSWORD).await;
    let form = page.form();

    // In another browser, for another request, or altered, it leads back to the password.
    let mut other = harness.browser();
    other.get(&path).await;
    let stolen = other.submit(&form, &[("code", &code(&harness, &key))]).await;
    stolen.assert_page(400);
    assert_eq!(stolen.form().action, "/login");
    for (field, value) in [
        ("half", "AAAA".to_owned()),
        ("half", String::new()),
        ("csrf", String::new()),
        ("request", form.fields[0].1.replace("orders%3Aread", "orders%3Awrite")),
    ] {
        let mut altered = form.clone();
        altered.fields.retain(|(name, _)| name != field);
        altered.fields.push((field.to_owned(), value));
        let answer = browser.submit(&altered, &[("code", &code(&harness, &key))]).await;
        answer.assert_page(400);
        assert_eq!(answer.form().action, "/login", "{field}");
    }
    // A quarter of an hour later it is over.
    harness.clock.pass(15 * 60);
    let late = browser.submit(&form, &[("code", &code(&harness, &key))]).await;
    late.assert_page(400);
    assert_eq!(late.form().action, "/login");
    assert!(!browser.cookies.contains_key("tokenward"));

    // A person who was turned away meanwhile does not get in.
    let page = browser.sign_in(&path, "alice", PASSWORD).await;
    let mut user = harness.store.user(&"alice-id".into()).await.expect("store").expect("user");
    user.disabled = true;
    harness.store.update_user(&user).await.expect("user");
    let answer = browser.submit(&page.form(), &[("code", &code(&harness, &key))]).await;
    answer.assert_page(400);
    assert!(!browser.cookies.contains_key("tokenward"));
}

#[tokio::test]
async fn wrong_codes_make_the_next_wait_longer_and_lock_nobody_out() {
    let harness = Harness::with_password().await;
    let mut owner = harness.browser();
    let (key, codes) = enrolled(&mut owner).await;
    let path = request(&harness.confidential, &[("prompt", "login")]);
    let mut stranger = harness.browser();
    let mut page = stranger.sign_in(&path, "alice", PASSWORD).await;
    for _ in 0..5 {
        page = stranger.submit(&page.form(), &[("code", "000000")]).await;
        page.assert_page(400);
    }
    for wait in ["30", "60", "120"] {
        page = stranger.submit(&page.form(), &[("code", &code(&harness, &key))]).await;
        page.assert_page(429);
        assert_eq!(page.header("retry-after"), wait);
        assert_eq!(harness.events.last("login")["result"], "throttled");
        harness.clock.pass(wait.parse().expect("seconds"));
        page = stranger.submit(&page.form(), &[("code", "000000")]).await;
        page.assert_page(400);
    }
    // Behind the same address, the owner's browser goes in, and so does a recovery code anywhere.
    let asked = owner.sign_in(&path, "alice", PASSWORD).await;
    let answer = owner.submit(&asked.form(), &[("code", &code(&harness, &key))]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let mut new = harness.browser();
    let asked = new.sign_in(&path, "alice", PASSWORD).await;
    let answer = new.submit(&asked.form(), &[("recovery_code", &codes[0])]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
}

#[tokio::test]
async fn a_recovery_code_stands_in_once() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let (_, codes) = enrolled(&mut harness.browser()).await;
    let path = request(client, &[]);
    let mut browser = harness.browser();
    let page = browser.sign_in(&path, "alice", PASSWORD).await;
    let typed = codes[3].to_lowercase().replace('-', " ");
    let answer = browser.submit(&page.form(), &[("recovery_code", &typed)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(harness.events.last("login")["factor"], "recovery_code");
    let id = claims(&tokens(&mut browser, client, answer).await.member("id_token"));
    // More than one factor, and no code of an app.
    assert_eq!((&id["acr"], &id["amr"]), (&json!(TWO), &json!(["pwd", "mfa"])));
    let mut again = harness.browser();
    let page = again.sign_in(&path, "alice", PASSWORD).await;
    for wrong in [codes[3].as_str(), "AAAA-AAAA-AAAA-AAAA", "x"] {
        again.submit(&page.form(), &[("recovery_code", wrong)]).await.assert_page(400);
        assert_eq!(harness.events.last("login")["result"], "mfa_failed");
    }
    let answer = again.submit(&page.form(), &[("recovery_code", &codes[4])]).await;
    assert_eq!(answer.status, 303);
    assert!(!harness.events.all().contains(&codes[4]));
    let page = again.get(FACTORS).await;
    assert!(page.text.contains("8 are left"), "{}", page.text);
}

#[tokio::test]
async fn a_step_up_asks_for_the_code_alone() {
    // RFC 9470 §5: the client comes back with the `acr_values` of the challenge.
    let harness = Harness::with_password_and(with(Require::Never)).await;
    let client = &harness.confidential;
    let (key, _) = enrolled(&mut harness.browser()).await;
    let mut browser = harness.browser();
    let told = browser.agree(&request(client, &[])).await.at_client();
    let first = claims(&harness.redeem(client, &told["code"]).await.member("id_token"));
    assert_eq!((&first["acr"], &first["amr"]), (&json!(ONE), &json!(["pwd"])));
    let before = browser.cookies["tokenward"].clone();
    harness.clock.pass(300);

    let path = request(client, &[("acr_values", TWO)]);
    let quiet = browser.get(&format!("{path}&prompt=none")).await;
    quiet.assert_refused_to_client("login_required");
    let page = browser.get(&path).await;
    page.assert_page(200);
    assert_eq!(page.form().action, "/login/code");
    assert!(!page.text.contains("type=\"password\""), "{}", page.text);
    let answer = browser.submit(&page.form(), &[("code", &code(&harness, &key))]).await;
    let second = claims(&tokens(&mut browser, client, answer).await.member("id_token"));
    assert_eq!((&second["acr"], &second["amr"]), (&json!(TWO), &json!(["pwd", "otp", "mfa"])));
    // The same sign-in, which is no younger for it, under another cookie.
    assert_eq!((&second["sid"], &second["auth_time"]), (&first["sid"], &first["auth_time"]));
    assert_ne!(browser.cookies["tokenward"], before);
    let mut planted = harness.browser();
    planted.cookies.insert("tokenward".to_owned(), before);
    assert_eq!(planted.get(&path).await.form().action, "/login");
    // What is proven is not asked for again; a fresher sign-in is, with both.
    let essential = json!({ "id_token": { "acr": { "essential": true, "value": TWO } } });
    let told = browser.get(&request(client, &[("claims", &essential.to_string())])).await;
    assert!(told.at_client().contains_key("code"));
    let page = browser.sign_in(&format!("{path}&max_age=60"), "alice", PASSWORD).await;
    assert_eq!(page.form().action, "/login/code");
}

#[tokio::test]
async fn clients_scopes_and_people_can_demand_it() {
    let mut settings = with(Require::Never);
    settings.scopes[1].mfa = true;
    let harness = Harness::with_password_and(settings).await;
    let (client, public) = (&harness.confidential, &harness.public);
    let (key, _) = enrolled(&mut harness.browser()).await;
    let mut browser = harness.browser();
    browser.agree(&request(client, &[])).await.at_client();
    // The scope `orders:write`.
    let page = browser.get(&request(client, &[("scope", "openid orders:write")])).await;
    assert_eq!(page.form().action, "/login/code");
    // The client.
    let mut stored =
        (*harness.store.client(&"pub".into()).await.expect("store").expect("client")).clone();
    stored.options.require_mfa = true;
    harness.store.update_client(&stored).await.expect("store");
    let page = browser.get(&request(public, &[])).await;
    assert_eq!(page.form().action, "/login/code");
    let answer = browser.submit(&page.form(), &[("code", &code(&harness, &key))]).await;
    let id = claims(&tokens(&mut browser, public, answer).await.member("id_token"));
    assert_eq!(id["acr"], TWO);
    // The person.
    let mut other = harness.browser();
    other.agree(&request(client, &[("prompt", "consent")])).await.at_client();
    let mut user = harness.store.user(&"alice-id".into()).await.expect("store").expect("user");
    user.require_mfa = true;
    harness.store.update_user(&user).await.expect("user");
    assert_eq!(other.get(&request(client, &[])).await.form().action, "/login/code");
    for page in ["/device", "/approvals"] {
        assert_eq!(other.get(page).await.form().action, "/login/code", "{page}");
    }
}

#[tokio::test]
async fn a_device_gets_nothing_past_what_its_client_demands() {
    let harness = Harness::with_password_and(with(Require::Never)).await;
    let (key, _) = enrolled(&mut harness.browser()).await;
    let mut stored =
        (*harness.store.client(&"pub".into()).await.expect("store").expect("client")).clone();
    stored.options.require_mfa = true;
    harness.store.update_client(&stored).await.expect("store");
    let form = [("scope", "openid")];
    let started = harness.post("/device_authorization", &harness.public, &form).await;
    let user_code = started.member("user_code");
    let mut browser = harness.browser();
    browser.sign_in("/device", "alice", PASSWORD).await;
    let page = browser.get("/device").await;
    let asked = browser.submit(&page.form(), &[("user_code", &user_code)]).await;
    assert_eq!(asked.form().action, "/login/code");
    let answer = browser.submit(&asked.form(), &[("code", &code(&harness, &key))]).await;
    let onward = answer.header("location").to_owned();
    assert_eq!(onward, format!("/device?user_code={user_code}"));
    let page = browser.get(&onward).await;
    let confirm = browser.submit(&page.form(), &[("user_code", &user_code)]).await;
    assert_eq!(confirm.form().action, "/device/decision", "{}", confirm.text);
}

#[tokio::test]
async fn who_has_nothing_to_show_sets_it_up_while_signing_in() {
    let harness = Harness::with_password_and(with(Require::Always)).await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    let page = browser.sign_in(&request(client, &[]), "alice", PASSWORD).await;
    page.assert_page(200);
    assert_eq!(page.form().action, "/login/enrol");
    assert!(page.text.contains("<svg") && page.text.contains("otpauth://totp/127.0.0.1%3A8080:"));
    let policy = page.header("content-security-policy");
    assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
    // A wrong code shows the same key again.
    let wrong = browser.submit(&page.form(), &[("code", "000000")]).await;
    wrong.assert_page(400);
    assert_eq!(key(&wrong), key(&page));
    assert!(!browser.cookies.contains_key("tokenward"));
    let done = browser.submit(&wrong.form(), &[("code", &code(&harness, &key(&page)))]).await;
    done.assert_page(200);
    assert_eq!(recovery_codes(&done).len(), 10);
    let audit = harness.store.audit(None, 1).await.expect("audit").remove(0).entry;
    assert_eq!((audit.actor.as_str(), audit.action.as_str()), ("subject:alice-id", "factor.add"));
    let consent = browser.get(&onward(&done)).await;
    let id = claims(&tokens(&mut browser, client, consent).await.member("id_token"));
    assert_eq!(id["amr"], json!(["pwd", "otp", "mfa"]));

    // The form sets up one app, and not another beside it for who has the password alone.
    let mut mallory = harness.browser();
    let asked = mallory.sign_in(&request(client, &[]), "alice", PASSWORD).await;
    let mut form = asked.form();
    form.action = "/login/enrol".to_owned();
    let answer = mallory.submit(&form, &[("code", &code(&harness, &key(&page)))]).await;
    assert_eq!(answer.form().action, "/login/code", "{}", answer.text);
}

#[tokio::test]
async fn where_nobody_may_set_it_up_the_client_is_told() {
    let mut settings = with(Require::Always);
    settings.mfa.enrol_at_sign_in = false;
    let harness = Harness::with_password_and(settings).await;
    let mut browser = harness.browser();
    let answer = browser.sign_in(&request(&harness.confidential, &[]), "alice", PASSWORD).await;
    answer.assert_refused_to_client("unmet_authentication_requirements");
    assert!(!browser.cookies.contains_key("tokenward"));
    let answer = browser.sign_in("/device", "alice", PASSWORD).await;
    answer.assert_page(403);
    assert!(answer.notice().contains("needs a second factor"), "{}", answer.notice());
    // Only who knows the password hears of it.
    let answer = browser.sign_in("/device", "alice", "wrong horse battery").await;
    assert!(answer.notice().contains("do not match"), "{}", answer.notice());
}

#[tokio::test]
async fn an_old_session_sets_nothing_up() {
    let mut settings = with(Require::Never);
    settings.scopes[1].mfa = true;
    let harness = Harness::with_password_and(settings).await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    browser.agree(&request(client, &[])).await.at_client();
    let path = request(client, &[("scope", "openid orders:write")]);
    assert_eq!(browser.get(&path).await.form().action, "/login/enrol");
    browser.get(FACTORS).await.assert_page(200);
    harness.clock.pass(10 * 60);
    assert_eq!(browser.get(&path).await.form().action, "/login");
    assert_eq!(browser.get(FACTORS).await.form().action, "/login");
}

#[tokio::test]
async fn removing_needs_what_is_removed() {
    let harness = Harness::with_password_and(with(Require::Never)).await;
    let mut owner = harness.browser();
    enrolled(&mut owner).await;
    let page = owner.get(FACTORS).await;
    assert_eq!(page.form().action, "/account/factors/remove");
    // Who has the password alone is asked for the code first, whatever is usual.
    let mut mallory = harness.browser();
    let asked = mallory.sign_in(FACTORS, "alice", PASSWORD).await;
    assert_eq!(asked.form().action, "/login/code");
    mallory.as_alice(&request(&harness.confidential, &[])).await;
    let mut form = page.form();
    for action in ["remove", "add", "codes", "forget"] {
        form.action = format!("/account/factors/{action}");
        let answer = mallory.submit(&form, &[]).await;
        assert_eq!(answer.form().action, "/login/code", "{action}");
    }
    // The form of another session, or of none.
    form.action = "/account/factors/remove".to_owned();
    let mut altered = form.clone();
    altered.fields.retain(|(name, _)| name != "csrf");
    owner.submit(&altered, &[]).await.assert_page(400);
    assert_eq!(harness.store.factors_of(&"alice-id".into()).await.expect("store").totp.len(), 1);

    form.action = "/account/factors/add".to_owned();
    let another = owner.submit(&form, &[]).await;
    assert_eq!(another.form().action, "/account/factors/add", "{}", another.text);
    form.action = "/account/factors/codes".to_owned();
    assert_eq!(recovery_codes(&owner.submit(&form, &[]).await).len(), 10);
    form.action = "/account/factors/remove".to_owned();
    let removed = owner.submit(&form, &[]).await;
    removed.assert_page(200);
    assert!(removed.text.contains("It was removed"), "{}", removed.text);
    assert!(harness.store.factors_of(&"alice-id".into()).await.expect("store").is_empty());
    let audit = harness.store.audit(None, 1).await.expect("audit").remove(0).entry;
    assert_eq!(audit.action, "factor.remove");
    let mut later = harness.browser();
    later.as_alice(&request(&harness.confidential, &[("acr_values", TWO)])).await;
    assert!(later.cookies.contains_key("tokenward"), "voluntary, and there is no app");
}

#[tokio::test]
async fn a_remembered_browser_is_not_asked_for_what_is_usual() {
    let mut settings = settings();
    settings.mfa.remember = std::time::Duration::from_secs(7 * 24 * 3600);
    settings.scopes[1].mfa = true;
    let harness = Harness::with_password_and(settings).await;
    let client = &harness.confidential;
    let (key, _) = enrolled(&mut harness.browser()).await;
    let mut browser = harness.browser();
    let page = browser.sign_in(&request(client, &[]), "alice", PASSWORD).await;
    assert!(page.text.contains("7 days"), "{}", page.text);
    let fill = [("code", code(&harness, &key)), ("remember", "yes".to_owned())];
    let fill = fill.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(browser.submit(&page.form(), &fill).await.status, 303);
    let cookie = browser.cookies["tokenward-remembered"].clone();
    assert_eq!(cookie.len(), 43);
    browser.cookies.remove("tokenward");
    let answer = browser.agree(&request(client, &[])).await.at_client();
    // A browser is no factor, and nobody is told that it were.
    let id = claims(&harness.redeem(client, &answer["code"]).await.member("id_token"));
    assert_eq!((&id["acr"], &id["amr"]), (&json!(ONE), &json!(["pwd"])));
    // What is demanded strictly is asked for.
    let write = request(client, &[("scope", "openid orders:write")]);
    assert_eq!(browser.get(&write).await.form().action, "/login/code");
    // The cookie is worth nothing without the password, for others, or when it is over or taken back.
    let mut thief = harness.browser();
    thief.cookies.insert("tokenward-remembered".to_owned(), "x".repeat(43));
    let page = thief.sign_in(&request(client, &[]), "alice", PASSWORD).await;
    assert_eq!(page.form().action, "/login/code");
    harness.store.forget_browsers(&"alice-id".into()).await.expect("store");
    browser.cookies.remove("tokenward");
    let page = browser.sign_in(&request(client, &[]), "alice", PASSWORD).await;
    assert_eq!(page.form().action, "/login/code");
}

#[tokio::test]
async fn cancelling_goes_back_to_the_client() {
    let harness = Harness::with_password().await;
    enrolled(&mut harness.browser()).await;
    let mut browser = harness.browser();
    let page = browser.sign_in(&request(&harness.confidential, &[]), "alice", PASSWORD).await;
    let answer = browser.submit(&page.form(), &[("cancel", "yes")]).await;
    answer.assert_refused_to_client("access_denied");
    let page = browser.sign_in(FACTORS, "alice", PASSWORD).await;
    let answer = browser.submit(&page.form(), &[("cancel", "yes")]).await;
    assert!(answer.text.contains("Nothing was changed"), "{}", answer.text);
    for path in ["/login/code", "/login/enrol"] {
        browser.get(path).await.assert_page(405);
    }
}
