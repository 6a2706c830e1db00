//! Which findings an outlet is told.

use serde_json::Value;
use store::StoredFinding;
use token::finding::Severity;

/// Which findings an outlet is told: those that fit all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Those that are at least as bad.
    pub severity: Severity,
    /// Those of these detectors; of all where there are none.
    pub detectors: Vec<String>,
}

// === impl Filter ===

/// Every finding.
impl Default for Filter {
    fn default() -> Self {
        Self { severity: Severity::Low, detectors: Vec::new() }
    }
}

impl Filter {
    /// Whether a finding is told. One that does not say how bad it is, is.
    pub fn fits(&self, finding: &StoredFinding) -> bool {
        severity(&finding.finding).is_none_or(|severity| severity >= self.severity)
            && (self.detectors.is_empty() || self.detectors.contains(&finding.detector))
    }
}

/// How bad a finding in the public format is.
pub(crate) fn severity(finding: &Value) -> Option<Severity> {
    finding.get("severity").and_then(|word| serde_json::from_value(word.clone()).ok())
}
