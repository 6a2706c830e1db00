//! Clients over HTTP.

use serde_json::json;

use super::support::Harness;

#[tokio::test]
async fn a_client_lives() {
    let harness = Harness::new().await;
    let body = json!({ "client_name": "Orders", "scope": "orders:read orders:write" });
    let made = harness.call("POST", "/clients", Some(body)).await.expect(201);
    assert_eq!(made["grant_types"], json!(["client_credentials"]));
    assert_eq!(made["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(made["default_scope"], "orders:read orders:write");
    assert_eq!(made["created_by"], "admin:operator");
    let secret = made["client_secret"].as_str().expect("secret").to_owned();
    let path = format!("/clients/{}", made["client_id"].as_str().expect("id"));
    let shown = harness.call("GET", &path, None).await;
    assert!(!shown.text.contains(&secret) && !shown.text.contains("client_secret\""));
    let change = json!({ "scope": "orders:read", "client_name": "Reader" });
    let changed = harness.call("PATCH", &path, Some(change)).await.expect(200);
    assert_eq!(
        (&changed["scope"], &changed["default_scope"]),
        (&json!("orders:read"), &json!("orders:read"))
    );
    let newer = harness.call("POST", &format!("{path}/secret"), None).await.expect(200);
    assert_ne!(newer["client_secret"], json!(secret));
    let disabled = harness.call("PATCH", &path, Some(json!({ "disabled": true }))).await;
    assert_eq!(disabled.expect(200)["disabled"], true);
    let revoked = harness.call("GET", "/restrictions", None).await.expect(200);
    assert_eq!(revoked["items"][0]["selector"]["kind"], "client", "{revoked}");
    assert_eq!(revoked["items"][0]["effect"], "revoke");
    harness.call("DELETE", &path, None).await.expect(204);
    harness.call("DELETE", &path, None).await.problem(404);
    harness.call("GET", &path, None).await.problem(404);
    let actions = harness.actions().await;
    let expected =
        ["client.create", "client.update", "client.secret", "client.disable", "client.delete"];
    assert_eq!(actions, expected);
}

#[tokio::test]
async fn a_wrong_member_is_named() {
    let harness = Harness::new().await;
    let cases = [
        (json!({}), "client_name"),
        (json!({ "client_name": "" }), "client_name"),
        (json!({ "client_name": "a", "colour": 1 }), "colour"),
        (json!({ "client_name": "a", "scope": "nobody:knows" }), "nobody:knows"),
        (json!({ "client_name": "a", "grant_types": ["password"] }), "password"),
        (json!({ "client_name": "a", "grant_types": ["authorization_code"] }), "redirect_uris"),
        (json!({ "client_name": "a", "redirect_uris": ["javascript:x"] }), "redirect_uris"),
        (json!({ "client_name": "a", "token_endpoint_auth_method": "none" }), "public"),
        (
            json!({ "client_name": "a", "scope": "orders:read", "default_scope": "orders:write" }),
            "orders:write",
        ),
        (
            json!({ "client_name": "a", "exchange_audiences": ["https://elsewhere.example"] }),
            "exchange_audiences",
        ),
        (json!({ "client_name": "a", "may_act": [""] }), "may_act"),
        (json!({ "client_name": "a", "may_act": "b" }), "may_act"),
    ];
    for (body, word) in cases {
        let answer = harness.call("POST", "/clients", Some(body.clone())).await;
        let detail = answer.problem(400);
        assert!(detail.contains(word), "{body}: {detail}");
    }
    assert!(harness.actions().await.is_empty());
}

#[tokio::test]
async fn delegation_is_said_by_an_administrator() {
    let harness = Harness::new().await;
    let body = json!({ "client_name": "Shop", "may_act": ["orders", "invoices"] });
    let made = harness.call("POST", "/clients", Some(body)).await.expect(201);
    assert_eq!(made["may_act"], json!(["orders", "invoices"]));
    let path = format!("/clients/{}", made["client_id"].as_str().expect("id"));
    let change = json!({ "may_act": null });
    let changed = harness.call("PATCH", &path, Some(change)).await.expect(200);
    assert!(changed.get("may_act").is_none(), "{changed}");
}

#[tokio::test]
async fn a_public_client_has_no_secret() {
    let harness = Harness::new().await;
    let body = json!({ "client_name": "App", "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"], "redirect_uris": ["http://127.0.0.1/cb"] });
    let made = harness.call("POST", "/clients", Some(body)).await.expect(201);
    assert!(made.get("client_secret").is_none(), "{made}");
    let path = format!("/clients/{}/secret", made["client_id"].as_str().expect("id"));
    harness.call("POST", &path, None).await.problem(409);
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let harness = Harness::new().await;
    for number in 0..5 {
        let body = json!({ "client_name": format!("client {number}") });
        harness.call("POST", "/clients", Some(body)).await.expect(201);
    }
    let (mut seen, mut path) = (Vec::new(), "/clients?limit=2".to_owned());
    for _ in 0..5 {
        let page = harness.call("GET", &path, None).await.expect(200);
        let items = page["items"].as_array().expect("items");
        seen.extend(items.iter().map(|item| item["client_id"].as_str().expect("id").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/clients?limit=2&after={next}");
    }
    let mut unique = seen.clone();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (5, 5));
    for query in ["limit=0", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "colour=red"] {
        harness.call("GET", &format!("/clients?{query}"), None).await.problem(400);
    }
}
