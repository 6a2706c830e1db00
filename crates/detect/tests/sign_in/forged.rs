//! Forged tokens in one client's name that come slowly, from many networks.

use serde_json::{Value, json};

use crate::support::{event, found};

/// Somebody is let in from this network.
fn let_in(ip: &str) -> Value {
    let members = json!({
        "subject": "u1", "client": "app", "token": "good", "token_kind": "jwt", "method": "GET",
        "path": "/orders", "status": 200,
    });
    event(0.0, "request", ip, &members)
}

/// So many with a wrong signature from so many networks in turn, some seconds apart and with these
/// members, where somebody is let in from so many of these. The networks that are named.
fn campaign([count, networks, homes]: [u32; 3], pause: f64, more: &Value) -> Vec<String> {
    let ip = |n: u32| format!("192.0.{}.7", n % networks);
    let mut events: Vec<Value> = (0..homes).map(|n| let_in(&ip(n))).collect();
    for n in 0..count {
        let mut members = json!({
            "method": "GET", "path": "/orders", "status": 401, "refused": "forged:bad_signature",
            "claimed_client": "victim", "claimed_token": "one",
        });
        for (name, value) in more.as_object().expect("members") {
            members[name] = value.clone();
        }
        events.push(event(60.0 + f64::from(n) * pause, "request", &ip(n), &members));
    }
    let mut findings = found(&events);
    findings.retain(|it| it["evidence"]["networks"].is_number());
    for finding in &findings {
        let named = ["detector", "class", "response"].map(|it| finding[it].as_str());
        assert_eq!(named, [Some("forged_token"), Some("certain"), Some("tag")]);
        assert!(finding.get("client").is_none(), "it did nothing");
    }
    findings.iter().map(|it| it["ip"].as_str().expect("an address").to_owned()).collect()
}

#[test]
fn five_wrong_signatures_within_an_hour_from_three_networks_of_nobodys_are_a_campaign() {
    let named = |of, pause| campaign(of, pause, &json!({}));
    assert_eq!(named([5, 3, 0], 600.0), ["192.0.1.7"]);
    assert_eq!(named([4, 3, 0], 600.0), [""; 0]);
    assert_eq!([895.0, 905.0].map(|pause| named([5, 3, 0], pause).len()), [1, 0]);
    assert_eq!(named([12, 2, 0], 300.0), [""; 0]);
    assert_eq!(named([24, 3, 0], 200.0), ["192.0.1.7", "192.0.2.7", "192.0.0.7"], "each once");
}

#[test]
fn where_somebody_is_let_in_a_wrong_signature_may_be_a_token_that_was_cut_off() {
    let among = |homes| campaign([24, 4, homes], 200.0, &json!({}));
    assert_eq!(among(4), [""; 0]);
    assert_eq!(among(2), [""; 0], "two networks are left");
    assert_eq!(among(1), ["192.0.2.7", "192.0.3.7", "192.0.1.7"], "and not the one");
    let with = |more: &Value, homes| campaign([24, 4, homes], 200.0, more).len();
    assert_eq!(with(&json!({ "refused": "forged:unknown_key" }), 0), 0, "a relic");
    assert_eq!(with(&json!({ "claimed_client": null }), 0), 0, "in nobody's name");
    assert_eq!(with(&json!({ "refused": "expired" }), 0), 0);
    assert_eq!(with(&json!({ "refused": "forged:jku" }), 4), 4, "no honest program makes one");
}
