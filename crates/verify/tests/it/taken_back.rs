//! Tokens that were taken back: by the restriction log, and by a status list.

use std::time::Duration;

use serde_json::{Value, json};
use token::jws;
use token::status_list::{Status, StatusList};
use token::time::Timestamp;

use crate::support::{Issuer, PATIENCE, Service, now};

fn row(seq: u64, kind: &str, value: &str, effect: &str) -> Value {
    let from = Timestamp::from_secs(now() + 5);
    json!({
        "seq": seq, "effect": effect, "from": from, "selector": { "kind": kind, "value": value },
    })
}

#[tokio::test]
async fn what_is_in_the_log_is_refused_and_what_is_lifted_is_not() {
    let issuer = Issuer::start().await;
    issuer.write(row(1, "subject", "u-0", "revoke"));
    let verifier = issuer.verifier().subscribe("checker", "secret").build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let token = issuer.token();
    assert_eq!(service.get(&token).await.status, 200);
    assert_eq!(service.get(&issuer.token_with("sub", json!("u-0"))).await.status, 401);

    issuer.write(row(2, "client", "c-1", "suspend"));
    assert!(service.comes_to(&token, 401).await);
    assert_eq!(service.get(&token).await.error(), "401 invalid_token");
    issuer.write(json!(2));
    assert!(service.comes_to(&token, 200).await);
    issuer.write(row(4, "token", "t-1", "revoke"));
    assert!(service.comes_to(&token, 401).await);
    assert_eq!(service.get(&issuer.token_with("jti", json!("t-2"))).await.status, 200);
}

#[tokio::test]
async fn a_log_that_is_silent_for_too_long_lets_nobody_through() {
    let issuer = Issuer::start().await;
    let silence = Duration::from_millis(1500);
    let build = |most| {
        let builder = issuer.verifier().subscribe("checker", "secret").most_silence(most);
        builder.build().expect("verifier")
    };
    let (careful, patient) = (build(Some(silence)), build(None));
    for verifier in [&careful, &patient] {
        verifier.ready(PATIENCE).await.expect("ready");
    }
    let (guarded, open) = (Service::start(&careful).await, Service::start(&patient).await);
    let token = issuer.token();
    assert_eq!(guarded.get(&token).await.status, 200);
    issuer.is_down(true);
    assert!(guarded.comes_to(&token, 503).await);
    assert_eq!(open.get(&token).await.status, 200);
    issuer.is_down(false);
    assert!(guarded.comes_to(&token, 200).await);
}

#[tokio::test]
async fn without_the_right_to_the_log_the_verifier_is_never_ready() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().subscribe("checker", "wrong").build().expect("verifier");
    let not_ready = verifier.ready(Duration::from_millis(500)).await.expect_err("refused");
    assert!(not_ready.to_string().contains("taken back"), "{not_ready}");
    let service = Service::start(&verifier).await;
    assert_eq!(service.get(&issuer.token()).await.status, 503);
}

fn sign_list(issuer: &Issuer, list: &StatusList, name: &str, value: Value) {
    let mut claims = json!({
        "sub": format!("{}/status", issuer.url), "iat": now(), "exp": now() + 600, "ttl": 1,
        "status_list": list.pack(),
    });
    claims[name] = value;
    let token = jws::sign(&issuer.key(), "statuslist+jwt", claims.to_string().as_bytes());
    *issuer.state.status_list.lock().expect("list") = token.expect("token");
}

#[tokio::test]
async fn a_status_list_is_asked() {
    let issuer = Issuer::start().await;
    let mut list = StatusList::new(2, 100).expect("list");
    list.set(7, Status::Invalid);
    list.set(8, Status::Suspended);
    sign_list(&issuer, &list, "unused", json!(1));
    let verifier = issuer.verifier().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let uri = format!("{}/status", issuer.url);
    let at = |idx: u64| {
        issuer.token_with("status", json!({ "status_list": { "idx": idx, "uri": uri } }))
    };
    for (idx, status) in [(6, 200), (7, 401), (8, 401), (99, 200), (100, 401), (1 << 60, 401)] {
        assert_eq!(service.get(&at(idx)).await.status, status, "{idx}");
    }
    // Revoked meanwhile: known when the list's time is over.
    list.set(6, Status::Invalid);
    sign_list(&issuer, &list, "unused", json!(1));
    assert!(service.comes_to(&at(6), 401).await);
    // The last good list is used while the issuer is down.
    issuer.is_down(true);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(service.get(&at(5)).await.status, 200);
    assert_eq!(service.get(&at(6)).await.status, 401);
}

#[tokio::test]
async fn a_list_that_is_not_the_issuers_own_is_no_list() {
    let issuer = Issuer::start().await;
    let list = StatusList::new(1, 100).expect("list");
    let verifier = issuer.verifier().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let token =
        |uri: &str| issuer.token_with("status", json!({ "status_list": { "idx": 1, "uri": uri } }));
    let own = token(&format!("{}/status", issuer.url));
    for (name, value) in [
        ("sub", json!("https://other.example/status")),
        ("exp", json!(now() - 1)),
        ("iss", json!("https://other.example")),
        ("status_list", json!({ "bits": 3, "lst": "AA" })),
    ] {
        sign_list(&issuer, &list, name, value);
        assert_eq!(service.get(&own).await.status, 503, "{name}");
    }
    for uri in ["", "nonsense", "https://10.0.0.1/status", "http://127.0.0.1:9/status"] {
        assert_eq!(service.get(&token(uri)).await.status, 503, "{uri}");
    }
    sign_list(&issuer, &list, "unused", json!(1));
    assert_eq!(service.get(&own).await.status, 200);
}
