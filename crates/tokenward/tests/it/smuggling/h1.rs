//! HTTP/1.1: lengths, codings, chunks and lines that readers disagree about.

use crate::support::peer::Peer;
use crate::support::stage::Stage;
use crate::support::wire::{Reply, Wire};

use super::{SILENCE, Sees, arrived, wrong};
use Sees::{Nothing, Once, Twice};

/// Fields and body of a `POST` with a good token; `{s}` is a whole request without one, for what is closed: the
/// statuses that come, and what the API sees. The statuses of a case that the parser refuses begin with 400.
#[rustfmt::skip]
const CASES: &[(&str, &str, &[u16], Sees)] = &[
    // What is plain.
    ("Content-Length: 5", "hello", &[200], Once("hello")),
    ("Content-Length: 0", "", &[200], Once("")),
    ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", &[200], Once("hello")),
    ("Transfer-Encoding: Chunked", "5\r\nhello\r\n0\r\n\r\n", &[200], Once("hello")),
    ("transfer-encoding:chunked", "5\r\nhello\r\n0\r\n\r\n", &[200], Once("hello")),
    ("Transfer-Encoding: \t chunked \t", "5\r\nhello\r\n0\r\n\r\n", &[200], Once("hello")),
    ("Content-Length: \t5 ", "hello", &[200], Once("hello")),
    ("Content-Length: 005", "hello", &[200], Once("hello")),
    // A second request behind a whole one is a request like any other, and needs a token.
    ("Content-Length: 5", "hello{s}", &[200, 401], Once("hello")),
    ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n{s}", &[200, 401], Once("hello")),
    ("Content-Length: 0", "{s}", &[200, 401], Once("")),
    ("", "{s}", &[200, 401], Once("")),
    ("Content-Length: 5", "hello{again}", &[200, 200], Twice),
    // A request inside of a body is no request.
    ("Content-Length: {len}", "{s}", &[200], Once("{s}")),
    ("Transfer-Encoding: chunked", "{hex}\r\n{s}\r\n0\r\n\r\n", &[200], Once("{s}")),
    // CL.TE, TE.CL: one of the two is a lie (RFC 9112 §6.1).
    ("Content-Length: {len}\r\nTransfer-Encoding: chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked\r\nContent-Length: {len}", "0\r\n\r\n{s}", &[400], Nothing),
    ("Content-Length: 4\r\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Content-Length: 4\r\nTransfer-Encoding: chunked", "{hex}\r\n{s}\r\n0\r\n\r\n", &[400], Nothing),
    // TE.TE: what is not `chunked` and nothing else.
    ("Transfer-Encoding: xchunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: identity", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: gzip", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: gzip, chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked, identity", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked, chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: identity, chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: ,chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked,", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: \"chunked\"", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked;q=1", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chun\tked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked\u{b}", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: \u{0}chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked\u{a0}", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding : chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding\t: chunked", "0\r\n\r\n{s}", &[400], Nothing),
    (" Transfer-Encoding: chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding:\r\n chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("X: y\r\n Transfer-Encoding: chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("X: y\rTransfer-Encoding: chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n{s}", &[400], Nothing),
    ("Content-Length: {len}\r\nTransfer-Encoding: xchunked", "{s}", &[400], Nothing),
    ("Content-Length: {len}\r\nTransfer-Encoding: identity", "{s}", &[400], Nothing),
    // Some read these names as the field that they are not: they are not sent on, and have no meaning here.
    ("Transfer_Encoding: chunked\r\nContent-Length: 5", "hello{s}", &[200, 401], Once("hello")),
    ("Transfer.Encoding: chunked\r\nContent-Length: 5", "hello{s}", &[200, 401], Once("hello")),
    ("Content_Length: 99\r\nContent-Length: 5", "hello{s}", &[200, 401], Once("hello")),
    // Lengths.
    ("Content-Length: 0\r\nContent-Length: {len}", "{s}", &[400], Nothing),
    ("Content-Length: {len}\r\nContent-Length: 0", "{s}", &[400], Nothing),
    ("Content-Length: 5\r\nContent-Length: 5", "hello{s}", &[400], Nothing),
    ("Content-Length: 5, 5", "hello{s}", &[400], Nothing),
    ("Content-Length: 0, {len}", "{s}", &[400], Nothing),
    ("Content-Length: +5", "hello{s}", &[400], Nothing),
    ("Content-Length: -5", "hello{s}", &[400], Nothing),
    ("Content-Length: -0", "{s}", &[400], Nothing),
    ("Content-Length: 0x5", "hello{s}", &[400], Nothing),
    ("Content-Length: 5 0", "hello{s}", &[400], Nothing),
    ("Content-Length: 5_0", "hello{s}", &[400], Nothing),
    ("Content-Length: 5.0", "hello{s}", &[400], Nothing),
    ("Content-Length: 5e0", "hello{s}", &[400], Nothing),
    ("Content-Length: \"5\"", "hello{s}", &[400], Nothing),
    ("Content-Length:", "{s}", &[400], Nothing),
    ("Content-Length: \u{ff15}", "hello{s}", &[400], Nothing),
    ("Content-Length: 18446744073709551621", "hello{s}", &[400], Nothing),
    ("Content-Length: 99999999999999999999999", "hello{s}", &[400], Nothing),
    ("Content-Length : 5", "hello{s}", &[400], Nothing),
    ("Content-Length\t: 5", "hello{s}", &[400], Nothing),
    ("Content-Length:\r\n 5", "hello{s}", &[400], Nothing),
    ("Content-Length: 50", "hello", &[], Nothing),
    // Chunks.
    ("Transfer-Encoding: chunked", "5;a=b\r\nhello\r\n0;c\r\n\r\n{s}", &[200, 401], Once("hello")),
    ("Transfer-Encoding: chunked", "5;a=\"\r\nhello\r\n0\r\n\r\n{s}", &[200, 401], Once("hello")),
    ("Transfer-Encoding: chunked", "0005\r\nhello\r\n000\r\n\r\n{s}", &[200, 401], Once("hello")),
    ("Transfer-Encoding: chunked", "A\r\nhellohello\r\n0\r\n\r\n{s}", &[200, 401], Once("hellohello")),
    ("Transfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "+5\r\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "-5\r\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "5_0\r\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", " 5\r\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "10000000000000005\r\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "5\r\nhelloX\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "5\r\nhello0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "5\r\nhello\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "5\rhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "5;\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "5;a\rb\r\nhello\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "2;\n\nxx\r\n{hex}\r\n0\r\n\r\n{s}", &[400], Nothing),
    ("Transfer-Encoding: chunked", "0\r\nX: y\r\n\r\n{s}", &[200, 401], Once("")),
    ("Transfer-Encoding: chunked", "0\r\nTokenward-Subject: spoofed\r\n\r\n{s}", &[200, 401], Once("")),
    ("Transfer-Encoding: chunked", "0\r\nContent-Length: {len}\r\n\r\n{s}", &[200, 401], Once("")),
    ("Transfer-Encoding: chunked\r\nTrailer: Authorization\r\nTE: trailers",
     "0\r\nAuthorization: Bearer spoofed\r\n\r\n{s}", &[200, 401], Once("")),
    ("Transfer-Encoding: chunked", "5\r\nhello\r\n", &[], Nothing),
    ("Transfer-Encoding: chunked", "5\r\nhel", &[], Nothing),
    // A bare line feed ends a line for some readers (RFC 9112 §2.2).
    ("X: y\nContent-Length: 5", "hello{s}", &[400], Nothing),
    ("X: y\nTransfer-Encoding: chunked\nContent-Length: {len}", "0\r\n\r\n{s}", &[400], Nothing),
    ("X: y\n\n{s}", "", &[400], Nothing),
    // Protocols that would leave the gateway's sight.
    ("Expect: 100-continue\r\nContent-Length: 5", "hello{s}", &[100, 200, 401], Once("hello")),
    ("Expect: 100-continue\r\nContent-Length: 0", "{s}", &[200, 401], Once("")),
    ("Expect: other\r\nContent-Length: 5", "hello{s}", &[200, 401], Once("hello")),
    ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 5", "hello{s}", &[200, 401], Once("hello")),
    ("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\
      Content-Length: 0", "{s}", &[200, 401], Once("")),
    ("Connection: Upgrade\r\nUpgrade: HTTP/2.0, h2c\r\nContent-Length: 5", "hello{s}", &[200, 401], Once("hello")),
    ("Connection: content-length, transfer-encoding\r\nContent-Length: 5", "hello{s}", &[200, 401], Once("hello")),
    ("Connection: transfer-encoding\r\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n{s}",
     &[200, 401], Once("hello")),
];

/// First lines in place of `POST PATH HTTP/1.1`, before a request as above with a body of five bytes.
#[rustfmt::skip]
const LINES: &[(&str, &[u16], Sees)] = &[
    ("POST {path} HTTP/1.1", &[200, 401], Once("hello")),
    ("POST {path} HTTP/1.0", &[200], Once("hello")),
    ("POST {path} HTTP/1.2", &[400], Nothing),
    ("POST {path} HTTP/0.9", &[400], Nothing),
    ("POST {path} HTTP/2.0", &[400], Nothing),
    ("POST {path}", &[400], Nothing),
    ("POST {path} http/1.1", &[400], Nothing),
    ("POST  {path} HTTP/1.1", &[400], Nothing),
    ("POST {path}  HTTP/1.1", &[400], Nothing),
    ("POST {path} HTTP/1.1 ", &[400], Nothing),
    ("POST\t{path} HTTP/1.1", &[400], Nothing),
    ("POST {path}\tHTTP/1.1", &[400], Nothing),
    ("POST {path} HTTP/1.1\r", &[400], Nothing),
    (" POST {path} HTTP/1.1", &[400], Nothing),
    ("PO ST {path} HTTP/1.1", &[400], Nothing),
    ("POST {path} x HTTP/1.1", &[400], Nothing),
    ("POST {path} HTTP/1.1\r\n ", &[400], Nothing),
    ("CONNECT {path} HTTP/1.1", &[405, 401], Nothing),
    ("PRI * HTTP/2.0", &[400], Nothing),
    ("\u{0}POST {path} HTTP/1.1", &[400], Nothing),
    ("TRACE {path} HTTP/1.1", &[405, 401], Nothing),
];

fn smuggled(host: &str, peer: &Peer) -> String {
    let name = peer.name;
    format!("GET /{name}/closed/smuggled HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

fn statuses(replies: &[Reply]) -> Vec<u16> {
    replies.iter().map(|reply| reply.status).collect()
}

/// Whether the answers are those; where the parser has refused, it may have answered nothing, and answers of the
/// gateway to what it has refused may be there before.
fn answered(statuses: &[u16], wanted: &[u16]) -> bool {
    match wanted {
        [400] => matches!(statuses, [] | [400..500]),
        [] => matches!(statuses, [] | [400 | 408]),
        _ => statuses == wanted,
    }
}

#[test]
fn each_api_sees_the_requests_that_were_authorised() {
    let stage = Stage::before(Peer::all());
    let wrong = wrong(&stage, |peer| {
        let told = CASES.iter().enumerate().filter_map(|(at, (fields, body, wanted, sees))| {
            let path = format!("/{}/closed/{at}", peer.name);
            let line = format!("POST {path} HTTP/1.1");
            told(&stage, peer, &path, &line, fields, body, wanted, *sees)
        });
        told.collect()
    });
    assert!(wrong.is_empty(), "{} cases: {wrong:#?}", wrong.len());
}

#[test]
fn a_first_line_is_read_in_one_way() {
    let stage = Stage::before(Peer::all());
    let wrong = wrong(&stage, |peer| {
        let told = LINES.iter().enumerate().filter_map(|(at, (line, wanted, sees))| {
            let path = format!("/{}/closed/{at}", peer.name);
            let line = line.replace("{path}", &path);
            told(&stage, peer, &path, &line, "Content-Length: 5", "hello{s}", wanted, *sees)
        });
        told.collect()
    });
    assert!(wrong.is_empty(), "{} cases: {wrong:#?}", wrong.len());
}

/// Sends one case; what went wrong.
#[expect(clippy::too_many_arguments, reason = "a row of a table")]
fn told<const N: usize>(
    stage: &Stage<N>,
    peer: &Peer,
    path: &str,
    line: &str,
    fields: &str,
    body: &str,
    wanted: &[u16],
    sees: Sees,
) -> Option<String> {
    let (host, token) = (stage.host(), &stage.token);
    let smuggled = smuggled(&host, peer);
    let again = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Length: 5\r\n\r\nhello"
    );
    let fill = |text: &str| {
        text.replace("{s}", &smuggled)
            .replace("{again}", &again)
            .replace("{len}", &smuggled.len().to_string())
            .replace("{hex}", &format!("{:x}", smuggled.len()))
    };
    let fields = if fields.is_empty() { String::new() } else { format!("{}\r\n", fill(fields)) };
    let request = format!(
        "{line}\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{fields}\r\n{}",
        fill(body)
    );
    let port = stage.served.gateway_port();
    let statuses = statuses(&Wire::exchange(port, request.as_bytes(), SILENCE));
    let seen = peer.arrived();
    let sees_whole = match sees {
        Once("{s}") => {
            seen.len() == 1 && seen.iter().all(|one| one.body == smuggled && one.target == path)
        }
        sees => arrived(peer, &seen, path, sees),
    };
    let good = answered(&statuses, wanted) && sees_whole;
    (!good).then(|| {
        let line = line.replace(&format!("/{}/", peer.name), "/…/");
        format!("{} {line:?} {fields:?} {body:?}: {statuses:?}, seen {seen:?}", peer.name)
    })
}
