//! Requests that are too large or too slow, on raw sockets.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::support::upstream::Recording;
use super::support::{House, error, read_to_close, settings, status};
use crate::settings::Settings;

fn limited(upstream: &Recording) -> Settings {
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.request_limits.fields = 20;
    settings.request_limits.field_bytes = 2048;
    settings.request_limits.body_bytes = Some(100);
    settings.request_limits.body_wait = Duration::from_millis(400);
    settings
}

async fn house() -> (House, Recording) {
    let upstream = Recording::new().await;
    (House::with(limited(&upstream)).await, upstream)
}

#[tokio::test]
async fn too_many_or_too_long_fields_are_refused_with_a_reason() {
    let (house, upstream) = house().await;
    let many = (0..30).map(|number| format!("X-{number}: 1\r\n")).collect::<String>();
    for fields in [many, format!("X-Long: {}\r\n", "a".repeat(2100))] {
        let answer = house.ask_as(&house.token("orders:read"), "GET /orders/7", &fields).await;
        assert_eq!((status(&answer), &*error(&answer)), (431, "header_fields_too_large"));
        let (_, request) = house.events.next().await;
        assert_eq!(request.status, 431);
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_body_of_known_length_is_refused_before_it_is_read() {
    let (house, upstream) = house().await;
    let token = house.token("orders:read orders:write");
    let answer = house.ask_as(&token, "POST /orders", "Content-Length: 101\r\n").await;
    assert_eq!((status(&answer), &*error(&answer)), (413, "content_too_large"));
    assert!(upstream.requests().is_empty());
    let fields = format!("Content-Length: 100\r\n\r\n{}", "a".repeat(100));
    assert_eq!(status(&house.ask_as(&token, "POST /orders", &fields).await), 200);
    // Who may not ask learns of no limit.
    let answer = house.ask("POST /orders", "Content-Length: 101\r\n").await;
    assert_eq!(status(&answer), 401);
}

#[tokio::test]
async fn a_body_in_chunks_is_counted_as_it_comes() {
    let (house, _upstream) = house().await;
    let token = house.token("orders:read orders:write");
    let part = format!("3c\r\n{}\r\n", "a".repeat(60));
    let fields = format!("Transfer-Encoding: chunked\r\n\r\n{part}{part}0\r\n\r\n");
    let answer = house.ask_as(&token, "POST /orders", &fields).await;
    assert_eq!(status(&answer), 413, "{answer}");
    let fields = format!("Transfer-Encoding: chunked\r\n\r\n{part}0\r\n\r\n");
    assert_eq!(status(&house.ask_as(&token, "POST /orders", &fields).await), 200);
}

#[tokio::test]
async fn a_route_may_take_more_or_as_much_as_comes() {
    let upstream = Recording::new().await;
    for (own, length, expected) in
        [(Some(200), 150, 200), (Some(200), 201, 413), (Some(0), 5000, 200)]
    {
        let mut settings = limited(&upstream);
        settings.routes.iter_mut().for_each(|route| route.body_bytes = own);
        let house = House::with(settings).await;
        let token = house.token("orders:read orders:write");
        let fields = format!("Content-Length: {length}\r\n\r\n{}", "a".repeat(length));
        let answer = house.ask_as(&token, "POST /orders", &fields).await;
        assert_eq!(status(&answer), expected, "{own:?} {length}");
    }
}

async fn begin(house: &House, fields: &str) -> TcpStream {
    let token = house.token("orders:read orders:write");
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let head = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n{fields}\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("write");
    stream
}

#[tokio::test]
async fn who_drips_a_body_is_cut_off() {
    let (house, upstream) = house().await;
    let mut stream = begin(&house, "Content-Length: 90\r\n").await;
    let began = Instant::now();
    let dripping = async {
        for _ in 0..90 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if stream.write_all(b"a").await.is_err() {
                break;
            }
            if began.elapsed() > Duration::from_secs(2) {
                break;
            }
        }
        read_to_close(&mut stream).await
    };
    let answer = dripping.await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    // The answer may be lost by the reset that follows it.
    assert!(answer.is_empty() || status(&answer) == 408, "{answer}");
    let (_, request) = house.events.next().await;
    assert_eq!(request.status, 408);
    upstream.wait_closed().await;
}

#[tokio::test]
async fn who_sends_nothing_more_is_told_so() {
    let (house, _upstream) = house().await;
    let mut stream = begin(&house, "Transfer-Encoding: chunked\r\n").await;
    stream.write_all(b"2\r\nab\r\n").await.expect("write");
    let answer = read_to_close(&mut stream).await;
    assert_eq!((status(&answer), &*error(&answer)), (408, "request_timeout"));
}
