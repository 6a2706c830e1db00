//! Signing out: by the client's word or the person's, and told to everybody who took part.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::post;
use axum::{Form, Router, http};
use serde_json::{Value, json};
use store::ClientOptions;
use token::kind::LogoutToken;
use token::secret::Secret;
use token::verify::{Policy, verify};

use super::browser::{Browser, request};
use super::support::{Harness, ISSUER, TestClient, claims};

const GOODBYE: &str = "https://app.example/goodbye";
type Told = Arc<Mutex<Vec<String>>>;

async fn register(harness: &Harness, id: &str, change: impl FnOnce(&mut ClientOptions)) {
    let client = harness.store.client(&id.into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.options.post_logout_redirect_uris = vec![GOODBYE.to_owned()];
    change(&mut client.options);
    harness.store.update_client(&client).await.expect("client");
}

/// Signs Alice in to a client; its token response.
async fn sign_in(browser: &mut Browser<'_>, client: &TestClient, scope: &str) -> Value {
    let harness = browser.harness;
    let path = request(client, &[("scope", scope)]);
    let mut answer = browser.get(&path).await;
    if answer.status == 200 && answer.form().action == "/login" {
        answer = browser.as_alice(&path).await;
    }
    if answer.status == 200 {
        answer = browser.submit(&answer.form(), &[("decision", "allow")]).await;
    }
    harness.redeem(client, &answer.at_client()["code"]).await.json()
}

fn path(parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::from("/logout?"));
    query.extend_pairs(parameters).finish().replace("?&", "?")
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {body}"))
}

/// A client that listens for logouts; its address, and what it was told.
async fn listener() -> (String, Told) {
    let told = Told::default();
    let take = async |State(told): State<Told>, Form(form): Form<Vec<(String, String)>>| {
        let token = form.into_iter().find(|(name, _)| name == "logout_token");
        told.lock().expect("lock").extend(token.map(|(_, value)| value));
        http::StatusCode::OK
    };
    let router = Router::new().route("/out", post(take)).with_state(Arc::clone(&told));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("socket");
    let address = socket.local_addr().expect("address");
    tokio::spawn(async move { axum::serve(socket, router).await.expect("serve") });
    (format!("http://{address}/out"), told)
}

#[tokio::test]
async fn a_client_that_shows_its_id_token_signs_its_person_out() {
    let harness = Harness::with_password().await;
    register(&harness, "conf", |_| {}).await;
    let mut browser = harness.browser();
    let body = sign_in(&mut browser, &harness.confidential, "openid").await;
    let asked = [
        ("id_token_hint", text(&body, "id_token")),
        ("post_logout_redirect_uri", GOODBYE),
        ("state", "a b"),
    ];
    let answer = browser.get(&path(&asked)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(answer.header("location"), "https://app.example/goodbye?state=a+b");
    let cookie = answer.headers.get("set-cookie").and_then(|c| c.to_str().ok()).unwrap_or_default();
    assert!(cookie.starts_with("tokenward=;") && cookie.contains("Max-Age=0"), "{cookie}");
    // Session, refresh token and access token are gone.
    let again = browser
        .get(&request(&harness.confidential, &[("prompt", "none"), ("scope", "openid")]))
        .await;
    again.assert_refused_to_client("login_required");
    let refreshed = harness.refresh(&harness.confidential, text(&body, "refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
    let form = [("token", text(&body, "access_token"))];
    let told = harness.post("/introspect", &harness.confidential, &form).await;
    assert_eq!(told.text, r#"{"active":false}"#);
    // Once more: nobody is there, and the client gets its person back all the same.
    let answer = browser.get(&path(&asked)).await;
    assert_eq!(answer.header("location"), "https://app.example/goodbye?state=a+b");
}

#[tokio::test]
async fn every_client_of_the_session_is_told() {
    let harness = Harness::with_password().await;
    let (uri, told) = listener().await;
    for id in ["conf", "pub"] {
        register(&harness, id, |options| options.backchannel_logout_uri = Some(uri.clone())).await;
    }
    let mut browser = harness.browser();
    let body = sign_in(&mut browser, &harness.confidential, "openid").await;
    sign_in(&mut browser, &harness.public, "openid").await;
    let sid = claims(text(&body, "id_token"))["sid"].clone();
    let answer = browser.get(&path(&[("id_token_hint", text(&body, "id_token"))])).await;
    answer.assert_page(200);
    assert!(answer.text.contains("You are signed out"), "{}", answer.text);
    for _ in 0..200 {
        if told.lock().expect("lock").len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let told = told.lock().expect("lock").clone();
    let mut audiences = Vec::new();
    for token in told {
        let aud = claims(&token)["aud"].as_str().expect("aud").to_owned();
        // OpenID Connect Back-Channel Logout 1.0 §2.4 and §2.6.
        let policy = Policy::new(ISSUER, aud.as_str());
        let keys = harness.authority.keys().keyring().current();
        let token = verify::<LogoutToken>(&token, &keys, &policy, harness.now()).expect("token");
        assert_eq!(token.claims().sub.as_deref(), Some("alice-id"));
        assert_eq!(json!(token.claims().sid), sid);
        audiences.push(aud);
    }
    audiences.sort();
    assert_eq!(audiences, ["conf", "pub"]);
}

#[tokio::test]
async fn who_signs_in_anew_goes_on_with_the_session_and_signs_out_of_all_of_it() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let first = sign_in(&mut browser, &harness.confidential, "openid").await;
    let copied = browser.clone();
    harness.clock.pass(60);
    let path_of_second = request(&harness.public, &[("scope", "openid"), ("prompt", "login")]);
    let answer = browser.agree(&path_of_second).await;
    let second = harness.redeem(&harness.public, &answer.at_client()["code"]).await.json();
    let [one, two] = [&first, &second].map(|body| claims(text(body, "id_token")));
    assert_eq!(one["sid"], two["sid"]);
    assert_ne!(one["auth_time"], two["auth_time"]);
    let sessions = async || harness.store.sessions_of(&"alice-id".into(), harness.now()).await;
    assert_eq!(sessions().await.expect("store").len(), 1);
    // The cookie of before is nobody's.
    let mut copied = copied;
    let quiet = request(&harness.confidential, &[("scope", "openid"), ("prompt", "none")]);
    copied.get(&quiet).await.assert_refused_to_client("login_required");
    // The first application knows the session by its own ID token, and both are signed out.
    browser.get(&path(&[("id_token_hint", text(&first, "id_token"))])).await.assert_page(200);
    for (client, body) in [(&harness.confidential, &first), (&harness.public, &second)] {
        let form = [("token", text(body, "access_token"))];
        let told = harness.post("/introspect", &harness.confidential, &form).await;
        assert_eq!(told.text, r#"{"active":false}"#, "{}", client.id);
    }
}

#[tokio::test]
async fn somebody_else_in_the_same_browser_has_a_session_of_their_own() {
    let harness = Harness::with_password().await;
    let mut bob = super::support::person("bob");
    let hash =
        harness.authority.hash_password(Secret::new(super::browser::PASSWORD), &bob, None).await;
    bob.password_hash = Some(hash.expect("hash"));
    harness.store.create_user(&bob).await.expect("user");
    let mut browser = harness.browser();
    let first = sign_in(&mut browser, &harness.confidential, "openid").await;
    let asked = request(&harness.confidential, &[("scope", "openid"), ("prompt", "login")]);
    let answer = browser.sign_in(&asked, "bob", super::browser::PASSWORD).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = browser.get("/account").await;
    assert!(page.text.contains("Signed in as <b>bob</b>"), "{}", page.text);
    let form = [("token", text(&first, "access_token"))];
    let told = harness.post("/introspect", &harness.confidential, &form).await.json();
    assert_eq!(told["sub"], "alice-id");
}

#[tokio::test]
async fn what_was_granted_for_while_nobody_is_there_stays() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let client = &harness.confidential;
    let body = sign_in(&mut browser, client, "openid offline_access").await;
    browser.get(&path(&[("id_token_hint", text(&body, "id_token"))])).await.assert_page(200);
    let refreshed = harness.refresh(client, text(&body, "refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    assert!(claims(&refreshed.member("access_token")).get("sid").is_none());
}

#[tokio::test]
async fn without_a_hint_that_fits_the_person_is_asked() {
    let harness = Harness::with_password().await;
    register(&harness, "conf", |_| {}).await;
    let mut browser = harness.browser();
    let first = sign_in(&mut browser, &harness.confidential, "openid").await;
    let mut other = harness.browser();
    sign_in(&mut other, &harness.confidential, "openid").await;
    let asked = [("client_id", "conf"), ("post_logout_redirect_uri", GOODBYE)];
    // The token of one session does not end another one unasked (§2).
    let hinted = [("id_token_hint", text(&first, "id_token"))];
    for (browser, path) in [(&mut other, path(&hinted)), (&mut browser, path(&asked))] {
        let page = browser.get(&path).await;
        page.assert_page(200);
        assert_eq!(page.form().action, "/logout/decision", "{}", page.text);
        let stay = browser.submit(&page.form(), &[("decision", "stay")]).await;
        assert!(stay.text.contains("Nothing was changed"), "{}", stay.text);
        let silent = browser
            .get(&request(&harness.confidential, &[("prompt", "none"), ("scope", "openid")]))
            .await;
        assert!(silent.at_client().contains_key("code"));
    }
    let page = browser.get(&path(&asked)).await;
    let mut forged = page.form();
    forged.fields.retain(|(name, _)| name != "csrf");
    let refused = browser.submit(&forged, &[("decision", "out")]).await;
    assert_eq!((refused.status, refused.form().action.as_str()), (400, "/logout/decision"));
    let out = browser.submit(&page.form(), &[("decision", "out")]).await;
    assert_eq!(out.header("location"), GOODBYE);
}

#[tokio::test]
async fn nobody_is_sent_where_no_client_wants_them() {
    let harness = Harness::with_password().await;
    register(&harness, "conf", |_| {}).await;
    let mut browser = harness.browser();
    let body = sign_in(&mut browser, &harness.confidential, "openid").await;
    let hint = text(&body, "id_token");
    for asked in [
        [("client_id", "conf"), ("post_logout_redirect_uri", "https://evil.example/")],
        [("client_id", "conf"), ("post_logout_redirect_uri", "https://app.example/goodbye/")],
        [("client_id", "pub"), ("post_logout_redirect_uri", GOODBYE)],
        [("client_id", "nobody"), ("post_logout_redirect_uri", GOODBYE)],
        [("state", "x"), ("post_logout_redirect_uri", GOODBYE)],
        [("id_token_hint", hint), ("client_id", "pub")],
        [("id_token_hint", "a.b.c"), ("client_id", "conf")],
        [("id_token_hint", text(&body, "access_token")), ("client_id", "conf")],
    ] {
        browser.get(&path(&asked)).await.assert_page(400);
    }
    let silent = browser
        .get(&request(&harness.confidential, &[("prompt", "none"), ("scope", "openid")]))
        .await;
    assert!(silent.at_client().contains_key("code"), "still signed in");
}

#[tokio::test]
async fn a_form_of_a_client_becomes_a_link() {
    let harness = Harness::new().await;
    let answer = harness.post_bare("/logout", "state=x&client_id=conf").await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/logout?client_id=conf&state=x");
}

#[tokio::test]
async fn one_call_ends_everything_of_a_person() {
    let harness = Harness::with_password().await;
    let mut browser = harness.browser();
    let body = sign_in(&mut browser, &harness.confidential, "openid offline_access").await;
    let ask = async |token: &str, body: &str| {
        let request = http::Request::post("/global-token-revocation")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(axum::body::Body::from(body.to_owned()));
        harness.send(request.expect("request")).await
    };
    let about = r#"{"sub_id":{"format":"iss_sub","iss":"http://127.0.0.1:8080","sub":"alice-id"}}"#;
    let reader = harness.mint("tokenward:read", ISSUER);
    assert_eq!(ask(reader.token.expose(), about).await.status, 403);
    let admin = harness.mint("tokenward:admin", ISSUER);
    for (body, status) in [
        ("{}", 400),
        (r#"{"sub_id":{"format":"email","email":"alice@example.com"}}"#, 400),
        (r#"{"sub_id":{"format":"opaque","id":"nobody"}}"#, 404),
        (r#"{"sub_id":{"format":"iss_sub","iss":"https://x.example","sub":"alice-id"}}"#, 404),
    ] {
        assert_eq!(ask(admin.token.expose(), body).await.status, status, "{body}");
    }
    harness.clock.pass(1);
    assert_eq!(ask(admin.token.expose(), about).await.status, 204);
    let refreshed = harness.refresh(&harness.confidential, text(&body, "refresh_token")).await;
    refreshed.assert_refused(400, "invalid_grant");
    let silent = browser
        .get(&request(&harness.confidential, &[("prompt", "none"), ("scope", "openid")]))
        .await;
    silent.assert_refused_to_client("login_required");
    assert_eq!(harness.events.last("revoke")["selector"], "subject:alice-id");
}
