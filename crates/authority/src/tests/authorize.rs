//! The authorization endpoint: from a request to a code, and every way in which it is refused.

use axum::body::Body;
use axum::http::Request;
use store::NewRestriction;
use token::restriction::{Effect, Selector};
use token::term::GrantType;

use super::browser::{STATE, request};
use super::support::{API, Harness, ISSUER, REDIRECT, claims};

#[tokio::test]
async fn sign_in_and_consent_give_a_code_that_gives_tokens() {
    let harness = Harness::with_password().await;
    for client in [&harness.confidential, &harness.public] {
        let answer = harness.browser().agree(&request(client, &[])).await.at_client();
        assert_eq!(answer.get("state").map(String::as_str), Some(STATE));
        assert_eq!(answer.get("iss").map(String::as_str), Some(ISSUER));
        let event = harness.events.last("authorize");
        assert_eq!((&event["result"], &event["subject"]), (&"ok".into(), &"alice-id".into()));
        assert_eq!(event["redirect_host"], "app.example");

        let tokens = harness.redeem(client, &answer["code"]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.text);
        assert_eq!(tokens.json()["scope"], "openid orders:read");
        let access = claims(&tokens.member("access_token"));
        assert_eq!((&access["sub"], &access["aud"]), (&"alice-id".into(), &API.into()));
        assert_eq!(access["grant_id"], event["grant"]);
        let id = claims(&tokens.member("id_token"));
        assert_eq!((&id["nonce"], &id["sid"]), (&"n-1".into(), &event["session"]));
        assert_eq!(id["auth_time"], harness.now().as_secs());
    }
}

#[tokio::test]
async fn who_is_signed_in_and_has_agreed_sees_no_page() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    browser.agree(&request(client, &[])).await.at_client();
    let again = browser.get(&request(client, &[])).await;
    assert!(again.at_client().contains_key("code"));
    let silent = browser.get(&request(client, &[("prompt", "none")])).await;
    assert!(silent.at_client().contains_key("code"));
}

#[tokio::test]
async fn without_a_place_to_return_to_there_is_a_page_and_no_redirect() {
    let harness = Harness::new().await;
    let client = &harness.confidential;
    for (changes, result) in [
        ([("client_id", "")], "unknown_client"),
        ([("client_id", "nobody")], "unknown_client"),
        ([("redirect_uri", "https://app.example/callback/x")], "bad_redirect_uri"),
        ([("redirect_uri", "https://evil.example/callback")], "bad_redirect_uri"),
        ([("redirect_uri", "javascript:alert(1)")], "bad_redirect_uri"),
        ([("redirect_uri", "")], "bad_redirect_uri"),
    ] {
        let answer = harness.get(&request(client, &changes)).await;
        answer.assert_page(400);
        assert!(answer.text.contains("For the developers"), "{changes:?}");
        let event = harness.events.last("authorize");
        assert_eq!(event["result"], result, "{changes:?}");
        assert!(event.get("redirect_host").is_none());
    }
    // Not even with everything else wrong as well.
    let changes = [("redirect_uri", "https://evil.example/"), ("response_type", "token")];
    harness.get(&request(client, &changes)).await.assert_page(400);
}

#[tokio::test]
async fn an_unknown_client_is_a_claim_and_not_a_fact() {
    let harness = Harness::new().await;
    harness.get(&request(&harness.public, &[("client_id", "no\u{202e}body")])).await;
    let event = harness.events.last("authorize");
    assert_eq!(event["claimed_client"], "no\\u{202e}body");
    assert!(event.get("client").is_none());
}

#[tokio::test]
async fn text_of_a_stranger_does_not_become_markup() {
    let harness = Harness::new().await;
    let evil = "<script>alert('x')</script>\"";
    for name in ["client_id", "redirect_uri"] {
        let answer = harness.get(&request(&harness.public, &[(name, evil)])).await;
        answer.assert_page(400);
        assert!(!answer.text.contains("<script"), "{}", answer.text);
        assert!(answer.text.contains("&#60;script&#62;"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_the_client_did_wrong_it_hears_at_its_redirect_uri() {
    let harness = Harness::new().await;
    let client = &harness.confidential;
    for (changes, code) in [
        ([("response_type", "")], "invalid_request"),
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_type", "code id_token")], "unsupported_response_type"),
        ([("response_mode", "web_message")], "invalid_request"),
        ([("claims", "[]")], "invalid_request"),
        ([("id_token_hint", "a.b.c")], "invalid_request"),
        ([("request_uri", "https://app.example/r")], "request_uri_not_supported"),
        ([("registration", "{}")], "registration_not_supported"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge", "short")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("scope", "openid tokenward:admin")], "invalid_scope"),
        ([("scope", "openid  orders:read")], "invalid_scope"),
        ([("resource", "https://elsewhere.example")], "invalid_target"),
        ([("resource", "relative")], "invalid_target"),
        ([("prompt", "none login")], "invalid_request"),
        ([("prompt", "create")], "invalid_request"),
        ([("max_age", "-1")], "invalid_request"),
        ([("prompt", "none")], "login_required"),
    ] {
        let answer = harness.get(&request(client, &changes)).await;
        answer.assert_refused_to_client(code);
        let event = harness.events.last("authorize");
        let expected = if changes[0].0.starts_with("code_challenge") { "bad_pkce" } else { code };
        assert_eq!(event["result"], expected, "{changes:?}");
        assert_eq!(
            (&event["client"], &event["redirect_host"]),
            (&"conf".into(), &"app.example".into())
        );
    }
}

#[tokio::test]
async fn nobody_can_give_away_the_administration() {
    let harness = Harness::with_password().await;
    let stored = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut stored = (*stored).clone();
    stored.scopes = super::support::scopes("openid orders:read tokenward:admin tokenward:read");
    stored.default_scopes = super::support::scopes("orders:read tokenward:admin");
    harness.store.update_client(&stored).await.expect("client");
    let client = &harness.confidential;
    let asked = request(client, &[("scope", "openid tokenward:admin")]);
    harness.get(&asked).await.assert_refused_to_client("invalid_scope");
    let answer = harness.browser().agree(&request(client, &[("scope", "")])).await.at_client();
    let tokens = harness.redeem(client, &answer["code"]).await.json();
    assert_eq!(tokens["scope"], "orders:read");
}

#[tokio::test]
async fn parameters_that_cannot_be_read_are_a_page() {
    let harness = Harness::new().await;
    let good = request(&harness.public, &[]);
    for bad in ["&state=x", "&client_id=pub", "&x=%zz", "&x=%ff"] {
        harness.get(&format!("{good}{bad}")).await.assert_page(400);
    }
    let long = request(&harness.public, &[("state", &"x".repeat(17_000))]);
    harness.get(&long).await.assert_page(414);
}

#[tokio::test]
async fn a_client_that_may_not_is_refused() {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.grant_types = vec![GrantType::ClientCredentials];
    harness.store.update_client(&client).await.expect("client");
    let path = request(&harness.confidential, &[]);
    harness.get(&path).await.assert_refused_to_client("unauthorized_client");

    client.disabled = true;
    harness.store.update_client(&client).await.expect("client");
    harness.get(&path).await.assert_page(400);
    assert_eq!(harness.events.last("authorize")["result"], "client_disabled");
}

#[tokio::test]
async fn a_suspended_client_is_refused_by_a_page() {
    let harness = Harness::new().await;
    let suspension = NewRestriction {
        selector: Selector::Client("pub".into()),
        effect: Effect::Suspend,
        from: harness.now(),
        until: None,
        reason: "test".to_owned(),
        actor: "admin:test".to_owned(),
    };
    harness.store.restrict(suspension, harness.now()).await.expect("restriction");
    harness.get(&request(&harness.public, &[])).await.assert_page(400);
}

#[tokio::test]
async fn the_redirect_uri_can_be_left_out_only_where_there_is_no_choice() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let changes = [("redirect_uri", ""), ("scope", "orders:read")];
    let answer = harness.browser().agree(&request(client, &changes)).await.at_client();
    assert_eq!(harness.redeem(client, &answer["code"]).await.status, 200);

    let stored = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut stored = (*stored).clone();
    stored.redirect_uris.push("https://app.example/other".to_owned());
    harness.store.update_client(&stored).await.expect("client");
    harness.get(&request(client, &changes)).await.assert_page(400);
}

#[tokio::test]
async fn a_form_becomes_the_same_request_by_get() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[]);
    let body = path.split_once('?').expect("query").1;
    let answer = harness.post_bare("/authorize", body).await;
    assert_eq!(answer.status, 303);
    let location = answer.header("location").to_owned();
    assert!(location.starts_with("/authorize?"), "{location}");
    assert!(harness.browser().agree(&location).await.at_client().contains_key("code"));

    harness.post_bare("/authorize", &format!("{body}&state=x")).await.assert_page(400);
    let json = Request::post("/authorize")
        .header("content-type", "application/json")
        .body(Body::from("{}"));
    harness.send(json.expect("request")).await.assert_page(400);
    harness.post_bare("/authorize", &"a".repeat(65_537)).await.assert_page(413);
}

#[tokio::test]
async fn pages_that_only_take_a_form_say_so() {
    let harness = Harness::new().await;
    for path in ["/login", "/consent"] {
        let answer = harness.get(path).await;
        answer.assert_page(405);
        assert_eq!(answer.header("allow"), "POST");
        harness.post_bare(path, "a=1").await.assert_page(400);
        harness.post_bare(path, "a=1&a=1").await.assert_page(400);
    }
}

#[tokio::test]
async fn assets_are_found_under_the_names_that_pages_use() {
    let harness = Harness::new().await;
    let page = harness.get(&request(&harness.public, &[])).await;
    let names: Vec<&str> = page.text.split("/assets/").skip(1).collect();
    assert_eq!(names.len(), 2);
    for (name, media_type) in names.iter().zip(["image/svg+xml", "text/css; charset=utf-8"]) {
        let name = name.split('"').next().unwrap_or_default();
        let asset = harness.get(&format!("/assets/{name}")).await;
        assert_eq!((asset.status, asset.header("content-type")), (200, media_type));
        assert!(asset.header("cache-control").contains("immutable"));
    }
    harness.get("/assets/page.css").await.assert_refused(404, "invalid_request");
}

#[tokio::test]
async fn loopback_apps_choose_their_port() {
    let harness = Harness::with_password().await;
    let stored = harness.store.client(&"pub".into()).await.expect("store").expect("client");
    let mut stored = (*stored).clone();
    stored.redirect_uris = vec!["http://127.0.0.1/callback".to_owned()];
    harness.store.update_client(&stored).await.expect("client");
    let changes = [("redirect_uri", "http://127.0.0.1:49152/callback")];
    let mut browser = harness.browser();
    let answer = browser.agree(&request(&harness.public, &changes)).await;
    assert!(answer.header("location").starts_with("http://127.0.0.1:49152/callback?code=twc_"));
    // Any app on the machine could listen there: consent is not taken as given.
    let page = browser.get(&request(&harness.public, &changes)).await;
    assert_eq!(page.form().action, "/consent");
    let changes = [changes[0], ("prompt", "none")];
    let silent = browser.get(&request(&harness.public, &changes)).await;
    assert!(silent.header("location").contains("error=consent_required"));
    assert!(!silent.header("location").starts_with(REDIRECT));
}

#[tokio::test]
async fn wishes_about_pages_are_taken_and_never_refused() {
    // OpenID Connect Core 1.0 §3.1.2.1 and §5.2: not to know a locale or a display is no error.
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let plain = harness.browser().get(&request(client, &[])).await;
    harness.browser().agree(&request(client, &[])).await.at_client();
    for wish in [
        ("ui_locales", "tlh nl-NL en"),
        ("ui_locales", "not a locale \u{1f5ff}"),
        ("claims_locales", "tlh fr-CA"),
        ("display", "page"),
        ("display", "popup"),
        ("display", "touch"),
        ("display", "wap"),
        ("display", "hologram"),
    ] {
        let mut browser = harness.browser();
        let page = browser.get(&request(client, &[wish])).await;
        page.assert_page(200);
        // The very page that everybody gets, but for the request and the proof of the form.
        assert_eq!(page.form().action, "/login", "{wish:?}");
        assert_eq!(page.text.matches('<').count(), plain.text.matches('<').count(), "{wish:?}");
        let told = browser.as_alice(&request(client, &[wish])).await.at_client();
        let tokens = harness.redeem(client, &told["code"]).await;
        assert_eq!(tokens.status, 200, "{wish:?} {}", tokens.text);
        let quiet = browser.get(&request(client, &[wish, ("prompt", "none")])).await;
        assert!(quiet.at_client().contains_key("code"), "{wish:?}");
    }
}

#[tokio::test]
async fn a_login_hint_is_in_the_form_and_decides_nothing() {
    // OpenID Connect Core 1.0 §3.1.2.1.
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let hinted = |hint: &str| request(client, &[("login_hint", hint)]);
    let mut browser = harness.browser();
    let page = browser.get(&hinted("alice@example.com\"><b>")).await;
    page.assert_page(200);
    assert!(
        page.text.contains("value=\"alice@example.com&#34;&#62;&#60;b&#62;\""),
        "{}",
        page.text
    );
    // Somebody else than the hint says may sign in, and who is signed in is not asked again.
    browser.agree(&hinted("bob")).await.at_client();
    assert!(browser.get(&hinted("bob")).await.at_client().contains_key("code"));
}
