//! What stands on a provider's word: how fresh and sure it is, its end, and how people connect accounts.

use serde_json::{Value, json};
use store::NewIdentity;

use super::browser::{Browser, PASSWORD, request};
use super::support::{Answer, Harness, claims};
use super::upstream::Upstream;
use crate::login::factor::totp;
use crate::provider::Provider;
use crate::provider::preset::Preset;

const ACCOUNTS: &str = "/account/identities";
const TWO: &str = "urn:tokenward:acr:two-factor";

fn told(subject: &str) -> Value {
    json!({ "sub": subject, "preferred_username": "allie", "email": "allie@there.example" })
}

async fn connected(change: impl FnOnce(Provider) -> Provider) -> (Harness, Upstream) {
    let upstream = Upstream::start().await;
    let provider = change(upstream.provider("acme", Preset::Openid));
    let harness = Harness::with_providers(vec![provider]).await;
    let identity = NewIdentity {
        id: "i1".to_owned(),
        provider: "acme".to_owned(),
        issuer: upstream.issuer.clone(),
        provider_subject: "there-1".to_owned(),
        label: "allie".to_owned(),
        tokens: None,
        at: harness.now(),
    };
    harness.store.add_identity(&"alice-id".into(), &identity, true).await.expect("store");
    upstream.tell(told("there-1"), json!([]));
    (harness, upstream)
}

/// The claims of the ID token behind a sign-in that ended with this answer.
async fn id_token(browser: &mut Browser<'_>, answer: &Answer) -> Value {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = browser.get(answer.header("location")).await;
    let sent = match page.status {
        303 => page,
        _ => browser.submit(&page.form(), &[("decision", "allow")]).await,
    };
    let code = sent.at_client()["code"].clone();
    let harness = browser.harness;
    let tokens = harness.redeem(&harness.confidential, &code).await.json();
    claims(tokens["id_token"].as_str().expect("token"))
}

/// Somebody with a session that has become too old signs in anew, and the application is told when.
#[tokio::test]
async fn what_an_application_asks_of_the_time_is_asked_of_the_provider() {
    let (harness, upstream) = connected(|provider| provider).await;
    let now = harness.now().as_secs();
    for (asked, anew, max_age) in
        [(("prompt", "login"), true, "0"), (("max_age", "300"), false, "300")]
    {
        let path = request(&harness.confidential, &[asked]);
        let at = harness.browser().leave(&path, ("provider", "acme")).await;
        let sent = |name: &str| {
            at.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        assert_eq!(sent("prompt").is_some(), anew);
        assert_eq!(sent("max_age").as_deref(), Some(max_age));
        // A provider that lets somebody pass by an old session, or does not say, is not believed.
        for auth_time in [json!(now - 3600), json!(null)] {
            let mut browser = harness.browser();
            let answer =
                browser.visit_provider(&upstream, &path, &json!({ "auth_time": auth_time })).await;
            answer.assert_page(400);
            assert!(answer.notice().contains("sign in anew"), "{}", answer.notice());
            assert!(!browser.cookies.contains_key("tokenward"));
        }
        let mut browser = harness.browser();
        let answer =
            browser.visit_provider(&upstream, &path, &json!({ "auth_time": now - 5 })).await;
        assert_eq!(id_token(&mut browser, &answer).await["auth_time"], now - 5);
    }
    // Where nothing is asked, what the provider says is told, but nothing from the future.
    let mut browser = harness.browser();
    let answer = browser.by_provider(&upstream, &json!({ "auth_time": now - 3600 })).await;
    assert_eq!(id_token(&mut browser, &answer).await["auth_time"], now - 3600);
    let mut browser = harness.browser();
    let answer = browser.by_provider(&upstream, &json!({ "auth_time": now + 3600 })).await;
    assert_eq!(id_token(&mut browser, &answer).await["auth_time"], now);
}

#[tokio::test]
async fn two_factors_there_count_where_they_are_trusted() {
    let trusted = |provider| Provider {
        trust_amr: vec!["mfa".to_owned()],
        trust_acr: vec!["gold".to_owned(), "platinum".to_owned()],
        ..provider
    };
    let (harness, upstream) = connected(trusted).await;
    let path = request(&harness.confidential, &[("acr_values", TWO)]);
    let at = harness.browser().leave(&path, ("provider", "acme")).await;
    let sent = at.query_pairs().find(|(key, _)| key == "acr_values").expect("sent").1;
    assert_eq!(sent, "gold platinum");
    let mut browser = harness.browser();
    let answer = browser.visit_provider(&upstream, &path, &json!({ "amr": ["pwd", "mfa"] })).await;
    let token = id_token(&mut browser, &answer).await;
    assert_eq!((&token["amr"], &token["acr"]), (&json!(["fed", "mfa"]), &json!(TWO)));
    // What the provider says besides is its word alone.
    let mut browser = harness.browser();
    let answer = browser.by_provider(&upstream, &json!({ "amr": ["pwd"], "acr": TWO })).await;
    assert_eq!(id_token(&mut browser, &answer).await["amr"], json!(["fed"]));
}

/// A second factor here is asked for after a provider as after a password.
#[tokio::test]
async fn a_second_factor_here_is_asked_for_after_a_provider() {
    let (harness, upstream) = connected(|provider| provider).await;
    let mut user = harness.user.clone();
    user.require_mfa = true;
    harness.store.update_user(&user).await.expect("user");
    let mut browser = harness.browser();
    let page = browser.by_provider(&upstream, &json!({ "sid": "sid-1" })).await;
    page.assert_page(200);
    assert!(!browser.cookies.contains_key("tokenward"));
    assert_eq!(harness.events.last("login")["complete"], false);
    // The form of the step is of this browser and this request, as after a password.
    let form = page.form();
    assert_eq!(form.action, "/login/enrol");
    let (mut thief, mut key, mut bits) = (harness.browser(), Vec::new(), 0u64);
    thief.get(&request(&harness.confidential, &[])).await;
    thief.submit(&form, &[("code", "000000")]).await.assert_page(400);
    let secret =
        page.text.split("?secret=").nth(1).and_then(|text| text.split('&').next()).expect("key");
    for (place, letter) in secret.chars().enumerate() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("letter");
        bits = bits << 5 | value as u64;
        if place % 8 == 7 {
            key.extend_from_slice(&bits.to_be_bytes()[3..]);
            bits = 0;
        }
    }
    let code = totp::code(&key, u64::try_from(harness.now().as_secs()).expect("time") / 30);
    let done = browser.submit(&form, &[("code", &code)]).await;
    done.assert_page(200);
    let session = harness
        .store
        .sessions_of(&"alice-id".into(), harness.now())
        .await
        .expect("store")
        .remove(0);
    assert_eq!(session.amr, ["fed", "otp", "mfa"]);
    assert_eq!(session.upstream.and_then(|upstream| upstream.session).as_deref(), Some("sid-1"));
}

#[tokio::test]
async fn the_end_of_a_session_there_is_obeyed() {
    let (harness, upstream) = connected(|provider| provider).await;
    let now = harness.now().as_secs();
    let end = async |token: &str| {
        harness.post_bare("/login/provider/acme/logout", &format!("logout_token={token}")).await
    };
    let mut first = harness.browser();
    let answer = first.by_provider(&upstream, &json!({ "sid": "sid-1" })).await;
    id_token(&mut first, &answer).await;
    let mut second = harness.browser();
    second.by_provider(&upstream, &json!({ "sid": "sid-2" })).await;
    let mut own = harness.browser();
    own.as_alice(&request(&harness.confidential, &[])).await;
    // What is no logout token of the provider for us ends nothing.
    for wrong in [
        upstream.logout_token("logout+jwt", now, &json!({ "sid": "sid-1", "aud": "else" })),
        upstream.logout_token(
            "logout+jwt",
            now,
            &json!({ "sid": "sid-1", "iss": "https://x.example" }),
        ),
        upstream.logout_token("logout+jwt", now, &json!({ "sid": "sid-1", "nonce": "n" })),
        upstream.logout_token("logout+jwt", now, &json!({ "sid": "sid-1", "events": {} })),
        upstream.logout_token("logout+jwt", now, &json!({ "sid": "sid-1", "jti": null })),
        upstream.logout_token("at+jwt", now, &json!({ "sid": "sid-1" })),
        upstream.logout_token("logout+jwt", now - 3600, &json!({ "sid": "sid-1" })),
        upstream.logout_token("logout+jwt", now, &json!({})),
        "x.y.z".to_owned(),
    ] {
        end(&wrong).await.assert_refused(400, "invalid_request");
    }
    harness
        .post_bare("/login/provider/nobody/logout", "logout_token=x")
        .await
        .assert_refused(404, "invalid_request");
    harness
        .post_bare("/login/provider/acme/logout", "a=b")
        .await
        .assert_refused(400, "invalid_request");
    let left = async || {
        harness.store.sessions_of(&"alice-id".into(), harness.now()).await.expect("store").len()
    };
    assert_eq!(left().await, 3);
    // By session; once; and by person, also without a type.
    let token =
        upstream.logout_token("logout+jwt", now, &json!({ "sid": "sid-1", "sub": "there-1" }));
    let answer = end(&token).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    assert_eq!(left().await, 2);
    end(&token).await.assert_refused(400, "invalid_request");
    let other = upstream.logout_token("JWT", now, &json!({ "sub": "there-2", "jti": "j-2" }));
    assert_eq!(end(&other).await.status, 200, "nobody of that name is signed in");
    assert_eq!(left().await, 2);
    let token = upstream.logout_token("JWT", now, &json!({ "sub": "there-1", "jti": "j-3" }));
    assert_eq!(end(&token).await.status, 200);
    // Who signed in with a password stays.
    assert_eq!(left().await, 1);
    assert_eq!(own.get("/account").await.status, 200);
    let page = first.get("/account").await;
    assert!(page.text.contains("Sign in"), "{}", page.text);
}

#[tokio::test]
async fn a_session_that_stands_on_a_provider_goes_on_with_a_password_and_ends_with_the_provider() {
    let (harness, upstream) = connected(|provider| provider).await;
    let mut browser = harness.browser();
    let answer = browser.by_provider(&upstream, &json!({ "sid": "sid-1" })).await;
    let before = id_token(&mut browser, &answer).await;
    let anew = request(&harness.confidential, &[("prompt", "login")]);
    let answer = browser.sign_in(&anew, "alice", PASSWORD).await;
    let after = id_token(&mut browser, &answer).await;
    assert_eq!((&before["sid"], &after["amr"]), (&after["sid"], &json!(["pwd"])));
    let page = browser.get("/account").await.text;
    assert!(page.contains("<li>Password<br>"), "{page}");
    // Another session there: its end and that of the first are told apart.
    let now = harness.now().as_secs();
    let fresh = json!({ "sid": "sid-2", "auth_time": now });
    let other = browser.visit_provider(&upstream, &anew, &fresh).await;
    assert_ne!(id_token(&mut browser, &other).await["sid"], before["sid"]);
    let left = async || {
        harness.store.sessions_of(&"alice-id".into(), harness.now()).await.expect("store").len()
    };
    assert_eq!(left().await, 2);
    let token = upstream.logout_token("logout+jwt", now, &json!({ "sid": "sid-1" }));
    harness.post_bare("/login/provider/acme/logout", &format!("logout_token={token}")).await;
    assert_eq!(left().await, 1);
}

/// Signs Alice in and opens the page for accounts elsewhere.
async fn accounts(browser: &mut Browser<'_>) -> Answer {
    let answer = browser.sign_in(ACCOUNTS, "alice", PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, ACCOUNTS), "{}", answer.text);
    browser.get(ACCOUNTS).await
}

#[tokio::test]
async fn a_person_connects_and_disconnects_an_account() {
    let upstream = Upstream::start().await;
    let provider = upstream.provider("acme", Preset::Openid);
    let harness = Harness::with_providers(vec![provider]).await;
    upstream.tell(told("there-1"), json!([]));
    let mut browser = harness.browser();
    let page = accounts(&mut browser).await;
    assert!(page.text.contains("Connect an account at Acme"), "{}", page.text);
    let sent = browser.submit(&page.form_of("/connect"), &[("provider", "acme")]).await;
    let at = sent.header("location").parse().expect("URL");
    let back = upstream.pass(&at, harness.now().as_secs(), &json!({}));
    let question = browser.get(&format!("/login/provider/acme?{back}")).await;
    question.assert_page(200);
    assert!(question.text.contains("You are allie@there.example at Acme"), "{}", question.text);
    // To have come back is no agreement yet.
    let held = async || harness.store.identities_of(&"alice-id".into()).await.expect("store");
    assert!(held().await.is_empty());
    // The answer is of this session: nobody else can give it, and it can be given to nobody else.
    let form = question.form();
    let mut other = harness.browser();
    let password = other.sign_in(ACCOUNTS, "alice", PASSWORD).await;
    assert_eq!(password.status, 303);
    other.submit(&form, &[]).await.assert_page(400);
    assert!(held().await.is_empty());
    let done = browser.submit(&form, &[]).await;
    done.assert_page(200);
    assert!(done.text.contains("The account is connected."), "{}", done.text);
    assert_eq!(held().await.len(), 1);
    // Signed in by it elsewhere; out when it is disconnected, and not here.
    let mut elsewhere = harness.browser();
    assert_eq!(elsewhere.by_provider(&upstream, &json!({})).await.status, 303);
    let gone = browser.submit(&done.form_of("/remove"), &[]).await;
    gone.assert_page(200);
    assert!(held().await.is_empty());
    assert!(elsewhere.get("/account").await.text.contains("Sign in"));
    assert!(browser.get("/account").await.text.contains("An account elsewhere was disconnected"));
    elsewhere.by_provider(&upstream, &json!({})).await.assert_page(403);
}

/// Nobody connects their own account there with somebody else's here.
#[tokio::test]
async fn a_trip_to_connect_ends_in_the_session_that_began_it() {
    let (harness, upstream) = connected(|provider| provider).await;
    let mut browser = harness.browser();
    let page = accounts(&mut browser).await;
    let form = page.form_of("/connect");
    let sent = browser.submit(&form, &[("provider", "acme")]).await;
    let at = sent.header("location").parse().expect("URL");
    let back =
        format!("/login/provider/acme?{}", upstream.pass(&at, harness.now().as_secs(), &json!({})));
    // Meanwhile somebody else has signed in there.
    browser.cookies.remove("tokenward");
    browser.get(&back).await.assert_page(400);
    assert_eq!(upstream.redeemed(), 0);
    // What is somebody else's already is not taken from them.
    let bob = super::support::person("bob");
    harness.store.create_user(&bob).await.expect("user");
    let mut browser = harness.browser();
    let page = accounts(&mut browser).await;
    let identity = NewIdentity {
        id: "i2".to_owned(),
        provider: "acme".to_owned(),
        issuer: upstream.issuer.clone(),
        provider_subject: "there-2".to_owned(),
        label: "bob".to_owned(),
        tokens: None,
        at: harness.now(),
    };
    harness.store.add_identity(&bob.id, &identity, true).await.expect("store");
    upstream.tell(told("there-2"), json!([]));
    let sent = browser.submit(&page.form_of("/connect"), &[("provider", "acme")]).await;
    let at = sent.header("location").parse().expect("URL");
    let back = upstream.pass(&at, harness.now().as_secs(), &json!({ "sub": "there-2" }));
    let question = browser.get(&format!("/login/provider/acme?{back}")).await;
    let refused = browser.submit(&question.form(), &[]).await;
    refused.assert_page(409);
    assert!(refused.notice().contains("connected with another account"), "{}", refused.notice());
    // And the only way in stays.
    let mut alone = bob.clone();
    alone.require_mfa = false;
    harness.store.update_user(&alone).await.expect("user");
    let mut by_bob = harness.browser();
    let answer = by_bob.visit_provider(&upstream, ACCOUNTS, &json!({ "sub": "there-2" })).await;
    assert_eq!(answer.header("location"), ACCOUNTS, "{}", answer.text);
    let page = by_bob.get(ACCOUNTS).await;
    let kept = by_bob.submit(&page.form_of("/remove"), &[]).await;
    kept.assert_page(409);
    assert!(kept.notice().contains("only way to sign in"), "{}", kept.notice());
}
