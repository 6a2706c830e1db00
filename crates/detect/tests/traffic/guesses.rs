//! Vouchers and codes that somebody guesses, which only the API itself can tell.

use serde_json::{Value, json};

use crate::stream::{HOUR, Stream};

/// So many others of whom each sends so many vouchers that fail and so many that do not; then one
/// who does, those that fail some seconds apart and with these members. How often that one is told.
fn guessed(
    [others, failed_each, done_each]: [u32; 3],
    [failed, done]: [u32; 2],
    pause: f64,
    more: &Value,
) -> usize {
    let mut stream = Stream::default();
    let wrong = json!({ "status": 422 });
    for person in 0..others {
        for n in 0..failed_each + done_each {
            let at = f64::from(n) * 300.0 + f64::from(person) * 7.0;
            let sent = if n < failed_each { wrong.clone() } else { json!({}) };
            stream.add(at, &format!("p{person}"), "POST /vouchers", sent);
        }
    }
    for n in 0..done {
        stream.add(5.0 * HOUR + 61.0 + f64::from(n), "guesser", "POST /vouchers", json!({}));
    }
    for n in 0..failed {
        let mut members = wrong.clone();
        for (name, value) in more.as_object().expect("members") {
            members[name] = value.clone();
        }
        let method = members["method"].as_str().unwrap_or("POST");
        let route = format!("{method} {}", members["route"].as_str().unwrap_or("/vouchers"));
        stream.add(5.0 * HOUR + 60.0 + f64::from(n) * pause, "guesser", &route, members);
    }
    let mut findings = stream.by("enumeration");
    findings.retain(|it| it["evidence"]["others_done"].is_number());
    assert!(findings.iter().all(|it| it["subject"] == "guesser" && it.get("ip").is_none()));
    findings.len()
}

#[test]
fn fifteen_changes_that_fail_for_one_and_seldom_for_others_are_guesses() {
    let told = |others, own, pause| guessed([others, 0, 3], own, pause, &json!({}));
    assert_eq!([15, 14].map(|failed| told(6, [failed, 0], 60.0)), [1, 0]);
    assert_eq!(told(6, [100, 0], 60.0), 1, "once");
    assert_eq!([5, 6].map(|done| told(6, [15, done], 60.0)), [1, 0], "three in four of all");
    assert_eq!([5, 4].map(|others| told(others, [15, 0], 60.0)), [1, 0]);
    assert_eq!([6150.0, 6200.0].map(|pause| told(6, [15, 0], pause)), [1, 0], "within a day");
}

#[test]
fn where_others_fail_more_often_but_seldom_each_it_takes_thirty_and_a_broken_route_fails_for_all() {
    let told =
        |each: [u32; 2], failed| guessed([6, each[0], each[1]], [failed, 0], 60.0, &json!({}));
    assert_eq!([15, 14].map(|failed| told([1, 2], failed)), [1, 0], "one in three");
    assert_eq!([30, 29].map(|failed| told([2, 2], failed)), [1, 0], "twice each");
    assert_eq!(told([3, 3], 100), 0, "broken");
    assert_eq!(told([3, 6], 15), 1, "three times each, and one in three");
}

#[test]
fn whoever_guesses_what_many_have_finds_some_and_fails_thirty_times_and_more_often_than_not() {
    let told = |each: [u32; 2], own| guessed([6, each[0], each[1]], own, 60.0, &json!({}));
    assert_eq!([29, 30].map(|done| told([0, 3], [30, done])), [1, 0]);
    assert_eq!(told([0, 3], [30, 31]), 0, "thirty of sixty-one");
    assert_eq!([29, 30].map(|failed| told([0, 3], [failed, 12])), [0, 1]);
    assert_eq!([29, 30].map(|done| told([2, 2], [30, done])), [1, 0], "where others fail as well");
    assert_eq!(told([0, 3], [90, 60]), 1, "once");
    assert_eq!(told([3, 3], [90, 60]), 0, "broken");
}

#[test]
fn what_is_not_wrong_and_whoever_is_a_program_makes_no_guess() {
    let with = |more: &Value| guessed([6, 0, 3], [20, 0], 60.0, more);
    for status in [400, 404, 409, 410, 422] {
        assert_eq!(with(&json!({ "status": status })), 1, "{status}");
    }
    assert_eq!(with(&json!({ "method": "PUT" })), 0, "nobody else uses that");
    for none in [
        json!({ "status": 200 }),
        json!({ "status": 401 }),
        json!({ "status": 403 }),
        json!({ "status": 429 }),
        json!({ "status": 500 }),
        json!({ "refused": "policy" }),
        json!({ "refused": "throttled", "status": 429 }),
        json!({ "method": "GET" }),
        json!({ "token_kind": "pat" }),
        json!({ "token_kind": "api_key" }),
        json!({ "subject": "app" }),
        json!({ "subject": "app-3" }),
        json!({ "client": "other" }),
    ] {
        assert_eq!(with(&none), 0, "{none}");
    }
}

#[test]
fn guesses_are_counted_by_what_they_are_sent_to() {
    let both = |first: u32, second: u32| {
        let mut stream = Stream::default();
        for (route, count) in [("POST /vouchers", first), ("POST /cards", second)] {
            for person in 0..7u32 {
                stream.add(f64::from(person), &format!("p{person}"), route, json!({}));
            }
            for n in 0..count {
                let at = HOUR + f64::from(n) * 60.0;
                stream.add(at, "guesser", route, json!({ "status": 404 }));
            }
        }
        let mut findings = stream.by("enumeration");
        findings.retain(|it| it["evidence"]["others_done"].is_number());
        findings.len()
    };
    assert_eq!([both(14, 14), both(15, 14), both(15, 15)], [0, 1, 2]);
}

#[test]
fn one_who_guesses_does_not_make_a_route_look_broken_for_the_next() {
    let mut stream = Stream::default();
    for person in 0..8 {
        for n in 0..3 {
            let at = f64::from(n) * 300.0 + f64::from(person) * 7.0;
            stream.add(at, &format!("p{person}"), "POST /vouchers", json!({}));
        }
    }
    for (guesser, start) in [("one", 5.0), ("two", 10.0), ("one", 60.0)] {
        for n in 0..60 {
            let at = start * HOUR + f64::from(n) * 30.0;
            stream.add(at, guesser, "POST /vouchers", json!({ "status": 422 }));
        }
    }
    let findings = stream.by("enumeration");
    let named: Vec<_> = findings.iter().filter_map(|it| it["subject"].as_str()).collect();
    assert_eq!(named, ["one", "two", "one"]);
}
