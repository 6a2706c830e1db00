//! Made traffic with labelled attacks: people, services, devices, partners, jobs and CI with their daily rhythm, and
//! those who attack among them.
//!
//! It knows events and nothing of the detectors, so that no threshold of theirs can be in it.

use serde::Serialize;
use token::event::Event;
use token::time::Timestamp;

use crate::actor::START;
use crate::attack::{Attack, Principal};
use crate::population::World;

pub mod actor;
pub mod attack;
pub mod flow;
pub mod place;
pub mod population;
pub mod random;
pub mod sign_in;

/// Events in order, and what is hidden in them.
pub struct Traffic {
    /// In the order of time.
    pub events: Vec<Event>,
    /// Who attacks, in the order of time.
    pub labels: Vec<Label>,
}

/// One attack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// When it begins.
    pub ts: Timestamp,
    /// Which detector it is for.
    pub scenario: &'static str,
    /// What is done, in words.
    pub what: &'static str,
    /// Whose token is misused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Which client is misused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// From where.
    pub ip: std::net::IpAddr,
}

/// Which attacks are hidden in the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'n> {
    /// Every kind.
    All,
    /// The kinds that are for this detector.
    For(&'n str),
    /// None.
    None,
}

/// The names of scenarios that [`Which::For`] knows, each once.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = attack::all().map(|scenario| scenario.detector).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Nine days of traffic; attacks begin after seven. The same seed and choice give the same traffic.
pub fn generate(seed: u64, which: Which<'_>) -> Traffic {
    let mut world = World::new(seed);
    let mut attacks = attack::stage(&mut world, |scenario| match which {
        Which::All => true,
        Which::For(name) => scenario.detector == name,
        Which::None => false,
    });
    world.events.sort_by_key(|event| event.ts);
    attacks.sort_by(|one, other| one.start.total_cmp(&other.start));
    Traffic { events: world.events, labels: attacks.iter().map(Label::of).collect() }
}

// === impl Label ===

impl Label {
    fn of(attack: &Attack) -> Self {
        let (subject, client) = match &attack.principal {
            Principal::Client(name, _) => (None, Some(name.clone())),
            Principal::Ip(_) => (None, None),
            Principal::Subject(name, _) => (Some(name.clone()), None),
        };
        Self {
            ts: Timestamp::from_millis(START + (attack.start * 1000.0) as i64),
            scenario: attack.scenario.detector,
            what: attack.scenario.name,
            subject,
            client,
            ip: attack.principal.ip(),
        }
    }
}

#[cfg(test)]
mod tests;
