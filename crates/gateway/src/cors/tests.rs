//! Which origins are allowed, and what cannot be configured.

use std::time::Duration;

use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue};

use super::{BadCors, Cors, CorsRule};

fn rule(origins: &[&str], credentials: bool) -> CorsRule {
    CorsRule {
        origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        methods: vec!["PUT".into()],
        headers: vec!["Authorization".into()],
        expose: Vec::new(),
        credentials,
        max_age: Duration::from_secs(600),
    }
}

fn allowed(origins: &[&str], origin: &str) -> bool {
    let cors = Cors::new(&rule(origins, false), None).expect("rule");
    let headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_str(origin).expect("value"))]);
    cors.origin(&headers).is_some()
}

#[test]
fn an_origin_is_compared_whole() {
    let one = ["https://app.example.com"];
    assert!(allowed(&one, "https://app.example.com"));
    for other in [
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://evil-app.example.com",
        "https://app.example.com/",
        "https://APP.example.com",
        "null",
        "",
    ] {
        assert!(!allowed(&one, other), "{other}");
    }
}

#[test]
fn a_star_stands_for_labels_alone() {
    let below = ["https://*.example.com", "http://*.dev.example:3000"];
    for good in ["https://a.example.com", "https://a.b.example.com", "http://x.dev.example:3000"] {
        assert!(allowed(&below, good), "{good}");
    }
    for bad in [
        "https://example.com",
        "https://.example.com",
        "https://evilexample.com",
        "http://a.example.com",
        "https://a.example.com:444",
        "https://evil.example/?.example.com",
        "https://user@a.example.com",
        "https://evil.example:1.example.com",
        "http://x.dev.example",
    ] {
        assert!(!allowed(&below, bad), "{bad}");
    }
}

#[test]
fn what_cannot_be_had() {
    let wrong = |origins: &[&str], credentials| {
        Cors::new(&rule(origins, credentials), None).err().expect("refused")
    };
    assert_eq!(wrong(&["*"], true), BadCors::EveryoneWithCredentials);
    assert_eq!(wrong(&["https://a.example", "*"], true), BadCors::EveryoneWithCredentials);
    assert_eq!(wrong(&[], false), BadCors::NoOrigin);
    for odd in [
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://App.example.com",
        "https://app.example.com:443",
        "https://*",
        "https://*.com",
        "https://a.*.example.com",
        "https://user@app.example.com",
        "null",
    ] {
        assert_eq!(wrong(&[odd], false), BadCors::Origin(odd.to_owned()), "{odd}");
    }
    let mut named = rule(&["*"], false);
    named.headers = vec!["A, B".into()];
    assert!(matches!(Cors::new(&named, None), Err(BadCors::Name { member: "headers", .. })));
}
