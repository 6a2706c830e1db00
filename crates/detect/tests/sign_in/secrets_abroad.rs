//! Libraries, and what only calls itself like a client, with the client's secret in a country where it never was.

use serde_json::{Value, json};

use crate::support::{event, found, with};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
const AWAY: &str = "203.0.113.66";
const NEW: &str = "t13d1516h2_8daaf6152771_02713d6af862";
const OTHER: &str = "t13d301000_01455d0db58d_5ac7197df9d2";

/// A client authenticates where it lives.
fn client(seconds: f64) -> Value {
    let members = json!({
        "client": "c1", "method": "client_secret_basic", "result": "ok", "ua": "Partner/3.1",
        "net": "hosting", "country": "DE", "ja4": NEW,
    });
    event(seconds, "client_auth", "198.51.100.9", &members)
}

/// A library does so abroad, or whoever these members say.
fn strange(seconds: f64, more: &Value) -> Value {
    let place = json!({ "ip": AWAY, "ua": "python-requests/2.32", "country": "BR", "ja4": OTHER });
    with(with(client(seconds), &place), more)
}

fn wrong(seconds: f64, more: &Value) -> Value {
    with(strange(seconds, more), &json!({ "result": "bad_secret" }))
}

fn changed(seconds: f64) -> Value {
    let change = json!({ "actor": "ops", "action": "client.secret", "target": "c1" });
    event(seconds, "admin", "192.0.2.44", &change)
}

/// A client for three hours, whose secret is changed then.
fn rotated() -> Vec<Value> {
    let own = (0..18).map(|n| client(f64::from(n) * 600.0));
    own.chain([changed(3.0 * HOUR - 60.0)]).collect()
}

/// The same, and it uses the new one.
fn renewed() -> Vec<Value> {
    [rotated(), vec![client(3.1 * HOUR)]].concat()
}

fn told(parts: &[Vec<Value>]) -> usize {
    let mut findings = found(&parts.concat());
    findings.retain(|it| it["detector"] == "client_secret_sharing");
    assert!(findings.iter().all(|it| it["class"] == "statistical" && it["ip"] == AWAY));
    findings.len()
}

/// With this of all that the client itself does.
fn at_home(mut events: Vec<Value>, more: &Value) -> Vec<Value> {
    for event in events.iter_mut().filter(|it| it["client"] == "c1") {
        *event = with(event.take(), more);
    }
    events
}

#[test]
fn after_a_change_a_library_abroad_is_told_at_once() {
    let once = |more: &Value| told(&[renewed(), vec![strange(3.5 * HOUR, more)]]);
    for one in [
        json!({}),
        json!({ "ja4": null }),
        json!({ "net": "residential" }),
        json!({ "net": null }),
        json!({ "kind": "grant", "grant_type": "client_credentials" }),
    ] {
        assert_eq!(once(&one), 1, "{one}");
    }
    for none in [
        json!({ "country": "DE" }),
        json!({ "country": null }),
        json!({ "ua": "Import/1", "ja4": null }),
        json!({ "ua": "Mozilla/5.0 Firefox/130.0", "ja4": null }),
        json!({ "client": "c2" }),
    ] {
        assert_eq!(once(&none), 0, "{none}");
    }
    assert_eq!(told(&[rotated(), vec![strange(3.5 * HOUR, &json!({}))]]), 0, "it uses the old one");
    let never = (0..20).map(|n| client(f64::from(n) * 600.0)).collect();
    assert_eq!(told(&[never, vec![strange(3.5 * HOUR, &json!({}))]]), 0, "it was never changed");
    let nowhere = at_home(renewed(), &json!({ "country": null }));
    assert_eq!(told(&[nowhere, vec![strange(3.5 * HOUR, &json!({}))]]), 0);
    let after = |days: f64| {
        let own = (0..9).map(|n| client(DAY * f64::from(n) + 4.0 * HOUR)).collect();
        let at = 3.0 * HOUR - 60.0 + days * DAY;
        told(&[renewed(), own, vec![strange(at, &json!({}))]])
    };
    assert_eq!([6.99, 7.01].map(after), [1, 0], "a week");
}

#[test]
fn what_calls_itself_like_the_client_is_another_by_its_fingerprint_abroad() {
    let signs_in = |own: &Value, more: &Value| {
        let same = with(json!({ "ua": "Partner/3.1" }), more);
        told(&[at_home(renewed(), own), vec![strange(3.5 * HOUR, &same)]])
    };
    assert_eq!(signs_in(&json!({}), &json!({})), 1);
    for none in [
        json!({ "ja4": NEW }),
        json!({ "ja4": null }),
        json!({ "country": "DE" }),
        json!({ "country": null }),
    ] {
        assert_eq!(signs_in(&json!({}), &none), 0, "{none}");
    }
    assert_eq!(signs_in(&json!({ "ja4": null }), &json!({})), 0, "nobody knows the client's");
    let young = vec![client(0.0), changed(60.0), client(120.0)];
    let same = strange(300.0, &json!({ "ua": "Partner/3.1" }));
    assert_eq!(told(&[young, vec![same]]), 1, "however young the client is");
}

#[test]
fn a_library_that_was_abroad_in_a_clients_first_days_does_not_live_there() {
    let own: Vec<Value> = (0..36).map(|n| client(f64::from(n) * 600.0)).collect();
    let from = |hour: f64, times: u32, more: &Value| {
        let at = |n: u32| hour * HOUR + 30.0 + f64::from(n) * 1200.0;
        told(&[own.clone(), (0..times).map(|n| strange(at(n), more)).collect()])
    };
    assert_eq!([2, 3].map(|times| from(1.5, times, &json!({}))), [0, 1], "two returns");
    assert_eq!(from(0.9, 9, &json!({})), 0, "it was there from the first hour on");
    for none in [
        json!({ "country": "DE" }),
        json!({ "country": null }),
        json!({ "ua": "Import/1", "ja4": null }),
        json!({ "ua": "Partner/3.1", "ja4": NEW }),
    ] {
        assert_eq!(from(1.5, 9, &none), 0, "{none}");
    }
    let provider = json!({ "asn": 64500 });
    let rents = (0..9).map(|n| strange(1.5 * HOUR + 30.0 + f64::from(n) * 1200.0, &provider));
    let near = [at_home(own.clone(), &provider), rents.collect()].concat();
    assert_eq!(told(&[near]), 0, "another region of its provider");
    let region = || vec![strange(1.5 * HOUR, &provider)];
    let other = json!({ "asn": 64666, "country": "US", "ua": "curl/8.5", "ja4": null });
    let thief = || vec![strange(3.5 * HOUR, &other)];
    let renewed_there = || at_home(renewed(), &provider);
    assert_eq!(told(&[renewed_there(), region()]), 0, "nor is the client strange there then");
    assert_eq!(told(&[renewed_there(), region(), thief()]), 1);
    let before = |hour: f64, more: &Value| {
        let early = vec![strange(hour * HOUR, more)];
        let last = strange(3.5 * HOUR, &with(more.clone(), &json!({})));
        told(&[renewed(), early, vec![last]])
    };
    assert_eq!(before(1.5, &json!({})), 1, "at once after a change, though it was there before");
    assert_eq!(before(0.5, &json!({})), 0);
    assert_eq!(before(1.5, &json!({ "country": "DE" })), 0);
}

/// So many wrong secrets, one a minute, after the client used its new one.
fn tries(times: u32, more: &Value) -> usize {
    let tries = (0..times).map(|n| wrong(3.5 * HOUR + f64::from(n) * 60.0, more));
    told(&[renewed(), tries.collect()])
}

#[test]
fn an_old_secret_is_tried_twice_by_a_library_abroad() {
    let counts = |more: &Value| [2, 1].map(|times| tries(times, more));
    assert_eq!(counts(&json!({})), [1, 0]);
    assert_eq!(tries(60, &json!({})), 1, "once");
    for none in [
        json!({ "country": "DE" }),
        json!({ "country": null }),
        json!({ "ua": "Import/1", "ja4": null }),
        json!({ "asn": 64500, "ip": "192.0.2.44" }),
    ] {
        assert_eq!(tries(60, &none), 0, "{none}");
    }
    let both = || (0..2).map(|n| wrong(3.5 * HOUR + f64::from(n) * 60.0, &json!({}))).collect();
    assert_eq!(told(&[rotated(), both()]), 0, "the client uses the old one as well");
    assert_eq!(told(&[rotated()[..18].to_vec(), both()]), 0, "it was never changed");
    let two_places = ["203.0.113.66", "203.9.0.7", "203.0.113.66", "203.9.0.7"];
    let in_turn = two_places
        .iter()
        .enumerate()
        .map(|(n, ip)| wrong(3.5 * HOUR + n as f64 * 60.0, &json!({ "ip": ip })));
    assert_eq!(told(&[renewed(), in_turn.collect()]), 0, "one each");
    let late = (0..2).map(|n| wrong(3.0 * HOUR + 7.0 * DAY + f64::from(n), &json!({})));
    assert_eq!(told(&[renewed(), late.collect()]), 0, "a week later");
}

#[test]
fn an_old_secret_is_tried_five_times_by_what_calls_itself_like_the_client() {
    let counts = |more: &Value| {
        let same = with(json!({ "ua": "Partner/3.0" }), more);
        [5, 4].map(|times| tries(times, &same))
    };
    assert_eq!(counts(&json!({})), [1, 0]);
    assert_eq!(counts(&json!({ "ja4": NEW })), [1, 0], "abroad");
    assert_eq!(counts(&json!({ "country": "DE" })), [1, 0], "of another fingerprint");
    assert_eq!(counts(&json!({ "country": "DE", "ja4": NEW })), [0, 0], "a forgotten server");
    assert_eq!(counts(&json!({ "country": "DE", "ja4": null })), [0, 0]);
    let own = (0..9).map(|n| client(3.5 * HOUR + 30.0 + f64::from(n) * 60.0)).collect();
    let old = |n| wrong(3.5 * HOUR + f64::from(n) * 60.0, &json!({ "ua": "Partner/3.0" }));
    assert_eq!(told(&[renewed(), own, (0..4).map(old).collect()]), 0, "whatever else goes on");
    let held = vec![with(strange(HOUR, &json!({})), &json!({ "ua": "Partner/3.0", "ja4": NEW }))];
    let old = (0..9).map(|n| wrong(3.5 * HOUR + f64::from(n), &json!({ "ua": "Partner/3.0" })));
    assert_eq!(told(&[renewed(), held, old.collect()]), 0, "where it was before");
}
