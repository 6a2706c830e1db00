//! Runs from many networks name who takes part, and clients that try what they may have.

use serde_json::{Value, json};

use crate::support::{event, found, outcomes};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

fn named(findings: &[Value]) -> Vec<&str> {
    findings.iter().filter_map(|finding| finding["ip"].as_str()).collect()
}

fn user_code(seconds: f64, ip: &str, step: &str) -> Value {
    event(seconds, "device", ip, &json!({ "step": step }))
}

#[test]
fn user_codes_from_many_networks_name_those_that_typed_two() {
    let from = |networks: u32| {
        let tries = (0..100).map(|n| {
            user_code(f64::from(n) * 20.0, &format!("10.{}.3.4", n % networks), "bad_user_code")
        });
        tries.collect::<Vec<Value>>()
    };
    let mut events = from(25);
    // A clumsy person in between, who succeeds.
    events.push(user_code(1300.0, "198.51.100.9", "bad_user_code"));
    events.push(user_code(1310.0, "198.51.100.9", "approved"));
    let findings = found(&events);
    assert_eq!(named(&findings).len(), 25);
    assert!(!named(&findings).contains(&"198.51.100.9"));
    assert!(findings.iter().all(|finding| finding["incident"] == findings[0]["incident"]));
    // Nobody typed two: the run is told, and without a name.
    let strangers = found(&from(100));
    assert_eq!((strangers.len(), named(&strangers).len()), (1, 0));
    assert_eq!(found(&from(100)[..59]), Vec::<Value>::new());
}

fn login(seconds: f64, ip: &str, name: &str, result: &str) -> Value {
    let mut members = json!({ "username": name, "result": result, "factor": "password" });
    members["complete"] = json!(result == "ok");
    event(seconds, "login", ip, &members)
}

#[test]
fn a_run_that_has_nothing_in_common_names_its_networks_too() {
    let mut events: Vec<Value> = Vec::new();
    for n in 0..60 {
        let ip = format!("{}.{n}.3.4", 11 + n % 40);
        events.push(login(f64::from(n) * 10.0, &ip, &format!("n{n}"), "unknown_user"));
        events.push(login(f64::from(n) * 10.0 + 4.0, &ip, &format!("m{n}"), "unknown_user"));
    }
    let findings = found(&events);
    assert!(findings.iter().all(|finding| finding["ip"].is_string()), "{findings:?}");
    // Where each tries one name only, thirty more are waited for.
    let single = |count: i32| -> Vec<Value> {
        let tries = (0..count).map(|n| {
            login(
                f64::from(n) * 9.0,
                &format!("{}.{n}.3.4", 11 + n % 40),
                &format!("n{n}"),
                "unknown_user",
            )
        });
        found(&tries.collect::<Vec<Value>>())
    };
    assert_eq!(single(55), Vec::<Value>::new());
    assert_eq!((single(80).len(), named(&single(80)).len()), (1, 0));
}

fn register(seconds: f64, ip: &str, host: &str) -> Value {
    event(seconds, "register", ip, &json!({ "result": "ok", "redirect_hosts": [host] }))
}

#[test]
fn registrations_from_many_networks_for_other_hosts_are_a_surge_after_an_hour() {
    let surge = |start: f64, elsewhere: bool| -> Vec<Value> {
        let mut events = vec![user_code(0.0, "198.51.100.9", "approved")];
        events.extend((0..60).map(|n| {
            let host = if elsewhere { format!("h{n}.example") } else { "localhost".to_owned() };
            register(start + f64::from(n) * 20.0, &format!("10.{}.3.4", n % 12), &host)
        }));
        found(&events)
    };
    let findings = surge(4.0 * HOUR, true);
    assert_eq!(named(&findings).len(), 12);
    assert!(findings.iter().all(|finding| finding["incident"] == findings[0]["incident"]));
    assert_eq!(surge(4.0 * HOUR, false), Vec::<Value>::new(), "copies of a native application");
    assert_eq!(surge(HOUR / 2.0, true), Vec::<Value>::new(), "nothing is known of what is usual");
}

#[test]
fn a_surge_does_not_hide_the_next() {
    let surge = |start: f64, from: u32| {
        (0..24).map(move |n| {
            let ip = format!("10.{}.3.4", from + n % 12);
            register(start + f64::from(n) * 20.0, &ip, &format!("h{from}-{n}.example"))
        })
    };
    let mut events = vec![user_code(0.0, "198.51.100.9", "approved")];
    events.extend(surge(4.0 * HOUR, 0).chain(surge(8.0 * HOUR, 200)));
    let findings = found(&events);
    let second = named(&findings).into_iter().filter(|ip| ip.starts_with("10.20"));
    assert!(second.count() >= 3, "{findings:?}");
}

fn asked(seconds: f64, scopes: &[&str], result: &str) -> Value {
    let members = json!({
        "client": "c1", "grant_type": "client_credentials", "result": result, "scopes": scopes,
    });
    event(seconds, "grant", "198.51.100.9", &members)
}

#[test]
fn a_nightly_export_that_asks_for_a_role_is_told() {
    let nights = |count: u32, last: &[&str]| {
        let mut events: Vec<Value> =
            (0..count).map(|n| asked(f64::from(n) * DAY, &["orders:read"], "ok")).collect();
        events.push(asked(f64::from(count) * DAY, last, "ok"));
        found(&events)
    };
    let expected = [["scope_creep", "low", "tag"]];
    assert_eq!(outcomes(&nights(5, &["orders:read", "users:admin"])), expected);
    assert_eq!(nights(2, &["orders:read", "users:admin"]), Vec::<Value>::new());
    assert_eq!(nights(5, &["orders:read", "labels:read"]), Vec::<Value>::new());
}

#[test]
fn a_client_that_tries_scopes_and_is_refused_is_told_on_its_first_day() {
    let tries = |start: f64, refused: &str| {
        let mut events = vec![asked(0.0, &["orders:read"], "ok")];
        for (n, scope) in ["a:read", "b:read", "c:read"].iter().enumerate() {
            let result = if n == 1 { refused } else { "ok" };
            events.push(asked(start + n as f64 * 60.0, &["orders:read", scope], result));
        }
        found(&events)
    };
    assert_eq!(outcomes(&tries(2.0 * HOUR, "invalid_scope")), [["scope_creep", "low", "tag"]]);
    assert_eq!(tries(2.0 * HOUR, "ok"), Vec::<Value>::new(), "a service that has several jobs");
    assert_eq!(tries(600.0, "invalid_scope"), Vec::<Value>::new(), "it is being set up");
}

fn nobodys(seconds: f64) -> Value {
    let members = json!({
        "token_kind": "pat", "method": "GET", "path": "/orders", "status": 401,
        "refused": "unknown_token",
    });
    event(seconds, "request", "203.0.113.66", &members)
}

#[test]
fn a_token_a_minute_is_guessing_and_one_each_half_hour_is_forgotten() {
    let every = |gap: f64, count: u32| -> Vec<Value> {
        found(&(0..count).map(|n| nobodys(f64::from(n) * gap)).collect::<Vec<Value>>())
    };
    assert_eq!(every(130.0, 60).len(), 1);
    assert_eq!(every(1800.0, 150), Vec::<Value>::new());
}
