//! Streams of requests, and what is found in them.

use detect::engine::Engine;
use detect::replay::replay;
use detect::stream::{Reading, refuse};
use serde_json::{Value, json};

pub(crate) const HOUR: f64 = 3600.0;
pub(crate) const DAY: f64 = 86_400.0;

/// Events in any order.
#[derive(Default)]
pub(crate) struct Stream(Vec<(i64, Value)>);

// === impl Stream ===

impl Stream {
    /// A request so many seconds after a Monday's midnight; `more` overrides members.
    pub(crate) fn add(&mut self, at: f64, subject: &str, route: &str, more: Value) {
        let (method, template) = route.split_once(' ').expect("method and template");
        let millis = 1_789_948_800_000i64 + (at * 1000.0) as i64;
        let mut event = json!({
            "ts": token::time::Timestamp::from_millis(millis).to_string(),
            "kind": "request", "ip": "192.0.2.1", "client": "app", "token_kind": "jwt",
            "method": method, "route": template, "status": 200, "bytes_out": 500,
        });
        if subject.is_empty() {
            event["client"] = Value::Null;
        } else {
            event["subject"] = json!(subject);
            event["token"] = json!(format!("token-{subject}"));
        }
        for (name, value) in more.as_object().expect("members") {
            event[name] = value.clone();
        }
        if event.get("path").is_none() {
            let object = event["object"].as_str().unwrap_or("x");
            event["path"] = json!(template.replace("{id}", object));
        }
        self.0.push((millis, event));
    }

    /// The same, which comes so many seconds late.
    pub(crate) fn add_late(
        &mut self,
        (at, late): (f64, f64),
        subject: &str,
        route: &str,
        more: Value,
    ) {
        self.add(at, subject, route, more);
        let (comes, _) = self.0.last_mut().expect("the request");
        *comes += (late * 1000.0) as i64;
    }

    /// Two days of a dozen people with a few orders each: everybody's habit.
    pub(crate) fn people() -> Self {
        let mut stream = Self::default();
        for person in 0..12 {
            for visit in 0..8 {
                let start = f64::from(visit) * 6.0 * HOUR + f64::from(person) * 97.0;
                for step in 0..8 {
                    let at = start + f64::from(step * step) * 11.0;
                    let order = json!({ "object": own(person, step % 4) });
                    stream.add(at, &format!("p{person}"), "GET /orders/{id}", order);
                }
            }
        }
        stream
    }

    /// Without these members, as if whoever wrote the events did not know them.
    pub(crate) fn take_away(&mut self, members: &[&str]) {
        for (_, event) in &mut self.0 {
            let event = event.as_object_mut().expect("members");
            members.iter().for_each(|member| drop(event.remove(*member)));
        }
    }

    pub(crate) fn findings(mut self) -> Vec<Value> {
        self.0.sort_by_key(|(millis, _)| *millis);
        let lines: Vec<String> = self.0.iter().map(|(_, event)| event.to_string()).collect();
        let input = lines.join("\n");
        let run = || {
            let mut output = Vec::new();
            replay(
                Engine::default(),
                input.as_bytes(),
                &mut output,
                false,
                Reading::new(&mut refuse),
            )
            .expect("events");
            String::from_utf8(output).expect("text")
        };
        let text = run();
        assert_eq!(text, run(), "the same, byte for byte");
        let findings: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("json")).collect();
        for finding in &findings {
            assert_eq!(finding["class"], "statistical");
            assert!(matches!(finding["response"].as_str(), Some("none" | "tag")), "{finding}");
        }
        findings
    }

    /// Findings of one detector.
    pub(crate) fn by(self, detector: &str) -> Vec<Value> {
        self.findings().into_iter().filter(|finding| finding["detector"] == detector).collect()
    }
}

/// A person's order: neighbours belong to others.
pub(crate) fn own(person: u32, number: u32) -> String {
    (1000 + number * 12 + person).to_string()
}
