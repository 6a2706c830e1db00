//! Injections that somebody tries, and texts that only look like them.

use serde_json::json;

use crate::stream::{HOUR, Stream};

#[test]
fn different_injections_are_probing_by_principal_network_and_rule_that_observes() {
    for (subject, member) in [("p3", "refused"), ("", "refused"), ("p3", "would_refuse")] {
        let mut stream = Stream::people();
        for n in 0..7 {
            let mut more = json!({ "object": format!("x{n}"), "status": 403, "bytes_in": n });
            more[member] = json!("injection:sqli");
            stream.add(HOUR + f64::from(n) * 9.0, subject, "GET /items/{id}", more);
        }
        let findings = stream.by("injection_probing");
        assert_eq!(findings.len(), 1, "{subject} {member}");
        let named = if subject.is_empty() { "ip" } else { "subject" };
        assert!(findings[0].get(named).is_some());
    }
}

#[test]
fn one_an_hour_and_many_tokens_in_turn_are_probing() {
    let mut slow = Stream::people();
    let mut turns = Stream::people();
    for n in 0..14 {
        let more = json!({ "ip": "203.0.113.9", "object": format!("x{n}"), "status": 403, "refused": "injection:xss" });
        slow.add(f64::from(n) * HOUR, "p3", "GET /items/{id}", more.clone());
        turns.add(HOUR + f64::from(n) * 9.0, &format!("q{n}"), "GET /items/{id}", more);
    }
    assert_eq!(slow.by("injection_probing").len(), 1);
    let found = turns.by("injection_probing");
    assert_eq!((found.len(), &found[0]["ip"]), (1, &json!("203.0.113.9")));
}

#[test]
fn what_is_in_a_query_counts_by_its_classes() {
    let tries = |classes: &[&str], count: usize, gap: f64| {
        let mut stream = Stream::people();
        for n in 0..count {
            let refused = format!("injection:{}", classes[n % classes.len()]);
            let more = json!({ "status": 400, "refused": refused, "bytes_in": 0 });
            stream.add(HOUR + n as f64 * gap, "p3", "GET /search", more);
        }
        stream.by("injection_probing").len()
    };
    assert_eq!(tries(&["sqli", "xss"], 6, 5.0), 1);
    assert_eq!(tries(&["sqli", "xss", "traversal"], 15, 3000.0), 1);
    // A search for one text, again and again.
    assert_eq!(tries(&["sqli"], 12, 5.0), 0);
    assert_eq!(tries(&["sqli"], 30, 5.0), 1);
}

#[test]
fn an_author_who_saves_a_text_again_is_not_probing() {
    let mut stream = Stream::people();
    for person in 0..3 {
        for n in 0..20 {
            let more = json!({ "status": 403, "refused": "injection:sqli", "bytes_in": 4000 });
            let at = HOUR + f64::from(n) * 20.0;
            stream.add(at, &format!("p{person}"), "POST /posts", more);
        }
    }
    assert_eq!(stream.by("injection_probing"), Vec::<serde_json::Value>::new());
}

#[test]
fn what_is_said_of_somebody_is_not_said_again_of_their_address() {
    let mut stream = Stream::people();
    for n in 0..20 {
        let more = json!({
            "ip": "203.0.113.9", "status": 403, "refused": "injection:sqli", "bytes_in": 10 + n,
            "net": "mobile",
        });
        stream.add(HOUR + f64::from(n) * 5.0, "p3", "POST /search", more);
    }
    let found = stream.by("injection_probing");
    assert_eq!((found.len(), &found[0]["subject"]), (1, &json!("p3")));
}
