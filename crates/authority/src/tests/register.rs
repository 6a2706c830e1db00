//! Dynamic registration, through the door.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use store::{Client, NewRestriction};
use token::opaque::OpaqueHash;
use token::restriction::{Effect, Selector};
use token::term::GrantType;

use super::support::{API, Answer, Harness, ISSUER, TestClient, settings};
use crate::register::policy::{Policy, Registration};

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
async fn a_client_cannot_undo_what_an_administrator_said() {
    let harness = Harness::new().await;
    let body =
        json!({ "redirect_uris": ["https://app.example/cb"], "dpop_bound_access_tokens": true });
    let registered = register(&harness, body).await;
    let token = registered.member("registration_access_token");
    let id = registered.member("client_id");
    let stored = async || {
        let client = harness.store.client(&id.as_str().into()).await.expect("store");
        Client::clone(&client.expect("client"))
    };
    let mut client = stored().await;
    client.options.access_token_life = Some(60);
    client.options.may_act = vec!["conf".to_owned()];
    harness.store.update_client(&client).await.expect("client");
    let change = json!({ "client_id": id, "redirect_uris": ["https://app.example/cb"] });
    let answer = manage(&harness, "PUT", &registered, &token, change).await;
    assert_eq!((answer.status, &answer.json()["access_token_life"]), (200, &json!(60)));
    let options = stored().await.options;
    assert_eq!((options.access_token_life, options.may_act), (Some(60), vec!["conf".to_owned()]));
    // What is its own it takes back by leaving it out (RFC 7592 §2.2).
    assert!(!options.dpop_bound_access_tokens);
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

async fn with(change: impl FnOnce(&mut Registration)) -> Harness {
    let mut settings = settings();
    change(&mut settings.registration);
    Harness::with(settings).await
}

async fn is_announced(harness: &Harness) -> bool {
    let document = harness.get("/.well-known/openid-configuration").await.json();
    document.get("registration_endpoint").is_some()
}

#[tokio::test]
async fn an_open_door_takes_anybody_within_its_limits() {
    let scopes = settings().registration.scopes;
    let harness = with(|registration| {
        *registration = Registration::new(Policy::Open, scopes);
        registration.redirect_hosts = vec!["*.example.com".parse().expect("host")];
    })
    .await;
    assert!(is_announced(&harness).await);
    let body = json!({
        "redirect_uris": ["https://app.example.com/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
    });
    // Without a token, and whatever else the client sends for one.
    for token in [None, Some("twr_old")] {
        let answer = send(&harness, token, &body.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let id = answer.member("client_id");
        assert_eq!(harness.events.last("register")["client"], id.as_str());
        let client = TestClient::named(&id, &answer.member("client_secret"));
        let token = harness.signed_in(&client, "openid").await;
        assert!(token["id_token"].is_string());
        let stored = harness.store.client(&id.as_str().into()).await.expect("store");
        assert_eq!(stored.expect("client").created_by, "registration:open");
    }
    for (member, value, code) in [
        ("grant_types", json!(["client_credentials"]), "invalid_client_metadata"),
        ("grant_types", json!(["authorization_code", "password"]), "invalid_client_metadata"),
        ("scope", json!("orders:write"), "invalid_client_metadata"),
        ("redirect_uris", json!(["https://app.example.org/cb"]), "invalid_redirect_uri"),
    ] {
        let mut wrong = body.clone();
        wrong[member] = value;
        send(&harness, None, &wrong.to_string()).await.assert_refused(400, code);
        assert_eq!(harness.events.last("register")["result"], code);
    }
}

#[tokio::test]
async fn an_open_door_is_narrow_for_each_network_and_shut_for_blocked_ones() {
    let scopes = settings().registration.scopes;
    let open = Registration::new(Policy::Open, scopes);
    let harness = with(|registration| *registration = open).await;
    let body = json!({ "redirect_uris": ["https://app.example/cb"] }).to_string();
    for _ in 0..100 {
        assert_eq!(send(&harness, None, &body).await.status, 201);
    }
    let answer = send(&harness, None, &body).await;
    answer.assert_refused(429, "temporarily_unavailable");
    assert!(!answer.header("retry-after").is_empty());
    let elsewhere = || {
        let request = Request::post("/register").header("content-type", "application/json");
        request.body(Body::from(body.clone())).expect("request")
    };
    assert_eq!(harness.send_from("198.51.100.7:1", elsewhere()).await.status, 201);
    let restriction = NewRestriction {
        selector: Selector::Network("198.51.100.0/24".parse().expect("network")),
        effect: Effect::Revoke,
        from: harness.now(),
        until: None,
        reason: "forged tokens".to_owned(),
        actor: "test".to_owned(),
    };
    harness.store.restrict(restriction, harness.now()).await.expect("restriction");
    let answer = harness.send_from("198.51.100.7:1", elsewhere()).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
}

#[tokio::test]
async fn a_shut_door_says_so_and_lets_clients_leave() {
    let open = Harness::new().await;
    assert!(is_announced(&open).await);
    let harness = with(|registration| registration.policy = Policy::Off).await;
    assert!(!is_announced(&harness).await);
    let body = json!({ "redirect_uris": ["https://app.example/cb"] });
    register(&harness, body.clone()).await.assert_refused(403, "access_denied");
    // A client that registered before the door was shut.
    let mut client = (*harness.store.client(&"conf".into()).await.expect("s").expect("c")).clone();
    client.id = "old".into();
    client.registration_token = Some(OpaqueHash::of("twg_old"));
    harness.store.create_client(&client).await.expect("client");
    let manage = |method: &'static str| {
        let mut body = body.clone();
        body["client_id"] = json!("old");
        let request = Request::builder().method(method).uri("/register/old");
        let request = request.header("authorization", "Bearer twg_old");
        let request = request.header("content-type", "application/json");
        harness.send(request.body(Body::from(body.to_string())).expect("request"))
    };
    assert_eq!(manage("GET").await.status, 200);
    manage("PUT").await.assert_refused(403, "access_denied");
    assert_eq!(manage("DELETE").await.status, 204);
}

#[tokio::test]
async fn a_client_cannot_change_itself_to_what_it_could_not_register() {
    let harness = with(|registration| {
        registration.grant_types = vec![GrantType::AuthorizationCode];
        registration.redirect_hosts = vec!["*.example.com".parse().expect("host")];
        registration.private_use_schemes = false;
    })
    .await;
    let body = json!({ "redirect_uris": ["https://app.example.com/cb"], "scope": "openid" });
    let registered = register(&harness, body.clone()).await;
    let token = registered.member("registration_access_token");
    for (member, value, code) in [
        ("grant_types", json!(["client_credentials"]), "invalid_client_metadata"),
        ("scope", json!("orders:write"), "invalid_client_metadata"),
        ("redirect_uris", json!(["https://evil.example/cb"]), "invalid_redirect_uri"),
        ("redirect_uris", json!(["com.example.app:/cb"]), "invalid_redirect_uri"),
        ("post_logout_redirect_uris", json!(["https://evil.example/"]), "invalid_client_metadata"),
    ] {
        let mut wrong = body.clone();
        wrong[member] = value;
        register(&harness, wrong.clone()).await.assert_refused(400, code);
        wrong["client_id"] = json!(registered.member("client_id"));
        let answer = manage(&harness, "PUT", &registered, &token, wrong).await;
        answer.assert_refused(400, code);
    }
}
