//! Open Cybersecurity Schema Framework 1.5: findings as the class Detection Finding (2004).

use serde_json::{Map, Value, json};
use token::finding::Severity;
use token::time::Timestamp;

use crate::filter;
use crate::notice::Notice;

const SCHEMA: &str = "1.5.0";
/// Category Findings.
const CATEGORY: u32 = 2;
/// Class Detection Finding.
const CLASS: u32 = 2004;
/// Activity Create.
const CREATE: u32 = 1;
/// Status New.
const NEW: u32 = 1;

/// The message: JSON without line breaks.
pub(super) fn message(notice: &Notice, now: Timestamp) -> String {
    let detector = notice.text("detector").unwrap_or_default();
    // Kinds of analytics: a rule where the event is proof, else statistics.
    let (kind, analytic) = match notice.text("class") {
        Some("certain") => (1, "Rule"),
        _ => (3, "Statistical"),
    };
    let (severity, severity_id) = match filter::severity(&notice.finding) {
        Some(Severity::Critical) => ("Critical", 5),
        Some(Severity::High) => ("High", 4),
        Some(Severity::Medium) => ("Medium", 3),
        Some(Severity::Low) => ("Low", 2),
        None => ("Unknown", 0),
    };
    let mut told = json!({
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "activity_id": CREATE,
        "type_uid": CLASS * 100 + CREATE,
        "time": now.as_millis(),
        "start_time": notice.ts.as_millis(),
        "severity": severity,
        "severity_id": severity_id,
        "status_id": NEW,
        "is_alert": true,
        "message": notice.summary(),
        "metadata": {
            "version": SCHEMA,
            "product": {
                "name": "Tokenward",
                "vendor_name": "Tokenward",
                "version": env!("CARGO_PKG_VERSION"),
            },
        },
        "finding_info": {
            "uid": notice.about,
            "title": detector,
            "desc": notice.summary(),
            "created_time": now.as_millis(),
            "analytic": { "name": detector, "type_id": kind, "type": analytic },
        },
        "evidences": [evidence(notice)],
    });
    if let Some(percent) = notice.percent() {
        told["confidence_score"] = json!(percent);
    }
    told.to_string()
}

/// Who, from where, and the finding as it is: the schema has no names for grants and tokens.
fn evidence(notice: &Notice) -> Value {
    let mut evidence = Map::new();
    if let Some(ip) = notice.text("ip") {
        evidence.insert("src_endpoint".to_owned(), json!({ "ip": ip }));
    }
    let mut actor = Map::new();
    for (member, subject) in [("user", "subject"), ("session", "session")] {
        if let Some(uid) = notice.text(subject) {
            actor.insert(member.to_owned(), json!({ "uid": uid }));
        }
    }
    if !actor.is_empty() {
        evidence.insert("actor".to_owned(), Value::Object(actor));
    }
    evidence.insert("data".to_owned(), notice.finding.clone());
    Value::Object(evidence)
}
