//! Clients that fail: those who write events hold the name for verified, or for claimed.

use serde_json::{Value, json};

use crate::support::{event, found};

const HOUR: f64 = 3600.0;
const AWAY: &str = "203.0.113.66";

fn client(seconds: f64, ip: &str, ua: &str, result: &str) -> Value {
    let members = json!({
        "client": "c1", "method": "client_secret_basic", "result": result, "ua": ua,
    });
    event(seconds, "client_auth", ip, &members)
}

/// What is found where whoever failed is named as claimed, after it was compared with the same of
/// verified names.
fn claimed(events: &[Value]) -> Vec<Value> {
    let claim = |event: &Value| {
        let mut event = event.clone();
        let is_failed = !matches!(event["result"].as_str(), Some("ok") | None);
        if is_failed && event["client"].is_string() {
            event["claimed_client"] = event["client"].take();
        }
        event
    };
    let claims: Vec<Value> = events.iter().map(claim).collect();
    assert_ne!(events, claims);
    let findings = found(&claims);
    assert_eq!(findings, found(events));
    findings
}

/// The detectors of findings that name an address alone.
fn of_nobody(findings: &[Value]) -> Vec<&str> {
    assert!(findings.iter().all(|it| it["ip"].is_string() && it.get("client").is_none()));
    findings.iter().filter_map(|it| it["detector"].as_str()).collect()
}

/// The client at home, and so many failures, each by this.
fn failures(count: u32, failure: &dyn Fn(u32) -> Value) -> Vec<Value> {
    let home = client(0.0, "198.51.100.9", "Partner/3.1", "ok");
    std::iter::once(home).chain((0..count).map(failure)).collect()
}

#[test]
fn guesses_name_no_client_that_is_verified() {
    let fails = |count, failure: &dyn Fn(u32) -> Value| {
        let findings = claimed(&failures(count, failure));
        let names = of_nobody(&findings);
        assert!(names.iter().all(|it| *it == "client_secret_guessing"));
        names.len()
    };
    let wrong =
        |pause: f64| move |n| client(HOUR + f64::from(n) * pause, AWAY, "curl/8.5", "bad_secret");
    assert_eq!([20, 19].map(|count| fails(count, &wrong(20.0))), [1, 0]);
    assert_eq!([6, 5].map(|count| fails(count, &wrong(1200.0))), [1, 0]);
    let many = |n| {
        let mut event = wrong(20.0)(n);
        event["client"] = json!(format!("c{n}"));
        event["result"] = json!("unknown_client");
        event
    };
    assert_eq!([8, 7].map(|count| fails(count, &many)), [1, 0]);
    let spread =
        |n| client(HOUR + f64::from(n), &format!("1{}.9.0.7", n % 4), "tool", "bad_secret");
    assert_eq!([15, 14].map(|count| fails(count, &spread) > 0), [true, false]);
    let own = |n| client(f64::from(n) * 20.0, "198.51.100.9", "Partner/3.1", "bad_secret");
    assert_eq!(fails(60, &own), 0, "where it lives");
    let mut nobody = failures(60, &wrong(20.0));
    nobody[1..].iter_mut().for_each(|it| it["client"] = Value::Null);
    assert_eq!(found(&nobody), Vec::<Value>::new(), "no name at all");
}

#[test]
fn who_got_in_after_guesses_at_a_claimed_name_names_the_client() {
    let mut events =
        failures(25, &|n| client(HOUR + f64::from(n) * 20.0, AWAY, "curl/8.5", "bad_secret"));
    events.push(client(2.0 * HOUR, AWAY, "curl/8.5", "ok"));
    let findings = claimed(&events);
    let named: Vec<Option<&str>> = findings.iter().map(|it| it["client"].as_str()).collect();
    assert_eq!(named, [None, Some("c1")]);
}

/// A client of six hours whose secret is changed after three.
fn rotated() -> Vec<Value> {
    let own = |n: u32| client(f64::from(n) * 600.0, "198.51.100.9", "Partner/3.1", "ok");
    let change = json!({ "actor": "ops", "action": "client.secret", "target": "c1" });
    let change = event(3.0 * HOUR - 60.0, "admin", "192.0.2.44", &change);
    (0..36).map(own).chain(std::iter::once(change)).collect()
}

#[test]
fn an_old_secret_that_is_tried_with_a_claimed_name_is_found() {
    let tried = |times: u32, ua: &str| {
        let late = |n| client(4.0 * HOUR + 30.0 + f64::from(n) * 700.0, AWAY, ua, "bad_secret");
        let findings = claimed(&[rotated(), (0..times).map(late).collect()].concat());
        of_nobody(&findings).len()
    };
    // As a guess, and as the old one.
    assert_eq!([3, 2].map(|times| tried(times, "curl/8")), [2, 0]);
    assert_eq!(tried(6, "Partner/3.0"), 0, "a server that was forgotten");
}

#[test]
fn a_stranger_who_got_in_and_then_fails_with_a_claimed_name_is_the_same() {
    let after = |ip: &str| {
        let mut events = rotated();
        events.push(client(3.5 * HOUR + 30.0, AWAY, "curl/8", "ok"));
        events.push(client(3.5 * HOUR + 700.0, ip, "curl/8", "bad_secret"));
        let findings = claimed(&events);
        findings.iter().map(|it| it["detector"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(after(AWAY), ["client_secret_sharing"]);
    assert_eq!(after("110.4.5.6"), [""; 0], "somebody else");
}

#[test]
fn codes_are_stolen_from_claimed_clients_as_well() {
    let code = |seconds: f64, client: &str, ip: &str, is_good: bool| {
        let members = json!({
            "client": client, "grant_type": "authorization_code",
            "result": if is_good { "ok" } else { "invalid_grant" },
            "cause": if is_good { Value::Null } else { json!("pkce_failed") },
        });
        event(seconds, "grant", ip, &members)
    };
    let told = |count: u32, clients: u32| {
        let bad = |n| code(60.0 + f64::from(n) * 60.0, &format!("c{}", n % clients), AWAY, false);
        let events = std::iter::once(code(0.0, "c0", "198.51.100.9", true));
        let findings = claimed(&events.chain((0..count).map(bad)).collect::<Vec<_>>());
        let names = of_nobody(&findings);
        assert!(names.iter().all(|it| *it == "pkce_failures"));
        names.len()
    };
    assert_eq!([5, 4].map(|count| told(count, 1)), [1, 0], "of a client that works");
    assert_eq!([4, 3].map(|count| told(count, 4)), [1, 0], "of four clients");
}

#[test]
fn an_assertion_that_comes_twice_is_the_clients_though_its_name_is_claimed() {
    let told = |count: u32, ip: &str| {
        let events =
            failures(count, &|n| client(60.0 + f64::from(n), ip, "x", "replayed_assertion"));
        let findings = claimed(&events);
        let named = ["detector", "severity", "client"];
        let named = |it: &Value| named.map(|name| it[name].as_str().expect("text").to_owned());
        findings.iter().map(named).collect::<Vec<_>>()
    };
    assert_eq!(told(1, AWAY), [["assertion_replay", "high", "c1"]]);
    assert_eq!(told(5, "198.51.100.9"), [["assertion_replay", "low", "c1"]]);
    assert_eq!(told(4, "198.51.100.9"), [[""; 3]; 0], "its own retry");
}
