//! Runs the detectors over worlds with attacks and counts what they find and what they imagine.

use std::collections::{BTreeMap, BTreeSet};

use detect::engine::Engine;
use token::event::Event;
use token::finding::{Finding, Response};
use token::time::Timestamp;

use scenario::actor::START;
use scenario::attack::{self, Attack, Principal};
use scenario::population::World;
use scenario::random::Random;

const EXAMPLES: usize = 4;
/// How far clocks may be off, in seconds.
const CLOCKS: f64 = 5.0;

/// How one detector did.
#[derive(Default)]
pub(crate) struct Score {
    pub(crate) attacks: usize,
    pub(crate) found: usize,
    /// Seconds from an attack's first request to its finding.
    pub(crate) delays: Vec<f64>,
    /// Seconds until something was done about it.
    pub(crate) effects: Vec<f64>,
    /// Attacks whose principal any detector told.
    pub(crate) told: usize,
    /// Incidents that concern nobody who attacks.
    pub(crate) imagined: usize,
    /// Attacks that were not found, by name.
    pub(crate) missed: BTreeMap<&'static str, usize>,
    /// Attacks that no detector told.
    pub(crate) untold: BTreeMap<&'static str, usize>,
    /// Some summaries of imagined incidents, to see why.
    pub(crate) examples: Vec<String>,
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
        self.run_changed(seed, times, |_, _| {});
    }

    /// The same after a change of its events.
    pub(crate) fn run_changed(
        &mut self,
        seed: u64,
        times: usize,
        change: fn(&mut Vec<Event>, &mut Random),
    ) {
        let mut world = World::new(seed);
        let attacks = attack::stage_all(&mut world, times);
        change(&mut world.events, &mut world.random);
        world.events.sort_by_key(|event| event.ts);
        let mut engine = Engine::default();
        let mut findings = Vec::new();
        let mut days = BTreeSet::new();
        for event in &world.events {
            findings.extend(engine.observe(event));
            let Some(who) = event.who.subject.as_ref().map(|it| it.to_string()) else { continue };
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
            let told = findings.iter().find(|finding| is_about(finding, attack));
            score.told += usize::from(told.is_some());
            if told.is_none() {
                *score.untold.entry(attack.scenario.name).or_default() += 1;
            }
            let done = findings.iter().find(|finding| {
                is_about(finding, attack)
                    && !matches!(finding.response, Response::None | Response::Tag)
            });
            score.effects.extend(done.map(|finding| seconds(finding.ts) - attack.start));
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
                if score.examples.len() < EXAMPLES {
                    score.examples.push(finding.evidence.summary.clone());
                }
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
        Principal::Client(name, ip) => match &finding.whom.client {
            Some(client) => client.as_str() == name,
            None => finding.whom.ip == Some(*ip),
        },
        Principal::Ip(ip) => finding.whom.ip == Some(*ip),
    };
    named && seconds(finding.ts) >= attack.start - CLOCKS
}

fn seconds(ts: Timestamp) -> f64 {
    (ts.as_millis() - START) as f64 / 1000.0
}
