//! Sighting → finding: the table of what is done about what, and the brake on automation.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;
use token::event::Event;
use token::finding::{Class, Evidence, Finding, Response, Severity, Target, Whom};
use token::time::Timestamp;

use crate::detector::{Kind, Sighting};

mod sign_in;

/// What is done about a kind of sighting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Certain or statistical.
    pub class: Class,
    /// How bad.
    pub severity: Severity,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// What is done.
    pub response: Response,
    /// For how long; `None`: for good.
    pub lasts: Option<Duration>,
}

/// Applies the table, at most so many responses a minute.
pub struct Policy {
    responses_per_minute: usize,
    carried_out: VecDeque<Timestamp>,
}

/// The table: mildest answer that stops the harm.
pub fn rule(kind: Kind) -> Rule {
    let certain = |severity, confidence, response, lasts| Rule {
        class: Class::Certain,
        severity,
        confidence,
        response,
        lasts,
    };
    // They observe: whoever wants them to act has looked at their findings first.
    let observed = |severity, confidence, response| Rule {
        class: Class::Statistical,
        severity,
        confidence,
        response,
        lasts: None,
    };
    let minutes = |count: u64| Some(Duration::from_secs(count * 60));
    match kind {
        Kind::ForgedToken => {
            certain(Severity::High, 0.99, Response::Block(Target::Ip), minutes(15))
        }
        // The name is the victim's, not the attacker's: nothing is done to it.
        Kind::ForgedTokenCampaign => certain(Severity::High, 0.95, Response::Tag, None),
        Kind::ForgedTokenRelic => certain(Severity::Medium, 0.6, Response::Tag, None),
        Kind::Honeytoken => {
            certain(Severity::Critical, 1.0, Response::Block(Target::Ip), minutes(60))
        }
        Kind::RefreshReuse => {
            certain(Severity::Critical, 0.99, Response::Revoke(Target::Grant), None)
        }
        Kind::Anomaly => observed(Severity::Low, 0.4, Response::None),
        Kind::Automation => observed(Severity::Low, 0.6, Response::Tag),
        Kind::BolaOwnership => observed(Severity::High, 0.85, Response::Tag),
        Kind::Enumeration => observed(Severity::High, 0.8, Response::Tag),
        Kind::Exfiltration => observed(Severity::High, 0.75, Response::Tag),
        Kind::FunctionProbing => observed(Severity::Medium, 0.75, Response::Tag),
        Kind::InjectionProbing => observed(Severity::High, 0.85, Response::Tag),
        Kind::LeastPrivilege => observed(Severity::Low, 0.7, Response::None),
        Kind::Scanning => observed(Severity::Medium, 0.85, Response::Tag),
        Kind::Sequence => observed(Severity::Medium, 0.7, Response::Tag),
        Kind::ThrottleEvasion => observed(Severity::Medium, 0.75, Response::Tag),
        Kind::Volume => observed(Severity::Medium, 0.7, Response::Tag),
        Kind::SignIn(kind) => sign_in::rule(kind),
    }
}

/// Nothing can be done to somebody of whom no name is known.
const fn is_named(whom: &Whom, target: Target) -> bool {
    match target {
        Target::Client => whom.client.is_some(),
        Target::Grant => whom.grant.is_some(),
        Target::Ip => whom.ip.is_some(),
        Target::Session => whom.session.is_some(),
        Target::Subject => whom.subject.is_some(),
        Target::Token => whom.token.is_some(),
    }
}

// === impl Policy ===

impl Policy {
    /// With this brake; the time is the events'.
    pub fn new(responses_per_minute: u32) -> Self {
        Self {
            responses_per_minute: usize::try_from(responses_per_minute).unwrap_or(usize::MAX),
            carried_out: VecDeque::new(),
        }
    }

    /// The finding.
    pub fn decide(&mut self, sighting: Sighting, event: &Event, incident: String) -> Finding {
        let rule = rule(sighting.kind);
        let mut response = match rule.response {
            Response::Block(target) | Response::Revoke(target)
                if !is_named(&sighting.whom, target) =>
            {
                Response::Tag
            }
            response => response,
        };
        let mut facts = sighting.facts;
        if !matches!(response, Response::None | Response::Tag) && !self.within_limit(event.ts) {
            facts.insert("held_back", json!(response.to_string()));
            facts.insert("responses_per_minute", json!(self.responses_per_minute));
            response = Response::Tag;
        }
        let until = match response {
            Response::Block(_) => rule.lasts.map(|lasts| event.ts.plus(lasts)),
            Response::None | Response::Revoke(_) | Response::Tag => None,
        };
        Finding {
            ts: event.ts,
            detector: sighting.kind.detector(),
            class: rule.class,
            severity: rule.severity,
            confidence: rule.confidence,
            whom: sighting.whom,
            incident,
            evidence: Evidence { summary: sighting.summary, facts },
            response,
            until,
        }
    }

    fn within_limit(&mut self, now: Timestamp) -> bool {
        let start = now.minus(Duration::from_secs(60));
        while self.carried_out.front().is_some_and(|at| *at <= start) {
            self.carried_out.pop_front();
        }
        let within = self.carried_out.len() < self.responses_per_minute;
        if within {
            self.carried_out.push_back(now);
        }
        within
    }
}
