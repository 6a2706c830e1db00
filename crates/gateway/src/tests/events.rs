//! One event for each request, with verified names or claimed ones, never both.

use serde_json::json;
use token::event::TokenKind;
use token::restriction::{Effect, Selector};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::support::House;
use super::support::upstream::{Recording, Reply, ok};

#[tokio::test]
async fn what_is_let_through() {
    let upstream = Recording::scripted(|_, _| Reply::Send(ok("hello"))).await;
    let house = House::new(upstream.address).await;
    let claims = house.claims();
    let token = house.sign(&claims);
    let request = format!(
        "PUT /orders/%37?secret=1 HTTP/1.1\r\nHost: api.example\r\nUser-Agent: probe/1\r\n\
         Authorization: Bearer {token}\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"
    );
    house.raw(request).await;
    let (event, request) = house.events.next().await;
    assert_eq!(event.who.subject.expect("subject").as_str(), "u1");
    assert_eq!(event.who.client.expect("client").as_str(), "c1");
    assert_eq!(event.who.grant.expect("grant").as_str(), "g1");
    assert_eq!(event.who.session.expect("session").as_str(), "s1");
    assert_eq!(event.who.token.expect("token").as_str(), claims["jti"].as_str().expect("jti"));
    assert_eq!(event.who.claimed_subject, None);
    assert_eq!(event.ua.as_deref(), Some("probe/1"));
    assert_eq!(request.token_kind, TokenKind::Jwt);
    assert_eq!(request.scopes.to_string(), "orders:read orders:write");
    assert_eq!((request.method.as_str(), request.path.as_str()), ("PUT", "/orders/7"));
    assert_eq!(request.host.as_deref(), Some("api.example"));
    assert_eq!(request.route.as_deref(), Some("/orders/{id}"));
    assert_eq!(request.object.as_deref(), Some("7"));
    assert_eq!((request.status, request.refused), (200, None));
    assert_eq!((request.bytes_in, request.bytes_out), (3, 5));
    assert!(request.latency_us > 0);
    assert_eq!(house.events.count(), 0, "one request, one event");
}

#[tokio::test]
async fn a_bad_token_only_claims() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let expired = house.token_with("exp", json!(1));
    house.ask_as(&expired, "GET /orders/7", "").await;
    let (event, request) = house.events.next().await;
    assert_eq!(event.who.claimed_subject.as_deref(), Some("u1"));
    assert_eq!(event.who.claimed_client.as_deref(), Some("c1"));
    assert_eq!((event.who.subject, event.who.token), (None, None));
    assert!(request.scopes.is_empty());

    let token = house.token("orders:read");
    house.ask_as(&token, "GET /orders/7", "").await;
    house.events.next().await;
    house.clock.advance(std::time::Duration::from_secs(400));
    house.ask_as(&token, "GET /orders/7", "").await;
    let (event, request) = house.events.next().await;
    assert_eq!(request.refused.expect("refused").to_string(), "expired");
    assert_eq!(event.who.claimed_subject.as_deref(), Some("u1"));
    assert_eq!(event.who.subject, None);
}

#[tokio::test]
async fn a_verified_token_that_is_refused_keeps_its_names() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    house.ask_as(&token, "DELETE /orders/7", "").await;
    let (event, request) = house.events.next().await;
    assert_eq!(request.refused.expect("refused").to_string(), "insufficient_scope");
    assert_eq!(event.who.subject.expect("subject").as_str(), "u1");
    assert_eq!(request.route.as_deref(), Some("/orders/{id}"));
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    house.restrict(Selector::Subject("u1".into()), Effect::Revoke);
    house.ask_as(&token, "GET /orders/7", "").await;
    let (event, _) = house.events.next().await;
    assert_eq!(event.who.grant.expect("grant").as_str(), "g1");
}

#[tokio::test]
async fn a_client_that_does_not_wait_is_seen_all_the_same() {
    let upstream = Recording::scripted(|_, _| Reply::Hang).await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let request = format!(
        "GET /orders/7 HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("write");
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    drop(stream);
    let (event, request) = house.events.next().await;
    assert_eq!(request.status, 499);
    assert_eq!(event.who.subject.expect("subject").as_str(), "u1");
    upstream.wait_closed().await;
}

#[tokio::test]
async fn long_and_odd_texts_are_bounded() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let agent = "x".repeat(6000);
    let path = format!("/orders/{}", "y".repeat(6000));
    house.ask(&format!("GET {path}"), &format!("User-Agent: {agent}\r\n")).await;
    let (event, request) = house.events.next().await;
    assert_eq!(event.ua.expect("ua").len(), 2048);
    assert_eq!(request.path.len(), 2048);
    assert_eq!(request.object.expect("object").len(), 2048);
    house.ask("GET /orders", "User-Agent: \u{e9}\r\n").await;
    let (event, _) = house.events.next().await;
    assert_eq!(event.ua.as_deref(), Some("\u{e9}"));
}
