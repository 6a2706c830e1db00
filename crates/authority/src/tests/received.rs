//! Security events of others: followed once, from those who may, about those of whom they may speak.

use std::sync::Arc;
use std::task::Poll;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use store::{Filter, RestrictionRow, User};
use token::jws;
use token::key::{KeySet, PrivateKey};
use token::restriction::Effect;
use token::secret::Secret;
use token::term::Algorithm;

use super::support::{Answer, Harness, ISSUER, settings};
use crate::Settings;
use crate::foreign::KeySource;
use crate::signals::event::{EventType, VERIFICATION};
use crate::signals::received::Transmitter;

const SENDER: &str = "https://idp.example";
const TOKEN: &str = "let-me-in";

struct House {
    harness: Harness,
    key: PrivateKey,
}

impl House {
    async fn new() -> Self {
        let key = PrivateKey::generate(Algorithm::Es256).expect("key");
        let transmitter = |name: &str, issuer: &str, token: &str| Transmitter {
            name: name.to_owned(),
            source: source(issuer, &key),
            audience: None,
            fetched_at: None,
            token: Secret::new(token),
            email_domains: vec!["example.com".to_owned()],
        };
        let transmitters =
            vec![transmitter("idp", SENDER, TOKEN), transmitter("other", "https://b.example", "b")];
        let harness = Harness::with(Settings { transmitters, ..settings() }).await;
        let user = User {
            email: Some("alice@example.com".to_owned()),
            email_verified: true,
            ..harness.user.clone()
        };
        harness.store.update_user(&user).await.expect("user");
        Self { harness, key }
    }

    fn event(&self, jti: &str, kind: EventType) -> Value {
        json!({
            "iss": SENDER, "aud": ISSUER, "jti": jti, "iat": self.harness.now().as_secs(),
            "sub_id": { "format": "iss_sub", "iss": ISSUER, "sub": "alice-id" },
            "events": { kind.uri(): {} },
        })
    }

    async fn push(&self, claims: &Value) -> Answer {
        self.push_as(TOKEN, &sign(&self.key, "secevent+jwt", claims)).await
    }

    async fn push_as(&self, token: &str, text: &str) -> Answer {
        let request = Request::post("/ssf/events")
            .header("content-type", "application/secevent+jwt")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(text.to_owned()));
        self.harness.send(request.expect("request")).await
    }

    async fn held(&self) -> Vec<RestrictionRow> {
        let filter = Filter { in_force_at: Some(self.harness.now()), before: None, limit: 100 };
        self.harness.store.restrictions(filter).await.expect("restrictions")
    }
}

fn source(issuer: &str, key: &PrivateKey) -> KeySource {
    let keys = json!({ "keys": [key.public().jwk()] }).to_string();
    let keys = Some(Arc::new(KeySet::from_jwks(keys.as_bytes()).expect("keys")));
    KeySource { issuer: issuer.to_owned(), jwks_uri: None, keys }
}

fn sign(key: &PrivateKey, typ: &str, claims: &Value) -> String {
    jws::sign(key, typ, claims.to_string().as_bytes()).expect("token")
}

#[tokio::test]
async fn a_sign_in_that_ended_elsewhere_ends_here_once() {
    let house = House::new().await;
    let harness = &house.harness;
    let tokens = harness.signed_in(&harness.confidential, "orders:read").await;
    let access = tokens["access_token"].as_str().expect("token");
    let event = house.event("e1", EventType::SessionRevoked);
    let answer = house.push(&event).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    let form = [("token", access)];
    let asked = harness.post("/introspect", &harness.confidential, &form).await;
    assert_eq!(asked.json()["active"], false);
    let held = house.held().await;
    assert_eq!(held.len(), 1);
    let row = &held[0].restriction;
    assert_eq!((row.actor.as_str(), &row.effect), ("transmitter:idp", &Effect::Revoke));
    assert_eq!(row.reason, "session_revoked at https://idp.example");
    let audit = harness.store.audit(None, 1).await.expect("audit");
    assert_eq!(audit[0].entry.action, "signal.session_revoked");
    // Sent again, now or after a restart, it is taken and does nothing.
    assert_eq!(house.push(&event).await.status, 202);
    let house = House { harness: house.harness.restart().await, key: house.key };
    assert_eq!(house.push(&event).await.status, 202);
    assert_eq!(house.held().await.len(), 1);
}

/// Whoever pushes an event again while it is being followed is not told that it was taken.
#[tokio::test]
async fn an_event_is_acknowledged_only_when_it_was_followed() {
    let house = House::new().await;
    house.harness.signed_in(&house.harness.confidential, "orders:read").await;
    let event = house.event("e1", EventType::SessionRevoked);
    let mut first = Box::pin(house.push(&event));
    // It waits for the disk now, and may still fail.
    assert!(
        std::future::poll_fn(|context| Poll::Ready(first.as_mut().poll(context)))
            .await
            .is_pending()
    );
    let again = house.push(&event).await;
    assert_eq!((again.status, &again.json()["err"]), (503, &json!("unavailable")));
    // Its sender goes away in the middle: what was begun may not be all of it.
    drop(first);
    assert_eq!(house.push(&event).await.status, 202);
    let audit = house.harness.store.audit(None, 1).await.expect("audit");
    assert_eq!(audit[0].entry.action, "signal.session_revoked");
    assert!(!house.held().await.is_empty());
}

#[tokio::test]
async fn an_account_is_suspended_until_its_sender_or_somebody_lifts_that() {
    let house = House::new().await;
    let mut event = house.event("e1", EventType::AccountDisabled);
    event["sub_id"] = json!({
        "format": "complex",
        "user": { "format": "email", "email": "Alice@Example.com" },
    });
    assert_eq!(house.push(&event).await.status, 202);
    let suspended = |held: &[RestrictionRow]| {
        held.iter().filter(|row| row.restriction.effect == Effect::Suspend).count()
    };
    assert_eq!(suspended(&house.held().await), 1);
    // Another one has nothing to lift.
    let mut enabled = house.event("e2", EventType::AccountEnabled);
    enabled["iss"] = json!("https://b.example");
    let text = sign(&house.key, "secevent+jwt", &enabled);
    assert_eq!(house.push_as("b", &text).await.status, 202);
    assert_eq!(suspended(&house.held().await), 1);
    assert_eq!(house.push(&house.event("e3", EventType::AccountEnabled)).await.status, 202);
    assert_eq!(suspended(&house.held().await), 0);
}

#[tokio::test]
async fn of_others_nobody_may_speak() {
    let house = House::new().await;
    let bob = User {
        id: "bob-id".into(),
        username: "bob".to_owned(),
        email: Some("bob@example.com".to_owned()),
        email_verified: false,
        ..house.harness.user.clone()
    };
    house.harness.store.create_user(&bob).await.expect("user");
    for (number, sub_id) in [
        json!({ "format": "iss_sub", "iss": SENDER, "sub": "alice-id" }),
        json!({ "format": "iss_sub", "iss": ISSUER, "sub": "nobody" }),
        json!({ "format": "opaque", "id": "alice-id" }),
        json!({ "format": "email", "email": "bob@example.com" }),
        json!({ "format": "email", "email": "alice@elsewhere.example" }),
        json!({ "format": "complex", "session": { "format": "opaque", "id": "session-1" } }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut event = house.event(&format!("e{number}"), EventType::SessionRevoked);
        event["sub_id"] = sub_id;
        // Whoever asks is not told who is here.
        assert_eq!(house.push(&event).await.status, 202, "{event}");
    }
    let mut event = house.event("v", EventType::SessionRevoked);
    event["events"] = json!({ VERIFICATION: { "state": "x" } });
    assert_eq!(house.push(&event).await.status, 202);
    assert!(house.held().await.is_empty());
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_its_code() {
    let house = House::new().await;
    let other = PrivateKey::generate(Algorithm::Es256).expect("key");
    let good = house.event("e1", EventType::SessionRevoked);
    let with = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        sign(&house.key, "secevent+jwt", &event)
    };
    let without = |name: &str| {
        let mut event = good.clone();
        event.as_object_mut().expect("object").remove(name);
        sign(&house.key, "secevent+jwt", &event)
    };
    let now = house.harness.now().as_secs();
    let signed = sign(&house.key, "secevent+jwt", &good);
    let (_, rest) = signed.split_once('.').expect("JWS");
    let none = token::base64url::encode(r#"{"alg":"none","typ":"secevent+jwt"}"#);
    for (err, text) in [
        ("invalid_audience", with("aud", json!("https://else.example"))),
        ("invalid_issuer", with("iss", json!("https://b.example"))),
        ("invalid_key", sign(&other, "secevent+jwt", &good)),
        ("invalid_key", format!("{none}.{rest}")),
        ("invalid_request", sign(&house.key, "JWT", &good)),
        ("invalid_request", with("iat", json!(now - 26 * 3600))),
        ("invalid_request", with("iat", json!(now + 120))),
        ("invalid_request", with("exp", json!(now + 60))),
        ("invalid_request", with("sub", json!("alice-id"))),
        ("invalid_request", with("events", json!({}))),
        ("invalid_request", without("jti")),
        ("invalid_request", without("sub_id")),
        ("invalid_request", "no token".to_owned()),
    ] {
        let answer = house.push_as(TOKEN, &text).await;
        assert_eq!((answer.status, &answer.json()["err"]), (400, &json!(err)), "{}", answer.text);
        assert_eq!(answer.header("content-language"), "en");
    }
    for token in ["", "b2", "let-me-in-too"] {
        let answer = house.push_as(token, &signed).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"));
        assert_eq!(answer.json()["err"], "authentication_failed");
    }
    let another = house.push_as("b", &signed).await;
    assert_eq!(another.json()["err"], "invalid_issuer", "the token of another one");
    assert!(house.held().await.is_empty());
    assert_eq!(house.push_as(TOKEN, &signed).await.status, 202);
    assert_eq!(house.held().await.len(), 1);
}
