//! A response must not be a weapon: attackers who want somebody else to be cut off, with every row carried out.

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

/// Seconds after the start of the stream.
fn at(seconds: f64) -> String {
    Timestamp::from_millis(1_790_000_000_000 + (seconds * 1000.0) as i64).to_string()
}

/// Findings of `events`, in which what rests on a judgement is carried out as well.
fn found(events: &[Value]) -> Vec<Value> {
    let table = Table::new(Vec::new(), BuiltIn::All).expect("table");
    let terms = Terms { table, ..Terms::default() };
    let engine = Engine::new(Arc::new(Standing::new(terms)));
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let mut output = Vec::new();
    replay(engine, lines.join("\n").as_bytes(), &mut output, false, Reading::new(&mut refuse))
        .expect("events");
    let text = String::from_utf8(output).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("json")).collect()
}

/// The members that are restricted, with their values.
fn hit(findings: &[Value]) -> Vec<(String, String)> {
    let mut hit: Vec<_> = findings
        .iter()
        .filter_map(|finding| {
            let (_, member) = finding["response"].as_str()?.split_once(':')?;
            Some((member.to_owned(), finding[member].as_str()?.to_owned()))
        })
        .collect();
    hit.sort();
    hit.dedup();
    hit
}

#[test]
fn forgeries_in_a_victims_name_hit_nobody_but_their_networks() {
    let mut events = Vec::new();
    for n in 0..60 {
        events.push(json!({
            "ts": at(f64::from(n)), "kind": "request", "ip": format!("198.51.100.{}", n % 6),
            "method": "GET", "path": "/orders", "status": 401, "refused": "forged:alg_none",
            "claimed_client": "victim", "claimed_subject": "victim", "claimed_token": "victims",
        }));
    }
    let hit = hit(&found(&events));
    assert!(!hit.is_empty());
    for (member, value) in hit {
        assert_eq!(member, "ip");
        assert!(value.starts_with("198.51.100."), "{value}");
    }
}

#[test]
fn guessing_a_victims_password_locks_out_whoever_guesses() {
    let mut events = Vec::new();
    // The victim signs in from home, day after day.
    for day in 0..10 {
        events.push(json!({
            "ts": at(f64::from(day) * 86_400.0), "kind": "login", "ip": "192.0.2.1",
            "username": "victim", "result": "ok", "factor": "password", "complete": true,
            "subject": "victim", "session": format!("home{day}"),
        }));
    }
    // Somebody guesses from many places, also at the second factor.
    for n in 0..400 {
        events.push(json!({
            "ts": at(864_000.0 + f64::from(n) * 20.0), "kind": "login",
            "ip": format!("198.51.{}.9", n % 40), "username": "victim",
            "result": if n % 2 == 0 { "bad_password" } else { "mfa_failed" },
            "factor": if n % 2 == 0 { "password" } else { "totp" }, "complete": false,
        }));
    }
    let findings = found(&events);
    assert!(!findings.is_empty());
    for (member, value) in hit(&findings) {
        assert_eq!(member, "ip", "{value}");
        assert!(value.starts_with("198.51."), "{value}");
    }
}

#[test]
fn many_networks_cannot_make_it_block_without_end() {
    // Bait from 3,000 networks within half an hour: the addresses may be anybody's.
    let events: Vec<Value> = (0..3000)
        .map(|n| {
            json!({
                "ts": at(f64::from(n) * 0.6), "kind": "request",
                "ip": format!("198.{}.{}.7", 18 + n / 250, n % 250), "token": "bait",
                "method": "GET", "path": "/", "status": 401, "refused": "honeytoken",
            })
        })
        .collect();
    let findings = found(&events);
    let blocked = findings.iter().filter(|finding| finding["response"] == "block:ip").count();
    assert!(blocked <= 60 * 31, "{blocked}");
    let held = findings.iter().filter(|finding| finding["held_back"].is_object()).count();
    assert_eq!(blocked + held, 3000);
}

#[test]
fn one_app_that_goes_wrong_does_not_cost_all_of_its_people_their_sessions() {
    // An update of the app sends what looks like injections, for everybody.
    let mut events = Vec::new();
    for person in 0..200 {
        for n in 0..12 {
            events.push(json!({
                "ts": at(f64::from(person) * 10.0 + f64::from(n) * 0.5), "kind": "request",
                "ip": format!("203.0.{person}.5"), "subject": format!("u{person}"),
                "client": "app", "token": format!("t{person}"), "grant": format!("g{person}"),
                "session": format!("s{person}"), "method": "GET",
                "path": format!("/search/{n}' OR {person}={person}"), "route": "/search/{q}",
                "object": format!("{n}' OR {person}={person}"), "status": 403,
                "refused": "injection:sql",
            }));
        }
    }
    let findings = found(&events);
    assert!(findings.len() >= 200, "{}", findings.len());
    let hit = hit(&findings).len();
    assert!((1..=10).contains(&hit), "{hit} of 200 people");
    let held = findings.iter().filter(|finding| finding["held_back"]["by"] == "at_most_each");
    assert!(held.count() >= 150);
}
