//! Heads, whole and in parts.

use bytes::{Bytes, BytesMut};
use http::{Method, Version};

use super::{FIELDS, HEAD_BYTES, Lines, Scan, request, response, skip_empty_lines, take, trailers};
use crate::error::BadHead;

/// The same, however it is cut.
fn end(text: &str, lines: Lines) -> Result<Option<usize>, BadHead> {
    let whole = Scan::default().end(text.as_bytes(), lines);
    let mut scan = Scan::default();
    let parts = (1..=text.len()).map(|length| scan.end(&text.as_bytes()[..length], lines));
    let parts = parts.into_iter().find(|end| !matches!(end, Ok(None))).unwrap_or(Ok(None));
    assert_eq!(whole, parts, "{text:?}");
    whole
}

#[test]
fn the_end_of_a_head_is_found_however_it_comes() {
    use Lines::{Lenient, Strict};
    for (text, strict, lenient) in [
        ("GET / HTTP/1.1\r\n\r\n", Ok(Some(18)), Ok(Some(18))),
        ("GET / HTTP/1.1\r\na: b\r\n\r\nrest", Ok(Some(24)), Ok(Some(24))),
        ("GET / HTTP/1.1\r\na: b\r\n", Ok(None), Ok(None)),
        ("GET / HTTP/1.1\r\na: b\r\n\r", Ok(None), Ok(None)),
        ("GET / HTTP/1.1\na: b\r\n\r\n", Err(BadHead::BareLineFeed), Ok(Some(23))),
        ("GET / HTTP/1.1\r\na: b\n\r\n", Err(BadHead::BareLineFeed), Ok(Some(23))),
        ("GET / HTTP/1.1\r\na: b\r\n\n", Err(BadHead::BareLineFeed), Ok(Some(23))),
        ("GET / HTTP/1.1\n\n", Err(BadHead::BareLineFeed), Ok(Some(16))),
        ("\n", Err(BadHead::BareLineFeed), Ok(Some(1))),
    ] {
        assert_eq!(end(text, Strict), strict, "{text:?}");
        assert_eq!(end(text, Lenient), lenient, "{text:?}");
    }
}

#[test]
fn a_head_has_a_length_that_it_may_have() {
    let of = |length: usize| {
        let fixed = "GET / HTTP/1.1\r\na: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(length - fixed))
    };
    assert_eq!(Scan::default().end(of(HEAD_BYTES).as_bytes(), Lines::Strict), Ok(Some(HEAD_BYTES)));
    for too_long in [of(HEAD_BYTES + 1), "x".repeat(HEAD_BYTES + 1)] {
        let end = Scan::default().end(too_long.as_bytes(), Lines::Strict);
        assert_eq!(end, Err(BadHead::TooLong));
    }
}

#[test]
fn what_is_taken_leaves_nothing_behind() {
    let mut unread = BytesMut::from("\r\n\r\nheadrest");
    assert!(skip_empty_lines(&mut unread) && !skip_empty_lines(&mut unread));
    assert_eq!(take(&mut unread, 4), "head");
    assert_eq!(take(&mut unread, 9), "rest");
    assert_eq!(unread.capacity(), 0);
}

#[test]
fn a_request_is_read() {
    let head = Bytes::from("PUT /a?b HTTP/1.0\r\nHost: x\r\nX-A: 1\r\nx-a: \t2 \r\nE:\r\n\r\n");
    let read = request(&head).expect("a request");
    assert_eq!((read.method(), read.uri().to_string().as_str()), (&Method::PUT, "/a?b"));
    assert_eq!(read.version(), Version::HTTP_10);
    let fields: Vec<_> = read.headers().iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
    let wanted: [(&str, &[u8]); 4] = [("host", b"x"), ("x-a", b"1"), ("x-a", b"2"), ("e", b"")];
    assert_eq!(fields, wanted);
}

#[test]
fn what_is_no_request_is_refused() {
    for head in [
        "GET /\r\n\r\n",
        "GET / HTTP/1.2\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        " GET / HTTP/1.1\r\n\r\n",
        "G(T / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nA : b\r\n\r\n",
        "GET / HTTP/1.1\r\nA\r\n\r\n",
        "GET / HTTP/1.1\r\n: b\r\n\r\n",
        "GET / HTTP/1.1\r\n A: b\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n",
    ] {
        let read = request(&Bytes::from(head));
        assert!(matches!(read, Err(BadHead::Syntax(_))), "{head:?}: {read:?}");
    }
    for target in ["http://[", "http://", "/\u{7f}?\u{1f}"] {
        let read = request(&Bytes::from(format!("GET {target} HTTP/1.1\r\n\r\n")));
        assert!(read.is_err(), "{target}: {read:?}");
    }
    let fragment = request(&Bytes::from("GET /a#b HTTP/1.1\r\n\r\n"));
    assert_eq!(fragment.err(), Some(BadHead::Fragment), "and not dropped");
    let many = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
    assert!(request(&Bytes::from(many(FIELDS))).is_ok());
    assert_eq!(request(&Bytes::from(many(FIELDS + 1))).err(), Some(BadHead::TooManyFields));
}

#[test]
fn an_answer_is_read() {
    for (head, status) in [
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 200),
        ("HTTP/1.1 404\r\nA: b\r\n\r\n", 404),
        ("HTTP/1.1 299 \r\nA: b\r\n\r\n", 299),
        ("HTTP/1.0 500 very\twrong\r\nA: b\r\n\r\n", 500),
        ("HTTP/1.1 200 OK\nA: b\n\n", 200),
    ] {
        let read = response(&Bytes::from(head)).expect(head);
        assert_eq!(read.status().as_u16(), status, "{head:?}");
        assert_eq!(read.headers()["a"], "b", "{head:?}");
    }
    for head in
        ["HTTP/2 200\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n", "x\r\n\r\n"]
    {
        assert!(response(&Bytes::from(head)).is_err(), "{head:?}");
    }
}

#[test]
fn trailers_are_fields() {
    let read = trailers(&Bytes::from("a: b\r\n\r\n")).expect("fields");
    assert_eq!(read["a"], "b");
    assert!(trailers(&Bytes::from("\r\n")).expect("none").is_empty());
    assert!(trailers(&Bytes::from("a b\r\n\r\n")).is_err());
}
