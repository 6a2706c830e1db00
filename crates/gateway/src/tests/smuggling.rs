//! Messages that two readers could take for different ones: refused, or restated upstream so that only one reading
//! is left.

use super::support::upstream::Recording;
use super::support::{House, error, field, status};

struct Stage {
    house: House,
    upstream: Recording,
    token: String,
}

impl Stage {
    async fn new() -> Self {
        let upstream = Recording::new().await;
        let house = House::new(upstream.address).await;
        let token = house.token("orders:read orders:write");
        Self { house, upstream, token }
    }

    /// `POST /orders` with these fields and this body, then a request without a token on the
    /// same connection.
    async fn post(&self, fields: &str, body: &str) -> String {
        let token = &self.token;
        self.house
            .raw(format!(
                "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
                 {fields}\r\n{body}GET /orders/9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            ))
            .await
    }
}

fn statuses(answer: &str) -> Vec<u16> {
    answer.match_indices("HTTP/1.1 ").map(|(at, _)| status(&answer[at..])).collect()
}

#[tokio::test]
async fn framing_that_is_refused() {
    let stage = Stage::new().await;
    let cases = [
        ("Content-Length: 4\r\nContent-Length: 5\r\n", "hello"),
        ("Content-Length: 5, 5\r\n", "hello"),
        ("Content-Length: +5\r\n", "hello"),
        ("Content-Length: 0x5\r\n", "hello"),
        ("Content-Length: -1\r\n", ""),
        ("Content-Length: \r\n", ""),
        ("Content-Length: 99999999999999999999\r\n", ""),
        ("Content-Length : 5\r\n", "hello"),
        (" Content-Length: 5\r\n", "hello"),
        ("Transfer-Encoding: gzip\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: identity\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\u{b}\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    ];
    for (fields, body) in cases {
        let answer = stage.post(fields, body).await;
        assert_eq!(status(&answer), 400, "{fields:?}");
        assert!(statuses(&answer).len() <= 2, "{fields:?}: {answer}");
    }
    assert!(stage.upstream.requests().is_empty(), "{:?}", stage.upstream.requests());
}

#[tokio::test]
async fn two_lengths_are_refused_even_if_they_agree() {
    for (fields, body) in [
        ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Length: nonsense\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
    ] {
        let stage = Stage::new().await;
        let answer = stage.post(fields, body).await;
        assert_eq!(statuses(&answer), [400], "nothing after it is answered");
        assert!(stage.upstream.requests().is_empty(), "{fields}");
    }
}

/// A head whose framing is a lie is told of like any refused request: with its name, and as an event.
#[tokio::test]
async fn what_is_no_request_is_explained_and_observed() {
    let stage = Stage::new().await;
    let answer = stage.post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n").await;
    assert_eq!((status(&answer), &*error(&answer)), (400, "invalid_request"));
    assert_eq!(field(&answer, "connection"), Some("close"));
    assert_eq!(field(&answer, "content-type"), Some("application/problem+json"));
    let (event, request) = stage.house.events.next().await;
    assert_eq!(event.ip.expect("address").to_string(), "127.0.0.1");
    assert_eq!((request.method.as_str(), &*request.path), ("POST", "/orders"));
    assert_eq!(request.refused.expect("refused").to_string(), "malformed");
    let answer = stage.house.raw("GET /orders\r\n\r\n".to_owned()).await;
    assert_eq!((status(&answer), &*error(&answer)), (400, "invalid_request"));
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    let answer = stage.house.raw(long).await;
    assert_eq!((status(&answer), &*error(&answer)), (431, "invalid_request"));
}

#[tokio::test]
async fn malformed_chunks_break_the_request_off() {
    for chunks in [
        "0x2\r\nhi\r\n0\r\n\r\n",
        "+2\r\nhi\r\n0\r\n\r\n",
        "2_0\r\nhi\r\n0\r\n\r\n",
        " 2\r\nhi\r\n0\r\n\r\n",
        "\r\nhi\r\n0\r\n\r\n",
        "2\nhi\n0\n\n",
        "2\r\nhiX\r\n0\r\n\r\n",
        "2;a\nb\r\nhi\r\n0\r\n\r\n",
        "10000000000000002\r\nhi\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhi\r\n0\r\n\r\n",
    ] {
        let stage = Stage::new().await;
        let answer = stage.post("Transfer-Encoding: chunked\r\n", chunks).await;
        assert_eq!(statuses(&answer), [400], "{chunks:?}: {answer}");
        for arrived in stage.upstream.requests() {
            assert!(!arrived.contains("\r\n0\r\n\r\n"), "never complete: {arrived:?}");
        }
    }
}

#[tokio::test]
async fn a_get_keeps_its_body_where_it_belongs() {
    let stage = Stage::new().await;
    let token = &stage.token;
    let smuggled = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    for (fields, sent) in [
        (format!("Content-Length: {}\r\n", smuggled.len()), smuggled.to_owned()),
        (
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len()),
        ),
    ] {
        let before = stage.upstream.requests().len();
        let request = format!(
            "GET /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n{fields}\r\n{sent}"
        );
        assert_eq!(statuses(&stage.house.raw(request).await), [200]);
        let requests = stage.upstream.requests();
        assert_eq!(requests.len(), before + 1);
        assert!(requests[before].contains(smuggled), "inside the body");
    }
}

#[tokio::test]
async fn odd_lines_and_hosts_are_refused() {
    let stage = Stage::new().await;
    let token = &stage.token;
    let auth = format!("Authorization: Bearer {token}");
    let cases = [
        format!("GET /orders HTTP/1.1\r\nHost: a\r\nHost: a\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a\r\nHost: b\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost:\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a/b\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: u@a\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a b\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a, b\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a:x\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: [::1\r\n{auth}\r\n\r\n"),
        format!("GET http://a/orders HTTP/1.1\r\n{auth}\r\n\r\n"),
        format!("GET http://b/orders HTTP/1.1\r\nHost: a\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.0\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a\r\nX Y: b\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n{auth}\r\n\r\n"),
        format!("GET /orders extra HTTP/1.1\r\nHost: a\r\n{auth}\r\n\r\n"),
        format!("GET /orders HTTP/1.2\r\nHost: a\r\n{auth}\r\n\r\n"),
        format!("GET /orders#x HTTP/1.1\r\nHost: a\r\n{auth}\r\n\r\n"),
        format!("GET /orders\u{e9} HTTP/1.1\r\nHost: a\r\n{auth}\r\n\r\n"),
        format!("GET /orders?\u{e9} HTTP/1.1\r\nHost: a\r\n{auth}\r\n\r\n"),
    ];
    for request in cases {
        let closing = request.replace("HTTP/1.1\r\n", "HTTP/1.1\r\nConnection: close\r\n");
        let answer = stage.house.raw(closing).await;
        let code = answer.get(9..12).unwrap_or("closed");
        assert_eq!(code, "400", "{request:?}: {answer}");
    }
    assert!(stage.upstream.requests().is_empty(), "{:?}", stage.upstream.requests());
    let good =
        format!("GET /orders HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n{auth}\r\n\r\n");
    assert_eq!(status(&stage.house.raw(good).await), 200);
}

/// RFC 9112 §2.2 lets a reader take a bare LF for a line's end, and some in front of the gateway do not.
#[tokio::test]
async fn a_bare_line_feed_is_refused() {
    let stage = Stage::new().await;
    let token = &stage.token;
    let good = format!(
        "GET /orders HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nX-A: b\r\n\r\n"
    );
    assert_eq!(status(&stage.house.raw(good.clone()).await), 200);
    for at in good.match_indices("\r\n").map(|(at, _)| at) {
        let mut bad = good.clone();
        bad.remove(at);
        assert_eq!(status(&stage.house.raw(bad).await), 400, "{at}");
    }
    assert_eq!(stage.upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_request() {
    use tokio::io::AsyncWriteExt as _;

    let stage = Stage::new().await;
    let token = &stage.token;
    let mut stream = tokio::net::TcpStream::connect(stage.house.address).await.expect("connect");
    let head = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 10\r\n\r\nhello"
    );
    stream.write_all(head.as_bytes()).await.expect("write");
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    drop(stream);
    stage.upstream.wait_closed().await;
    let (_, request) = stage.house.events.next().await;
    assert_eq!(request.bytes_in, 5);
    assert!(matches!(request.status, 400 | 499), "{request:?}");
}
