//! Odd header fields: what a client says is never taken for what the gateway says.

use crate::support::peer::{Peer, Seen};
use crate::support::stage::Stage;
use crate::support::wire::Wire;

use super::bearer;

/// Each is sent alone, with and without a token; `spoofed` must not arrive in a field of ours.
#[rustfmt::skip]
const ODD: &[&str] = &[
    "Tokenward-Subject: spoofed", "TOKENWARD-CLIENT: spoofed", "tokenward_client: spoofed",
    "Tokenward_Subject: spoofed", "tokenward-token_id: spoofed", "Tokenward.Client: spoofed",
    "tokenward+client: spoofed", "tokenward~client: spoofed", "Tokenward|Client: spoofed",
    "tokenward!client: spoofed", "tokenward'client: spoofed", "tokenward*client: spoofed",
    "tokenward-anything: spoofed", "X-Forwarded-For: 203.0.113.9", "X.Forwarded.For: 203.0.113.9",
    "X_Forwarded_Host: spoofed", "X-Forwarded-Host: spoofed", "Forwarded: host=spoofed",
    "X-Request-Id: spoofed", "X_Request_Id: spoofed", "X.Request.Id: spoofed", "Proxy: http://spoofed",
    "X-Original-URL: /spoofed", "X-Rewrite-URL: /spoofed", "X-HTTP-Method-Override: DELETE",
    "Connection: tokenward-client, tokenward-subject", "Connection: x-forwarded-for, x-request-id, host",
    "Connection: close, authorization", "Connection: x-case", "Keep-Alive: timeout=1000",
    "Connection: content-length, transfer-encoding", "TE: trailers, deflate", "Trailer: tokenward-client",
    "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA", "Proxy-Connection: keep-alive",
    "Expect: 100-continue", "X-Odd: a\tb", "X-Odd:", "X-Odd: \u{e9}", "X-Odd: a, , b",
    // What an HTTP parser has to refuse.
    "Tokenward-Client : spoofed", "Tokenward-Client\t: spoofed", " Tokenward-Client: spoofed",
    "X-A: b\r\n Tokenward-Client: spoofed", "X-A: b\r\n\ttokenward-client: spoofed",
    "X-A: b\rTokenward-Client: spoofed", "X-A: \u{0}", "X-\u{e9}: b", "Tokenward-Client", ": spoofed",
    "X-A: b\u{b}", "X A: b", "X-A(b): c", "\"X-A\": b",
    // A bare line feed ends a line to some: then what follows is a field like any other.
    "X-A: b\nTokenward-Client: spoofed",
    // Who is asked for.
    "Host: other.example", "hOST: other.example", "Content-Length: 0\r\nHost: a",
];

#[test]
fn fields_of_a_client_are_never_taken_for_ours() {
    let stage = Stage::before(Peer::all());
    let mut wire = Wire::to(stage.served.gateway_port());
    for peer in &stage.peers {
        for (at, odd) in ODD.iter().enumerate() {
            for (path, token) in [("open", ""), ("closed", stage.token.as_str())] {
                let (host, name) = (stage.host(), peer.name);
                let token = if token.is_empty() { String::new() } else { bearer(token) };
                // Before and after the host and the token: first and last may count differently.
                let request = match at % 2 {
                    0 => format!("{odd}\r\nHost: {host}\r\n{token}"),
                    _ => format!("Host: {host}\r\n{token}{odd}\r\n"),
                };
                let line = format!("GET /{name}/{path}/{at} HTTP/1.1\r\n");
                let reply = wire.ask(format!("{line}{request}\r\n").as_bytes());
                let seen = peer.arrived();
                let what = || format!("{name} {odd:?}: {reply:?} {seen:#?}");
                assert!(matches!((reply.status, seen.len()), (200, 1) | (400, 0)), "{}", what());
                if let [seen] = seen.as_slice() {
                    assert_eq!(seen.target, format!("/{name}/{path}/{at}"), "{}", what());
                    says_who_it_is(
                        &stage,
                        peer,
                        seen,
                        !token.is_empty(),
                        reply.field("x-request-id"),
                    );
                }
            }
        }
    }
}

/// Names as programs see them whose server makes variables of them: `HTTP_X_Y` (RFC 3875 §4.1.18).
fn folded(seen: &Seen, name: &str) -> Vec<String> {
    let fold = |name: &str| -> String {
        let fold = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        name.chars().map(fold).collect()
    };
    let named = seen.fields.iter().filter(|(key, _)| fold(key) == fold(name));
    named.map(|(_, value)| value.clone()).collect()
}

#[track_caller]
fn says_who_it_is<const N: usize>(
    stage: &Stage<N>,
    peer: &Peer,
    seen: &Seen,
    with_token: bool,
    id: &str,
) {
    let known = |value: &str| if with_token { vec![value.to_owned()] } else { Vec::new() };
    assert_eq!(folded(seen, "tokenward-client"), known(&stage.client), "{seen:#?}");
    assert_eq!(folded(seen, "tokenward-scope"), known("health"), "{seen:#?}");
    assert_eq!(folded(seen, "x-forwarded-for"), ["127.0.0.1"], "{seen:#?}");
    assert_eq!(folded(seen, "x-forwarded-host"), [stage.host()], "{seen:#?}");
    assert_eq!(folded(seen, "x-request-id"), [id], "{seen:#?}");
    assert_eq!(folded(seen, "host"), [format!("127.0.0.1:{}", peer.port())], "{seen:#?}");
    for (name, value) in &seen.fields {
        let name = name.to_lowercase();
        assert!(!value.contains("spoofed"), "{seen:#?}");
        let ours =
            ["tokenward-client", "tokenward-scope", "tokenward-subject", "tokenward-token-id"];
        assert!(!name.starts_with("tokenward") || ours.contains(&name.as_str()), "{seen:#?}");
        for gone in ["authorization", "proxy", "forwarded", "upgrade", "http2-settings", "expect"] {
            assert_ne!(name, gone, "{seen:#?}");
        }
    }
}
