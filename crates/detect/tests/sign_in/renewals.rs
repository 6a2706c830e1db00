//! Renewals that ask for what nobody agreed to.

use serde_json::{Value, json};

use crate::support::{event, found};

const HOUR: f64 = 3600.0;
const SCOPES: [&str; 4] = ["orders:read", "stock:read", "mail:read", "users:admin"];

fn renewal(seconds: f64, who: u32, scopes: &[&str], more: &Value) -> Value {
    let mut members = json!({
        "client": "c1", "subject": format!("u{who}"), "grant_type": "refresh_token",
        "result": "invalid_scope", "scopes": scopes,
    });
    for (name, value) in more.as_object().expect("members") {
        members[name] = value.clone();
    }
    event(seconds, "grant", "198.51.100.9", &members)
}

/// A client gets one scope, renews it so often, and then asks for these, for so many people so many seconds apart.
fn widens(good: u32, people: u32, scopes: &[&str], apart: f64, more: &Value) -> usize {
    let ok = json!({ "result": "ok" });
    let mut first = renewal(0.0, 90, &SCOPES[..1], &ok);
    first["grant_type"] = json!("authorization_code");
    let mut events = vec![first];
    events.extend((0..good).map(|n| renewal(f64::from(n + 1) * 60.0, 90, &SCOPES[..1], &ok)));
    let asks = |n| renewal(2.0 * HOUR + f64::from(n) * apart, n, scopes, more);
    events.extend((0..people).map(asks));
    let findings = found(&events);
    assert!(findings.iter().all(|it| it["detector"] == "scope_creep"), "{findings:?}");
    findings.len()
}

#[test]
fn renewals_for_three_people_that_ask_for_far_more_than_anybody_agreed_to_are_told() {
    let none = json!({});
    let told = |good, people, apart| widens(good, people, &SCOPES, apart, &none);
    assert_eq!([9, 3, 2].map(|people| told(0, people, 60.0)), [1, 1, 0]);
    assert_eq!([9, 10].map(|good| told(good, 3, 60.0)), [1, 0], "a release that goes wrong");
    assert_eq!([12.0, 12.01].map(|hours| told(9, 3, hours * HOUR)), [1, 0], "within a day");
    let exceeded = json!({ "result": "denied", "cause": "scope_exceeded" });
    assert_eq!(widens(0, 3, &SCOPES, 60.0, &exceeded), 1);
    let asks = |scopes: &[&str]| widens(0, 3, scopes, 60.0, &none);
    assert_eq!([&SCOPES[1..], &SCOPES[2..]].map(asks), [1, 0], "three that are new");
    let two = [SCOPES[0], SCOPES[2], SCOPES[3]];
    assert_eq!(asks(&two), 0, "one that it has");
    assert_eq!(asks(&["stock:read", "mail:read", "labels:read"]), 0, "nothing sensitive");
}

#[test]
fn one_person_other_grants_and_what_is_granted_widen_nothing() {
    let told = |more: &Value| widens(0, 6, &SCOPES, 60.0, more);
    for none in [
        json!({ "subject": "u1" }),
        json!({ "subject": null }),
        json!({ "grant_type": "authorization_code" }),
        json!({ "result": "ok" }),
        json!({ "result": "invalid_grant" }),
    ] {
        assert_eq!(told(&none), 0, "{none}");
    }
}

#[test]
fn only_renewals_that_are_granted_show_that_a_client_renews() {
    let told = |other: &Value| {
        let before = |n| renewal(f64::from(n) * 60.0, 90, &SCOPES[..1], other);
        let asks = |n| renewal(2.0 * HOUR + f64::from(n), n, &SCOPES, &json!({}));
        found(&(0..30).map(before).chain((0..3).map(asks)).collect::<Vec<_>>()).len()
    };
    let codes = json!({ "grant_type": "authorization_code", "result": "ok" });
    let refused = json!({ "result": "invalid_scope" });
    assert_eq!([json!({ "result": "ok" }), codes, refused].map(|it| told(&it)), [0, 1, 1]);
}
