//! Passkeys: made, signed in with in place of a password or after it, believed once, and removed.

pub(super) mod authenticator;

use serde_json::json;

use self::authenticator::Authenticator;
use super::browser::{Browser, PASSWORD, request};
use super::support::{Answer, Harness, claims, person, settings};
use crate::rule::mfa::{MfaPolicy, Require};
use crate::settings::Settings;

pub(super) const ISSUER: &str = "https://id.example";
const FACTORS: &str = "/account/factors";
type Change = fn(&mut Authenticator);

const SESSION: &str = "__Host-tokenward";

async fn harness() -> Harness {
    Harness::with_password_and(Settings { issuer: ISSUER.to_owned(), ..settings() }).await
}

/// Signs Alice in by her password at the page for factors, and makes a passkey there.
pub(super) async fn registered(
    browser: &mut Browser<'_>,
    authenticator: &mut Authenticator,
) -> Answer {
    let answer = browser.sign_in(FACTORS, "alice", PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, FACTORS), "{}", answer.text);
    let page = browser.get(FACTORS).await;
    page.assert_page(200);
    let credential = authenticator.create(&page.passkey_options());
    let form = page.form_of("data-passkey=\"create\"");
    browser.submit(&form, &[("credential", &credential), ("name", "My phone")]).await
}

/// Answers the question of a page.
pub(super) async fn used(
    browser: &mut Browser<'_>,
    page: &Answer,
    authenticator: &Authenticator,
) -> Answer {
    let credential = authenticator.get(&page.passkey_options());
    let form = page.form_of("data-passkey=\"get\"");
    browser.submit(&form, &[("credential", &credential)]).await
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_password_and_is_two_factors() {
    let harness = harness().await;
    let mut phone = Authenticator::new("phone");
    let mut browser = harness.browser();
    let done = registered(&mut browser, &mut phone).await;
    done.assert_page(200);
    assert_eq!(done.text.matches("<code>").count(), 10, "recovery codes: {}", done.text);

    phone.counter = 2;
    let client = &harness.confidential;
    let mut elsewhere = harness.browser();
    let page = elsewhere.get(&request(client, &[("max_age", "60")])).await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert!(page.text.contains("autocomplete=\"username webauthn\""), "{}", page.text);
    let answer = used(&mut elsewhere, &page, &phone).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let event = harness.events.last("login");
    assert_eq!((&event["factor"], &event["result"]), (&json!("passkey"), &json!("ok")));
    assert_eq!((&event["complete"], &event["subject"]), (&json!(true), &json!("alice-id")));
    let onward = answer.header("location").to_owned();
    let page = elsewhere.get(&onward).await;
    let code = elsewhere.submit(&page.form(), &[("decision", "allow")]).await.at_client();
    let tokens = harness.redeem(client, &code["code"]).await;
    let id = claims(&tokens.member("id_token"));
    assert_eq!(id["acr"], "urn:tokenward:acr:two-factor");
    assert_eq!(id["amr"], json!(["hwk", "user", "mfa"]));
    assert_eq!(id["auth_time"], harness.now().as_secs());
    // What protects the account can be changed with it.
    elsewhere.get(FACTORS).await.assert_page(200);
}

#[tokio::test]
async fn a_key_that_is_synced_is_no_hardware() {
    let harness = harness().await;
    let mut phone = Authenticator::new("phone");
    (phone.is_synced, phone.counter) = (true, 0);
    let mut browser = harness.browser();
    registered(&mut browser, &mut phone).await.assert_page(200);
    assert!(browser.get(FACTORS).await.text.contains("synced"));
    for _ in 0..2 {
        let mut browser = harness.browser();
        let page = browser.get(FACTORS).await;
        assert_eq!(used(&mut browser, &page, &phone).await.status, 303);
    }
    let sessions = harness.store.sessions_of(&"alice-id".into(), harness.now()).await;
    let by_passkey = sessions.expect("store").into_iter().filter(|one| one.amr[0] == "swk");
    assert_eq!(by_passkey.count(), 2);
}

#[tokio::test]
async fn an_answer_is_good_once_where_it_was_asked_for() {
    let harness = harness().await;
    let mut phone = Authenticator::new("phone");
    registered(&mut harness.browser(), &mut phone).await.assert_page(200);
    let mut browser = harness.browser();
    let page = browser.get(FACTORS).await;
    phone.counter = 5;
    let credential = phone.get(&page.passkey_options());
    let form = page.form_of("data-passkey=\"get\"");
    // Another browser, another request, too late, in this order.
    let mut thief = harness.browser();
    thief.get(FACTORS).await;
    let stolen = thief.submit(&form, &[("credential", &credential)]).await;
    stolen.assert_page(400);
    let other = browser.get(&request(&harness.confidential, &[])).await;
    let mut moved = other.form_of("data-passkey=\"get\"");
    let challenge = form.fields.iter().find(|(name, _)| name == "challenge").cloned();
    moved.fields.retain(|(name, _)| name != "challenge");
    moved.fields.extend(challenge);
    browser.submit(&moved, &[("credential", &credential)]).await.assert_page(400);
    let answer = browser.submit(&form, &[("credential", &credential)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let again = browser.submit(&form, &[("credential", &credential)]).await;
    again.assert_page(400);
    assert_eq!(harness.events.last("login")["result"], "bad_passkey");
    let page = thief.get(FACTORS).await;
    harness.clock.pass(15 * 60);
    used(&mut thief, &page, &phone).await.assert_page(400);
    assert!(!thief.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn a_foreign_unverified_or_forged_answer_is_refused() {
    let harness = harness().await;
    let mut phone = Authenticator::new("phone");
    registered(&mut harness.browser(), &mut phone).await.assert_page(200);
    phone.counter = 9;
    let mut wrong: Vec<(&str, Authenticator)> = Vec::new();
    let like = |change: Change| {
        let mut other = Authenticator::new("phone");
        (other.handle, other.counter) = (phone.handle.clone(), 9);
        change(&mut other);
        other
    };
    wrong.push(("another key", like(|_| {})));
    wrong.push(("unknown", like(|one| one.credential = b"tablet".to_vec())));
    for (why, authenticator) in wrong {
        let mut browser = harness.browser();
        let page = browser.get(FACTORS).await;
        let refused = used(&mut browser, &page, &authenticator).await;
        refused.assert_page(400);
        assert!(refused.notice().contains("opens no account"), "{why}: {}", refused.notice());
        assert!(!browser.cookies.contains_key(SESSION), "{why}");
    }
    let changes: [(&str, Change); 4] = [
        ("origin", |one| one.origin = "https://id.example.evil.example"),
        ("unverified", |one| one.verifies = false),
        ("no handle", |one| one.handle = None),
        ("another handle", |one| one.handle = Some(vec![1; 16])),
    ];
    for (why, change) in changes {
        let (handle, origin) = (phone.handle.clone(), phone.origin);
        change(&mut phone);
        let mut browser = harness.browser();
        let page = browser.get(FACTORS).await;
        used(&mut browser, &page, &phone).await.assert_page(400);
        assert!(!browser.cookies.contains_key(SESSION), "{why}");
        (phone.handle, phone.origin, phone.verifies) = (handle, origin, true);
    }
    for garbage in ["", "{}", "null", "[", "{\"id\":\"a\",\"rawId\":\"*\"}"] {
        let mut browser = harness.browser();
        let form = browser.get(FACTORS).await.form_of("data-passkey=\"get\"");
        browser.submit(&form, &[("credential", garbage)]).await.assert_page(400);
    }
    let mut browser = harness.browser();
    let page = browser.get(FACTORS).await;
    assert_eq!(used(&mut browser, &page, &phone).await.status, 303, "it is good itself");
}

#[tokio::test]
async fn a_copy_betrays_itself_by_the_counter() {
    let harness = harness().await;
    let mut phone = Authenticator::new("phone");
    registered(&mut harness.browser(), &mut phone).await.assert_page(200);
    for (counter, status) in [(7, 303), (7, 400), (6, 400), (8, 303)] {
        phone.counter = counter;
        let mut browser = harness.browser();
        let page = browser.get(FACTORS).await;
        let answer = used(&mut browser, &page, &phone).await;
        assert_eq!(answer.status, status, "{counter}: {}", answer.text);
        let result = if status == 303 { "ok" } else { "copied_passkey" };
        let event = harness.events.last("login");
        assert_eq!(event["result"], result);
        assert_eq!(event["subject"], "alice-id", "whoever signed has the key: the name is known");
        assert!(!event["username"].as_str().unwrap_or_default().is_empty());
    }
}

#[tokio::test]
async fn after_the_password_it_is_the_persons_own() {
    let harness = harness().await;
    let mut phone = Authenticator::new("phone");
    registered(&mut harness.browser(), &mut phone).await.assert_page(200);
    phone.counter = 2;
    // One that tells nobody's handle is found by the list.
    phone.handle = None;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    let page = browser.sign_in(&path, "alice", PASSWORD).await;
    page.assert_page(200);
    assert!(!browser.cookies.contains_key(SESSION), "not signed in by half");
    assert!(!page.text.contains("one-time-code") && page.text.contains("<noscript>"));
    let listed = &page.passkey_options()["allowCredentials"];
    assert_eq!(listed[0]["id"], token::base64url::encode("phone"));
    let answer = used(&mut browser, &page, &phone).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = browser.get(answer.header("location")).await;
    let code = browser.submit(&page.form(), &[("decision", "allow")]).await.at_client();
    let id = harness.redeem(&harness.confidential, &code["code"]).await.member("id_token");
    assert_eq!(claims(&id)["amr"], json!(["pwd", "hwk", "user", "mfa"]));

    // Somebody else's password with this passkey is nothing.
    let mut bob = person("bob");
    bob.password_hash =
        harness.store.user(&"alice-id".into()).await.expect("store").expect("alice").password_hash;
    harness.store.create_user(&bob).await.expect("user");
    let mut tablet = Authenticator::new("tablet");
    let mut browser = harness.browser();
    browser.sign_in(FACTORS, "bob", PASSWORD).await;
    let page = browser.get(FACTORS).await;
    let credential = tablet.create(&page.passkey_options());
    let form = page.form_of("data-passkey=\"create\"");
    browser.submit(&form, &[("credential", &credential)]).await.assert_page(200);
    let mut browser = harness.browser();
    let page = browser.sign_in(&path, "bob", PASSWORD).await;
    phone.counter = 3;
    let refused = used(&mut browser, &page, &phone).await;
    refused.assert_page(400);
    assert!(refused.notice().contains("not accepted"), "{}", refused.notice());
    tablet.counter = 2;
    assert_eq!(used(&mut browser, &refused, &tablet).await.status, 303);
}

#[tokio::test]
async fn passkeys_are_named_and_removed_and_the_last_one_may_have_to_stay() {
    let harness = harness().await;
    let mut phone = Authenticator::new("phone");
    let mut browser = harness.browser();
    registered(&mut browser, &mut phone).await.assert_page(200);
    let page = browser.get(FACTORS).await;
    assert!(page.text.contains("<b>My phone</b>"), "{}", page.text);
    // A device is not asked for a second one, nor is one taken twice.
    let options = page.passkey_options();
    assert_eq!(options["excludeCredentials"][0]["id"], token::base64url::encode("phone"));
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    let handle = token::base64url::decode(options["user"]["id"].as_str().expect("id"));
    assert_eq!(handle, phone.handle, "one account on the device");
    let credential = phone.create(&options);
    let form = page.form_of("data-passkey=\"create\"");
    browser.submit(&form, &[("credential", &credential)]).await.assert_page(400);

    let rename = page.form_of("name=\"name\" type=\"text\" value=");
    browser.submit(&rename, &[("name", "<b>Old phone")]).await.assert_page(200);
    let page = browser.get(FACTORS).await;
    assert!(page.text.contains("<b>&#60;b&#62;Old phone</b>"), "{}", page.text);
    browser.submit(&rename, &[("name", "a\u{202e}b")]).await.assert_page(400);

    let mut user = harness.store.user(&"alice-id".into()).await.expect("store").expect("alice");
    user.require_mfa = true;
    harness.store.update_user(&user).await.expect("user");
    let remove = page.form_of("Remove this passkey");
    let kept = browser.submit(&remove, &[]).await;
    kept.assert_page(400);
    assert!(kept.notice().contains("has to have"), "{}", kept.notice());
    user.require_mfa = false;
    harness.store.update_user(&user).await.expect("user");
    browser.submit(&remove, &[]).await.assert_page(200);
    phone.counter = 9;
    let mut elsewhere = harness.browser();
    let page = elsewhere.get(FACTORS).await;
    used(&mut elsewhere, &page, &phone).await.assert_page(400);
}

#[tokio::test]
async fn a_passkey_meets_what_is_demanded_and_an_unverified_one_is_not_made() {
    let mfa = MfaPolicy { require: Require::Always, ..MfaPolicy::USUAL };
    let settings = Settings { issuer: ISSUER.to_owned(), mfa, ..settings() };
    let harness = Harness::with_password_and(settings).await;
    let mut browser = harness.browser();
    // Enrolment while signing in is by an app; the passkey comes beside it.
    let page = browser.sign_in(FACTORS, "alice", PASSWORD).await;
    assert_eq!(page.form().action, "/login/enrol", "{}", page.text);
    let harness = self::harness().await;
    let mut careless = Authenticator::new("careless");
    careless.verifies = false;
    let mut browser = harness.browser();
    let refused = registered(&mut browser, &mut careless).await;
    refused.assert_page(400);
    assert!(refused.notice().contains("PIN"), "{}", refused.notice());
    assert!(harness.store.factors_of(&"alice-id".into()).await.expect("store").is_empty());
}

#[tokio::test]
async fn where_the_issuer_is_an_address_nobody_is_asked() {
    let harness = Harness::with_password().await;
    let page = harness.browser().get(FACTORS).await;
    assert!(!page.text.contains("passkey") && !page.text.contains("<script"), "{}", page.text);
    assert!(!page.header("content-security-policy").contains("script-src"));
}
