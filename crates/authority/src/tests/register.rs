//! Dynamic registration, through the door.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::support::{API, Answer, Harness, ISSUER, TestClient};

async fn send(harness: &Harness, token: Option<&str>, body: &str) -> Answer {
    let mut request = Request::post("/register").header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    harness.send(request.body(Body::from(body.to_owned())).expect("request")).await
}

async fn register(harness: &Harness, body: Value) -> Answer {
    let token = harness.mint("tokenward:register", ISSUER);
    send(harness, Some(token.token.expose()), &body.to_string()).await
}

#[tokio::test]
async fn a_registered_client_works() {
    let harness = Harness::new().await;
    let answer = register(
        &harness,
        json!({
            "client_name": "Orders dashboard",
            "grant_types": ["client_credentials"],
            "scope": "orders:read",
            "software_id": "dash",
            "unknown_member": {"a": 1},
        }),
    )
    .await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (201, "no-store"),
        "{}",
        answer.text
    );
    let body = answer.json();
    assert_eq!(body["client_secret_expires_at"], 0);
    assert_eq!(body["client_id_issued_at"], harness.now().as_secs());
    assert_eq!(body["client_name"], "Orders dashboard");
    assert_eq!(body["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!((&body["software_id"], body.get("unknown_member")), (&"dash".into(), None));
    let client = TestClient::named(&answer.member("client_id"), &answer.member("client_secret"));
    let form = [("grant_type", "client_credentials")];
    let token = harness.post("/token", &client, &form).await;
    assert_eq!(token.member("scope"), "orders:read");
    let event = harness.events.last("register");
    assert_eq!((&event["result"], &event["client"]), (&"ok".into(), &body["client_id"]));
    assert!(!harness.events.all().contains(&answer.member("client_secret")));
}

#[tokio::test]
async fn a_public_client_has_no_secret_and_gets_the_default_scopes() {
    let harness = Harness::new().await;
    let answer = register(
        &harness,
        json!({
            "redirect_uris": ["http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        }),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let body = answer.json();
    assert!(body.get("client_secret").is_none());
    assert_eq!(body["scope"], "email offline_access openid orders:read profile");
    let client = TestClient { id: answer.member("client_id"), secret: None };
    assert_eq!(harness.signed_in(&client, "openid").await["token_type"], "Bearer");
    assert_eq!(harness.events.last("register")["redirect_hosts"], json!(["127.0.0.1"]));
}

#[tokio::test]
async fn registration_needs_its_own_token() {
    let harness = Harness::new().await;
    let body = r#"{"grant_types":["client_credentials"]}"#;
    let answer = send(&harness, None, body).await;
    answer.assert_refused(401, "invalid_token");
    assert!(answer.header("www-authenticate").starts_with("Bearer "));
    let token = harness.mint("tokenward:read", ISSUER);
    send(&harness, Some(token.token.expose()), body)
        .await
        .assert_refused(403, "insufficient_scope");
    // For another audience.
    let token = harness.mint("tokenward:register", API);
    send(&harness, Some(token.token.expose()), body).await.assert_refused(401, "invalid_token");
    assert_eq!(harness.events.last("request")["refused"], "wrong_audience");
    let token = harness.mint("tokenward:register", ISSUER);
    harness.clock.pass(600);
    send(&harness, Some(token.token.expose()), body).await.assert_refused(401, "invalid_token");
}

#[tokio::test]
async fn bad_metadata_is_refused_by_name() {
    let harness = Harness::new().await;
    let token = harness.mint("tokenward:register", ISSUER);
    for body in ["", "[]", "{", r#"{"a":1,"a":1}"#, "null", &"[".repeat(5000)] {
        send(&harness, Some(token.token.expose()), body)
            .await
            .assert_refused(400, "invalid_client_metadata");
    }
    let answer = register(&harness, json!({ "grant_types": ["authorization_code"] })).await;
    answer.assert_refused(400, "invalid_redirect_uri");
    let bad = json!({ "redirect_uris": ["javascript:alert(1)"] });
    register(&harness, bad).await.assert_refused(400, "invalid_redirect_uri");
    assert_eq!(harness.events.last("register")["result"], "invalid_redirect_uri");
    let more = json!({ "grant_types": ["client_credentials"], "scope": "orders:write" });
    let answer = register(&harness, more).await;
    answer.assert_refused(400, "invalid_client_metadata");
    assert!(answer.member("error_description").contains("orders:write"));
}

#[tokio::test]
async fn the_body_must_be_json() {
    let harness = Harness::new().await;
    let token = harness.mint("tokenward:register", ISSUER);
    let request = Request::post("/register")
        .header("authorization", format!("Bearer {}", token.token.expose()))
        .header("content-type", "text/plain")
        .body(Body::from("{}"));
    harness.send(request.expect("request")).await.assert_refused(400, "invalid_request");
    let big = format!(r#"{{"client_name":"{}"}}"#, "x".repeat(70_000));
    send(&harness, Some(token.token.expose()), &big).await.assert_refused(413, "invalid_request");
}

async fn manage(
    harness: &Harness,
    method: &str,
    registered: &Answer,
    token: &str,
    body: Value,
) -> Answer {
    let uri = registered.member("registration_client_uri");
    let path = uri.strip_prefix(ISSUER).expect("our own URL").to_owned();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    harness.send(request.expect("request")).await
}

#[tokio::test]
async fn a_client_manages_its_own_registration() {
    let harness = Harness::new().await;
    let body = json!({
        "client_name": "App", "redirect_uris": ["https://app.example/cb"], "scope": "openid",
    });
    let registered = register(&harness, body.clone()).await;
    let token = registered.member("registration_access_token");
    assert!(token.starts_with("twg_"), "{token}");
    // RFC 7592 §2.1.
    let read = manage(&harness, "GET", &registered, &token, Value::Null).await;
    assert_eq!(read.status, 200, "{}", read.text);
    assert_eq!(read.member("client_name"), "App");
    assert_eq!(read.member("registration_access_token"), token);
    assert!(read.json().get("client_secret").is_none(), "it is kept as a hash");
    // §2.2: the whole of it, and nothing that is ours.
    let mut changed = body.clone();
    changed["client_id"] = json!(registered.member("client_id"));
    changed["client_name"] = json!("App 2");
    changed["client_secret"] = json!(registered.member("client_secret"));
    let answer = manage(&harness, "PUT", &registered, &token, changed.clone()).await;
    assert_eq!((answer.status, answer.member("client_name").as_str()), (200, "App 2"));
    for (member, value) in [
        ("client_id", json!("conf")),
        ("client_id", Value::Null),
        ("client_secret", json!("chosen by me")),
        ("registration_access_token", json!(token)),
        ("client_id_issued_at", json!(1)),
        ("scope", json!("tokenward:admin")),
    ] {
        let mut wrong = changed.clone();
        wrong[member] = value;
        let answer = manage(&harness, "PUT", &registered, &token, wrong).await;
        answer.assert_refused(400, "invalid_client_metadata");
    }
    changed["token_endpoint_auth_method"] = json!("none");
    changed.as_object_mut().expect("object").remove("client_secret");
    let answer = manage(&harness, "PUT", &registered, &token, changed).await;
    assert_eq!(answer.member("token_endpoint_auth_method"), "none");
    let secret = registered.member("client_secret");
    let client = TestClient::named(&registered.member("client_id"), &secret);
    harness.post("/revoke", &client, &[("token", "x")]).await.assert_refused(401, "invalid_client");
    // §2.3.
    let gone = manage(&harness, "DELETE", &registered, &token, Value::Null).await;
    assert_eq!(gone.status, 204);
    for method in ["GET", "PUT", "DELETE"] {
        let answer = manage(&harness, method, &registered, &token, Value::Null).await;
        answer.assert_refused(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_registration_is_nobody_elses() {
    let harness = Harness::new().await;
    let body = json!({ "redirect_uris": ["https://app.example/cb"] });
    let (one, two) = (register(&harness, body.clone()).await, register(&harness, body).await);
    let admin = harness.mint("tokenward:admin", ISSUER);
    for token in [&two.member("registration_access_token"), admin.token.expose(), "", "twg_x"] {
        for method in ["GET", "PUT", "DELETE"] {
            let answer = manage(&harness, method, &one, token, Value::Null).await;
            answer.assert_refused(401, "invalid_token");
            assert!(answer.header("www-authenticate").starts_with("Bearer "));
        }
    }
    // A client of an administrator has no such token.
    let request = Request::get("/register/conf").header("authorization", "Bearer x");
    let answer = harness.send(request.body(Body::empty()).expect("request")).await;
    answer.assert_refused(401, "invalid_token");
}
