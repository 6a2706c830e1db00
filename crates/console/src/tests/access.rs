//! Every operation × every credential → status.

use axum::body::Body;
use http::Request;
use serde_json::json;
use store::Honeytoken;
use token::id::TokenId;
use token::time::Timestamp;

use super::support::{API, Harness, ISSUER};
use crate::operation;

/// A path of this template that fits nothing.
fn sample(template: &str) -> String {
    template.replace("{seq}", "987654").replace(['{', '}'], "")
}

#[tokio::test]
async fn without_a_good_token_nothing_answers() {
    let harness = Harness::new().await;
    let revoked = harness.token("tokenward:admin", ISSUER);
    let body = json!({ "selector": { "kind": "token", "value": jti(&revoked) },
        "effect": "revoke", "reason": "test" });
    harness.call("POST", "/restrictions", Some(body)).await.expect(201);
    let bait = harness.token("tokenward:admin", ISSUER);
    let honeytoken = Honeytoken {
        token: TokenId::from(jti(&bait)),
        label: "test".to_owned(),
        created_by: "test".to_owned(),
        created_at: Timestamp::default(),
        expires_at: Timestamp::default(),
    };
    harness.store().add_honeytoken(&honeytoken).await.expect("honeytoken");
    let credentials = [
        (None, 401, "no_token"),
        (Some("garbage".to_owned()), 401, "malformed"),
        (Some(harness.token("tokenward:admin", API)), 401, "wrong_audience"),
        (Some(revoked), 401, "revoked"),
        (Some(bait), 401, "honeytoken"),
        (Some(harness.token("tokenward:register", ISSUER)), 403, "insufficient_scope"),
        (Some(harness.token("orders:read", ISSUER)), 403, "insufficient_scope"),
    ];
    for (method, template) in operation::ALL {
        for (token, status, reason) in &credentials {
            harness.requests();
            let path = sample(template);
            let method = method.to_uppercase();
            let answer = harness.send_as(token.as_deref(), &method, &path, None).await;
            answer.problem(*status);
            let challenge = answer.headers.get("www-authenticate").expect("challenge");
            assert!(challenge.to_str().is_ok_and(|text| text.starts_with("Bearer")));
            let route = Some(format!("/api/v1{template}"));
            let seen = harness.requests();
            assert_eq!(seen, [(*status, Some((*reason).to_owned()), route)], "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_reader_reads_everything_and_changes_nothing() {
    let harness = Harness::new().await;
    let reader = harness.token("tokenward:read", ISSUER);
    for (method, template) in operation::ALL {
        let path = sample(template);
        let answer = harness.send_as(Some(&reader), &method.to_uppercase(), &path, None).await;
        if *method == "get" {
            assert!(matches!(answer.status, 200 | 404), "{path}: {}", answer.text);
        } else {
            assert!(answer.problem(403).contains("tokenward:admin"));
        }
    }
    assert!(harness.actions().await.is_empty());
}

#[tokio::test]
async fn an_administrator_reaches_every_operation() {
    let harness = Harness::new().await;
    for (method, template) in operation::ALL {
        let path = sample(template);
        let answer = harness.call(&method.to_uppercase(), &path, None).await;
        // Nothing of these names exists, and no body was sent.
        assert!(matches!(answer.status, 200 | 404 | 415), "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_token_comes_once_and_in_the_header() {
    let harness = Harness::new().await;
    let admin = harness.admin.clone();
    let request = |headers: &[&str], query: &str| {
        let mut request = Request::get(format!("/api/v1/health{query}"));
        for value in headers {
            request = request.header("authorization", *value);
        }
        harness.send(request.body(Body::empty()).expect("request"))
    };
    let good = format!("Bearer {admin}");
    assert_eq!(request(&[&good], "").await.status, 200);
    request(&[&good, &good], "").await.problem(400);
    request(&[], &format!("?access_token={admin}")).await.problem(400);
    request(&["Basic dGVzdDp0ZXN0"], "").await.problem(400);
    request(&["Bearer"], "").await.problem(400);
}

#[tokio::test]
async fn a_blocked_network_can_still_be_unblocked() {
    let harness = Harness::new().await;
    let body = json!({ "selector": { "kind": "network", "value": "192.0.2.7" },
        "effect": "suspend", "reason": "a mistake" });
    let made = harness.call("POST", "/restrictions", Some(body)).await.expect(201);
    let path = format!("/restrictions/{}", made["seq"]);
    harness.call("DELETE", &path, None).await.expect(204);
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_not_there() {
    let harness = Harness::new().await;
    harness.call("GET", "/nothing", None).await.problem(404);
    harness.call("PUT", "/clients", None).await.problem(405);
    harness.send_as(None, "GET", "/nothing", None).await.problem(401);
    for (method, path, status) in
        [("GET", "/", 404), ("GET", "/api", 404), ("POST", "/api/openapi.json", 405)]
    {
        let request = Request::builder().method(method).uri(path).body(Body::empty());
        harness.send(request.expect("request")).await.problem(status);
    }
}

/// The name of a token, which tests may read without checking it.
fn jti(token: &str) -> String {
    let payload = token.split('.').nth(1).expect("payload");
    let bytes = token::base64url::decode(payload).expect("base64url");
    let claims: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    claims["jti"].as_str().expect("jti").to_owned()
}
