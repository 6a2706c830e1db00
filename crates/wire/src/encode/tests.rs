//! Messages as they are written, byte for byte.

use bytes::Bytes;
use http::{Request, Response, Version};

use super::{WrongLength, request, response};
use crate::framing::Going;
use crate::io::GATHER;

fn written(build: http::response::Builder, version: Version, going: Going, keep: bool) -> String {
    let (head, ()) = build.body(()).expect("response").into_parts();
    let mut out = Vec::new();
    response(&mut out, &head, version, going, keep);
    String::from_utf8(out).expect("text")
}

#[test]
fn an_answer_says_once_where_it_ends() {
    let lies = || {
        let build = Response::builder().header("date", "now").header("a", "b");
        build
            .header("content-length", "99")
            .header("transfer-encoding", "gzip")
            .header("connection", "x")
    };
    let v11 = Version::HTTP_11;
    for (going, fields) in [
        (Going::Length(10), "content-length: 10\r\n"),
        (Going::Length(0), "content-length: 0\r\n"),
        (Going::Chunked, "transfer-encoding: chunked\r\n"),
        (Going::ToEnd, ""),
    ] {
        let text = written(lies(), v11, going, true);
        assert_eq!(text, format!("HTTP/1.1 200 OK\r\ndate: now\r\na: b\r\n{fields}\r\n"));
    }
    // What it would be is told, where there is none (RFC 9110 §8.6).
    let text = written(lies().status(304), v11, Going::Nothing, true);
    assert_eq!(
        text,
        "HTTP/1.1 304 Not Modified\r\ndate: now\r\na: b\r\ncontent-length: 99\r\n\r\n"
    );
    let text = written(lies().status(204), v11, Going::Nothing, true);
    assert_eq!(text, "HTTP/1.1 204 No Content\r\ndate: now\r\na: b\r\n\r\n");
    let switch = Response::builder()
        .status(101)
        .header("connection", "upgrade")
        .header("content-length", "1");
    let text = written(switch, v11, Going::Nothing, true);
    assert_eq!(text, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\r\n");
}

#[test]
fn an_answer_says_whether_the_connection_goes_on() {
    let plain = || Response::builder().status(299).header("date", "now");
    for (version, keep, text) in [
        (Version::HTTP_11, true, "HTTP/1.1 299 Unknown\r\ndate: now\r\n\r\n"),
        (Version::HTTP_11, false, "HTTP/1.1 299 Unknown\r\ndate: now\r\nconnection: close\r\n\r\n"),
        (
            Version::HTTP_10,
            true,
            "HTTP/1.0 299 Unknown\r\ndate: now\r\nconnection: keep-alive\r\n\r\n",
        ),
        (Version::HTTP_10, false, "HTTP/1.0 299 Unknown\r\ndate: now\r\n\r\n"),
    ] {
        assert_eq!(written(plain(), version, Going::ToEnd, keep), text);
    }
    let dated = written(Response::builder(), Version::HTTP_11, Going::ToEnd, true);
    let date = dated.strip_prefix("HTTP/1.1 200 OK\r\ndate: ").expect("a date");
    assert!(httpdate::parse_http_date(date.trim_end()).is_ok(), "{date}");
}

#[test]
fn a_request_says_once_where_it_ends() {
    for (uri, going, wanted) in [
        ("/a?b", Going::Length(12), "PUT /a?b HTTP/1.1\r\na: b\r\ncontent-length: 12\r\n\r\n"),
        (
            "http://h/x",
            Going::Chunked,
            "PUT /x HTTP/1.1\r\na: b\r\ntransfer-encoding: chunked\r\n\r\n",
        ),
        ("http://h", Going::Nothing, "PUT / HTTP/1.1\r\na: b\r\ncontent-length: 0\r\n\r\n"),
    ] {
        let build = Request::put(uri).header("a", "b").header("content-length", "0");
        let (head, ()) =
            build.header("transfer-encoding", "x").body(()).expect("request").into_parts();
        let mut out = Vec::new();
        request(&mut out, &head, going);
        assert_eq!(String::from_utf8(out).expect("text"), wanted);
    }
    let (head, ()) = Request::options("*").body(()).expect("request").into_parts();
    let mut out = Vec::new();
    request(&mut out, &head, Going::Nothing);
    assert_eq!(out, b"OPTIONS * HTTP/1.1\r\n\r\n");
}

#[test]
fn a_body_is_as_long_as_was_promised() {
    let mut out = Vec::new();
    let mut going = Going::Length(5);
    assert_eq!(going.part(&mut out, Bytes::from("hel")), Ok(None));
    assert_eq!(going.end(&mut out, None), Err(WrongLength));
    assert_eq!(going.part(&mut out, Bytes::from("loX")), Err(WrongLength));
    assert_eq!(going.part(&mut out, Bytes::from("lo")), Ok(None));
    assert_eq!(going.end(&mut out, None), Ok(()));
    assert_eq!(out, b"hello");
    let (mut out, mut going) = (Vec::new(), Going::Chunked);
    for part in ["", "0123456789abcdef", "", "x"] {
        assert_eq!(going.part(&mut out, Bytes::from(part)), Ok(None));
    }
    going.end(&mut out, None).expect("end");
    assert_eq!(out, b"10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\n\r\n");
    let (mut out, long) = (Vec::new(), Bytes::from(vec![b'x'; GATHER]));
    let after = Going::Chunked.part(&mut out, long.clone());
    assert_eq!((after, out.as_slice()), (Ok(Some((long, &b"\r\n"[..]))), &b"4000\r\n"[..]));
    assert_eq!(Going::Nothing.part(&mut out, Bytes::from("x")), Ok(None), "HEAD has no body");
}
