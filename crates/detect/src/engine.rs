//! The same loop over the live stream and over a file: event → detectors → policy → findings.

use std::time::Duration;

use token::event::Event;
use token::finding::Finding;
use token::time::Timestamp;

use crate::detector::{self, Detector, Traffic};
use crate::policy::Policy;
use crate::sketch::recent::Recent;

/// An actor that was quiet for so long starts a new incident.
const INCIDENT_ENDS: Duration = Duration::from_secs(24 * 3600);
const ACTORS: usize = 20_000;

/// All detectors with their state.
pub struct Engine {
    detectors: Vec<Box<dyn Detector>>,
    traffic: Traffic,
    policy: Policy,
    incidents: Recent<String, Option<Incident>>,
}

struct Incident {
    id: String,
    last: Timestamp,
}

// === impl Engine ===

impl Engine {
    /// Every detector, fresh; at most so many automatic responses a minute.
    pub fn new(responses_per_minute: u32) -> Self {
        Self {
            detectors: detector::all(),
            traffic: Traffic::default(),
            policy: Policy::new(responses_per_minute),
            incidents: Recent::new(ACTORS),
        }
    }

    /// What the detectors find in one event.
    pub fn observe(&mut self, event: &Event) -> Vec<Finding> {
        let mut sightings: Vec<_> =
            self.detectors.iter_mut().filter_map(|detector| detector.observe(event)).collect();
        self.traffic.observe(event, &mut sightings);
        sightings
            .into_iter()
            .map(|sighting| {
                let incident = self.incident(&sighting.actor, event.ts);
                self.policy.decide(sighting, event, incident)
            })
            .collect()
    }

    /// Named by the actor and the time of its first finding.
    fn incident(&mut self, actor: &String, now: Timestamp) -> String {
        let slot = self.incidents.touch(actor);
        let id = match slot {
            Some(held) if now.since(held.last) < INCIDENT_ENDS => held.id.clone(),
            _ => format!("{actor}@{now}"),
        };
        *slot = Some(Incident { id: id.clone(), last: now });
        id
    }
}
