//! Streams of others: members that are missing, and clients that are not people's.

use serde_json::{Value, json};

use crate::stream::{DAY, HOUR, Stream};

/// People's habit and a walk over others' objects, each event with these members taken away.
fn walk_without(members: &[&str]) -> Vec<Value> {
    let mut stream = Stream::people();
    for n in 0..60u32 {
        let object = (5000 + n).to_string();
        let more = json!({ "status": 404, "object": object });
        stream.add(2.1 * DAY + f64::from(n) * 9.0, "p3", "GET /orders/{id}", more);
    }
    stream.take_away(members);
    stream.findings()
}

#[test]
fn a_walk_is_found_without_routes_objects_or_clients_and_is_no_scan() {
    for members in [&["route"][..], &["object"], &["route", "object"], &["client"], &["token"]] {
        let findings = walk_without(members);
        let told = |detector: &str| findings.iter().any(|it| it["detector"] == detector);
        assert!(told("enumeration"), "{members:?}");
        assert!(!told("scanning"), "{members:?}");
        assert!(findings.iter().all(|it| it["subject"] == "p3"), "{members:?}: {findings:?}");
    }
}

#[test]
fn a_fleet_of_jobs_that_never_rests_is_no_automation() {
    let mut stream = Stream::people();
    for job in 0..6 {
        for minute in 0..1440 {
            let object = json!({ "object": format!("task{minute}"), "client": "jobs" });
            let at = f64::from(minute) * 60.0 + f64::from(job);
            stream.add(at, &format!("job{job}"), "GET /tasks/{id}", object);
        }
    }
    assert_eq!(stream.by("automation"), Vec::<Value>::new());
}

#[test]
fn a_new_service_of_an_unknown_client_is_not_measured_by_others_on_its_first_day() {
    let mut stream = Stream::people();
    for n in 0..400 {
        let more = json!({ "object": format!("o{n}") });
        stream.add(2.0 * DAY + f64::from(n) * 3.0, "service", "GET /orders/{id}", more);
    }
    // The next day it does the same.
    for n in 0..400 {
        let more = json!({ "object": format!("o{n}") });
        stream.add(3.0 * DAY + HOUR + f64::from(n) * 3.0, "service", "GET /orders/{id}", more);
    }
    stream.take_away(&["client"]);
    assert_eq!(stream.by("enumeration"), Vec::<Value>::new());
}

/// Forty people of a client in their first hour, a few orders each.
fn first_hour() -> Stream {
    let mut stream = Stream::default();
    for person in 0..40 {
        for step in 0..9 {
            let at = f64::from(person) * 30.0 + f64::from(step * step) * 20.0;
            let order = json!({ "object": format!("order-{person}-{}", step % 4) });
            stream.add(at, &format!("p{person}"), "GET /orders/{id}", order);
        }
    }
    stream
}

#[test]
fn in_the_first_hour_people_are_compared_with_each_other() {
    assert_eq!(first_hour().findings(), Vec::<Value>::new());
    let mut stream = first_hour();
    for n in 0..60u32 {
        let more = json!({ "status": 404, "object": format!("guess-{n}") });
        stream.add(1500.0 + f64::from(n) * 5.0, "p3", "GET /orders/{id}", more);
    }
    for n in 0..900u32 {
        stream.add(1500.0 + f64::from(n), "p4", "GET /orders", json!({}));
    }
    for n in 0..40u32 {
        let more = json!({ "bytes_out": 2_000_000, "object": format!("file-{n}") });
        stream.add(1500.0 + f64::from(n) * 15.0, "p5", "GET /orders/{id}", more);
    }
    // Others list their orders too.
    for person in 0..40 {
        stream.add(f64::from(person) * 20.0, &format!("p{person}"), "GET /orders", json!({}));
    }
    let findings = stream.findings();
    for (person, detector) in [("p3", "enumeration"), ("p4", "volume"), ("p5", "exfiltration")] {
        let found = findings.iter().any(|it| it["subject"] == person && it["detector"] == detector);
        assert!(found, "{person}: {findings:?}");
    }
    let attackers = |it: &Value| ["p3", "p4", "p5"].iter().any(|name| it["subject"] == **name);
    assert!(findings.iter().all(attackers), "{findings:?}");
}
