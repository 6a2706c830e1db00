//! What is told, before it has the form of its outlet.

use serde_json::{Value, json};
use store::StoredFinding;
use token::time::Timestamp;

/// Something to be told.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    /// What has happened.
    pub(crate) kind: &'static str,
    /// Which finding, by its name.
    pub(crate) about: String,
    /// The finding in the public format, with its `id`.
    pub(crate) finding: Value,
    /// When that which decided it happened.
    pub(crate) ts: Timestamp,
}

/// A detector has found something.
const FINDING: &str = "finding.created";
/// Somebody tries the outlet.
const TEST: &str = "test";

// === impl Notice ===

impl Notice {
    /// That there is a finding.
    pub(crate) fn of(finding: &StoredFinding) -> Self {
        let mut value = json!({ "id": finding.id });
        if let (Some(told), Some(members)) = (value.as_object_mut(), finding.finding.as_object()) {
            told.extend(members.clone());
        }
        let about = finding.id.to_string();
        Self { kind: FINDING, about, finding: value, ts: finding.ts }
    }

    /// That somebody tries the outlet.
    pub(crate) fn test(now: Timestamp) -> Self {
        let finding = json!({
            "id": TEST,
            "ts": now.to_string(),
            "detector": TEST,
            "class": "certain",
            "severity": "low",
            "confidence": 1.0,
            "incident": TEST,
            "evidence": { "summary": "somebody tries whether this outlet works" },
            "response": "none",
        });
        Self { kind: TEST, about: TEST.to_owned(), finding, ts: now }
    }

    /// A member of the finding that is a text.
    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.finding.get(member).and_then(Value::as_str)
    }

    /// In plain words.
    pub(crate) fn summary(&self) -> &str {
        self.finding.pointer("/evidence/summary").and_then(Value::as_str).unwrap_or_default()
    }

    /// How sure the detector is, of 100.
    pub(crate) fn percent(&self) -> Option<i64> {
        let confidence = self.finding.get("confidence").and_then(Value::as_f64)?;
        #[expect(clippy::cast_possible_truncation, reason = "it is at most 100")]
        Some((confidence.clamp(0.0, 1.0) * 100.0).round() as i64)
    }
}
