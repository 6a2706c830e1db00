//! Numbers that somebody goes through without a token, whether something is there or not.

use serde_json::{Value, json};

use crate::stream::{HOUR, Stream};

const STRANGER: &str = "203.0.113.66";

/// These numbers are asked for, each with whether something is there, by nobody with these members.
fn walked(numbers: &[(u64, bool)], more: &Value) -> usize {
    let mut stream = Stream::people();
    for (n, (number, is_there)) in numbers.iter().enumerate() {
        let prefix = more["prefix"].as_str().unwrap_or("");
        let mut members = json!({
            "ip": STRANGER, "object": format!("{prefix}{number}"), "token_kind": "none",
            "status": if *is_there { 200 } else { 404 },
        });
        for (name, value) in more.as_object().expect("members") {
            members[name] = value.clone();
        }
        stream.add(HOUR + n as f64 * 20.0, "", "GET /invoices/{id}", members);
    }
    let mut findings = stream.by("enumeration");
    findings.retain(|it| it["evidence"]["walked"].is_number());
    assert!(findings.iter().all(|it| it["ip"] == STRANGER && it.get("subject").is_none()));
    findings.len()
}

/// So many steps after the first number, each so far, and so many of the last into nothing.
fn steps(count: u64, step: u64, missed: u64) -> Vec<(u64, bool)> {
    (0..=count).map(|n| (5000 + n * step, n + missed <= count)).collect()
}

#[test]
fn forty_steps_from_number_to_number_with_one_in_five_into_nothing_are_a_walk() {
    let told = |count, step, missed| walked(&steps(count, step, missed), &json!({}));
    assert_eq!([40, 39].map(|count| told(count, 1, 12)), [1, 0]);
    assert_eq!([8, 7].map(|missed| told(40, 1, missed)), [1, 0], "nearly all are there");
    assert_eq!([3, 4].map(|step| told(40, step, 12)), [1, 0]);
    assert_eq!(told(200, 1, 200), 1, "once");
    let down: Vec<_> = steps(40, 1, 12).into_iter().rev().collect();
    assert_eq!(walked(&down, &json!({})), 1, "downwards");
    let turns: Vec<_> = (0..200u64).map(|n| (5000 + n % 2, n % 2 == 0)).collect();
    assert_eq!(walked(&turns, &json!({})), 0, "a page that asks for two in turn");
    let leap = [steps(30, 1, 8), steps(30, 1, 8).iter().map(|it| (it.0 + 900, it.1)).collect()];
    assert_eq!(walked(&leap.concat(), &json!({})), 0, "two parts of thirty");
}

#[test]
fn numbers_after_letters_are_walked_through_as_well_and_not_with_a_token() {
    let with = |more: &Value| walked(&steps(60, 1, 40), more);
    for walk in [
        json!({}),
        json!({ "prefix": "A-" }),
        json!({ "prefix": "order_" }),
        json!({ "prefix": "R" }),
        json!({ "status": 403 }),
        json!({ "refused": "policy", "status": 403 }),
        json!({ "ua": "Mozilla/5.0 (compatible; Examplebot/2.1)" }),
    ] {
        assert_eq!(with(&walk), 1, "{walk}");
    }
    for none in [
        json!({ "subject": "p3", "client": "app", "token": "t1", "token_kind": "jwt" }),
        json!({ "client": "jobs", "token": "t1", "token_kind": "jwt" }),
        json!({ "refused": "no_token", "status": 401 }),
        json!({ "status": 500 }),
        json!({ "status": 200 }),
        json!({ "object": "5000" }),
        json!({ "object": "summer-sale" }),
    ] {
        assert_eq!(with(&none), 0, "{none}");
    }
}

#[test]
fn a_walk_is_that_of_one_network_in_one_collection() {
    let told = |ips: &[&str], routes: &[&str]| {
        let mut stream = Stream::people();
        for n in 0..60usize {
            let more = json!({
                "ip": ips[n % ips.len()], "object": (5000 + n / ips.len()).to_string(),
                "token_kind": "none", "status": 404,
            });
            stream.add(HOUR + n as f64 * 20.0, "", routes[n % routes.len()], more);
        }
        let findings = stream.by("enumeration");
        findings.iter().filter(|it| it["evidence"]["walked"].is_number()).count()
    };
    let (invoices, bills) = ("GET /invoices/{id}", "GET /bills/{id}");
    assert_eq!(told(&[STRANGER], &[invoices]), 1);
    assert_eq!(told(&[STRANGER, "203.0.113.67"], &[invoices]), 0, "thirty each");
    assert_eq!(told(&[STRANGER], &[invoices, bills]), 0, "thirty in each");
}
