//! Consent: asked once for what is asked for, refused, remembered, never assumed.

use store::Consent;

use super::browser::{PASSWORD, request};
use super::support::{Harness, person, scopes};

#[tokio::test]
async fn the_page_says_who_asks_for_what_in_plain_words() {
    let harness = Harness::with_password().await;
    let path =
        request(&harness.confidential, &[("scope", "openid email orders:read offline_access")]);
    let page = harness.browser().as_alice(&path).await;
    page.assert_page(200);
    for words in [
        "The conf client",
        "Alice Liddell",
        "Know who you are",
        "See your e-mail address",
        "Use orders:read",
        "Keep access while you are away",
        "Use another account",
        "app.example",
    ] {
        assert!(page.text.contains(words), "{words}");
    }
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https:;"), "{policy}");
    assert!(!page.text.contains("registered itself"));
}

#[tokio::test]
async fn a_client_that_registered_itself_is_marked_and_its_name_escaped() {
    let harness = Harness::with_password().await;
    let stored = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    harness.store.delete_client(&"conf".into(), "test", harness.now()).await.expect("deleted");
    let mut stored = (*stored).clone();
    stored.id = "self".into();
    stored.name = "<img src=x onerror=alert(1)>".to_owned();
    stored.created_by = "registration:0190".to_owned();
    harness.store.create_client(&stored).await.expect("client");
    let path = request(&harness.confidential, &[("client_id", "self")]);
    let page = harness.browser().as_alice(&path).await;
    assert!(page.text.contains("registered itself"), "{}", page.text);
    assert!(!page.text.contains("<img"), "{}", page.text);
}

#[tokio::test]
async fn refusing_is_told_to_the_client_and_not_remembered() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    let form = browser.as_alice(&path).await.form();
    let answer = browser.submit(&form, &[("decision", "deny")]).await;
    answer.assert_refused_to_client("access_denied");
    assert_eq!(harness.events.last("consent")["result"], "denied");
    let event = harness.events.last("authorize");
    assert_eq!((&event["result"], &event["subject"]), (&"denied".into(), &"alice-id".into()));
    assert_eq!(browser.get(&path).await.form().action, "/consent");
}

#[tokio::test]
async fn agreement_covers_what_was_asked_and_less_but_not_more() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let asking = |scope| request(client, &[("scope", scope)]);
    let mut browser = harness.browser();
    browser.agree(&asking("openid orders:read")).await.at_client();
    let event = harness.events.last("consent");
    assert_eq!((&event["result"], &event["subject"]), (&"granted".into(), &"alice-id".into()));
    assert_eq!(event["scopes"], serde_json::json!(["openid", "orders:read"]));

    // Less: no page, and the code has no more than was asked for.
    let narrower = browser.get(&asking("orders:read")).await.at_client();
    let tokens = harness.redeem(client, &narrower["code"]).await.json();
    assert_eq!(tokens["scope"], "orders:read");
    assert!(tokens.get("id_token").is_none());

    // More: asked again, for all of it, and then remembered.
    let wider = asking("openid orders:read orders:write");
    let page = browser.get(&wider).await;
    assert_eq!(page.form().action, "/consent");
    let silent = request(client, &[("scope", "orders:write"), ("prompt", "none")]);
    browser.get(&silent).await.assert_refused_to_client("consent_required");
    browser.submit(&page.form(), &[("decision", "allow")]).await.at_client();
    assert!(browser.get(&wider).await.at_client().contains_key("code"));
    assert!(browser.get(&silent).await.at_client().contains_key("code"));
}

#[tokio::test]
async fn asking_for_nothing_gives_the_default_after_the_same_question() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let answer = harness.browser().agree(&request(client, &[("scope", "")])).await.at_client();
    let tokens = harness.redeem(client, &answer["code"]).await.json();
    assert_eq!(tokens["scope"], "openid orders:read");

    // With no scope at all there is still somebody to be asked.
    let mut stored =
        (*harness.store.client(&"pub".into()).await.expect("store").expect("client")).clone();
    stored.default_scopes = scopes("");
    harness.store.update_client(&stored).await.expect("client");
    let page = harness.browser().as_alice(&request(&harness.public, &[("scope", "")])).await;
    assert_eq!(page.form().action, "/consent");
    assert!(page.text.contains("asks for nothing else"));
}

#[tokio::test]
async fn a_client_can_have_the_question_asked_again() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    browser.agree(&request(client, &[])).await.at_client();
    let page = browser.get(&request(client, &[("prompt", "consent")])).await;
    assert_eq!(page.form().action, "/consent");
    let answer = browser.submit(&page.form(), &[("decision", "allow")]).await;
    assert!(answer.at_client().contains_key("code"));
}

#[tokio::test]
async fn what_one_person_allowed_is_not_allowed_by_another() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    browser.agree(&path).await.at_client();
    let mut bob = person("bob");
    let alice = harness.store.user(&"alice-id".into()).await.expect("store").expect("user");
    bob.password_hash = alice.password_hash;
    harness.store.create_user(&bob).await.expect("user");

    // By the link on the consent page.
    let page = browser.get(&request(&harness.confidential, &[("prompt", "consent")])).await;
    let link = page.text.split("<a href=\"").nth(1).and_then(|text| text.split('"').next());
    let link = link.expect("link").replace("&#38;", "&");
    let stale = page.form();
    let answer = browser.sign_in(&link, "bob", PASSWORD).await;
    let onward = answer.header("location").to_owned();
    let page = browser.get(&onward).await;
    assert_eq!(page.form().action, "/consent");

    // The page that was made for Alice is not Bob's decision.
    let answer = browser.submit(&stale, &[("decision", "allow")]).await;
    answer.assert_page(400);
    assert!(answer.notice().contains("somebody else"), "{}", answer.notice());
    let allowed = harness.store.consent(&"bob-id".into(), &"conf".into()).await.expect("store");
    assert_eq!(allowed, Consent::default());
}

#[tokio::test]
async fn a_form_that_this_session_did_not_get_is_refused() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    let own = browser.as_alice(&path).await.form();
    for (field, value) in [
        ("csrf", String::new()),
        ("csrf", "AAAA".to_owned()),
        ("request", own.fields[0].1.replace("orders%3Aread", "orders%3Awrite")),
        ("request", own.fields[0].1.replace("conf", "pub")),
    ] {
        let mut altered = own.clone();
        altered.fields.retain(|(name, _)| name != field);
        altered.fields.push((field.to_owned(), value));
        browser.submit(&altered, &[("decision", "allow")]).await.assert_page(400);
    }
    // The sign-in form's proof is no consent.
    let login = harness.browser().get(&path).await.form();
    let mut swapped = own.clone();
    swapped.fields[1].1.clone_from(&login.fields[1].1);
    browser.submit(&swapped, &[("decision", "allow")]).await.assert_page(400);
    assert!(!harness.events.all().contains("\"consent\""));

    for decision in [&[][..], &[("decision", "yes")]] {
        let answer = browser.submit(&own, decision).await;
        answer.assert_page(400);
        assert!(answer.notice().contains("Allow"), "{}", answer.notice());
    }
    assert!(browser.submit(&own, &[("decision", "allow")]).await.at_client().contains_key("code"));
}

#[tokio::test]
async fn without_a_session_the_form_leads_back_to_sign_in() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    let form = browser.as_alice(&path).await.form();
    harness.clock.pass(3600);
    let answer = browser.submit(&form, &[("decision", "allow")]).await;
    assert_eq!(answer.status, 303);
    let onward = answer.header("location").to_owned();
    assert_eq!(browser.get(&onward).await.form().action, "/login");
}

#[tokio::test]
async fn a_request_that_became_bad_meanwhile_is_refused() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let mut browser = harness.browser();
    let form = browser.as_alice(&path).await.form();
    let mut client =
        (*harness.store.client(&"conf".into()).await.expect("store").expect("client")).clone();
    client.scopes = scopes("openid");
    harness.store.update_client(&client).await.expect("client");
    let answer = browser.submit(&form, &[("decision", "allow")]).await;
    answer.assert_refused_to_client("invalid_scope");
    client.redirect_uris = vec!["https://app.example/new".to_owned()];
    harness.store.update_client(&client).await.expect("client");
    browser.submit(&form, &[("decision", "allow")]).await.assert_page(400);
}
