//! Attackers who know that they are watched: baselines that are poisoned, forged addresses, clocks that
//! differ, and attempts to have somebody else cut off.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: helpers too"
)]

use std::sync::Arc;

use detect::engine::Engine;
use detect::policy::table::{BuiltIn, Table};
use detect::policy::{Standing, Terms};
use detect::replay::replay;
use detect::stream::{Reading, refuse};
use serde_json::{Value, json};
use token::time::Timestamp;

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// A request so many seconds after a Monday's midnight, with more members.
fn request(seconds: f64, subject: &str, more: &Value) -> Value {
    let millis = 1_789_948_800_000i64 + (seconds * 1000.0) as i64;
    let mut event = json!({
        "ts": Timestamp::from_millis(millis).to_string(), "kind": "request", "client": "app",
        "ip": format!("198.51.100.{}", subject.len() * 7 % 200), "subject": subject,
        "token": format!("t-{subject}"), "grant": format!("g-{subject}"), "token_kind": "jwt",
        "session": format!("s-{subject}"), "method": "GET", "route": "/orders/{id}",
        "path": "/orders/1", "status": 200, "bytes_out": 2000,
    });
    for (name, value) in more.as_object().expect("members") {
        event[name] = value.clone();
    }
    event
}

/// So many days of a dozen people with four orders each.
fn people(days: u32) -> Vec<Value> {
    let mut events = Vec::new();
    for visit in 0..days * 4 {
        for person in 0..12u32 {
            let start = f64::from(visit) * 6.0 * HOUR + f64::from(person) * 97.0;
            for step in 0..8u32 {
                let object = json!({ "object": order(person, step % 4) });
                let at = start + f64::from(step * step) * 11.0;
                events.push(request(at, &format!("p{person}"), &object));
            }
        }
    }
    events
}

fn order(person: u32, number: u32) -> String {
    (1000 + number * 12 + person).to_string()
}

/// The findings, in the order of arrival; with what rests on a judgement carried out as well.
fn carried_out(events: &[Value]) -> Vec<Value> {
    let table = Table::new(Vec::new(), BuiltIn::All).expect("table");
    let terms = Terms { table, ..Terms::default() };
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let mut output = Vec::new();
    let engine = Engine::new(Arc::new(Standing::new(terms)));
    replay(engine, lines.join("\n").as_bytes(), &mut output, false, Reading::new(&mut refuse))
        .expect("events");
    let text = String::from_utf8(output).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("json")).collect()
}

fn sorted(mut events: Vec<Value>) -> Vec<Value> {
    events.sort_by_key(|event| event["ts"].to_string());
    events
}

fn names(findings: &[Value], subject: &str) -> Vec<String> {
    let about = findings.iter().filter(|finding| finding["subject"] == subject);
    about.filter_map(|finding| finding["detector"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_volume_that_grows_by_a_tenth_each_day_does_not_hide_the_theft() {
    let mut events = people(20);
    let mut bytes = 40_000.0;
    for day in 0..18 {
        for n in 0..6u32 {
            let at = f64::from(day) * DAY + 12.0 * HOUR + f64::from(n) * 30.0;
            events.push(request(
                at,
                "p3",
                &json!({ "object": order(3, n), "bytes_out": bytes as u64 }),
            ));
        }
        bytes *= 1.1;
    }
    for n in 0..60u32 {
        let at = 18.5 * DAY + f64::from(n) * 20.0;
        let more = json!({ "object": order(3, n), "bytes_out": (bytes * 8.0) as u64 });
        events.push(request(at, "p3", &more));
    }
    let findings = carried_out(&sorted(events));
    assert!(names(&findings, "p3").contains(&"exfiltration".to_owned()), "{findings:?}");
}

#[test]
fn another_address_for_each_request_hides_no_walk_through_objects() {
    let mut events = people(2);
    for n in 0..30u32 {
        let ip = format!("{}.{}.7.{n}", 20 + n * 5, n * 8 % 250);
        let more = json!({ "object": order((4 + n) % 12, n % 4), "ip": ip });
        events.push(request(2.1 * DAY + f64::from(n) * 400.0, "p3", &more));
    }
    let findings = carried_out(&sorted(events));
    assert!(names(&findings, "p3").contains(&"bola_ownership".to_owned()), "{findings:?}");
    // The addresses are anybody's: none is hit.
    assert!(!findings.iter().any(|finding| finding["response"] == "block:ip"), "{findings:?}");
}

#[test]
fn clocks_that_differ_by_seconds_change_nothing() {
    let attack = |skew: f64| {
        let mut events = people(2);
        for n in 0..12u32 {
            let late = if n % 2 == 0 { skew } else { 0.0 };
            let at = 2.1 * DAY + f64::from(n) * 2.0;
            let more = json!({ "object": order((4 + n) % 12, n % 4) });
            events.push(request(at + late, "p3", &more));
            let forged = json!({
                "ip": "203.0.113.66", "status": 401, "refused": "forged:alg_none",
                "subject": null, "client": null, "token": null, "grant": null, "session": null,
            });
            events.push(request(at + 0.5 + late, "", &forged));
        }
        let findings = carried_out(&events);
        let mut told: Vec<String> =
            findings.iter().map(|it| format!("{}:{}", it["detector"], it["response"])).collect();
        told.sort();
        told
    };
    assert!(attack(0.0).len() >= 3);
    assert_eq!(attack(0.0), attack(4.0));
}

#[test]
fn whoever_misuses_one_stolen_token_costs_its_owner_that_token_and_no_more() {
    let mut events = people(4);
    // The owner's other device goes on, with a token, a grant and a session of its own.
    for n in 0..40 {
        let more = json!({ "object": order(3, 1), "token": "other", "grant": "other", "session": "other" });
        events.push(request(4.0 * DAY + f64::from(n) * 600.0, "p3", &more));
    }
    // The thief makes as much noise with the stolen one as there are detectors to hear it.
    for n in 0..200u32 {
        let mut more = json!({
            "object": order((4 + n) % 12, n % 4), "ip": "203.0.113.66", "ua": "noise/1",
        });
        if n % 3 == 0 {
            more["status"] = json!(403);
            more["refused"] = json!("injection:sqli");
            more["bytes_in"] = json!(n);
        }
        events.push(request(4.1 * DAY + f64::from(n) * 3.0, "p3", &more));
    }
    let findings = carried_out(&sorted(events));
    let hit: Vec<&Value> = findings
        .iter()
        .filter(|finding| {
            finding["response"].as_str().is_some_and(|it| it != "tag" && it != "none")
        })
        .collect();
    assert!(!hit.is_empty(), "something is done");
    for finding in hit {
        let response = finding["response"].as_str().expect("text");
        assert!(!response.ends_with(":subject") && !response.ends_with(":client"), "{finding}");
        for member in ["token", "grant", "session"] {
            assert_ne!(finding[member], "other", "{finding}");
        }
    }
}

#[test]
fn claims_in_credentials_that_failed_harm_nobody_whatever_they_are_refused_for() {
    let mut events = Vec::new();
    for (at, refused) in ["revoked", "expired", "disabled", "unknown_token", "forged:bad_signature"]
        .iter()
        .enumerate()
    {
        for n in 0..120 {
            let more = json!({
                "subject": null, "client": null, "token": null, "grant": null, "session": null,
                "claimed_subject": "victim", "claimed_client": "app", "claimed_token": "victims",
                "ip": "203.0.113.66", "status": 401, "refused": refused,
            });
            events.push(request(at as f64 * 1000.0 + f64::from(n) * 2.0, "", &more));
        }
    }
    let findings = carried_out(&events);
    let told = |name: &str| findings.iter().any(|finding| finding["detector"] == name);
    assert!(told("token_guessing") && told("disabled_account_token"), "{findings:?}");
    for finding in &findings {
        for member in ["subject", "client", "token", "grant", "session"] {
            assert!(finding.get(member).is_none(), "{finding}");
        }
    }
}
