//! Clients that sign instead of keeping a secret (RFC 7523 §2.2 and §3, OpenID Connect Core 1.0 §9).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use store::Client;
use token::jws;
use token::key::PrivateKey;
use token::term::{Algorithm, ClientAuthMethod};

use super::support::{Answer, Harness, ISSUER};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn new_key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::generate(algorithm).expect("key")
}

fn set(keys: &[&PrivateKey]) -> Value {
    let keys: Vec<_> = keys.iter().map(|key| key.public().jwk().clone()).collect();
    json!({ "keys": keys })
}

/// The client `conf`, which has these keys now and no secret.
async fn harness(change: impl FnOnce(&mut Client)) -> Harness {
    let harness = Harness::new().await;
    let client = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let mut client = (*client).clone();
    client.auth_method = ClientAuthMethod::PrivateKeyJwt;
    client.secret_hash = None;
    change(&mut client);
    harness.store.update_client(&client).await.expect("client");
    harness
}

fn claims(harness: &Harness, jti: &str) -> Value {
    let now = harness.now().as_secs();
    json!({ "iss": "conf", "sub": "conf", "aud": ISSUER, "exp": now + 60, "iat": now, "jti": jti })
}

fn sign(key: &PrivateKey, claims: &Value) -> String {
    jws::sign(key, "client-authentication+jwt", claims.to_string().as_bytes()).expect("assertion")
}

async fn ask(harness: &Harness, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("grant_type", "client_credentials");
    body.append_pair("client_assertion_type", TYPE).append_pair("client_assertion", assertion);
    body.extend_pairs(more);
    harness.post_bare("/token", &body.finish()).await
}

#[tokio::test]
async fn a_client_is_known_by_its_key() {
    let keys = [Algorithm::Es256, Algorithm::Ed25519, Algorithm::Ps256, Algorithm::Rs256];
    let keys: Vec<PrivateKey> = keys.into_iter().map(new_key).collect();
    let published: Vec<&PrivateKey> = keys.iter().collect();
    let harness = harness(|client| client.options.jwks = Some(set(&published))).await;
    for key in &keys {
        let assertion = sign(key, &claims(&harness, key.public().kid().as_str()));
        let answer = ask(&harness, &assertion, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let event = harness.events.last("client_auth");
        assert_eq!((&event["method"], &event["result"]), (&"private_key_jwt".into(), &"ok".into()));
    }
    // At every endpoint that knows clients, and with the name beside it.
    let assertion = sign(&keys[0], &claims(&harness, "j-1"));
    let form =
        format!("client_id=conf&client_assertion_type={TYPE}&client_assertion={assertion}&token=x");
    assert_eq!(harness.post_bare("/introspect", &form).await.text, r#"{"active":false}"#);
}

#[tokio::test]
async fn an_assertion_is_for_this_issuer_from_this_client_now_and_once() {
    let (key, stranger) = (new_key(Algorithm::Es256), new_key(Algorithm::Es256));
    let harness = harness(|client| client.options.jwks = Some(set(&[&key]))).await;
    let now = harness.now().as_secs();
    for (name, value) in [
        ("aud", json!(format!("{ISSUER}/token"))),
        ("aud", json!([ISSUER, "https://other.example"])),
        ("aud", json!("https://other.example")),
        ("iss", json!("pub")),
        ("exp", json!(now - 31)),
        ("exp", json!(now + 3601)),
        ("iat", json!(now + 31)),
        ("nbf", json!(now + 31)),
        ("jti", json!("")),
        ("exp", json!(null)),
    ] {
        let mut claims = claims(&harness, "j-0");
        claims[name] = value.clone();
        let answer = ask(&harness, &sign(&key, &claims), &[]).await;
        answer.assert_refused(401, "invalid_client");
        assert_eq!(harness.events.last("client_auth")["result"], "bad_assertion", "{name} {value}");
    }
    let forged = sign(&stranger, &claims(&harness, "j-1"));
    ask(&harness, &forged, &[]).await.assert_refused(401, "invalid_client");
    let typed = claims(&harness, "j-2").to_string();
    let other = jws::sign(&key, "at+jwt", typed.as_bytes()).expect("token");
    ask(&harness, &other, &[]).await.assert_refused(401, "invalid_client");
    // None of these has used the name up.
    let good = sign(&key, &claims(&harness, "j-0"));
    assert_eq!(ask(&harness, &good, &[]).await.status, 200);
    let again = ask(&harness, &good, &[]).await;
    again.assert_refused(401, "invalid_client");
    assert!(again.text.contains("used before"), "{}", again.text);
    harness.clock.pass(59);
    ask(&harness, &good, &[]).await.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn one_way_at_a_time_and_only_the_registered_one() {
    let key = new_key(Algorithm::Es256);
    let harness = harness(|client| client.options.jwks = Some(set(&[&key]))).await;
    let next = |number: u32| sign(&key, &claims(&harness, &format!("j-{number}")));
    ask(&harness, &next(1), &[("client_secret", "s")]).await.assert_refused(400, "invalid_request");
    let other = ask(&harness, &next(2), &[("client_id", "pub")]).await;
    other.assert_refused(401, "invalid_client");
    let form = format!("grant_type=client_credentials&client_assertion={}", next(3));
    harness.post_bare("/token", &form).await.assert_refused(401, "invalid_client");
    for text in ["", "x", "a.b.c"] {
        let answer = ask(&harness, text, &[]).await;
        assert_eq!(answer.status, 401, "{text}: {}", answer.text);
    }
    // Without the assertion the client is nobody, with or without its old secret.
    let bare = harness.post_bare("/token", "grant_type=client_credentials&client_id=conf").await;
    bare.assert_refused(401, "invalid_client");
    let form = [("grant_type", "client_credentials")];
    let old = harness.post("/token", &harness.confidential, &form).await;
    old.assert_refused(401, "invalid_client");
    // A client with a secret has no use for an assertion.
    let plain = Harness::new().await;
    let assertion = sign(&key, &claims(&plain, "j-9"));
    ask(&plain, &assertion, &[]).await.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn the_registered_algorithm_is_the_only_one() {
    let (ecdsa, eddsa) = (new_key(Algorithm::Es256), new_key(Algorithm::EdDsa));
    let harness = harness(|client| {
        client.options.jwks = Some(set(&[&ecdsa, &eddsa]));
        client.options.token_endpoint_auth_signing_alg = Some(Algorithm::EdDsa);
    })
    .await;
    let refused = ask(&harness, &sign(&ecdsa, &claims(&harness, "j-1")), &[]).await;
    refused.assert_refused(401, "invalid_client");
    let answer = ask(&harness, &sign(&eddsa, &claims(&harness, "j-2")), &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn keys_are_fetched_from_where_the_client_says() {
    let (old, new) = (Arc::new(new_key(Algorithm::Es256)), Arc::new(new_key(Algorithm::Es256)));
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, first, second) = (Arc::clone(&asked), Arc::clone(&old), Arc::clone(&new));
    let answer = move || {
        let keys = match count.fetch_add(1, Ordering::SeqCst) {
            0 => set(&[&first]),
            _ => set(&[&first, &second]),
        };
        async move { axum::Json(keys) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let uri = format!("http://{}/jwks", listener.local_addr().expect("address"));
    let app = Router::new().route("/jwks", get(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let harness = harness(|client| client.options.jwks_uri = Some(uri)).await;
    for (key, jti) in [(&old, "j-1"), (&old, "j-2"), (&new, "j-3")] {
        let answer = ask(&harness, &sign(key, &claims(&harness, jti)), &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "once for everybody, and once for the new key");
    let inside = harness_with_uri("https://10.0.0.1/jwks").await;
    let refused = ask(&inside, &sign(&old, &claims(&inside, "j-4")), &[]).await;
    refused.assert_refused(401, "invalid_client");
}

async fn harness_with_uri(uri: &str) -> Harness {
    harness(|client| client.options.jwks_uri = Some(uri.to_owned())).await
}

#[tokio::test]
async fn a_restart_makes_no_assertion_good_again() {
    // RFC 7523 §3 (7): with or without `iat`, and whatever the client's clock says.
    let key = new_key(Algorithm::Es256);
    let harness = harness(|client| client.options.jwks = Some(set(&[&key]))).await;
    let mut undated = claims(&harness, "j-1");
    undated.as_object_mut().expect("claims").remove("iat");
    let mut ahead = claims(&harness, "j-2");
    ahead["iat"] = json!(harness.now().as_secs() + 20);
    let used = [sign(&key, &undated), sign(&key, &ahead)];
    for assertion in &used {
        assert_eq!(ask(&harness, assertion, &[]).await.status, 200);
    }
    let unused = sign(&key, &claims(&harness, "j-3"));
    harness.store.set_meta("behind them", "1").await.expect("store");
    let harness = harness.restart().await;
    for assertion in &used {
        let again = ask(&harness, assertion, &[]).await;
        again.assert_refused(401, "invalid_client");
        assert!(again.text.contains("used before"), "{}", again.text);
    }
    // One that was made before and not used yet is as good as ever.
    assert_eq!(ask(&harness, &unused, &[]).await.status, 200);
}
