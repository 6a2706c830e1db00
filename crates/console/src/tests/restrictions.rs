//! The restriction log over HTTP.

use serde_json::{Value, json};

use super::support::Harness;

fn body(selector: Value, effect: &str) -> Value {
    json!({ "selector": selector, "effect": effect, "reason": "test" })
}

#[tokio::test]
async fn every_selector_can_be_suspended_and_lifted() {
    let harness = Harness::new().await;
    for kind in ["client", "grant", "key", "session", "subject", "token"] {
        let selector = json!({ "kind": kind, "value": "some-name" });
        let made = harness.call("POST", "/restrictions", Some(body(selector.clone(), "suspend")));
        let made = made.await.expect(201);
        assert_eq!((&made["selector"], &made["actor"]), (&selector, &json!("admin:operator")));
        let path = format!("/restrictions/{}", made["seq"]);
        harness.call("DELETE", &path, None).await.expect(204);
        assert!(harness.call("DELETE", &path, None).await.problem(409).contains("lifted"));
    }
    let network = json!({ "kind": "network", "value": "198.51.100.77/24" });
    let made = harness.call("POST", "/restrictions", Some(body(network, "suspend"))).await;
    assert_eq!(made.expect(201)["selector"]["value"], "198.51.100.0/24");
    let in_force = harness.call("GET", "/restrictions?in_force=true", None).await.expect(200);
    assert_eq!(in_force["items"].as_array().map(Vec::len), Some(1));
    let all = harness.call("GET", "/restrictions", None).await.expect(200);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(7));
    assert_eq!(all["items"][1]["lifted_by"], "admin:operator");
}

#[tokio::test]
async fn a_token_can_be_good_for_less() {
    let harness = Harness::new().await;
    let selector = json!({ "kind": "subject", "value": "someone" });
    for effect in [
        "drop_scopes:orders:admin orders:write",
        "require:step_up",
        "require:dpop",
        "require:mtls",
        "limit:10/m",
        "networks:192.0.2.0/24,2001:db8::/32",
        "countries:NO,SE",
        "not_asns:64496,0",
    ] {
        let made = harness.call("POST", "/restrictions", Some(body(selector.clone(), effect)));
        let made = made.await.expect(201);
        assert_eq!(made["effect"], effect);
        harness.call("DELETE", &format!("/restrictions/{}", made["seq"]), None).await.expect(204);
    }
    let network = json!({ "kind": "network", "value": "192.0.2.0/24" });
    let refused = harness.call("POST", "/restrictions", Some(body(network, "limit:10/m"))).await;
    assert!(refused.problem(400).contains("a network takes `suspend` or `revoke`"));
    let refused = harness.call("POST", "/restrictions", Some(body(selector, "limit:fast"))).await;
    assert!(refused.problem(400).contains("`fast` is not a number of requests and a time"));
}

#[tokio::test]
async fn a_revocation_is_final() {
    let harness = Harness::new().await;
    let selector = json!({ "kind": "subject", "value": "someone" });
    let made = harness.call("POST", "/restrictions", Some(body(selector, "revoke"))).await;
    let path = format!("/restrictions/{}", made.expect(201)["seq"]);
    assert!(harness.call("DELETE", &path, None).await.problem(409).contains("final"));
    harness.call("DELETE", "/restrictions/4711", None).await.problem(404);
    harness.call("DELETE", "/restrictions/x", None).await.problem(400);
    harness.call("DELETE", "/restrictions/-1", None).await.problem(400);
}

#[tokio::test]
async fn the_whole_issuer_can_be_suspended_and_the_administrator_with_it() {
    let harness = Harness::new().await;
    let made =
        harness.call("POST", "/restrictions", Some(body(json!({ "kind": "issuer" }), "revoke")));
    made.await.expect(201);
    harness.call("GET", "/health", None).await.problem(401);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_words() {
    let harness = Harness::new().await;
    let cases = [
        (body(json!({ "kind": "planet", "value": "x" }), "suspend"), "planet"),
        (body(json!({ "kind": "token" }), "suspend"), "selector.value"),
        (body(json!({ "kind": "token", "value": "" }), "suspend"), "selector.value"),
        (body(json!({ "kind": "token", "value": "x".repeat(257) }), "suspend"), "selector.value"),
        (body(json!({ "kind": "issuer", "value": "x" }), "suspend"), "issuer"),
        (body(json!({ "kind": "network", "value": "300.1.1.1" }), "suspend"), "network"),
        (body(json!({ "kind": "token", "value": "x" }), "delete"), "delete"),
        (json!({ "selector": { "kind": "token", "value": "x" }, "effect": "suspend" }), "reason"),
        (
            json!({ "selector": { "kind": "token", "value": "x" }, "effect": "suspend", "reason": " " }),
            "reason",
        ),
        (
            json!({ "selector": { "kind": "token", "value": "x" }, "effect": "suspend", "reason": "r",
            "until": "2020-01-01T00:00:00Z" }),
            "until",
        ),
        (
            json!({ "selector": { "kind": "token", "value": "x" }, "effect": "suspend", "reason": "r",
            "until": "tomorrow" }),
            "tomorrow",
        ),
        (
            json!({ "selector": { "kind": "token", "value": "x" }, "effect": "revoke", "reason": "r",
            "until": "2090-01-01T00:00:00Z" }),
            "final",
        ),
    ];
    for (body, word) in cases {
        let detail = harness.call("POST", "/restrictions", Some(body.clone())).await.problem(400);
        assert!(detail.contains(word), "{body}: {detail}");
    }
    assert!(harness.actions().await.is_empty());
    assert_eq!(harness.store().index().len(), 0);
}

#[tokio::test]
async fn a_token_shows_what_refuses_it() {
    let harness = Harness::new().await;
    let made =
        harness.call("POST", "/honeytokens", Some(json!({ "label": "wiki" }))).await.expect(201);
    let path = format!("/tokens/{}", made["jti"].as_str().expect("jti"));
    let mut shown = harness.call("GET", &path, None).await;
    // The record is written behind the answer.
    for _ in 0..200 {
        if shown.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        shown = harness.call("GET", &path, None).await;
    }
    let shown = shown.expect(200);
    assert_eq!((&shown["honeytoken"], &shown["restriction"]), (&json!(true), &json!(null)));
    let selector = json!({ "kind": "client", "value": shown["client_id"] });
    harness.call("POST", "/restrictions", Some(body(selector, "suspend"))).await.expect(201);
    let shown = harness.call("GET", &path, None).await.expect(200);
    assert_eq!(shown["restriction"]["effect"], "suspend");
    harness.call("GET", "/tokens/unknown", None).await.problem(404);
    let listed = harness.call("GET", "/honeytokens", None).await.expect(200);
    assert_eq!(listed["items"][0]["label"], "wiki");
    assert!(listed["items"][0].get("token").is_none());
    for label in ["", " ", &"x".repeat(201)] {
        harness.call("POST", "/honeytokens", Some(json!({ "label": label }))).await.problem(400);
    }
}
