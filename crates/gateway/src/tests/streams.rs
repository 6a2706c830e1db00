//! Bodies pass as they come, and end with their token.

use std::time::Duration;

use serde_json::json;
use token::restriction::{Effect, Selector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use super::support::upstream::{Recording, Reply};
use super::support::{House, PATIENCE, read_to_close, read_until, status};

const EVENTS: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

/// An upstream whose answers come out of a channel.
async fn fed() -> (Recording, mpsc::Sender<Vec<u8>>) {
    let (sender, receiver) = mpsc::channel(4);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let upstream = Recording::scripted(move |_, _| {
        let receiver = receiver.lock().expect("receiver").take();
        receiver.map_or(Reply::Hang, |receiver| Reply::Feed(EVENTS.into(), receiver))
    })
    .await;
    (upstream, sender)
}

async fn open(house: &House, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let request = format!(
        "GET /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("write");
    stream
}

/// Opens an event stream, gets one event, and has `end` done; then it must be closed.
async fn cut_by(end: impl AsyncFnOnce(&House)) {
    let (upstream, sender) = fed().await;
    let house = House::new(upstream.address).await;
    let mut stream = open(&house, &house.token("orders:read")).await;
    sender.send(b"data: 1\n\n".to_vec()).await.expect("fed");
    let head = read_until(&mut stream, "data: 1\n\n").await;
    assert_eq!(status(&head), 200);
    tokio::time::sleep(Duration::from_millis(20)).await;
    end(&house).await;
    let rest = read_to_close(&mut stream).await;
    assert!(!rest.contains("0\r\n\r\n"), "not as if it were complete: {rest:?}");
    upstream.wait_closed().await;
    let (_, request) = house.events.next().await;
    assert_eq!((request.status, request.bytes_out), (200, 9));
}

#[tokio::test]
async fn a_waiting_stream_is_cut_by_a_revocation() {
    cut_by(async |house| {
        house.restrict(Selector::Grant("g1".into()), Effect::Revoke);
    })
    .await;
}

#[tokio::test]
async fn a_waiting_stream_is_cut_by_a_suspension() {
    cut_by(async |house| {
        house.restrict(Selector::Subject("u1".into()), Effect::Suspend);
    })
    .await;
}

#[tokio::test]
async fn a_waiting_stream_is_cut_by_a_blocked_network() {
    cut_by(async |house| {
        house.restrict(Selector::Network("127.0.0.0/8".parse().expect("net")), Effect::Suspend);
    })
    .await;
}

#[tokio::test]
async fn others_restrictions_cut_nothing() {
    let (upstream, sender) = fed().await;
    let house = House::new(upstream.address).await;
    let mut stream = open(&house, &house.token("orders:read")).await;
    sender.send(b"data: 1\n\n".to_vec()).await.expect("fed");
    read_until(&mut stream, "data: 1\n\n").await;
    house.restrict(Selector::Subject("u2".into()), Effect::Revoke);
    house.restrict(Selector::Network("192.0.2.0/24".parse().expect("net")), Effect::Suspend);
    tokio::time::sleep(Duration::from_millis(50)).await;
    sender.send(b"data: 2\n\n".to_vec()).await.expect("fed");
    read_until(&mut stream, "data: 2\n\n").await;
    drop(sender);
    assert!(read_to_close_or_end(&mut stream).await.ends_with("0\r\n\r\n"), "complete");
}

async fn read_to_close_or_end(stream: &mut TcpStream) -> String {
    read_until(stream, "0\r\n\r\n").await
}

#[tokio::test]
async fn a_waiting_stream_ends_with_its_token() {
    let (upstream, sender) = fed().await;
    let house = House::new(upstream.address).await;
    let soon = house.clock_secs() + 2;
    let token = house.token_with("exp", json!(soon));
    let mut stream = open(&house, &token).await;
    sender.send(b"data: 1\n\n".to_vec()).await.expect("fed");
    read_until(&mut stream, "data: 1\n\n").await;
    let rest = read_to_close(&mut stream).await;
    assert!(!rest.contains("0\r\n\r\n"), "{rest:?}");
    upstream.wait_closed().await;
}

#[tokio::test]
async fn nothing_is_passed_after_the_end_of_the_token() {
    let (upstream, sender) = fed().await;
    let house = House::new(upstream.address).await;
    let mut stream = open(&house, &house.token("orders:read")).await;
    sender.send(b"data: 1\n\n".to_vec()).await.expect("fed");
    read_until(&mut stream, "data: 1\n\n").await;
    house.clock.advance(Duration::from_secs(301));
    sender.send(b"data: 2\n\n".to_vec()).await.expect("fed");
    let rest = read_to_close(&mut stream).await;
    assert!(!rest.contains("data: 2"), "{rest:?}");
}

#[tokio::test]
async fn a_stream_that_never_waits_is_cut_too() {
    let upstream = Recording::scripted(|_, _| {
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move { while sender.send(vec![b'x'; 16 * 1024]).await.is_ok() {} });
        Reply::Feed(EVENTS.into(), receiver)
    })
    .await;
    let house = House::new(upstream.address).await;
    let mut stream = open(&house, &house.token("orders:read")).await;
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..20 {
        assert!(stream.read(&mut buffer).await.expect("read") > 0);
    }
    house.restrict(Selector::Issuer, Effect::Revoke);
    let mut more = 0;
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        more += count;
        assert!(more < 64 << 20, "it goes on and on");
    }
    upstream.wait_closed().await;
}

#[tokio::test]
async fn a_body_passes_as_it_comes() {
    let (upstream, sender) = fed().await;
    let house = House::new(upstream.address).await;
    let mut stream = open(&house, &house.token("orders:read")).await;
    for part in 0..3 {
        let text = format!("data: {part}\n\n");
        sender.send(text.clone().into_bytes()).await.expect("fed");
        read_until(&mut stream, &text).await;
    }
    let upload = "POST /orders HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n";
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:write");
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let head = format!("{upload}Authorization: Bearer {token}\r\n\r\n5\r\nhello\r\n");
    stream.write_all(head.as_bytes()).await.expect("write");
    for _ in 0..500 {
        if upstream.requests().iter().any(|request| request.contains("hello")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(upstream.only().contains("5\r\nhello\r\n"), "before the body's end");
    stream.write_all(b"0\r\n\r\n").await.expect("write");
    assert_eq!(status(&read_until(&mut stream, "{}").await), 200);
}

#[tokio::test]
async fn a_big_body_passes_whole() {
    const SIZE: usize = 8 << 20;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
    let upstream =
        Recording::scripted(move |_, _| Reply::SendAndClose(head.clone() + &"z".repeat(SIZE)))
            .await;
    let house = House::new(upstream.address).await;
    let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
    assert_eq!(super::support::body(&answer).len(), SIZE);
    let (_, request) = house.events.next().await;
    assert_eq!(request.bytes_out, SIZE as u64);
}

#[tokio::test]
async fn an_upload_is_cut_by_a_revocation_and_told_so() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:write");
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let head = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 10\r\n\r\nhello"
    );
    stream.write_all(head.as_bytes()).await.expect("write");
    tokio::time::sleep(Duration::from_millis(50)).await;
    house.restrict(Selector::Client("c1".into()), Effect::Revoke);
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(status(&answer), 401);
    upstream.wait_closed().await;
    let (_, request) = house.events.next().await;
    assert_eq!(request.refused.expect("refused").to_string(), "revoked");
    assert_eq!(request.bytes_in, 5);
}

/// The upstream's time counts from the end of the request.
#[tokio::test]
async fn a_slow_upload_is_no_slow_upstream() {
    let upstream = Recording::new().await;
    let mut settings = super::support::settings(&format!("http://{}", upstream.address));
    settings.upstream_timeout = Duration::from_millis(400);
    let house = House::with(settings).await;
    let token = house.token("orders:write");
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let head = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 4\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("write");
    for byte in [b"a", b"b", b"c", b"d"] {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.write_all(byte).await.expect("write");
    }
    assert_eq!(status(&read_until(&mut stream, "{}").await), 200);
}

/// An upload that is still under way when the answer begins goes on, though nobody reads the answer.
#[tokio::test]
async fn an_upload_goes_on_beside_an_answer_that_nobody_reads() {
    const SIZE: usize = 12 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let house = House::new(listener.local_addr().expect("address")).await;
    let (told, arrived) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accept");
        let first = read_until(&mut stream, "\r\n\r\nx").await;
        let mut count = first.len() - first.find("\r\n\r\n").expect("a head") - 4;
        let (mut read, mut write) = stream.into_split();
        let writing = tokio::spawn(async move {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
            write.write_all(head.as_bytes()).await.expect("write");
            write.write_all(&vec![b'y'; SIZE]).await.expect("write");
            write
        });
        let mut buffer = vec![0; 1 << 16];
        while count < SIZE {
            count += read.read(&mut buffer).await.expect("read");
        }
        told.send(count).expect("waited for");
        writing.await.expect("all is read");
    });
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let token = house.token("orders:write");
    let head = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {SIZE}\r\nConnection: close\r\n\r\nx"
    );
    stream.write_all(head.as_bytes()).await.expect("write");
    let mut answer = read_until(&mut stream, "\r\n\r\n").await.len();
    let sending = async {
        stream.write_all(&vec![b'x'; SIZE - 1]).await.expect("write");
        arrived.await.expect("arrives")
    };
    let count = tokio::time::timeout(PATIENCE, sending).await.expect("nobody waits for the reader");
    assert_eq!(count, SIZE);
    answer += read_to_close(&mut stream).await.len();
    assert!(answer > SIZE, "{answer}");
}
