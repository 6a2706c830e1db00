//! Events in one line each, and what is found in them.

use detect::engine::Engine;
use detect::replay::replay;
use detect::stream::{Reading, refuse};
use serde_json::{Value, json};

/// An event so many seconds after the start of the stream, with more members.
pub(crate) fn event(seconds: f64, kind: &str, ip: &str, more: &Value) -> Value {
    let millis = 1_790_000_000_000i64 + (seconds * 1000.0) as i64;
    let ts = token::time::Timestamp::from_millis(millis).to_string();
    let mut event = json!({ "ts": ts, "kind": kind, "ip": ip });
    for (name, value) in more.as_object().expect("members") {
        event[name] = value.clone();
    }
    event
}

/// Every finding, in the order of time whatever the order of the events; twice, to compare.
pub(crate) fn found(events: &[Value]) -> Vec<Value> {
    let findings = found_once(events);
    assert_eq!(findings, found_once(events), "the same input gives the same output");
    findings
}

/// The same without the comparison, for streams that are long.
pub(crate) fn found_once(events: &[Value]) -> Vec<Value> {
    let mut events: Vec<&Value> = events.iter().collect();
    events.sort_by_key(|event| event["ts"].to_string());
    let lines: Vec<String> = events.iter().map(|event| event.to_string()).collect();
    let mut output = Vec::new();
    replay(
        Engine::default(),
        lines.join("\n").as_bytes(),
        &mut output,
        false,
        Reading::new(&mut refuse),
    )
    .expect("events");
    let text = String::from_utf8(output).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("json")).collect()
}

/// Detector, severity and response of each.
pub(crate) fn outcomes(findings: &[Value]) -> Vec<[&str; 3]> {
    findings
        .iter()
        .map(|finding| {
            ["detector", "severity", "response"].map(|name| finding[name].as_str().expect("text"))
        })
        .collect()
}

/// The event with these members instead of its own.
pub(crate) fn with(mut event: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().expect("members") {
        event[name] = value.clone();
    }
    event
}
