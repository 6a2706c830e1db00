//! Personal tokens over HTTP: made, listed, rotated, narrowed, revoked, and every refusal.

use serde_json::{Value, json};
use token::personal::PersonalTokens as _;

use super::support::{API, Harness};

/// A harness with the person `alice`, by her id.
async fn house() -> (Harness, String) {
    let harness = Harness::new().await;
    let alice = harness.call("POST", "/users", Some(json!({ "username": "alice" }))).await;
    let id = alice.expect(201)["id"].as_str().expect("id").to_owned();
    (harness, id)
}

fn body(change: Value) -> Value {
    let mut body = json!({
        "username": "Alice", "name": "ci", "scope": "orders:read orders:write",
        "expires_in": 86400,
    });
    for (member, value) in change.as_object().expect("an object") {
        if value.is_null() {
            body.as_object_mut().expect("an object").remove(member);
        } else {
            body[member] = value.clone();
        }
    }
    body
}

async fn make(harness: &Harness, change: Value) -> Value {
    harness.call("POST", "/personal-tokens", Some(body(change))).await.expect(201)
}

#[tokio::test]
async fn a_token_from_its_making_to_its_end() {
    let (harness, alice) = house().await;
    let made =
        make(&harness, json!({ "networks": ["192.0.2.0/24", "2001:db8::1"], "idle": 600 })).await;
    let text = made["token"].as_str().expect("token");
    assert!(text.starts_with("twp_") && text.len() == 53);
    assert_eq!((&made["owner_kind"], &made["owner"]), (&json!("person"), &json!(alice)));
    assert_eq!((&made["state"], &made["resources"]), (&json!("active"), &json!([API])));
    assert_eq!(made["networks"], json!(["192.0.2.0/24", "2001:db8::1/128"]));
    assert_eq!(made["created_by"], "admin:operator");
    let path = format!("/personal-tokens/{}", made["jti"].as_str().expect("jti"));

    let shown = harness.call("GET", &path, None).await.expect(200);
    assert_eq!(shown["token"], Value::Null, "once");
    let narrowed = format!("{path}/narrow");
    harness.call("POST", &narrowed, Some(json!({}))).await.problem(409);
    let found = harness.store().find(text).expect("store").expect("token");
    let demanded = token::scope::ScopeSet::parse("orders:read").expect("scopes");
    let now = harness.authority.now();
    let used = found.used(now, Some("192.0.2.9".parse().expect("ip")), Some("/orders"), &demanded);
    harness.store().keep_use(used.expect("a use"));
    // A record in the background is written before any act that comes later.
    let second = make(&harness, json!({ "name": "second" })).await;
    let shown = harness.call("GET", &path, None).await.expect(200);
    assert_eq!(
        (&shown["last_used_ip"], &shown["last_used_route"], &shown["used_scope"]),
        (&json!("192.0.2.9"), &json!("/orders"), &json!("orders:read"))
    );
    let answer = harness.call("POST", &narrowed, Some(json!({}))).await.expect(200);
    assert_eq!(answer["scope"], "orders:read");
    let more = harness.call("POST", &narrowed, Some(json!({ "scope": "orders:write" }))).await;
    more.problem(409);

    let rotate = format!("{path}/rotate");
    let rotated = harness.call("POST", &rotate, Some(json!({ "overlap": 3600 }))).await.expect(201);
    assert!(rotated["token"].as_str().is_some_and(|new| new != text));
    assert_eq!(rotated["rotated_from"], made["jti"]);
    assert_eq!((&rotated["scope"], &rotated["idle"]), (&json!("orders:read"), &json!(600)));
    harness.call("POST", &rotate, Some(json!({}))).await.problem(409);

    harness.call("DELETE", &path, None).await.expect(204);
    assert_eq!(harness.call("GET", &path, None).await.expect(200)["state"], "revoked");
    let list = harness.call("GET", &format!("/personal-tokens?user={alice}"), None).await;
    let list = list.expect(200);
    let names: Vec<&Value> =
        list["items"].as_array().expect("items").iter().map(|one| &one["jti"]).collect();
    assert_eq!(names.len(), 3);
    assert!(names.contains(&&second["jti"]));
    assert_eq!(
        harness.actions().await[1..],
        [
            "personal_token.create",
            "personal_token.create",
            "personal_token.narrow",
            "personal_token.rotate",
            "personal_token.revoke",
        ]
    );
}

#[tokio::test]
async fn the_owner_is_there_and_has_what_is_given() {
    let (harness, alice) = house().await;
    let client = json!({ "client_name": "robot", "grant_types": ["client_credentials"],
        "scope": "orders:read" });
    let robot = harness.call("POST", "/clients", Some(client)).await.expect(201);
    let robot = &robot["client_id"];
    let of_robot = json!({ "username": null, "client_id": robot, "scope": "orders:read" });
    let made = make(&harness, of_robot).await;
    assert_eq!((&made["owner_kind"], &made["owner"]), (&json!("service"), robot));
    let listed = format!("/personal-tokens?client_id={}", robot.as_str().expect("id"));
    let listed = harness.call("GET", &listed, None).await.expect(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));

    let more = json!({ "username": null, "client_id": robot });
    harness.call("POST", "/personal-tokens", Some(body(more))).await.problem(409);
    let make_of = |owner: Value| harness.call("POST", "/personal-tokens", Some(body(owner)));
    for owner in [
        json!({ "username": "bob" }),
        json!({ "username": null }),
        json!({ "client_id": robot }),
        json!({ "username": null, "user": "nobody" }),
    ] {
        make_of(owner).await.problem(400);
    }
    let disabled = json!({ "disabled": true });
    let made = make(&harness, json!({})).await;
    harness.call("PATCH", &format!("/users/{alice}"), Some(disabled)).await.expect(200);
    make_of(json!({})).await.problem(400);
    let path = format!("/personal-tokens/{}", made["jti"].as_str().expect("jti"));
    assert_eq!(harness.call("GET", &path, None).await.expect(200)["state"], "disabled");
    harness.call("DELETE", &format!("/users/{alice}"), None).await.expect(204);
    assert_eq!(harness.call("GET", &path, None).await.expect(200)["state"], "revoked");
}

#[tokio::test]
async fn what_the_policy_forbids_is_refused_with_words() {
    let (harness, _) = house().await;
    for (change, words) in [
        (json!({ "expires_in": 366 * 86400 }), "at most 365 days"),
        (json!({ "expires_in": 59 }), "at least a minute"),
        (json!({ "expires_in": null }), "expires_in"),
        (json!({ "idle": 599 }), "at least 10 minutes"),
        (json!({ "name": "  " }), "the name must be"),
        (json!({ "name": "x".repeat(101) }), "the name must be"),
        (json!({ "scope": "" }), "at least one scope"),
        (json!({ "scope": "nothing:here" }), "cannot have the scope `nothing:here`"),
        (json!({ "scope": "tokenward:admin" }), "cannot have the scope `tokenward:admin`"),
        (json!({ "scope": "openid" }), "cannot have the scope `openid`"),
        (json!({ "resources": ["https://other.example"] }), "is no resource here"),
        (json!({ "networks": ["here"] }), "`networks` must be"),
        (json!({ "networks": vec!["192.0.2.1"; 33] }), "at most 32 networks"),
        (json!({ "dpop_jkt": "short" }), "the thumbprint must be"),
    ] {
        let answer = harness.call("POST", "/personal-tokens", Some(body(change.clone()))).await;
        let detail = answer.problem(400);
        assert!(detail.contains(words), "{change}: {detail}");
    }
    let both = "/personal-tokens?user=a&client_id=b";
    harness.call("GET", both, None).await.problem(400);
    for (method, path) in [
        ("GET", "/personal-tokens/x"),
        ("DELETE", "/personal-tokens/x"),
        ("POST", "/personal-tokens/x/rotate"),
        ("POST", "/personal-tokens/x/narrow"),
    ] {
        let body = (method == "POST").then(|| json!({}));
        harness.call(method, path, body).await.problem(404);
    }
    assert_eq!(harness.actions().await, ["user.create"], "what is refused changes nothing");
}
