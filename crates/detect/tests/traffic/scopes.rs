//! Scopes that are never used.

use serde_json::{Value, json};

use crate::stream::{DAY, Stream};

fn use_for(days: u32) -> Vec<Value> {
    stream_for(days).findings()
}

fn stream_for(days: u32) -> Stream {
    let mut stream = Stream::default();
    for day in 0..days {
        for n in 0..50 {
            let at = f64::from(day) * DAY + f64::from(n) * 700.0;
            let more =
                json!({ "client": "wide", "scopes": ["openid", "orders:read", "orders:write"] });
            stream.add(at, "wide", "GET /orders", more);
            let more = json!({ "client": "narrow", "scopes": ["orders:read"] });
            stream.add(at, "narrow", "GET /orders", more);
        }
    }
    stream
}

#[test]
fn a_scope_that_was_never_needed_is_offered_back_once() {
    let findings = use_for(20);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = &findings[0];
    assert_eq!(
        (&finding["detector"], &finding["client"]),
        (&json!("least_privilege"), &json!("wide"))
    );
    assert_eq!(finding["evidence"]["unused"], "orders:write");
    assert_eq!((&finding["severity"], &finding["response"]), (&json!("low"), &json!("none")));
    assert_eq!(use_for(12), Vec::<Value>::new());
}

/// Whoever takes the offer can do all that they did.
#[test]
fn a_scope_that_was_needed_once_is_not_offered_back() {
    let mut stream = stream_for(20);
    let scopes = json!(["openid", "orders:read", "orders:write"]);
    stream.add(DAY, "wide", "POST /orders", json!({ "client": "wide", "scopes": scopes }));
    assert_eq!(stream.findings(), Vec::<Value>::new());
}
