//! Persons of whom little is known yet: programs that take turns, and places that come all at once.

use serde_json::{Value, json};

use crate::support::{event, found};

const HOUR: f64 = 3600.0;

fn used(seconds: f64, person: u32, more: &Value) -> Value {
    let mut members = json!({
        "subject": format!("u{person}"), "client": "app", "token": format!("t{person}"),
        "session": format!("s{person}"), "token_kind": "jwt", "asn": 64500, "country": "NO",
        "net": "residential", "ua": "Mozilla/5.0 Firefox/130.0", "ja4": "browser", "method": "GET",
        "path": "/", "status": 200,
    });
    for (name, value) in more.as_object().expect("members") {
        members[name] = value.clone();
    }
    event(seconds, "request", &format!("10.1.{person}.7"), &members)
}

/// Three dozen people with one browser, an hour each.
fn people() -> Vec<Value> {
    let mut events = Vec::new();
    for person in 0..36 {
        events.extend((0..30).map(|n| used(f64::from(n) * 120.0, person, &json!({}))));
    }
    events
}

fn sharing(events: &[Value]) -> Vec<Value> {
    found(events).into_iter().filter(|it| it["detector"] == "token_sharing").collect()
}

/// The same address, in turn with the browser.
fn in_turn(person: u32, more: &Value, times: u32) -> Vec<Value> {
    let at = |n: u32| HOUR + f64::from(n) * 40.0;
    let browser = json!({});
    (0..times).map(|n| used(at(n), person, if n % 2 == 0 { &browser } else { more })).collect()
}

#[test]
fn a_token_that_a_strange_program_uses_beside_the_browser_is_shared() {
    let tool = json!({ "ua": "python-requests/2.32", "ja4": "tool" });
    let with = |more: &Value, times: u32| {
        let mut events = people();
        events.extend(in_turn(3, more, times));
        sharing(&events)
    };
    let findings = with(&tool, 10);
    assert_eq!((findings.len(), &findings[0]["subject"]), (1, &json!("u3")));
    assert_eq!(with(&tool, 4), Vec::<Value>::new(), "something was tried once");
    let disguised = json!({ "ja4": "tool" });
    assert_eq!(with(&disguised, 10).len(), 1, "the fingerprint tells, whatever the name is");
    let personal = json!({ "ua": "curl/8", "ja4": "tool", "token_kind": "pat" });
    assert_eq!(with(&personal, 10), Vec::<Value>::new(), "made for programs");
}

#[test]
fn an_application_with_pages_in_it_is_no_second_hand() {
    let pages = json!({ "ua": "Mozilla/5.0 wv", "ja4": "pages" });
    let mut events = people();
    for person in 0..12 {
        events.extend((0..6).map(|n| used(60.0 + f64::from(n) * 300.0, person, &pages)));
        events.extend(in_turn(person, &pages, 12));
    }
    let told = sharing(&events);
    assert_eq!(told, Vec::<Value>::new());
}

/// Somebody at home, and then something sensitive so many seconds later.
fn sensitive(after: f64, more: &Value) -> usize {
    let mut events: Vec<Value> = (0..4).map(|n| used(f64::from(n) * 60.0, 0, &json!({}))).collect();
    let mut last = json!({
        "ua": "python-requests/2.32", "ja4": "tool", "token": "t9", "session": "s9", "country": "BR",
        "asn": 64666, "scopes": ["payments:write"],
    });
    for (name, value) in more.as_object().expect("members") {
        last[name] = value.clone();
    }
    events.push(used(after, 0, &last));
    found(&events).iter().filter(|it| it["detector"] == "new_place").count()
}

#[test]
fn what_is_new_all_at_once_is_told_before_somebody_has_settled() {
    assert_eq!(sensitive(3.0 * HOUR, &json!({})), 1);
    assert_eq!(sensitive(3.0 * HOUR, &json!({ "country": "NO", "net": "hosting" })), 1);
    for harmless in [
        json!({ "country": "NO" }),
        json!({ "ua": "Mozilla/5.0 Firefox/131.0" }),
        json!({ "net": "vpn" }),
        json!({ "net": "mobile" }),
        json!({ "scopes": ["orders:read"] }),
    ] {
        assert_eq!(sensitive(3.0 * HOUR, &harmless), 0, "{harmless}");
    }
    assert_eq!(sensitive(0.5 * HOUR, &json!({})), 0, "of whom nothing is known");
}

fn new_places(events: &[Value]) -> usize {
    found(events).iter().filter(|it| it["detector"] == "new_place").count()
}

#[test]
fn whoever_renews_a_token_was_there_before() {
    let hosted = json!({ "net": "hosting", "country": "DE", "asn": 64900, "ua": "server/1" });
    let telephone = json!({
        "ua": "app/7", "ja4": "app", "token": "t9", "session": "s9", "asn": 64501,
        "scopes": ["payments:write"], "result": "ok",
    });
    let after = |grant_type: &str| {
        // Until now only a server was seen, that fetches what the browser shows.
        let mut events: Vec<Value> =
            (0..4).map(|n| used(f64::from(n) * 600.0, 0, &hosted)).collect();
        events.push(used(600.0, 0, &json!({})));
        let mut grant = used(3.0 * HOUR, 0, &telephone);
        (grant["kind"], grant["grant_type"]) = (json!("grant"), json!(grant_type));
        grant["country"] = json!("SE");
        events.push(grant);
        new_places(&events)
    };
    assert_eq!([after("refresh_token"), after("authorization_code")], [0, 1]);
    // Home is no journey from where a server stands.
    let mut events: Vec<Value> = (0..4).map(|n| used(f64::from(n) * 600.0, 0, &hosted)).collect();
    events.push(used(3.0 * HOUR, 0, &telephone));
    assert_eq!(new_places(&events), 0);
}

#[test]
fn a_server_that_acts_for_many_is_no_new_place() {
    let server = json!({
        "net": "hosting", "country": "DE", "asn": 64900, "ua": "server/1", "ja4": "server",
        "scopes": ["payments:write"],
    });
    let for_many = |many: u32| {
        let mut events = people();
        events.extend((40..40 + many).map(|person| used(HOUR, person, &server)));
        events.push(used(3.0 * HOUR, 0, &server));
        new_places(&events)
    };
    assert_eq!([for_many(2), for_many(12)], [1, 0]);
}
