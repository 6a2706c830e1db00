//! Tests of the client's address: forged hops, both fields, and every form of a node.

use proptest::prelude::*;

use super::{Origin, TrustedProxies};
use crate::term::AddressField;

fn origin(field: AddressField, peer: &str, values: &[&str], trusted: &[&str]) -> Origin {
    let trusted: Vec<_> = trusted.iter().map(|net| net.parse().expect("network")).collect();
    let proxies = TrustedProxies::new(&trusted, field);
    proxies.origin(peer.parse().expect("address"), values.iter().copied())
}

fn by_x(peer: &str, values: &[&str], trusted: &[&str]) -> String {
    origin(AddressField::XForwardedFor, peer, values, trusted).ip.to_string()
}

/// Behind a proxy at 10.0.0.1, where 10/8 is trusted.
fn by_forwarded(values: &[&str]) -> String {
    origin(AddressField::Forwarded, "10.0.0.1", values, &["10.0.0.0/8"]).ip.to_string()
}

#[test]
fn nobody_is_trusted_by_default() {
    assert_eq!(by_x("192.0.2.1", &["203.0.113.9"], &[]), "192.0.2.1");
    assert!(!TrustedProxies::default().contain("127.0.0.1".parse().expect("address")));
}

#[test]
fn a_forged_leftmost_hop_does_not_count() {
    let trusted = ["10.0.0.0/8"];
    assert_eq!(by_x("10.0.0.1", &["1.2.3.4, 203.0.113.9"], &trusted), "203.0.113.9");
    assert_eq!(by_x("10.0.0.1", &["1.2.3.4", "203.0.113.9, 10.0.0.2"], &trusted), "203.0.113.9");
    assert_eq!(by_x("::ffff:10.0.0.1", &["203.0.113.9"], &trusted), "203.0.113.9");
    assert_eq!(by_x("10.0.0.1", &["garbage"], &trusted), "10.0.0.1");
    assert_eq!(by_x("10.0.0.1", &["203.0.113.9,"], &trusted), "10.0.0.1");
    assert_eq!(by_x("10.0.0.1", &["203.0.113.9", ""], &trusted), "10.0.0.1");
    assert_eq!(by_x("10.0.0.1", &[], &trusted), "10.0.0.1");
}

#[test]
fn proxies_that_write_ports_are_understood() {
    let trusted = ["10.0.0.0/8"];
    for (text, ip) in [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
    ] {
        assert_eq!(by_x("10.0.0.1", &[text], &trusted), ip, "{text}");
    }
}

#[test]
fn forwarded_is_walked_in_the_same_way() {
    assert_eq!(by_forwarded(&["for=1.2.3.4, for=203.0.113.9"]), "203.0.113.9");
    assert_eq!(by_forwarded(&["for=1.2.3.4", "for=203.0.113.9, for=10.0.0.2"]), "203.0.113.9");
    assert_eq!(by_forwarded(&["For=\"[2001:db8::9]:4711\";proto=https"]), "2001:db8::9");
    assert_eq!(by_forwarded(&["proto=http;by=10.0.0.1; for=\"203.0.113.9:80\""]), "203.0.113.9");
    assert_eq!(by_forwarded(&["host=\"a,b;\\\"c\";for=203.0.113.9"]), "203.0.113.9");
    assert_eq!(by_forwarded(&["for=\"203.0.113.9:_http\""]), "203.0.113.9");
}

#[test]
fn a_hop_without_an_address_ends_the_walk() {
    for element in [
        "for=unknown",
        "for=_hidden",
        "for=\"_hidden:80\"",
        "proto=https",
        "for=203.0.113.9;for=203.0.113.8",
        "for=2001:db8::9",
        "for=\"2001:db8::9\"",
        "for=\"203.0.113.9:port\"",
        "for=\"203.0.113.9:123456\"",
        "for=\"203.0.113.9",
        "for = 203.0.113.9",
        "for=203.0.113.9 x",
        "203.0.113.9",
        "for=",
        "",
    ] {
        assert_eq!(by_forwarded(&[&format!("for=1.2.3.4, {element}")]), "10.0.0.1", "{element}");
        let behind = format!("{element}, for=10.0.0.2");
        assert_eq!(by_forwarded(&[&behind]), "10.0.0.2", "{element}");
    }
}

#[test]
fn half_a_quoted_string_of_the_client_hides_nothing() {
    for forged in ["for=\"", "for=\"1.2.3.4", "x=\"\\", "for=1.2.3.4;x=\"\\\"", "\""] {
        assert_eq!(
            by_forwarded(&[&format!("{forged}, for=203.0.113.9")]),
            "203.0.113.9",
            "{forged}"
        );
        assert_eq!(by_forwarded(&[forged, "for=203.0.113.9"]), "203.0.113.9", "{forged}");
    }
}

#[test]
fn the_scheme_is_that_of_the_hop_which_saw_the_client() {
    let https = |values: &[&str]| {
        origin(AddressField::Forwarded, "10.0.0.1", values, &["10.0.0.0/8"]).https
    };
    assert_eq!(https(&["for=203.0.113.9;proto=https, for=10.0.0.2;proto=http"]), Some(true));
    assert_eq!(https(&["for=203.0.113.9;proto=HTTP"]), Some(false));
    assert_eq!(https(&["for=1.2.3.4;proto=https, for=203.0.113.9"]), None);
    assert_eq!(https(&[]), None);
}

proptest! {
    #[test]
    fn what_the_last_proxy_adds_is_read_whatever_is_before_it(before in "[ -~]{0,40}") {
        let value = format!("{before}, for=203.0.113.9");
        prop_assert_eq!(by_forwarded(&[&value]), "203.0.113.9");
        let value = format!("{before}, 203.0.113.9");
        prop_assert_eq!(by_x("10.0.0.1", &[&value], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn no_text_is_too_odd(value in "\\PC{0,60}") {
        by_forwarded(&[&value]);
        by_x("10.0.0.1", &[&value], &["10.0.0.0/8"]);
    }
}
