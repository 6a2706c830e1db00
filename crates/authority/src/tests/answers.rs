//! How answers travel and who can read them: response modes, JARM, signed UserInfo and introspection.

use serde_json::{Value, json};
use store::ClientOptions;
use token::encryption_key::DecryptionKey;
use token::jwe::Jwe;
use token::kind::IntrospectionResponse;
use token::term::{Algorithm, ContentEncryption, KeyManagement};
use token::verify::{Policy, verify};

use super::browser::{STATE, request};
use super::support::{Answer, Harness, ISSUER, REDIRECT, basic, claims, header, settings};
use crate::settings::Settings;

async fn register(harness: &Harness, options: ClientOptions) {
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let client = store::Client { options, ..(*client).clone() };
    harness.store.update_client(&client).await.expect("client");
}

/// What stands behind a joint in a redirect.
fn behind(answer: &Answer, joint: char) -> Vec<(String, String)> {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let (uri, text) = answer.header("location").split_once(joint).expect("parameters");
    assert_eq!(uri, REDIRECT);
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let pair = pairs.iter().find(|(known, _)| known == name);
    &pair.unwrap_or_else(|| panic!("no `{name}` in {pairs:?}")).1
}

#[tokio::test]
async fn a_code_can_come_in_the_fragment() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[("response_mode", "fragment")]);
    let pairs = behind(&harness.browser().agree(&path).await, '#');
    assert_eq!((value(&pairs, "state"), value(&pairs, "iss")), (STATE, ISSUER));
    assert_eq!(harness.redeem(&harness.confidential, value(&pairs, "code")).await.status, 200);
}

#[tokio::test]
async fn a_code_can_come_by_a_form() {
    let harness = Harness::with_password().await;
    let path = request(&harness.confidential, &[("response_mode", "form_post")]);
    let page = harness.browser().agree(&path).await;
    page.assert_page(200);
    // OAuth 2.0 Form Post Response Mode 1.0 §2: to the redirect URI, and nothing else runs.
    let form = page.form();
    assert_eq!(form.action, REDIRECT);
    assert_eq!((value(&form.fields, "state"), value(&form.fields, "iss")), (STATE, ISSUER));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("form-action https:;"), "{policy}");
    let redeemed = harness.redeem(&harness.confidential, value(&form.fields, "code")).await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.text);
    // A refusal travels the same way, and nobody's text becomes markup.
    let evil = "\"><script>alert(1)</script>";
    let path = request(
        &harness.confidential,
        &[("response_mode", "form_post"), ("scope", "nonsense"), ("state", evil)],
    );
    let page = harness.get(&path).await;
    let form = page.form();
    assert_eq!(
        (value(&form.fields, "error"), value(&form.fields, "state")),
        ("invalid_scope", evil)
    );
    assert_eq!(page.text.matches("<script>").count(), 1, "{}", page.text);
}

#[tokio::test]
async fn an_answer_can_be_signed() {
    let harness = Harness::with_password().await;
    for (mode, joint) in [("jwt", '?'), ("query.jwt", '?'), ("fragment.jwt", '#')] {
        let path = request(&harness.confidential, &[("response_mode", mode)]);
        let mut browser = harness.browser();
        let page = browser.as_alice(&path).await;
        let answer = match page.status {
            303 => page,
            _ => browser.submit(&page.form(), &[("decision", "allow")]).await,
        };
        let pairs = behind(&answer, joint);
        assert_eq!(pairs.len(), 1, "JARM §2.3: nothing but `response`: {pairs:?}");
        let told = claims(value(&pairs, "response"));
        // JARM §2.1.
        assert_eq!((&told["iss"], &told["aud"]), (&ISSUER.into(), &"conf".into()));
        assert_eq!(told["exp"], harness.now().as_secs() + 60);
        assert_eq!(told["state"], STATE);
        let code = told["code"].as_str().expect("code");
        assert_eq!(harness.redeem(&harness.confidential, code).await.status, 200);
    }
    let changes = [("response_mode", "form_post.jwt"), ("prompt", "none")];
    let page = harness.get(&request(&harness.confidential, &changes)).await;
    let told = claims(value(&page.form().fields, "response"));
    assert_eq!((&told["error"], &told["state"]), (&"login_required".into(), &STATE.into()));
}

#[tokio::test]
async fn userinfo_is_signed_and_encrypted_where_the_client_wants_it() {
    let harness = Harness::new().await;
    let key = DecryptionKey::generate(KeyManagement::EcdhEs).expect("key");
    let jwk: Value = serde_json::to_value(key.public().expect("public")).expect("JWK");
    let options = ClientOptions {
        userinfo_signed_response_alg: Some(Algorithm::Es256),
        ..ClientOptions::default()
    };
    register(&harness, options.clone()).await;
    let body = harness.signed_in(&harness.confidential, "openid email").await;
    let token = body["access_token"].as_str().expect("token").to_owned();
    let ask = async || {
        let request = axum::http::Request::get("/userinfo")
            .header("authorization", format!("Bearer {token}"))
            .body(axum::body::Body::empty());
        harness.send(request.expect("request")).await
    };
    let answer = ask().await;
    assert_eq!(answer.header("content-type"), "application/jwt");
    let told = claims(&answer.text);
    // OpenID Connect Core 1.0 §5.3.2.
    assert_eq!((&told["iss"], &told["aud"]), (&ISSUER.into(), &"conf".into()));
    assert_eq!((&told["sub"], &told["email"]), (&"alice-id".into(), &"alice@example.com".into()));

    let encrypted = ClientOptions {
        jwks: Some(json!({ "keys": [jwk] })),
        userinfo_encrypted_response_alg: Some(KeyManagement::EcdhEs),
        userinfo_encrypted_response_enc: Some(ContentEncryption::A256Gcm),
        ..options
    };
    register(&harness, encrypted).await;
    let answer = ask().await;
    let opened = Jwe::parse(&answer.text).expect("JWE").decrypt(&key).expect("content");
    let signed = String::from_utf8(opened.content.to_vec()).expect("text");
    assert_eq!(claims(&signed)["email"], "alice@example.com");

    // Encrypted and not signed: the claims themselves are inside.
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut options = client.options.clone();
    options.userinfo_signed_response_alg = None;
    register(&harness, options).await;
    let answer = ask().await;
    assert_eq!(answer.header("content-type"), "application/jwt");
    let opened = Jwe::parse(&answer.text).expect("JWE").decrypt(&key).expect("content");
    let told: Value = serde_json::from_slice(&opened.content).expect("claims");
    assert_eq!((&told["sub"], &told["email"]), (&"alice-id".into(), &"alice@example.com".into()));
}

/// OpenID Connect Dynamic Client Registration 1.0 §2.
#[tokio::test]
async fn who_does_not_say_is_answered_with_rs256() {
    let signing_algs = vec![Algorithm::Es256, Algorithm::Rs256];
    let harness = Harness::with(Settings { signing_algs, ..settings() }).await;
    let algorithm = async |options: ClientOptions| {
        register(&harness, options).await;
        let body = harness.signed_in(&harness.confidential, "openid").await;
        let access = header(body["access_token"].as_str().expect("token"));
        assert_eq!(access["alg"], "ES256");
        header(body["id_token"].as_str().expect("token"))["alg"].clone()
    };
    assert_eq!(algorithm(ClientOptions::default()).await, "RS256");
    let id_token_signed_response_alg = Some(Algorithm::Es256);
    let named = ClientOptions { id_token_signed_response_alg, ..ClientOptions::default() };
    assert_eq!(algorithm(named).await, "ES256");
}

#[tokio::test]
async fn introspection_is_signed_for_who_wants_it() {
    let harness = Harness::new().await;
    let body = harness.signed_in(&harness.confidential, "openid orders:read").await;
    let ask = async |token: &str, accept: &str| {
        let secret = harness.confidential.secret.as_deref().expect("secret");
        let request = axum::http::Request::post("/introspect")
            .header("authorization", basic("conf", secret))
            .header("accept", accept)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(format!("token={token}")));
        harness.send(request.expect("request")).await
    };
    let signed = "application/token-introspection+jwt";
    let token = body["access_token"].as_str().expect("token");
    for accept in [signed, "application/json;q=0.5, application/token-introspection+jwt; q=1"] {
        let answer = ask(token, accept).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, signed));
        let keys = harness.authority.keys().keyring().current();
        let policy = Policy::new(ISSUER, "conf");
        let told = verify::<IntrospectionResponse>(&answer.text, &keys, &policy, harness.now());
        let told = told.expect("RFC 9701 §5");
        let told = &told.claims().token_introspection;
        assert_eq!((&told["active"], &told["sub"]), (&true.into(), &"alice-id".into()));
    }
    let answer = ask("nonsense", signed).await;
    assert_eq!(claims(&answer.text)["token_introspection"], json!({ "active": false }));
    let plain = ask(token, "*/*").await;
    assert_eq!(plain.header("content-type"), "application/json");
}

#[tokio::test]
async fn claims_are_told_by_name_where_they_were_asked_for() {
    let harness = Harness::with_password().await;
    let wanted =
        r#"{"userinfo":{"email":null,"nonsense":null},"id_token":{"name":{"essential":true}}}"#;
    let path = request(&harness.confidential, &[("scope", "openid"), ("claims", wanted)]);
    let told = harness.browser().agree(&path).await.at_client();
    let body = harness.redeem(&harness.confidential, &told["code"]).await.json();
    let id_token = claims(body["id_token"].as_str().expect("token"));
    assert_eq!(id_token["name"], "Alice Liddell");
    assert_eq!(id_token["acr"], "urn:tokenward:acr:one-factor");
    assert!(id_token.get("email").is_none(), "{id_token}");
    let token = body["access_token"].as_str().expect("token");
    assert_eq!(claims(token)["acr"], "urn:tokenward:acr:one-factor");
    let request = axum::http::Request::get("/userinfo")
        .header("authorization", format!("Bearer {token}"))
        .body(axum::body::Body::empty());
    let person = harness.send(request.expect("request")).await.json();
    let told = json!({ "sub": "alice-id", "email": "alice@example.com" });
    assert_eq!(person, told, "nothing but what was asked for");
}

#[tokio::test]
async fn a_request_about_one_person_is_not_answered_about_another() {
    let harness = Harness::with_password().await;
    let client = &harness.confidential;
    let mut browser = harness.browser();
    let told = browser.agree(&request(client, &[])).await.at_client();
    let body = harness.redeem(client, &told["code"]).await.json();
    let id_token = body["id_token"].as_str().expect("token").to_owned();
    // OpenID Connect Core 1.0 §3.1.2.1: the hint is good, also long after it has expired.
    harness.clock.pass(1200);
    let hinted = [("prompt", "none"), ("id_token_hint", id_token.as_str())];
    assert!(browser.get(&request(client, &hinted)).await.at_client().contains_key("code"));
    let other = r#"{"id_token":{"sub":{"value":"somebody-else"}}}"#;
    let asked = browser.get(&request(client, &[("prompt", "none"), ("claims", other)])).await;
    asked.assert_refused_to_client("login_required");
    let page = browser.get(&request(client, &[("claims", other)])).await;
    assert_eq!(page.form().action, "/login");
    // Neither another client's token nor another kind of token is a hint.
    let foreign = browser.get(&request(&harness.public, &hinted)).await;
    foreign.assert_refused_to_client("invalid_request");
    let access = body["access_token"].as_str().expect("token");
    let kind = browser.get(&request(client, &[("id_token_hint", access)])).await;
    kind.assert_refused_to_client("invalid_request");
}

#[tokio::test]
async fn a_sign_in_is_as_fresh_as_the_client_registered() {
    let harness = Harness::with_password().await;
    let options = ClientOptions { default_max_age: Some(60), ..ClientOptions::default() };
    register(&harness, options).await;
    let mut browser = harness.browser();
    let path = request(&harness.confidential, &[]);
    browser.agree(&path).await.at_client();
    harness.clock.pass(61);
    assert_eq!(browser.get(&path).await.form().action, "/login");
    let longer = request(&harness.confidential, &[("max_age", "600")]);
    assert!(browser.get(&longer).await.at_client().contains_key("code"));
    let acr =
        r#"{"id_token":{"acr":{"essential":true,"value":"urn:elsewhere:phishing-resistant"}}}"#;
    let unmet = browser.get(&request(&harness.confidential, &[("claims", acr)])).await;
    unmet.assert_refused_to_client("unmet_authentication_requirements");
}
