//! Programs in place of people: too quick, and by a clock that is theirs and not another thing's.

use serde_json::{Value, json};

use crate::stream::{DAY, HOUR, Stream, own};

const CHANGES: [&str; 6] = [
    "POST /cart",
    "PUT /address",
    "POST /prices",
    "POST /checkout",
    "PATCH /profile",
    "DELETE /wishes",
];

/// So many people who change something, of whom so many take four steps at once; then one who takes
/// so many, so many seconds apart and with these members. How often that one is told.
fn hasty([people, quick, steps]: [u32; 3], pause: f64, more: &Value) -> usize {
    let mut stream = Stream::default();
    for person in 0..people {
        let at = f64::from(person) * 10.0;
        for (n, route) in CHANGES.iter().enumerate().take(if person < quick { 4 } else { 1 }) {
            stream.add(at + n as f64 * 0.1, &format!("p{person}"), route, json!({}));
        }
    }
    let mut members = more.clone();
    let same = members["same"].take();
    for n in 0..steps {
        let route = same.as_str().unwrap_or(CHANGES[n as usize % CHANGES.len()]);
        stream.add(HOUR + f64::from(n) * pause, "bot", route, members.clone());
    }
    let mut findings = stream.by("automation");
    findings.retain(|it| it["evidence"]["people_who_do_that"].is_number());
    findings.retain(|it| !it["subject"].as_str().unwrap().starts_with('p'));
    findings.len()
}

#[test]
fn four_different_changes_within_half_a_second_are_a_programs() {
    let told = |steps, pause| hasty([40, 0, steps], pause, &json!({}));
    assert_eq!([4, 3].map(|steps| told(steps, 0.1)), [1, 0]);
    assert_eq!([0.16667, 0.167].map(|pause| told(4, pause)), [1, 0]);
    assert_eq!(told(60, 0.1), 1, "once");
    // They are counted with an error of some per cent.
    assert_eq!([29, 28].map(|people| hasty([people, 0, 4], 0.1, &json!({}))), [1, 0]);
    assert_eq!([39, 38].map(|people| hasty([people, 3, 4], 0.1, &json!({}))), [1, 0], "one in ten");
}

#[test]
fn a_change_before_them_hides_no_four_within_half_a_second() {
    let mut stream = Stream::default();
    for person in 0..40 {
        stream.add(f64::from(person) * 10.0, &format!("p{person}"), CHANGES[0], json!({}));
    }
    for (n, at) in [0.0, 0.9, 1.0, 1.1, 1.2].into_iter().enumerate() {
        stream.add(HOUR + at, "bot", CHANGES[n], json!({}));
    }
    assert_eq!(stream.by("automation").len(), 1);
}

#[test]
fn what_is_read_fails_or_is_done_by_programs_is_no_haste_of_people() {
    let with = |more: &Value| hasty([40, 0, 6], 0.1, more);
    assert_eq!(with(&json!({ "token_kind": "opaque" })), 1);
    for none in [
        json!({ "same": "POST /cart" }),
        json!({ "method": "GET" }),
        json!({ "status": 400 }),
        json!({ "status": 500 }),
        json!({ "refused": "policy", "status": 403 }),
        json!({ "token_kind": "pat" }),
        json!({ "token_kind": "api_key" }),
        json!({ "subject": "app" }),
        json!({ "subject": "app-3" }),
        json!({ "client": "other" }),
    ] {
        assert_eq!(with(&none), 0, "{none}");
    }
}

/// Twelve people who signed in to an app; then something of one of them asks for another object
/// every seven seconds, by this client, and they open so many by that one, from so long before on.
fn devices(clock: &str, opened: u32, by: &str, before: f64) -> usize {
    let mut stream = Stream::people();
    let mut ask = |at: f64, person: u32, client: &str, object: String| {
        let session = (client == "app").then(|| format!("s{person}"));
        let more = json!({ "session": session, "client": client, "object": object });
        stream.add(2.0 * DAY + at, &format!("p{person}"), "GET /orders/{id}", more);
    };
    (0..12).for_each(|person| ask(f64::from(person), person, "app", own(person, 1)));
    for n in 0..150u32 {
        ask(3.0 * HOUR + f64::from(n) * 7.0, 3, clock, format!("item{}", n % 35));
    }
    for n in 0..opened {
        let at = 3.0 * HOUR - before + f64::from(n) * 19.0 + f64::from(n * n % 7) * 2.3;
        ask(at, 3, by, own(3, n % 4));
    }
    let findings = stream.by("automation");
    assert!(findings.iter().all(|it| it["subject"] == "p3"));
    findings.len()
}

#[test]
fn a_thing_that_sends_by_the_clock_does_not_make_its_owner_a_program() {
    assert_eq!(devices("app", 0, "", 0.0), 1);
    assert_eq!(devices("thing", 0, "", 0.0), 0, "nobody uses that");
    assert_eq!(devices("thing", 5, "app", -900.0), 0, "after sixty pauses");
    assert_eq!(devices("thing", 50, "app", 0.0), 0, "meanwhile");
    assert_eq!(devices("app", 50, "app", 0.0), 0, "their own rhythm");
}

#[test]
fn what_somebody_opens_elsewhere_hides_no_clock() {
    assert_eq!(devices("app", 50, "web", -60.0), 1, "meanwhile");
    assert_eq!(devices("app", 5, "web", 110.0), 1, "a few before");
    assert_eq!(devices("app", 20, "web", 0.7 * HOUR), 1, "half an hour ago");
}
