//! Signed authorization requests (RFC 9101): what is in the object counts, and nothing beside it.

use serde_json::{Value, json};
use store::ClientOptions;
use token::jws;
use token::key::PrivateKey;
use token::term::{Algorithm, Profile};

use super::browser::{STATE, request};
use super::support::{CHALLENGE, Harness, ISSUER, REDIRECT};
use crate::request_object;

const TYPE: &str = "oauth-authz-req+jwt";

async fn harness(key: &PrivateKey, change: impl FnOnce(&mut ClientOptions)) -> Harness {
    let harness = Harness::with_password().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.options.jwks = Some(json!({ "keys": [key.public().jwk()] }));
    change(&mut client.options);
    harness.store.update_client(&client).await.expect("client");
    harness
}

fn claims(harness: &Harness) -> Value {
    json!({
        "iss": "conf", "aud": ISSUER, "client_id": "conf", "exp": harness.now().as_secs() + 60,
        "response_type": "code", "redirect_uri": REDIRECT, "scope": "openid orders:read",
        "state": STATE, "nonce": "n-1", "code_challenge": CHALLENGE,
        "code_challenge_method": "S256", "max_age": 600,
        "claims": { "userinfo": { "email": null } },
    })
}

fn sign(key: &PrivateKey, typ: &str, claims: &Value) -> String {
    jws::sign(key, typ, claims.to_string().as_bytes()).expect("object")
}

fn path(object: &str) -> String {
    format!("/authorize?client_id=conf&request={object}")
}

#[tokio::test]
async fn the_parameters_are_those_in_the_object() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(&key, |_| {}).await;
    let mut asked = claims(&harness);
    asked["prompt"] = json!("login");
    // RFC 9101 §6.3: what stands beside it does not count.
    let object = sign(&key, TYPE, &asked);
    let path = format!("{}&scope=tokenward%3Aadmin&state=other", path(&object));
    let told = harness.browser().agree(&path).await.at_client();
    assert_eq!(told["state"], STATE);
    let body = harness.redeem(&harness.confidential, &told["code"]).await.json();
    assert_eq!(body["scope"], "openid orders:read");
    // §10.8 recommends a type; objects without one of their own are still told apart.
    let plain = harness.get(&self::path(&sign(&key, "JWT", &asked))).await;
    assert_eq!(plain.form().action, "/login");
}

#[tokio::test]
async fn an_object_that_is_not_good_is_told_to_the_person_alone() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(&key, |_| {}).await;
    let good = claims(&harness);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        sign(&key, TYPE, &claims)
    };
    let stranger = PrivateKey::generate(Algorithm::Es256).expect("key");
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token::base64url::encode(good.to_string()));
    for object in [
        unsigned,
        sign(&stranger, TYPE, &good),
        sign(&key, "client-authentication+jwt", &good),
        with("exp", json!(harness.now().as_secs() - 31)),
        with("nbf", json!(harness.now().as_secs() + 31)),
        with("exp", Value::Null),
        with("aud", json!("https://elsewhere.example")),
        with("iss", json!("pub")),
        with("client_id", json!("pub")),
        with("sub", json!("conf")),
        with("request", json!("x")),
        with("request_uri", json!("urn:x")),
        with("scope", json!(true)),
        "x".to_owned(),
    ] {
        harness.get(&path(&object)).await.assert_page(400);
    }
    // A client without keys has nothing to sign with.
    let object = path(&sign(&key, TYPE, &good)).replace("client_id=conf", "client_id=pub");
    harness.get(&object).await.assert_page(400);
}

/// FAPI 2.0 Message Signing §5.3.1.
#[tokio::test]
async fn under_fapi_an_object_lives_an_hour_and_is_signed_as_the_profile_has_it() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let rsa = PrivateKey::generate(Algorithm::Rs256).expect("key");
    let harness = harness(&key, |options| {
        options.jwks = Some(json!({ "keys": [key.public().jwk(), rsa.public().jwk()] }));
        options.profile = Some(Profile::Fapi2);
    })
    .await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let now = harness.now();
    let open = async |key: &PrivateKey, nbf: Option<i64>, exp: i64| {
        let mut claims = claims(&harness);
        claims["exp"] = json!(now.as_secs() + exp);
        if let Some(nbf) = nbf {
            claims["nbf"] = json!(now.as_secs() + nbf);
        }
        let object = sign(key, TYPE, &claims);
        request_object::open(&harness.authority, &client, &object, now).await
    };
    for (nbf, exp) in [(0, 3600), (-60, 60), (-3599, 1), (8, 300)] {
        assert!(open(&key, Some(nbf), exp).await.is_ok(), "{nbf} {exp}");
    }
    for (nbf, exp) in [(None, 60), (Some(-3601), -1), (Some(0), 3601), (Some(61), 120)] {
        assert!(open(&key, nbf, exp).await.is_err(), "{nbf:?} {exp}");
    }
    assert!(open(&rsa, Some(0), 60).await.is_err());
}

#[tokio::test]
async fn the_rules_hold_for_what_is_in_the_object() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(&key, |_| {}).await;
    for (name, value, code) in [
        ("scope", json!("openid tokenward:admin"), "invalid_scope"),
        ("code_challenge", Value::Null, "invalid_request"),
        ("resource", json!(["https://elsewhere.example"]), "invalid_target"),
        ("response_type", json!("token"), "unsupported_response_type"),
    ] {
        let mut claims = claims(&harness);
        claims[name] = value;
        let answer = harness.get(&path(&sign(&key, TYPE, &claims))).await;
        answer.assert_refused_to_client(code);
    }
    let mut claims = claims(&harness);
    claims["redirect_uri"] = json!("https://evil.example/");
    harness.get(&path(&sign(&key, TYPE, &claims))).await.assert_page(400);
}

#[tokio::test]
async fn a_client_can_promise_to_sign_and_by_what() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(&key, |options| {
        options.require_signed_request_object = true;
        options.request_object_signing_alg = Some(Algorithm::Ed25519);
    })
    .await;
    let plain = harness.get(&request(&harness.confidential, &[])).await;
    plain.assert_refused_to_client("invalid_request");
    let pushed = harness.post("/par", &harness.confidential, &[("scope", "openid")]).await;
    pushed.assert_refused(400, "invalid_request");
    harness.get(&path(&sign(&key, TYPE, &claims(&harness)))).await.assert_page(400);
}

#[tokio::test]
async fn an_object_can_be_pushed() {
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let harness = harness(&key, |options| options.require_signed_request_object = true).await;
    let object = sign(&key, TYPE, &claims(&harness));
    let pushed = harness.post("/par", &harness.confidential, &[("request", &object)]).await;
    assert_eq!(pushed.status, 201, "{}", pushed.text);
    let mut query = form_urlencoded::Serializer::new(String::from("/authorize?client_id=conf"));
    let path = query.append_pair("request_uri", &pushed.member("request_uri")).finish();
    let told = harness.browser().agree(&path).await.at_client();
    assert_eq!(told["state"], STATE);
    // Another client's object is nobody's.
    let pushed = harness.post("/par", &harness.public, &[("request", &object)]).await;
    pushed.assert_refused(400, "invalid_request_object");
}
