//! Addresses of servers.

use super::Address;

fn uri(upstream: &str, target: &str, http2: bool) -> Option<String> {
    let upstream = Address::parse(upstream, http2)?;
    upstream.uri(&target.parse().expect("target")).map(|uri| uri.to_string())
}

#[test]
fn a_path_is_put_before() {
    for (upstream, origin, path) in [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "/a?b"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000", "/a?b"),
        ("https://api.internal/v1", "https://api.internal", "/v1/a?b"),
        ("https://api.internal/v1/", "https://api.internal", "/v1/a?b"),
        ("http://[::1]:9000", "http://[::1]:9000", "/a?b"),
    ] {
        assert_eq!(uri(upstream, "/a?b", false).as_deref(), Some(path));
        assert_eq!(uri(upstream, "/a?b", true), Some(format!("{origin}{path}")));
    }
}

#[test]
fn what_is_no_address() {
    for text in [
        "",
        "127.0.0.1:9000",
        "ftp://a",
        "unix:/run/a",
        "http://",
        "http://user@a",
        "http://user:password@a",
        "http://a?b",
        "http://a#b",
    ] {
        assert!(Address::parse(text, false).is_none(), "{text}");
    }
}
