//! Runs the detectors over worlds with attacks and counts what they find and what they imagine.

use std::collections::{BTreeMap, BTreeSet};

use detect::engine::Engine;
use token::finding::Finding;
use token::time::Timestamp;

use crate::actor::START;
use crate::attack::{self, Attack, Principal};
use crate::population::World;

/// How one detector did.
#[derive(Default)]
pub(crate) struct Score {
    pub(crate) attacks: usize,
    pub(crate) found: usize,
    /// Seconds from an attack's first request to its finding.
    pub(crate) delays: Vec<f64>,
    /// Incidents that concern nobody who attacks.
    pub(crate) imagined: usize,
    /// Attacks that were not found, by name.
    pub(crate) missed: BTreeMap<&'static str, usize>,
    /// One summary of an imagined incident, to see why.
    pub(crate) example: Option<String>,
}

/// All worlds together.
#[derive(Default)]
pub(crate) struct Result {
    pub(crate) scores: BTreeMap<&'static str, Score>,
    pub(crate) requests: usize,
    pub(crate) principal_days: usize,
    pub(crate) imagined: usize,
}

// === impl Result ===

impl Result {
    /// Adds the world of one seed, every scenario staged so many times.
    pub(crate) fn run(&mut self, seed: u64, times: usize) {
        let mut world = World::new(seed);
        let attacks = attack::stage_all(&mut world, times);
        let mut engine = Engine::default();
        let mut findings = Vec::new();
        let mut days = BTreeSet::new();
        for event in &world.events {
            findings.extend(engine.observe(event));
            let who = event.who.subject.clone().map(|it| it.to_string());
            days.insert((who, event.ts.as_secs() / 86_400));
        }
        self.requests += world.events.len();
        self.principal_days += days.len();
        self.count_attacks(&attacks, &findings);
        self.count_imagined(&attacks, &findings);
    }

    fn count_attacks(&mut self, attacks: &[Attack], findings: &[Finding]) {
        for attack in attacks {
            let score = self.scores.entry(attack.scenario.detector).or_default();
            score.attacks += 1;
            let found = findings.iter().find(|finding| {
                finding.detector == attack.scenario.detector && is_about(finding, attack)
            });
            match found {
                Some(finding) => {
                    score.found += 1;
                    score.delays.push(seconds(finding.ts) - attack.start);
                }
                None => *score.missed.entry(attack.scenario.name).or_default() += 1,
            }
        }
    }

    fn count_imagined(&mut self, attacks: &[Attack], findings: &[Finding]) {
        let mut known = BTreeSet::new();
        for finding in findings {
            if attacks.iter().any(|attack| is_about(finding, attack)) {
                continue;
            }
            let score = self.scores.entry(finding.detector).or_default();
            if known.insert((finding.detector, &finding.incident)) {
                score.imagined += 1;
                self.imagined += 1;
                score.example.get_or_insert_with(|| finding.evidence.summary.clone());
            }
        }
    }
}

fn is_about(finding: &Finding, attack: &Attack) -> bool {
    let named = match &attack.principal {
        Principal::Subject(name, ip) => match &finding.whom.subject {
            Some(subject) => subject.as_str() == name,
            None => finding.whom.ip == Some(*ip),
        },
        Principal::Ip(ip) => finding.whom.ip == Some(*ip),
    };
    named && seconds(finding.ts) >= attack.start - 1.0
}

fn seconds(ts: Timestamp) -> f64 {
    (ts.as_millis() - START) as f64 / 1000.0
}
