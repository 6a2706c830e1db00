//! How bad each kind of sighting is, and how sure: what the table of responses compares with.

use token::finding::{Class, Severity};

use crate::detector::Kind;

mod sign_in;

/// What a kind of sighting is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// Certain or statistical.
    pub class: Class,
    /// How bad.
    pub severity: Severity,
    /// How sure, 0 to 1.
    pub confidence: f64,
}

/// The judgement about a kind of sighting.
pub fn of(kind: Kind) -> Judgement {
    let certain = |severity, confidence| Judgement { class: Class::Certain, severity, confidence };
    let observed =
        |severity, confidence| Judgement { class: Class::Statistical, severity, confidence };
    match kind {
        Kind::ForgedToken => certain(Severity::High, 0.99),
        Kind::ForgedTokenCampaign => certain(Severity::High, 0.95),
        Kind::ForgedTokenOnce => certain(Severity::Medium, 0.95),
        Kind::ForgedTokenRelic => certain(Severity::Medium, 0.6),
        Kind::Honeytoken => certain(Severity::Critical, 1.0),
        Kind::RefreshReuse => certain(Severity::Critical, 0.99),
        Kind::Anomaly => observed(Severity::Low, 0.4),
        Kind::Automation => observed(Severity::Low, 0.6),
        Kind::BolaOwnership | Kind::InjectionProbing => observed(Severity::High, 0.85),
        Kind::Enumeration => observed(Severity::High, 0.8),
        Kind::Exfiltration => observed(Severity::High, 0.75),
        Kind::FunctionProbing | Kind::ThrottleEvasion => observed(Severity::Medium, 0.75),
        Kind::LeastPrivilege => observed(Severity::Low, 0.7),
        Kind::Scanning | Kind::TokenGuessing => observed(Severity::Medium, 0.85),
        Kind::Sequence | Kind::Volume => observed(Severity::Medium, 0.7),
        Kind::SignIn(kind) => sign_in::of(kind),
    }
}
