//! The same loop over the live stream and over a file: event → detectors → policy → findings.

use std::sync::Arc;

use token::event::Event;
use token::finding::Finding;

use crate::detector::{self, Look, Machines, Names, Records, Sighting, Traffic};
use crate::incidents::{Incidents, Place};
use crate::policy::tolerance::Tolerances;
use crate::policy::{Policy, Standing};

/// So many events at once are worth a look ahead: more than the processor reads at one time.
pub const AHEAD: usize = 16;

/// All detectors with their state, and what is done about what they see.
pub struct Engine {
    lookout: Lookout,
    policy: Policy,
}

/// All detectors with their state, and which of their sightings belong together.
pub struct Lookout {
    detectors: Vec<Look>,
    machines: Machines,
    records: Records,
    traffic: Traffic,
    incidents: Incidents,
}

// === impl Engine ===

impl Engine {
    /// Every detector, fresh; responses go by these terms.
    pub fn new(standing: Arc<Standing>) -> Self {
        Self { lookout: Lookout::default(), policy: Policy::new(standing) }
    }

    /// Brings near the events that come next, at best [`AHEAD`] of them, and what is held of them; says their
    /// names. With a million principals hardly anything is in the processor's cache, and to wait for many looks
    /// at once is cheaper than for one after the other. What is found does not depend on it.
    pub fn expect<'e>(&self, next: impl Iterator<Item = &'e Event> + Clone) -> Vec<Names> {
        self.lookout.expect(next)
    }

    /// What the detectors find in one event.
    pub fn observe(&mut self, event: &Event) -> Vec<Finding> {
        self.observe_expected(event, &Names::of(event))
    }

    /// The same of an event whose names [`Engine::expect`] said.
    pub fn observe_expected(&mut self, event: &Event, names: &Names) -> Vec<Finding> {
        let sightings = self.lookout.observe(event, names);
        let policy = &mut self.policy;
        sightings
            .into_iter()
            .map(|(sighting, place)| policy.decide(sighting, event, place))
            .collect()
    }

    /// From now on these hold, and no others.
    pub fn tolerate(&mut self, tolerances: Tolerances) {
        self.policy.tolerate(tolerances);
    }

    /// The groups of findings.
    pub fn incidents(&mut self) -> &mut Incidents {
        &mut self.lookout.incidents
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

// === impl Lookout ===

impl Lookout {
    /// See [`Engine::expect`].
    pub fn expect<'e>(&self, next: impl Iterator<Item = &'e Event> + Clone) -> Vec<Names> {
        next.clone().for_each(Names::expect);
        let next: Vec<Names> = next.map(Names::of).collect();
        let (mut records, mut traffic) = (self.records.expect(&next), self.traffic.expect(&next));
        self.records.expect_states(&mut records);
        self.traffic.expect_states(&mut traffic);
        self.records.expect_room(&records);
        self.traffic.expect_room(&traffic);
        next
    }

    /// What is seen in one event of these names, and where that belongs.
    pub fn observe(&mut self, event: &Event, names: &Names) -> Vec<(Sighting, Place)> {
        let names = &self.machines.name(event, names);
        let mut record = self.records.of(event, names);
        let looks = self.detectors.iter_mut();
        let mut sightings: Vec<_> =
            looks.filter_map(|detector| detector.observe(event, names, &mut record)).collect();
        self.traffic.observe(event, names, &mut sightings);
        let incidents = &mut self.incidents;
        sightings
            .into_iter()
            .map(|sighting| {
                let place = incidents.place(&sighting, event);
                (sighting, place)
            })
            .collect()
    }
}

impl Default for Lookout {
    fn default() -> Self {
        Self {
            detectors: detector::all(),
            machines: Machines::default(),
            records: Records::default(),
            traffic: Traffic::default(),
            incidents: Incidents::default(),
        }
    }
}
