//! HTTP/2: what would be another message once it is written as HTTP/1.1 (RFC 9113 §8.2, §8.3), and floods.

use crate::support::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, Http2, Literal};
use crate::support::peer::{Peer, Seen};
use crate::support::stage::Stage;

use super::{SILENCE, Sees, arrived, wrong};
use Sees::{Nothing, Once};

/// A request: what is put in place of the usual fields of that name, more fields, the body's frames, and trailers.
struct Case {
    name: &'static str,
    instead: &'static [(&'static str, &'static str)],
    more: &'static [(&'static str, &'static str)],
    body: &'static [&'static str],
    trailers: &'static [(&'static str, &'static str)],
    sees: Sees,
}

const PLAIN: Case =
    Case { name: "plain", instead: &[], more: &[], body: &[], trailers: &[], sees: Nothing };

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { sees: Once(""), ..PLAIN },
    Case { name: "a body", body: &["hello"], sees: Once("hello"), ..PLAIN },
    Case { name: "a body of two frames", body: &["hel", "", "lo"], sees: Once("hello"), ..PLAIN },
    Case { name: "a length", more: &[("content-length", "5")], body: &["hello"], sees: Once("hello"), ..PLAIN },
    Case { name: "cookies", more: &[("cookie", "a=1"), ("cookie", "b=2")], sees: Once(""), ..PLAIN },
    Case { name: "trailers", body: &["hello"], trailers: &[("x", "y")], sees: Once("hello"), ..PLAIN },
    Case { name: "spoofed trailers", body: &["hello"], trailers: &[("tokenward-subject", "spoofed"), ("authorization", "spoofed")], sees: Once("hello"), ..PLAIN },
    Case { name: "spoofed fields", more: &[("tokenward-client", "spoofed"), ("tokenward_client", "spoofed"), ("tokenward.client", "spoofed")], sees: Once(""), ..PLAIN },
    // Lengths.
    Case { name: "too short", more: &[("content-length", "9")], body: &["hello"], ..PLAIN },
    Case { name: "too long", more: &[("content-length", "1")], body: &["hello"], ..PLAIN },
    Case { name: "none at all", more: &[("content-length", "9")], ..PLAIN },
    Case { name: "zero with a body", more: &[("content-length", "0")], body: &["GET /smuggled HTTP/1.1\r\n\r\n"], ..PLAIN },
    Case { name: "two lengths", more: &[("content-length", "5"), ("content-length", "0")], body: &["hello"], ..PLAIN },
    Case { name: "a list of lengths", more: &[("content-length", "5, 5")], body: &["hello"], ..PLAIN },
    Case { name: "a sign", more: &[("content-length", "+5")], body: &["hello"], ..PLAIN },
    // What belongs to a connection (§8.2.2).
    Case { name: "transfer-encoding", more: &[("transfer-encoding", "chunked")], body: &["0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"], ..PLAIN },
    Case { name: "connection", more: &[("connection", "keep-alive")], ..PLAIN },
    Case { name: "connection names ours", more: &[("connection", "tokenward-subject")], ..PLAIN },
    Case { name: "keep-alive", more: &[("keep-alive", "timeout=5")], ..PLAIN },
    Case { name: "proxy-connection", more: &[("proxy-connection", "close")], ..PLAIN },
    Case { name: "upgrade", more: &[("upgrade", "websocket")], ..PLAIN },
    Case { name: "te", more: &[("te", "gzip")], ..PLAIN },
    // Characters (§8.2.1).
    Case { name: "CRLF in a value", more: &[("x", "y\r\ntokenward-subject: spoofed")], ..PLAIN },
    Case { name: "LF in a value", more: &[("x", "y\ntransfer-encoding: chunked")], ..PLAIN },
    Case { name: "CR in a value", more: &[("x", "y\rz")], ..PLAIN },
    Case { name: "NUL in a value", more: &[("x", "y\0z")], ..PLAIN },
    Case { name: "CRLF in a name", more: &[("x: y\r\ntokenward-subject", "spoofed")], ..PLAIN },
    Case { name: "a colon in a name", more: &[("tokenward-subject:spoofed", "x")], ..PLAIN },
    Case { name: "a space in a name", more: &[("tokenward-subject ", "spoofed")], ..PLAIN },
    Case { name: "upper case", more: &[("Tokenward-Subject", "spoofed")], ..PLAIN },
    Case { name: "an empty name", more: &[("", "x")], ..PLAIN },
    // Pseudo-header fields (§8.3).
    Case { name: "unknown", more: &[(":evil", "x")], ..PLAIN },
    Case { name: "of an answer", more: &[(":status", "200")], ..PLAIN },
    Case { name: "after the others", more: &[("x", "y"), (":path", "/smuggled")], ..PLAIN },
    Case { name: "two paths", instead: &[(":path", "{path}"), (":path", "/smuggled")], ..PLAIN },
    Case { name: "two methods", instead: &[(":method", "POST"), (":method", "GET")], ..PLAIN },
    Case { name: "two authorities", instead: &[(":authority", "{host}"), (":authority", "other.example")], ..PLAIN },
    // No trailer is sent on, so that it does no harm there.
    Case { name: "in trailers", body: &["hello"], trailers: &[(":path", "/smuggled")], sees: Once("hello"), ..PLAIN },
    Case { name: "no path", instead: &[(":path", "")], ..PLAIN },
    Case { name: "a path with a space", instead: &[(":path", "{path} HTTP/1.1")], ..PLAIN },
    Case { name: "a path with lines", instead: &[(":path", "{path} HTTP/1.1\r\nx: y\r\n\r\nGET /smuggled")], ..PLAIN },
    Case { name: "a path with a tab", instead: &[(":path", "{path}\tx")], ..PLAIN },
    Case { name: "a path without slash", instead: &[(":path", "smuggled")], ..PLAIN },
    Case { name: "an authority in the path", instead: &[(":path", "@other.example/smuggled")], ..PLAIN },
    Case { name: "a whole URL as the path", instead: &[(":path", "http://other.example/smuggled")], ..PLAIN },
    Case { name: "two slashes", instead: &[(":path", "//other.example/smuggled")], ..PLAIN },
    Case { name: "a star", instead: &[(":path", "*")], ..PLAIN },
    Case { name: "dot segments", instead: &[(":path", "{path}/../smuggled")], ..PLAIN },
    Case { name: "a method with a path", instead: &[(":method", "GET /smuggled HTTP/1.1\r\nx: ")], ..PLAIN },
    Case { name: "a method with a space", instead: &[(":method", "POST ")], ..PLAIN },
    Case { name: "no method", instead: &[(":method", "")], ..PLAIN },
    Case { name: "a scheme with a path", instead: &[(":scheme", "http://other.example/smuggled?")], ..PLAIN },
    Case { name: "an authority with lines", instead: &[(":authority", "{host}\r\nx: y")], ..PLAIN },
    Case { name: "an authority with a path", instead: &[(":authority", "{host}/smuggled?")], ..PLAIN },
    Case { name: "an authority with a name", instead: &[(":authority", "u@{host}")], ..PLAIN },
    Case { name: "the same host", more: &[("host", "{host}")], sees: Once(""), ..PLAIN },
    Case { name: "another host", more: &[("host", "other.example")], ..PLAIN },
    Case { name: "two hosts", more: &[("host", "{host}"), ("host", "{host}")], ..PLAIN },
    Case { name: "CONNECT", instead: &[(":method", "CONNECT")], ..PLAIN },
    Case { name: "a WebSocket by CONNECT", instead: &[(":method", "CONNECT"), (":protocol", "websocket")], ..PLAIN },
];

#[test]
fn each_api_sees_the_requests_that_were_authorised() {
    let stage = Stage::before(Peer::all());
    let wrong = wrong(&stage, |peer| {
        let told = CASES.iter().enumerate().filter_map(|(at, case)| told(&stage, peer, at, case));
        told.collect()
    });
    assert!(wrong.is_empty(), "{} cases: {wrong:#?}", wrong.len());
}

/// Sends one case on a connection of its own; what went wrong.
fn told<const N: usize>(stage: &Stage<N>, peer: &Peer, at: usize, case: &Case) -> Option<String> {
    let path = format!("/{}/closed/{at}", peer.name);
    let mut http2 = Http2::to(stage.served.gateway_port());
    send(&mut http2, stage, &path, case);
    let answer = http2.until_silent(SILENCE);
    let seen = peer.arrived();
    let good = arrived(peer, &seen, &path, case.sees);
    (!good).then(|| format!("{} {}: {answer:?}, seen {seen:?}", peer.name, case.name))
}

fn send<const N: usize>(http2: &mut Http2, stage: &Stage<N>, path: &str, case: &Case) {
    let ends = |last: bool| if last { END_STREAM } else { 0 };
    let alone = case.body.is_empty() && case.trailers.is_empty();
    let block = block(stage, path, case);
    let mut frames = Http2::bytes(HEADERS, END_HEADERS | ends(alone), 1, &block);
    for (at, part) in case.body.iter().enumerate() {
        let last = at + 1 == case.body.len() && case.trailers.is_empty();
        frames.extend(Http2::bytes(DATA, ends(last), 1, part.as_bytes()));
    }
    if !case.trailers.is_empty() {
        let block = case.trailers.iter().flat_map(|(name, value)| Literal(name, value).bytes());
        let block = block.collect::<Vec<u8>>();
        frames.extend(Http2::bytes(HEADERS, END_HEADERS | END_STREAM, 1, &block));
    }
    // At once: what is wrong after a head that is good must not come when the request is on its way.
    http2.raw(&frames);
}

/// The fields of the head.
fn block<const N: usize>(stage: &Stage<N>, path: &str, case: &Case) -> Vec<u8> {
    let (host, token) = (stage.host(), format!("Bearer {}", stage.token));
    let usual = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", host.as_str()),
        (":path", path),
        ("authorization", token.as_str()),
    ];
    let is_usual = |name: &str| usual.iter().any(|(usual, _)| *usual == name);
    // What is no usual one comes first: it is a pseudo-header field too.
    let mut fields: Vec<_> = case.instead.iter().filter(|(name, _)| !is_usual(name)).collect();
    for field in &usual {
        let replaced = fields.len();
        fields.extend(case.instead.iter().filter(|(own, _)| *own == field.0));
        if fields.len() == replaced {
            fields.push(field);
        }
    }
    fields.extend(case.more);
    let fill = |text: &str| text.replace("{path}", path).replace("{host}", &host);
    fields.iter().flat_map(|(name, value)| Literal(name, &fill(value)).bytes()).collect()
}

#[test]
fn floods_cost_nobody_else_anything() {
    let stage = Stage::before([Peer::hyper()]);
    let [peer] = &stage.peers;
    let path = |name: &str| format!("/{}/closed/{name}", peer.name);
    let before = stage.served.resident();
    // Fields that are small on the way and large in memory (HPACK): one of 4000 bytes, and then its number.
    let mut http2 = Http2::to(stage.served.gateway_port());
    let mut bomb = block(&stage, &path("bomb"), &PLAIN);
    bomb.extend(Literal("bomb", &"v".repeat(4000)).indexed());
    bomb.extend(std::iter::repeat_n(0xbe, 11_000));
    http2.frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb);
    assert!(http2.until_silent(SILENCE).has_ended(1), "it is refused");
    // Frames without data, of a body that never ends.
    let mut http2 = Http2::to(stage.served.gateway_port());
    http2.frame(HEADERS, END_HEADERS, 1, &block(&stage, &path("empty"), &PLAIN));
    let empty = Http2::bytes(DATA, 0, 1, &[]).repeat(10_000);
    for _ in 0..50 {
        if !http2.raw(&empty) {
            break;
        }
    }
    let mut other = Http2::to(stage.served.gateway_port());
    send(&mut other, &stage, &path("other"), &PLAIN);
    assert!(other.until_silent(SILENCE * 10).has_ended(1), "nobody else waits for it");
    let grown = stage.served.resident().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB more");
    drop(http2);
    let seen = peer.arrived();
    let other = |one: &Seen| one.target == path("other");
    assert!(seen.iter().any(other) && seen.iter().all(|one| other(one) || !one.whole), "{seen:#?}");
}
