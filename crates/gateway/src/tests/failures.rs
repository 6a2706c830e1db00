//! When the API behind the gateway fails, and what is never sent twice.

use std::time::Duration;

use tokio::net::TcpListener;

use super::support::upstream::{Recording, Reply, ok};
use super::support::{House, body, error, field, settings, status};

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    drop(listener);
    let house = House::new(address).await;
    let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
    assert_eq!((status(&answer), error(&answer).as_str()), (502, "bad_gateway"));
    let (event, request) = house.events.next().await;
    assert_eq!((request.status, request.refused), (502, None), "it was let through");
    assert_eq!(event.who.subject.expect("subject").as_str(), "u1");
}

#[tokio::test]
async fn no_answer_in_time() {
    let upstream = Recording::scripted(|_, _| Reply::Hang).await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.upstream_timeout = Duration::from_millis(100);
    let house = House::with(settings).await;
    let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
    assert_eq!((status(&answer), error(&answer).as_str()), (504, "gateway_timeout"));
    upstream.wait_closed().await;
}

#[tokio::test]
async fn answers_that_are_none() {
    for reply in [
        "",
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ] {
        let upstream = Recording::scripted(move |_, _| Reply::SendAndClose(reply.into())).await;
        let house = House::new(upstream.address).await;
        let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
        assert_eq!(status(&answer), 502, "{reply:?}");
        assert_eq!(upstream.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_passed_as_whole() {
    let partial = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    let upstream = Recording::scripted(move |_, _| Reply::SendAndClose(partial.into())).await;
    let house = House::new(upstream.address).await;
    let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
    assert!(!body(&answer).ends_with("0\r\n\r\n"), "{answer:?}");
}

#[tokio::test]
async fn an_answer_with_two_lengths_has_one() {
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 300\r\n",
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\n{fields}\r\n5\r\nhello\r\n0\r\n\r\n");
        let upstream = Recording::scripted(move |_, _| Reply::SendAndClose(reply.clone())).await;
        let house = House::new(upstream.address).await;
        let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
        assert_eq!(field(&answer, "content-length"), None, "{answer}");
        assert_eq!(body(&answer), "5\r\nhello\r\n0\r\n\r\n");
    }
}

/// A request is sent again only if no byte of it was written.
#[tokio::test]
async fn a_request_that_arrived_is_not_sent_again() {
    let upstream = Recording::scripted(|number, _| match number % 2 {
        1 => Reply::Send(ok("first")),
        _ => Reply::SendAndClose(String::new()),
    })
    .await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read orders:write");
    for line in ["GET /orders", "POST /orders"] {
        let before = upstream.requests().len();
        let first = house.ask_as(&token, "GET /orders", "").await;
        assert_eq!(status(&first), 200, "leaves a connection in the pool");
        let answer = house.ask_as(&token, line, "Content-Length: 0\r\n").await;
        assert_eq!(status(&answer), 502, "{line}");
        assert_eq!(upstream.requests().len(), before + 2, "each arrived once");
    }
}

#[tokio::test]
async fn a_connection_that_died_idle_is_no_failure() {
    let upstream = Recording::scripted(|_, _| Reply::SendAndClose(ok("{}"))).await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read orders:write");
    for _ in 0..5 {
        let answer = house.ask_as(&token, "POST /orders", "Content-Length: 0\r\n").await;
        assert_eq!(status(&answer), 200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(upstream.requests().len(), 5);
}

/// The upstream closes just when the next request is about to be written: it is written to
/// another connection, and arrives once.
#[tokio::test]
async fn a_connection_that_dies_meanwhile_is_no_failure() {
    let upstream = Recording::scripted(|_, _| Reply::SendAndClose(ok("{}"))).await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read orders:write");
    let post = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let last = post.replace("Host:", "Connection: close\r\nHost:");
    let answer = house.raw(format!("{}{last}", post.repeat(19))).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 20, "{answer}");
    assert_eq!(upstream.requests().len(), 20);
}
