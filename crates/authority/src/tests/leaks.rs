//! Leak reports: believed by their signature alone, answered with labels, harmless when they come again.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::{Value, json};
use token::id::SubjectId;
use token::personal::Owner;

use super::support::{Answer, Harness, scopes};
use crate::leak::{BadLeakKeys, LeakKeys};
use crate::personal::Order;

struct Reporter(EcdsaKeyPair);

impl Reporter {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("key"))
    }

    fn keys(&self) -> LeakKeys {
        let prefix = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
        let mut der = STANDARD.decode(prefix).expect("prefix");
        der.pop();
        der.extend(self.0.public_key().as_ref());
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der)
        );
        let file = json!({ "public_keys": [
            { "key_identifier": "k1", "key": pem, "is_current": true }
        ] });
        LeakKeys::from_json(file.to_string().as_bytes()).expect("keys")
    }

    async fn report(&self, harness: &Harness, body: &Value) -> Answer {
        let text = body.to_string();
        let signed = self.0.sign(&SystemRandom::new(), text.as_bytes()).expect("signature");
        send(harness, "k1", &STANDARD.encode(signed.as_ref()), text).await
    }
}

async fn send(harness: &Harness, key: &str, signature: &str, body: String) -> Answer {
    let request = Request::post("/leaks/github")
        .header("content-type", "application/json")
        .header("Github-Public-Key-Identifier", key)
        .header("Github-Public-Key-Signature", signature)
        .body(Body::from(body));
    harness.send(request.expect("request")).await
}

async fn house() -> (Harness, Reporter) {
    let reporter = Reporter::new();
    let settings = crate::Settings { leak_keys: reporter.keys(), ..super::support::settings() };
    (Harness::with(settings).await, reporter)
}

async fn personal(harness: &Harness) -> String {
    let order = Order {
        owner: Owner::Person(SubjectId::from("alice-id")),
        name: "ci".to_owned(),
        scopes: scopes("orders:read"),
        resources: Vec::new(),
        life: std::time::Duration::from_secs(86400),
        idle: None,
        networks: Vec::new(),
        places: Vec::new(),
        jkt: None,
        by: "person:alice-id".to_owned(),
    };
    let made = harness.authority.make_personal(order, harness.now()).await.expect("made");
    made.token.expose().to_owned()
}

fn one(token: &str) -> Value {
    json!({ "token": token, "type": "tokenward", "url": "https://example.com/a", "source": "content" })
}

async fn is_active(harness: &Harness, token: &str) -> bool {
    let asked = harness.post("/introspect", &harness.confidential, &[("token", token)]).await;
    asked.json()["active"] == true
}

#[tokio::test]
async fn what_is_reported_is_taken_back_whatever_it_is() {
    let (harness, reporter) = house().await;
    let tokens = harness.signed_in(&harness.public, "orders:read").await;
    let access = tokens["access_token"].as_str().expect("token");
    let other = harness.signed_in(&harness.confidential, "orders:read").await;
    let refresh = other["refresh_token"].as_str().expect("token");
    let own = personal(&harness).await;
    for token in [access, refresh, &own] {
        assert!(is_active(&harness, token).await, "{token}");
    }
    let body = json!([one(&own), one(refresh), one(access), one("twp_nobody"), one("ghp_x")]);
    let labels = reporter.report(&harness, &body).await;
    assert_eq!(labels.status, 200, "{}", labels.text);
    let labels = labels.json();
    let words: Vec<&str> =
        labels.as_array().expect("list").iter().filter_map(|one| one["label"].as_str()).collect();
    let (ours, nobodys) = ("true_positive", "false_positive");
    assert_eq!(words, [ours, ours, ours, nobodys, nobodys]);
    assert_eq!(
        (&labels[0]["token_raw"], &labels[0]["token_type"]),
        (&json!(own), &json!("tokenward"))
    );
    for token in [access, refresh, &own] {
        assert!(!is_active(&harness, token).await, "{token}");
    }
    let letters = harness.letters(3).await;
    assert!(letters[0].text.contains("The personal token “ci” of alice"), "{}", letters[0].text);
    assert!(letters[1].text.contains("A refresh token of alice"), "{}", letters[1].text);
    let event = harness.events.last("leak_report");
    assert_eq!(event["source"], "github:content");
    assert!(event["url_hash"].as_str().is_some_and(|hash| hash.len() == 32));
    assert_eq!(event["ip"], Value::Null, "who reports has leaked nothing");
    assert!(!harness.events.all().contains("example.com/a"));
    let audit = harness.store.audit(None, 10).await.expect("audit");
    assert_eq!(audit.len(), 3);
    assert_eq!((&*audit[0].entry.actor, &*audit[0].entry.action), ("leak:github", "leak.revoke"));

    // The same report again: the same answer, and nothing more in the log of restrictions.
    let seq = harness.store.index().last_seq();
    let again = reporter.report(&harness, &json!([one(&own)])).await;
    assert_eq!(again.json()[0]["label"], ours);
    assert_eq!(harness.store.index().last_seq(), seq);
}

#[tokio::test]
async fn a_leaked_secret_stops_its_client() {
    let (harness, reporter) = house().await;
    let secret = harness.confidential.secret.as_deref().expect("secret");
    let known = harness.store.client(&"conf".into()).await.expect("store").expect("client");
    let generated = token::opaque::Family::ClientSecret.generate(&token::random::OsRandom::new());
    let hash = token::opaque::OpaqueHash::of(generated.expose());
    let client = store::Client { id: "leaky".into(), secret_hash: Some(hash), ..(*known).clone() };
    harness.store.create_client(&client).await.expect("client");
    let labels = reporter.report(&harness, &json!([one(generated.expose()), one(secret)])).await;
    assert_eq!(labels.json()[0]["label"], "true_positive");
    let leaky = super::support::TestClient::named("leaky", generated.expose());
    let refused = harness.post("/introspect", &leaky, &[("token", "x")]).await;
    assert_eq!(refused.status, 401, "{}", refused.text);
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let (harness, reporter) = house().await;
    let own = personal(&harness).await;
    let body = json!([one(&own)]);
    let text = body.to_string();
    let signed = reporter.0.sign(&SystemRandom::new(), text.as_bytes()).expect("signature");
    let good = STANDARD.encode(signed.as_ref());
    let stranger = Reporter::new();
    let refused = stranger.report(&harness, &body).await;
    refused.assert_refused(401, "invalid_client");
    send(&harness, "k2", &good, text.clone()).await.assert_refused(401, "invalid_client");
    send(&harness, "k1", &good, format!("{text} ")).await.assert_refused(401, "invalid_client");
    send(&harness, "k1", "no base64", text.clone()).await.assert_refused(401, "invalid_client");
    let bare = Request::post("/leaks/github").header("content-type", "application/json");
    let bare = harness.send(bare.body(Body::from(text)).expect("request")).await;
    bare.assert_refused(400, "invalid_request");
    reporter
        .report(&harness, &json!({ "token": own }))
        .await
        .assert_refused(400, "invalid_request");
    assert!(is_active(&harness, &own).await);

    let closed = Harness::new().await;
    reporter.report(&closed, &body).await.assert_refused(404, "invalid_request");
}

#[test]
fn a_file_without_good_keys_is_refused() {
    let keys = |text: &str| LeakKeys::from_json(text.as_bytes());
    assert!(matches!(keys("[]"), Err(BadLeakKeys::Form(_))));
    assert_eq!(keys(r#"{"public_keys":[]}"#), Err(BadLeakKeys::None));
    let odd = r#"{"public_keys":[{"key_identifier":"k","key":"MFkw"}]}"#;
    assert_eq!(keys(odd), Err(BadLeakKeys::Key("k".to_owned())));
}
