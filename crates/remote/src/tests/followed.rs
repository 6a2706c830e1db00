//! An issuer that is followed, and one that is asked.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::json;
use token::key::PrivateKey;
use token::secret::Secret;

use super::{Host, fetcher, json_response, key, quick};
use crate::FetchError;
use crate::followed::FollowedKeys;
use crate::introspection::Introspector;
use crate::keys::Prospect;

/// An issuer with metadata at its root.
fn issuer_of(host: &Host, keys: &[&Arc<PrivateKey>]) -> impl Fn(&Request) -> Response + use<> {
    let issuer = host.at("/").to_string();
    let keys: Vec<_> = keys.iter().map(|key| key.public().jwk().clone()).collect();
    move |request| match request.uri().path() {
        "/.well-known/openid-configuration" => {
            json_response(json!({ "issuer": issuer, "jwks_uri": format!("{issuer}keys") }))
        }
        "/keys" => {
            let mut all = json!([{ "kty": "oct", "k": "AAAA", "kid": "a" }]);
            all.as_array_mut().expect("list").extend(keys.iter().map(|key| json!(key)));
            json_response(json!({ "keys": all }))
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..200 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come to it");
}

#[tokio::test]
async fn an_issuer_is_followed_whatever_happens_to_it() {
    let (old, new) = (Arc::new(key()), Arc::new(key()));
    // Down, when we begin.
    let host = Host::start(|_| StatusCode::BAD_GATEWAY.into_response()).await;
    let keys = Arc::new(FollowedKeys::new(fetcher(), host.at("/").as_str(), None, quick()));
    let task = tokio::spawn(Arc::clone(&keys).follow());
    let has =
        |key: &PrivateKey| keys.keyring().current().key(key.public().kid().as_str()).is_some();
    until(|| keys.outcomes().failed > 0).await;
    assert!(keys.keyring().current().is_empty() && keys.age().is_none());
    assert_eq!(keys.prospect("k"), Prospect::NotNow, "it is not known where");
    assert!(!keys.look_for("k").await);
    host.now_answers(issuer_of(&host, &[&old]));
    until(|| has(&old)).await;
    assert!(keys.age().is_some_and(|age| age < Duration::from_secs(5)));
    assert!(keys.keyring().current().key("a").is_none(), "a shared secret is no public key");
    // Rotated: noticed without anybody's asking.
    host.now_answers(issuer_of(&host, &[&old, &new]));
    until(|| has(&new)).await;
    let failed = keys.outcomes().failed;
    host.now_answers(|_| "<html>maintenance</html>".into_response());
    until(|| keys.outcomes().failed > failed + 1).await;
    assert!(has(&old) && has(&new));
    drop(keys);
    tokio::time::timeout(Duration::from_secs(20), task).await.expect("ends").expect("task");
}

#[tokio::test]
async fn a_server_is_asked_about_a_token_by_who_may() {
    let host = Host::start(|request| {
        let basic = request.headers()["authorization"].to_str().expect("text").to_owned();
        match request.uri().path() {
            "/introspect" => json_response(json!({ "active": true, "who": basic })),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    })
    .await;
    let ask = async |path: &str| {
        let secret = Secret::new("s:1 &");
        let client = Introspector::new(fetcher(), host.at(path), "a b", &secret).expect("client");
        client.ask("token").await
    };
    let answer = ask("/introspect").await.expect("answer");
    let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    // `a+b:s%3A1+%26`: form-encoded before it is joined (RFC 6749 section 2.3.1).
    assert_eq!(answer["who"], "Basic YStiOnMlM0ExKyUyNg==");
    assert!(matches!(ask("/other").await, Err(FetchError::Status { .. })));
}
