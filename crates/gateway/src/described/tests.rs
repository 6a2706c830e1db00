//! What counts as a description, and what does not.

use http::Request;

use super::{BadDescription, Described, Told};
use crate::target::BadTarget;

type Outcome = Result<(String, String, String, String), BadDescription>;

/// Method, target, host and client of what is described by these fields.
fn told(
    read: impl Fn(&http::request::Parts) -> Result<Told, BadDescription>,
    path: &str,
    fields: &[(&str, &str)],
) -> Outcome {
    let mut request = Request::get(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).expect("request").into_parts();
    read(&head).map(|told| {
        let Described { head, ip } = Described::new(told, head.headers.clone(), None);
        let host = head.headers["host"].to_str().expect("host").to_owned();
        (head.method.to_string(), head.uri.to_string(), host, ip.to_string())
    })
}

fn forwarded(fields: &[(&str, &str)]) -> Outcome {
    told(|head| Told::by_forwarded(&head.headers), "/forward-auth", fields)
}

fn original(fields: &[(&str, &str)]) -> Outcome {
    told(|head| Told::by_original(&head.headers), "/auth-request", fields)
}

const FORWARDED: [(&str, &str); 5] = [
    ("host", "auth:8083"),
    ("x-forwarded-method", "PUT"),
    ("x-forwarded-uri", "/orders/7?a=b"),
    ("x-forwarded-host", "api.example"),
    ("x-forwarded-for", "203.0.113.9"),
];
const ORIGINAL: [(&str, &str); 4] = [
    ("host", "api.example"),
    ("x-original-method", "PUT"),
    ("x-original-uri", "/orders/7?a=b"),
    ("x-forwarded-for", "203.0.113.9"),
];

/// The fields but for one, which is left out or has other values.
fn but<'f>(
    fields: &[(&'f str, &'f str)],
    name: &'f str,
    values: &[&'f str],
) -> Vec<(&'f str, &'f str)> {
    let others = fields.iter().copied().filter(|(other, _)| *other != name);
    others.chain(values.iter().map(|value| (name, *value))).collect()
}

#[test]
fn each_part_has_one_source() {
    let whole = ("PUT".into(), "/orders/7?a=b".into(), "api.example".into(), "203.0.113.9".into());
    assert_eq!(forwarded(&FORWARDED), Ok(whole.clone()));
    assert_eq!(original(&ORIGINAL), Ok(whole));
    for (name, wrong) in [
        ("x-forwarded-method", BadDescription::Method),
        ("x-forwarded-uri", BadDescription::Target),
        ("x-forwarded-host", BadDescription::Host),
        ("x-forwarded-for", BadDescription::NoClient),
    ] {
        assert_eq!(forwarded(&but(&FORWARDED, name, &[])), Err(wrong), "{name}");
    }
    for (name, wrong) in [
        ("x-original-method", BadDescription::Method),
        ("x-original-uri", BadDescription::Target),
        ("host", BadDescription::Host),
        ("x-forwarded-for", BadDescription::NoClient),
    ] {
        assert_eq!(original(&but(&ORIGINAL, name, &[])), Err(wrong), "{name}");
    }
}

#[test]
fn a_part_that_is_there_twice_is_none_even_when_both_agree() {
    for (name, value, wrong) in [
        ("x-forwarded-method", "PUT", BadDescription::Method),
        ("x-forwarded-uri", "/orders/7?a=b", BadDescription::Target),
        ("x-forwarded-host", "api.example", BadDescription::Host),
    ] {
        let twice = but(&FORWARDED, name, &[value, value]);
        assert_eq!(forwarded(&twice), Err(wrong), "{name}");
    }
    let twice = but(&ORIGINAL, "x-original-uri", &["/a", "/b"]);
    assert_eq!(original(&twice), Err(BadDescription::Target));
}

#[test]
fn fields_of_another_kind_of_proxy_are_a_clients() {
    for (name, shown) in
        [("x-original-uri", "X-Original-URI"), ("x-original-method", "X-Original-Method")]
    {
        let wrong = Err(BadDescription::Conflict(shown));
        assert_eq!(forwarded(&but(&FORWARDED, name, &["/open"])), wrong);
    }
    for (name, shown) in
        [("x-forwarded-uri", "X-Forwarded-Uri"), ("x-forwarded-method", "X-Forwarded-Method")]
    {
        assert_eq!(
            original(&but(&ORIGINAL, name, &["/open"])),
            Err(BadDescription::Conflict(shown))
        );
    }
}

#[test]
fn the_client_is_the_last_entry_and_no_other() {
    for (values, client) in [
        (&["198.51.100.1, 203.0.113.9"][..], Some("203.0.113.9")),
        (&["198.51.100.1", "203.0.113.9"], Some("203.0.113.9")),
        (&["::ffff:203.0.113.9"], Some("203.0.113.9")),
        (&["2001:db8::1"], Some("2001:db8::1")),
        (&["203.0.113.9, "], None),
        (&["203.0.113.9, unknown"], None),
        (&["203.0.113.9:80"], None),
    ] {
        let outcome = forwarded(&but(&FORWARDED, "x-forwarded-for", values));
        assert_eq!(outcome.ok().map(|told| told.3).as_deref(), client, "{values:?}");
    }
}

#[test]
fn a_target_is_not_repaired() {
    for (target, wrong) in [
        ("/orders/7#/../admin", BadDescription::BadTarget(BadTarget::Fragment)),
        ("/orders 7", BadDescription::BadTarget(BadTarget::Character)),
        ("", BadDescription::BadTarget(BadTarget::Character)),
    ] {
        let fields = but(&FORWARDED, "x-forwarded-uri", &[target]);
        assert_eq!(forwarded(&fields), Err(wrong), "{target}");
    }
}

#[test]
fn a_prefix_is_taken_off_once() {
    let by_prefix = |path: &str| {
        let fields = [("host", "api.example"), ("x-forwarded-for", "203.0.113.9")];
        let read = |head: &http::request::Parts| Told::by_prefix(head, "/ext_authz");
        told(read, path, &fields).map(|told| told.1)
    };
    assert_eq!(by_prefix("/ext_authz/orders?x"), Ok("/orders?x".into()));
    assert_eq!(by_prefix("/ext_authz//orders"), Ok("//orders".into()));
    assert_eq!(by_prefix("/ext_authz/ext_authz/x"), Ok("/ext_authz/x".into()));
    assert_eq!(by_prefix("/other"), Err(BadDescription::Target));
}
