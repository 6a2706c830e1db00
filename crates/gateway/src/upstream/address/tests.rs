//! Addresses of servers.

use super::Address;

fn uri(upstream: &str, target: &str) -> Option<String> {
    let upstream = Address::parse(upstream)?;
    upstream.uri(&target.parse().expect("target")).map(|uri| uri.to_string())
}

#[test]
fn a_path_is_put_before() {
    for (upstream, expected) in [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/a?b"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/a?b"),
        ("https://api.internal/v1", "https://api.internal/v1/a?b"),
        ("https://api.internal/v1/", "https://api.internal/v1/a?b"),
        ("http://[::1]:9000", "http://[::1]:9000/a?b"),
    ] {
        assert_eq!(uri(upstream, "/a?b").as_deref(), Some(expected));
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
        assert!(Address::parse(text).is_none(), "{text}");
    }
}
