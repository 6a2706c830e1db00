//! Taking back: by the client, by the administrator, by the product itself.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Product;
use crate::support::browser::{self, Browser};
use crate::support::http::Http;

#[test]
fn the_whole_loop_turns() {
    let product = Product::start();
    // Issue, check.
    let tokens = product.sign_in("openid orders:read");
    let access = tokens["access_token"].as_str().expect("access token").to_owned();
    product.api("/orders", &access).expect(200);
    // The honest client rotates; the stolen refresh token is used from elsewhere.
    let stolen = tokens["refresh_token"].as_str().expect("refresh token");
    let (id, secret) = product.client();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", stolen)];
    let rotated = product.token(&refresh).expect(200);
    let newer = rotated["access_token"].as_str().expect("access token").to_owned();
    product.api("/orders", &newer).expect(200);
    let thief = Http::from([127, 0, 0, 66].into());
    let answer = thief.post_form(&product.issuer("/token"), Some((&id, &secret)), &refresh);
    assert_eq!(answer.expect(400)["error"], "invalid_grant");
    // Take back: every token of the family, at once.
    for token in [&access, &newer] {
        let refused = product.api("/orders", token);
        assert_eq!(refused.expect(401)["error"], "invalid_token");
    }
    let successor = rotated["refresh_token"].as_str().expect("refresh token");
    let dead = product.token(&[("grant_type", "refresh_token"), ("refresh_token", successor)]);
    assert_eq!(dead.expect(400)["error"], "invalid_grant");
    // Watch: the finding says who, from where, and what was done.
    let found = product.finding("refresh_reuse");
    let finding = &found["finding"];
    assert_eq!(finding["class"], "certain");
    assert_eq!(finding["response"], "revoke:grant");
    assert_eq!(finding["ip"], "127.0.0.66");
    assert_eq!(finding["client"], json!(id));
    assert!(finding["grant"].is_string() && finding["evidence"]["summary"].is_string(), "{found}");
    // A revocation is final, and says so.
    let undo = product.admin_call(
        "POST",
        &format!("/findings/{}/undo", found["id"].as_str().expect("id")),
        None,
    );
    assert!(undo.expect(409)["detail"].as_str().is_some_and(|text| text.contains("final")));
    // Somebody else's tokens live on.
    product.api("/orders", &product.access_token()).expect(200);
}

#[test]
fn a_retry_of_the_same_client_gets_the_same_answer() {
    let product = Product::start();
    let tokens = product.sign_in("openid orders:read");
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().expect("refresh token")),
    ];
    let first = product.token(&refresh);
    let again = product.token(&refresh);
    assert_eq!((first.status, &first.body), (200, &again.body));
    let access = first.expect(200)["access_token"].as_str().expect("token").to_owned();
    product.api("/orders", &access).expect(200);
    // Once the successor is used, the old one is a replay.
    let next = first.expect(200)["refresh_token"].as_str().expect("token").to_owned();
    product.token(&[("grant_type", "refresh_token"), ("refresh_token", &next)]).expect(200);
    product.token(&refresh).expect(400);
    assert_eq!(product.api("/orders", &access).status, 401);
}

#[test]
fn a_code_used_twice_ends_what_the_first_use_gave() {
    let product = Product::start();
    let code = browser::code(&product, &mut Browser::new(), "openid orders:read");
    let tokens = browser::redeem(&product, &code).expect(200);
    let access = tokens["access_token"].as_str().expect("token");
    product.api("/orders", access).expect(200);
    assert_eq!(browser::redeem(&product, &code).expect(400)["error"], "invalid_grant");
    assert_eq!(product.api("/orders", access).status, 401);
}

#[test]
fn a_client_revokes_and_the_gateway_refuses_before_the_answer() {
    let product = Product::start();
    let (id, secret) = product.client();
    for _ in 0..5 {
        let token = product.access_token();
        product.api("/orders", &token).expect(200);
        let answer = product.http.post_form(
            &product.issuer("/revoke"),
            Some((&id, &secret)),
            &[("token", &token)],
        );
        assert_eq!(answer.status, 200);
        assert_eq!(product.api("/orders", &token).expect(401)["error"], "invalid_token");
        let seen = product.http.post_form(
            &product.issuer("/introspect"),
            Some((&id, &secret)),
            &[("token", &token)],
        );
        assert_eq!(seen.expect(200), json!({ "active": false }));
    }
    // A refresh token takes its whole family with it.
    let tokens = product.sign_in("openid orders:read");
    let refresh = tokens["refresh_token"].as_str().expect("token");
    product
        .http
        .post_form(&product.issuer("/revoke"), Some((&id, &secret)), &[("token", refresh)])
        .expect(200);
    assert_eq!(product.api("/orders", tokens["access_token"].as_str().expect("token")).status, 401);
}

#[test]
fn an_administrator_restricts_by_every_selector_and_lifts_a_suspension() {
    let product = Product::start();
    let tokens = product.sign_in("openid orders:read");
    let access = tokens["access_token"].as_str().expect("token");
    let claims = claims_of(access);
    let kid = header_of(access)["kid"].clone();
    let selectors = [
        json!({ "kind": "token", "value": claims["jti"] }),
        json!({ "kind": "grant", "value": claims["grant_id"] }),
        json!({ "kind": "session", "value": claims["sid"] }),
        json!({ "kind": "subject", "value": claims["sub"] }),
        json!({ "kind": "client", "value": claims["client_id"] }),
    ];
    for selector in selectors {
        let body = json!({ "selector": selector, "effect": "suspend", "reason": "test" });
        let made = product.admin_call("POST", "/restrictions", Some(body)).expect(201);
        assert_eq!(product.api("/orders", access).status, 401, "{selector}");
        let path = format!("/restrictions/{}", made["seq"]);
        assert!(product.admin_call("DELETE", &path, None).status < 300);
        product.api("/orders", access).expect(200);
    }
    let body = json!({ "selector": { "kind": "network", "value": "127.0.0.0/8" }, "effect": "suspend", "reason": "test" });
    let made = product.admin_call("POST", "/restrictions", Some(body)).expect(201);
    assert_eq!(product.api("/orders", access).status, 403);
    product.admin_call("DELETE", &format!("/restrictions/{}", made["seq"]), None);
    product.api("/orders", access).expect(200);
    // A key: every token it signed, the administrator's own included.
    let body = json!({ "selector": { "kind": "key", "value": kid }, "effect": "revoke", "reason": "test" });
    product.admin_call("POST", "/restrictions", Some(body)).expect(201);
    assert_eq!(product.api("/orders", access).status, 401);
    assert_eq!(product.admin_call("GET", "/health", None).status, 401);
}

#[test]
fn a_revocation_cannot_be_lifted() {
    let product = Product::start();
    let body = json!({ "selector": { "kind": "token", "value": "x" }, "effect": "revoke", "reason": "test" });
    let made = product.admin_call("POST", "/restrictions", Some(body)).expect(201);
    let answer = product.admin_call("DELETE", &format!("/restrictions/{}", made["seq"]), None);
    assert!(answer.expect(409)["detail"].as_str().is_some_and(|text| text.contains("final")));
}

#[test]
fn an_open_stream_of_a_revoked_token_is_closed() {
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}", upstream.local_addr().expect("address"));
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = upstream.accept().expect("connection");
        let mut head = [0u8; 4096];
        let _ = stream.read(&mut head).expect("head");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            .expect("head");
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until && stream.write_all(b"data: tick\n\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let product = Product::start_with(&["--upstream", &url]);
    let token = product.access_token();
    let address = product.said("gateway").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).expect("gateway");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    write!(
        stream,
        "GET /events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .expect("request");
    let mut seen = String::new();
    let mut buffer = [0u8; 1024];
    while !seen.contains("data: tick") {
        let read = stream.read(&mut buffer).expect("stream");
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let (id, secret) = product.client();
    product
        .http
        .post_form(&product.issuer("/revoke"), Some((&id, &secret)), &[("token", &token)])
        .expect(200);
    let revoked = Instant::now();
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(_) => assert!(revoked.elapsed() < Duration::from_secs(5), "the stream goes on"),
        }
    }
    serving.join().expect("upstream");
}

#[test]
fn a_honeytoken_blocks_its_thief_alone_and_undo_unblocks() {
    let product = Product::start();
    let good = product.access_token();
    let made = product.command(&["honeytoken", "create", "--label", "backup script"]);
    let bait = String::from_utf8(made.stdout).expect("text").trim().to_owned();
    assert_eq!(bait.split('.').count(), 3, "it looks like any other token: {bait}");
    let thief = Http::from([127, 0, 0, 77].into());
    let answer = thief.get(&product.gateway("/orders"), Some(&bait));
    assert_eq!(answer.expect(401)["error"], "invalid_token", "nothing says that it was bait");
    let found = product.finding("honeytoken");
    assert_eq!(found["finding"]["ip"], "127.0.0.77");
    assert_eq!(found["finding"]["response"], "block:ip");
    // Blocked even with a good token; others are not.
    assert_eq!(thief.get(&product.gateway("/orders"), Some(&good)).status, 403);
    product.api("/orders", &good).expect(200);
    let id = found["id"].as_str().expect("id");
    let undone = product.command(&["finding", "undo", id]);
    assert!(undone.status.success(), "{}", crate::support::text(&undone.stderr));
    thief.get(&product.gateway("/orders"), Some(&good)).expect(200);
}

#[test]
fn whoever_goes_on_after_being_disabled_is_told() {
    let product = Product::start();
    let tokens = product.sign_in("openid orders:read");
    let access = tokens["access_token"].as_str().expect("access token").to_owned();
    product.api("/orders", &access).expect(200);
    let subject = claims_of(&access)["sub"].as_str().expect("sub").to_owned();
    let path = format!("/users/{subject}");
    product.admin_call("PATCH", &path, Some(json!({ "disabled": true }))).expect(200);
    product.api("/orders", &access).expect(401);
    let found = product.finding("disabled_account_token");
    assert_eq!(found["finding"]["subject"], json!(subject));
    let (id, _) = product.client();
    let path = format!("/clients/{id}");
    let state = |disabled: bool| Some(json!({ "disabled": disabled }));
    product.admin_call("PATCH", &path, state(true)).expect(200);
    product.admin_call("PATCH", &path, state(false)).expect(200);
    let log = product.admin_call("GET", "/audit", None);
    let log = log.expect(200).to_string();
    for action in ["user.disable", "client.disable", "client.enable"] {
        assert!(log.contains(action), "{action}: {log}");
    }
}

fn claims_of(token: &str) -> serde_json::Value {
    part(token, 1)
}

fn header_of(token: &str) -> serde_json::Value {
    part(token, 0)
}

fn part(token: &str, number: usize) -> serde_json::Value {
    use base64::Engine as _;
    let text = token.split('.').nth(number).expect("part");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).expect("base64url");
    serde_json::from_slice(&bytes).expect("json")
}
