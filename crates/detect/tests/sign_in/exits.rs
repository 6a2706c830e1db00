//! Sign-ins through carriers and data centres of countries where their person was not a moment ago.

use serde_json::{Value, json};

use crate::support::{event, found};

const HOUR: f64 = 3600.0;
const OSLO: (f64, f64) = (59.9, 10.7);
const THERE: &str = "192.0.2.7";

fn with(mut event: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().expect("members") {
        event[name] = value.clone();
    }
    event
}

/// Somebody uses an app at home.
fn at_home(seconds: f64) -> Value {
    let members = json!({
        "subject": "u1", "client": "app", "token": "t1", "session": "s1", "net": "residential",
        "ua": "App/7", "method": "GET", "path": "/", "status": 200, "lat": OSLO.0, "lon": OSLO.1,
        "country": "NO",
    });
    event(seconds, "request", "198.51.100.9", &members)
}

/// And signs in far away.
fn signs_in(seconds: f64, more: &Value) -> Value {
    let there = json!({
        "kind": "login", "username": "n1", "result": "ok", "complete": true, "factor": "password",
        "ip": THERE, "ua": "Browser/120", "lat": 35.7, "lon": 139.7, "country": "JP",
    });
    with(with(at_home(seconds), &there), more)
}

fn told(parts: &[Vec<Value>]) -> usize {
    let mut findings = found(&parts.concat());
    findings.retain(|it| it["detector"] == "impossible_travel");
    findings.len()
}

/// Two hours at home.
fn home() -> Vec<Value> {
    (0..5).map(|n| at_home(f64::from(n) * 0.5 * HOUR)).collect()
}

/// What is told of a sign-in so many seconds after that.
fn after(seconds: f64, more: &Value) -> usize {
    told(&[home(), vec![signs_in(2.0 * HOUR + seconds, more)]])
}

#[test]
fn who_was_at_home_within_the_hour_signs_in_through_no_carrier_abroad() {
    let of = |net: &str, seconds: [f64; 3]| {
        seconds.map(|seconds| after(seconds, &json!({ "net": net })))
    };
    assert_eq!(of("mobile", [10.0, 3600.0, 3601.0]), [1, 1, 0]);
    assert_eq!(of("hosting", [10.0, 900.0, 901.0]), [1, 1, 0], "a quarter of it");
    for net in ["vpn", "tor", "residential", "business"] {
        assert_eq!(after(600.0, &json!({ "net": net })), 0, "{net}");
    }
    assert_eq!(after(600.0, &json!({ "net": "hosting", "asn": 13_335 })), 0, "a relay of browsers");
}

#[test]
fn known_software_countries_nearby_and_what_is_no_sign_in_are_no_journey() {
    for net in ["mobile", "hosting"] {
        let at = |more: &Value| after(600.0, &with(json!({ "net": net }), more));
        assert_eq!(at(&json!({ "country": "KR" })), 1, "{net}");
        for none in [
            json!({ "country": "NO" }),
            json!({ "country": null }),
            json!({ "ua": "App/7" }),
            json!({ "ua": "App/8" }),
            json!({ "ua": null }),
            json!({ "result": "failed" }),
            json!({ "subject": "app" }),
            json!({ "kind": "request" }),
            json!({ "subject": "u2" }),
        ] {
            assert_eq!(at(&none), 0, "{net} {none}");
        }
        let south = |degrees: f64| at(&json!({ "lat": OSLO.0 - degrees, "lon": OSLO.1 }));
        assert_eq!([4.51, 4.49].map(south), [1, 0], "{net}: five hundred km");
    }
}

#[test]
fn new_to_somebody_is_what_came_after_their_first_hour() {
    let of = |hours: f64| {
        let first = vec![at_home(0.0)];
        told(&[
            first,
            vec![
                at_home(hours * HOUR - 60.0),
                signs_in(hours * HOUR, &json!({ "net": "hosting" })),
            ],
        ])
    };
    assert_eq!([0.99, 1.01].map(of), [0, 1]);
}

#[test]
fn in_a_country_where_another_program_or_their_telephone_was_they_may_be() {
    for net in ["mobile", "hosting"] {
        let there = json!({ "ip": "192.0.9.7", "lat": 35.7, "lon": 139.7, "country": "JP" });
        let was = |more: &Value| {
            let other = with(with(at_home(0.0), &there), more);
            let exit = signs_in(2.1 * HOUR, &json!({ "net": net }));
            told(&[vec![other], home(), vec![exit]])
        };
        assert_eq!(was(&json!({ "ua": "Sync/2" })), 0, "{net}");
        assert_eq!(was(&json!({ "ua": "Sync/2", "country": "KR" })), 1, "{net}");
        assert_eq!(was(&json!({ "ua": "Sync/2", "subject": "u2" })), 1, "{net}");
        let telephone = json!({ "ua": "App/7 (iPhone; iOS 18.0)", "net": "mobile" });
        assert_eq!(was(&telephone), 0, "{net}");
    }
}

#[test]
fn a_network_through_which_two_sign_in_is_a_gateway() {
    for net in ["mobile", "hosting"] {
        let other = |ip: &str| {
            let colleague = json!({ "subject": "u2", "net": net, "ip": ip });
            let before = vec![signs_in(HOUR, &colleague)];
            told(&[before, home(), vec![signs_in(2.1 * HOUR, &json!({ "net": net }))]])
        };
        assert_eq!([THERE, "192.0.2.99"].map(other), [0, 1], "{net}");
        let both: Vec<Value> = ["u1", "u2", "u3"]
            .iter()
            .flat_map(|who| {
                let exit = signs_in(2.1 * HOUR, &json!({ "net": net }));
                home().into_iter().chain([exit]).map(move |it| with(it, &json!({ "subject": who })))
            })
            .collect();
        let all = told(&[both]);
        assert_eq!(all, 1, "{net}: the first alone");
        let again = |n: u32| signs_in(2.1 * HOUR + f64::from(n), &json!({ "net": net }));
        assert_eq!(told(&[home(), (0..5).map(again).collect()]), 1, "{net}: once");
    }
}
