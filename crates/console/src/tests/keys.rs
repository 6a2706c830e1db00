//! Signing keys over HTTP, and the log of changes.

use serde_json::json;

use super::support::Harness;

#[tokio::test]
async fn a_scheduled_key_waits_and_one_at_once_signs() {
    let harness = Harness::new().await;
    let pending = harness.call("POST", "/keys/rotate", Some(json!({}))).await.expect(200);
    assert_eq!((&pending["state"], &pending["alg"]), (&json!("pending"), &json!("ES256")));
    let active = harness.call("POST", "/keys/rotate", Some(json!({ "at_once": true }))).await;
    assert_eq!(active.expect(200)["state"], "active");
    let keys = harness.call("GET", "/keys", None).await;
    assert!(!keys.text.contains("\"d\"") && !keys.text.contains("pkcs8"));
    let keys = keys.expect(200);
    let count = |state: &str| {
        let items = keys["items"].as_array().expect("items");
        items.iter().filter(|key| key["state"] == state).count()
    };
    assert_eq!((count("active"), count("retiring"), count("gone")), (1, 1, 1), "{keys}");
    harness.call("POST", "/keys/rotate", Some(json!({ "now": true }))).await.problem(400);
    let page = harness.call("GET", "/keys?limit=1", None).await.expect(200);
    let next = format!("/keys?after={}", page["next"].as_str().expect("next"));
    let rest = harness.call("GET", &next, None).await.expect(200);
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(harness.actions().await, ["key.rotate", "key.rotate"]);
}

#[tokio::test]
async fn a_key_that_others_know_is_gone_at_once() {
    let harness = Harness::new().await;
    let old = harness.call("GET", "/keys", None).await.expect(200)["items"][0]["kid"].clone();
    let new = harness.call("POST", "/keys/rotate", Some(json!({ "compromised": true }))).await;
    let new = new.expect(200);
    assert_eq!(new["state"], "active");
    assert!(new["safe_at"].is_string(), "{new}");
    let jwks = harness.authority.keys().jwks();
    let jwks: serde_json::Value = serde_json::from_slice(&jwks).expect("JWKS");
    let names: Vec<_> = jwks["keys"].as_array().expect("keys").iter().map(|k| &k["kid"]).collect();
    assert!(names.contains(&&new["kid"]) && !names.contains(&&old), "{names:?}");
    // What the old key signed is believed by nobody, the administrator's token included.
    harness.call("GET", "/keys", None).await.problem(401);
}

#[tokio::test]
async fn the_audit_log_says_who_from_where() {
    let harness = Harness::new().await;
    harness.call("POST", "/keys/rotate", Some(json!({}))).await.expect(200);
    harness.call("POST", "/honeytokens", Some(json!({ "label": "x" }))).await.expect(201);
    let log = harness.call("GET", "/audit", None).await.expect(200);
    let newest = &log["items"][0];
    assert_eq!(
        (&newest["action"], &newest["ip"]),
        (&json!("honeytoken.create"), &json!("192.0.2.7"))
    );
    assert_eq!(newest["actor"], "admin:operator");
    let path = format!("/audit?before={}", newest["seq"]);
    let older = harness.call("GET", &path, None).await.expect(200);
    assert_eq!(older["items"].as_array().map(Vec::len), Some(1));
    harness.call("GET", "/audit?before=x", None).await.problem(400);
}

#[tokio::test]
async fn health_says_how_the_store_is() {
    let harness = Harness::new().await;
    let health = harness.call("GET", "/health", None).await.expect(200);
    assert_eq!(
        (&health["healthy"], &health["store"]["writer_alive"]),
        (&json!(true), &json!(true))
    );
}
