//! WebSockets pass, end with their token, and nothing else passes that way.

use std::time::Duration;

use serde_json::json;
use token::restriction::{Effect, Selector};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::support::upstream::{Recording, Reply, ok};
use super::support::{House, field, read_to_close, read_until, status};

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const ASK: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

async fn echo() -> Recording {
    Recording::scripted(|_, _| Reply::Echo(SWITCH.into())).await
}

async fn connect(house: &House, token: &str, fields: &str) -> TcpStream {
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let request = format!(
        "GET /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n{fields}\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("write");
    stream
}

#[tokio::test]
async fn bytes_pass_both_ways() {
    let upstream = echo().await;
    let house = House::new(upstream.address).await;
    let mut stream = connect(&house, &house.token("orders:read"), ASK).await;
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(status(&head), 101);
    assert_eq!(field(&head, "sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(field(&head, "upgrade"), Some("websocket"));
    for message in ["one", "two"] {
        stream.write_all(message.as_bytes()).await.expect("write");
        read_until(&mut stream, message).await;
    }
    drop(stream);
    let arrived = upstream.only();
    assert_eq!(field(&arrived, "connection"), Some("upgrade"));
    assert_eq!(field(&arrived, "upgrade"), Some("websocket"));
    assert_eq!(field(&arrived, "sec-websocket-version"), Some("13"));
    assert_eq!(field(&arrived, "authorization"), None);
    assert_eq!(field(&arrived, "tokenward-subject"), Some("u1"));
    let (event, request) = house.events.next().await;
    assert_eq!((request.status, request.bytes_in, request.bytes_out), (101, 6, 6));
    assert_eq!(event.who.subject.expect("subject").as_str(), "u1");
}

#[tokio::test]
async fn it_ends_when_the_token_is_taken_back() {
    let upstream = echo().await;
    let house = House::new(upstream.address).await;
    let mut stream = connect(&house, &house.token("orders:read"), ASK).await;
    read_until(&mut stream, "\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.restrict(Selector::Session("s1".into()), Effect::Revoke);
    assert_eq!(read_to_close(&mut stream).await, "");
    upstream.wait_closed().await;
    assert_eq!(house.events.next().await.1.status, 101);
}

#[tokio::test]
async fn it_ends_when_the_token_expires() {
    let upstream = echo().await;
    let house = House::new(upstream.address).await;
    let token = house.token_with("exp", json!(house.clock_secs() + 2));
    let mut stream = connect(&house, &token, ASK).await;
    read_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(read_to_close(&mut stream).await, "");
    upstream.wait_closed().await;
}

/// A restriction that comes while the upstream still thinks is not missed.
#[tokio::test]
async fn a_restriction_during_the_handshake_counts() {
    let upstream = echo().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    tokio::time::sleep(Duration::from_millis(2)).await;
    let connecting = connect(&house, &token, ASK);
    let mut stream = connecting.await;
    for _ in 0..1000 {
        if !upstream.requests().is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    house.restrict(Selector::Issuer, Effect::Revoke);
    stream.write_all(b"anything").await.expect("write");
    let got = read_to_close(&mut stream).await;
    assert!(!got.ends_with("anything") || got.starts_with("HTTP/1.1 101"), "{got:?}");
    upstream.wait_closed().await;
}

#[tokio::test]
async fn without_a_token_there_is_none() {
    let upstream = echo().await;
    let house = House::new(upstream.address).await;
    assert_eq!(status(&house.ask("GET /orders", ASK).await), 401);
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn an_upstream_may_decline() {
    let upstream = Recording::scripted(|_, _| Reply::Send(ok("no"))).await;
    let house = House::new(upstream.address).await;
    let mut stream = connect(&house, &house.token("orders:read"), ASK).await;
    let answer = read_until(&mut stream, "no").await;
    assert_eq!(status(&answer), 200);
    // What follows is a request like any other: it is checked.
    stream
        .write_all(b"GET /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .expect("write");
    assert_eq!(status(&read_to_close(&mut stream).await), 401);
}

/// Requests inside another protocol would be seen by nobody.
#[tokio::test]
async fn no_other_protocol_passes() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read orders:write");
    let cases = [
        ("GET", "Connection: upgrade\r\nUpgrade: h2c\r\n"),
        ("GET", "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"),
        ("GET", "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n"),
        ("GET", "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n"),
        ("GET", "Upgrade: websocket\r\n"),
        ("POST", "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n"),
    ];
    for (method, fields) in cases {
        let answer = house.ask_as(&token, &format!("{method} /orders"), fields).await;
        assert_eq!(status(&answer), 200, "{fields}");
    }
    for arrived in upstream.requests() {
        assert_eq!(field(&arrived, "upgrade"), None, "{arrived}");
        assert_eq!(field(&arrived, "connection"), None, "{arrived}");
    }
}

#[tokio::test]
async fn a_switch_to_something_else_is_a_failure() {
    let switch = SWITCH.replace("websocket", "h2c");
    let upstream = Recording::scripted(move |_, _| Reply::Echo(switch.clone())).await;
    let house = House::new(upstream.address).await;
    let mut stream = connect(&house, &house.token("orders:read"), ASK).await;
    assert_eq!(status(&read_until(&mut stream, "}").await), 502);
}
