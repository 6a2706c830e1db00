//! For any input: refused, or one meaning only.

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, Uri, Version};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::Config;
use proptest::{collection, proptest};

use super::{BadTarget, Target, hex_byte, normal_path};

/// One round of percent-decoding, as a careless server does it.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match (byte, text.get(at + 1..at + 3).and_then(hex_byte)) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

/// What must hold for every path that is let through, found out without the code under test.
#[track_caller]
fn assert_one_meaning(path: &str) {
    assert_eq!(normal_path(path).as_deref(), Ok(path), "it is its own normal form");
    let once = decoded(path.as_bytes());
    assert_eq!(decoded(&once), once, "decoding twice changes nothing: {path}");
    let slashes = |text: &[u8]| text.iter().filter(|byte| **byte == b'/').count();
    assert_eq!(slashes(&once), slashes(path.as_bytes()), "no slash is hidden: {path}");
    let text = String::from_utf8(once).expect("UTF-8");
    assert!(!text.contains("//") && !text.contains(['\\', ';', '\0']), "{path}");
    assert!(!text.chars().any(|c| c.is_ascii_control()), "{path}");
    assert!(!text.split('/').any(|segment| segment == "." || segment == ".."), "{path}");
    assert!(path.is_ascii() && !path.contains(['#', '?', ' ']), "{path}");
}

fn tricky() -> impl Strategy<Value = String> {
    let pieces: Vec<&'static str> = vec![
        "/",
        "//",
        ".",
        "..",
        "%2e",
        "%2E",
        "%252e",
        "%25",
        "%",
        "2",
        "e",
        "f",
        "%2f",
        "%2F",
        "%5c",
        "\\",
        ";",
        "%3b",
        "%00",
        "%0a",
        "a",
        "B",
        "~",
        "%7e",
        "%41",
        "%c3%a9",
        "%c0%ae",
        "%e0%80%af",
        "%ff",
        "\u{e9}",
        "?",
        "#",
        "%23",
        "%3f",
        " ",
        "%20",
        "%%",
        "%2",
        "*",
        ":",
        "@",
        "'",
        "|",
        "{",
        "\u{ff0f}",
        "%ef%bc%8f",
    ];
    collection::vec(proptest::sample::select(pieces), 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, cases: 4000, ..Config::default() })]

    #[test]
    fn any_target_is_refused_or_has_one_meaning(
        method in prop_oneof![Just("GET".to_owned()), any::<String>()],
        target in prop_oneof![
            tricky(),
            tricky().prop_map(|text| format!("/{text}")),
            tricky().prop_map(|text| format!("http://a{text}")),
            any::<String>(),
        ],
        host in prop_oneof![Just("a".to_owned()), any::<String>()],
    ) {
        if let Ok(parsed) = Target::from_text(&method, &target, &host) {
            assert_one_meaning(parsed.path());
            let query = target.split_once('?').map(|(_, query)| query);
            assert_eq!(parsed.query(), query, "byte for byte");
            let sent = parsed.path_and_query().as_str();
            let again = Target::from_text("GET", sent, &host).expect("again");
            assert_eq!(again.path_and_query(), parsed.path_and_query());
            assert_eq!(parsed.host().as_bytes(), host.as_bytes());
        }
    }

    #[test]
    fn any_path_is_refused_or_has_one_meaning(path in prop_oneof![tricky(), any::<String>()]) {
        if let Ok(normal) = normal_path(&path) {
            assert_one_meaning(&normal);
            assert_eq!(decoded(path.as_bytes()), decoded(normal.as_bytes()), "same to a reader");
        }
    }
}

#[test]
fn every_rule_has_its_word() {
    let cases = [
        ("a", BadTarget::NotAPath),
        ("", BadTarget::NotAPath),
        ("/a//b", BadTarget::EmptySegment),
        ("//a", BadTarget::EmptySegment),
        ("//", BadTarget::EmptySegment),
        ("/.", BadTarget::DotSegment),
        ("/a/..", BadTarget::DotSegment),
        ("/%2e/a", BadTarget::DotSegment),
        ("/a/.%2E/b", BadTarget::DotSegment),
        ("/a%2Fb", BadTarget::EncodedSeparator),
        ("/a%5cb", BadTarget::EncodedSeparator),
        ("/a\\b", BadTarget::EncodedSeparator),
        ("/a;b", BadTarget::Parameter),
        ("/a%3bb", BadTarget::Parameter),
        ("/a%00", BadTarget::Character),
        ("/a%7f", BadTarget::Character),
        ("/a b", BadTarget::Character),
        ("/a\tb", BadTarget::Character),
        ("/\u{e9}", BadTarget::Character),
        ("/%41\u{e9}", BadTarget::Character),
        ("/a?b", BadTarget::Character),
        ("/a#b", BadTarget::Fragment),
        ("/%", BadTarget::Percent),
        ("/%4", BadTarget::Percent),
        ("/%+1", BadTarget::Percent),
        ("/%g0", BadTarget::Percent),
        ("/%252f", BadTarget::DoubleEncoding),
        ("/%25%32%46", BadTarget::DoubleEncoding),
        ("/%2525", BadTarget::DoubleEncoding),
        ("/%c0%af", BadTarget::Utf8),
        ("/%ed%a0%80", BadTarget::Utf8),
    ];
    for (path, fault) in cases {
        assert_eq!(normal_path(path), Err(fault), "{path}");
    }
    assert_eq!(normal_path(&format!("/{}", "a".repeat(8192))), Err(BadTarget::TooLong));
}

#[test]
fn hosts_are_strict() {
    for host in ["a", "a.example:80", "127.0.0.1", "[::1]", "[::1]:8080", "xn--a_b~c", "A"] {
        assert!(Target::from_text("GET", "/", host).is_ok(), "{host}");
    }
    for host in [
        "", ":80", "a:", "a:80:80", "a:+1", "a:123456", "a:65536", "a:99999", "[]", "[::1", "::1",
        "a/b", "u@a", "a,b", "a?", "a#",
    ] {
        assert_eq!(Target::from_text("GET", "/", host), Err(BadTarget::Host), "{host}");
    }
}

#[test]
fn forms_that_are_no_path() {
    for (method, target) in
        [("OPTIONS", "*"), ("CONNECT", "a:443"), ("GET", "a:443"), ("GET", "ws://a/b")]
    {
        let host = target.strip_prefix("ws://").map_or(target, |_| "a");
        let host = if target == "*" { "a" } else { host };
        assert_eq!(Target::from_text(method, target, host), Err(BadTarget::NotAPath), "{target}");
    }
    let target = Target::from_text("GET", "http://a?x=1", "a").expect("absolute");
    assert_eq!(target.path_and_query().as_str(), "/?x=1", "the slash is sent");
}

#[test]
fn one_host_in_all() {
    let uri = |text: &str| text.parse::<Uri>().expect("uri");
    let hosts = |hosts: &[&str]| -> HeaderMap {
        let values = hosts.iter().map(|host| (HOST, HeaderValue::from_str(host).expect("value")));
        let mut headers = HeaderMap::new();
        values.for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    };
    let parse = |uri: &Uri, headers: &HeaderMap, version| {
        Target::parse(&Method::GET, uri, headers, version)
            .map(|target| target.host().to_str().expect("text").to_owned())
    };
    let (one, two) = (Version::HTTP_11, Version::HTTP_2);
    assert_eq!(parse(&uri("/"), &hosts(&[]), one), Err(BadTarget::NoHost));
    assert_eq!(parse(&uri("/"), &hosts(&[]), two), Err(BadTarget::NoHost));
    assert_eq!(parse(&uri("/"), &hosts(&["a", "a"]), one), Err(BadTarget::TwoHosts));
    assert_eq!(parse(&uri("http://a/"), &hosts(&[]), one), Err(BadTarget::NoHost));
    assert_eq!(parse(&uri("http://a/"), &hosts(&[]), two), Ok("a".into()));
    assert_eq!(parse(&uri("http://a/"), &hosts(&["A"]), two), Ok("A".into()));
    assert_eq!(parse(&uri("http://a/"), &hosts(&["b"]), two), Err(BadTarget::HostMismatch));
    assert_eq!(parse(&uri("http://a/"), &hosts(&["a:80"]), one), Err(BadTarget::HostMismatch));
    assert_eq!(parse(&uri("http://u@a/"), &hosts(&["u@a"]), one), Err(BadTarget::Host));
}
