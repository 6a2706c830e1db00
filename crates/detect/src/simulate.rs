//! Recorded events → what two tables of responses would have done: who is hit, by what, and who is not.
//!
//! What was recorded stays as it was: somebody who would have been stopped goes on in it, so later hits of the
//! same one may be more than there would have been.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use token::event::Event;
use token::finding::{Finding, HeldBack, Response};
use token::time::Timestamp;

use crate::detector::Names;
use crate::engine::Lookout;
use crate::policy::{Policy, Standing, Terms};
use crate::respond;
use crate::stream::{self, Reading, ReplayError};

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Simulation {
    /// Events that were read.
    pub events: u64,
    /// Findings in them.
    pub findings: u64,
    /// Who would be hit, with which effect; by the new table, by the present one, or by both.
    pub hits: Vec<Hit>,
    /// Who would be hit but for a brake of the new table.
    pub held_back: Vec<Held>,
}

/// Somebody who is hit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// Who: `grant:g1`, `network:192.0.2.7/32`.
    pub target: String,
    /// With what, as restrictions have it.
    pub effect: String,
    /// Whose it is, as far as known.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub whom: Map<String, Value>,
    /// Detectors that had it hit.
    pub detectors: Vec<&'static str>,
    /// By the new table.
    pub new: Option<Share>,
    /// By the present one.
    pub present: Option<Share>,
}

/// How much of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Findings that are answered by it.
    pub times: u64,
    /// When it would begin.
    pub first: Timestamp,
    /// When it would end by itself; `None`: never.
    pub until: Option<Timestamp>,
    /// How long it would have held until the end of the recording or its own, in seconds.
    pub seconds: u64,
}

/// Somebody who is not hit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// Who: `grant:g1`, `network:192.0.2.7/32`.
    pub target: String,
    /// With what, as restrictions have it.
    pub effect: String,
    /// Why not: `at_most`, `at_most_each`, `observe`, `per_minute`, `spared` or `switched_off`.
    pub by: Value,
    /// Findings that are not answered by it.
    pub times: u64,
    /// Detectors that would have had it hit.
    pub detectors: Vec<&'static str>,
}

/// Whom, and with what.
type Key = (String, String);

struct Run {
    lookout: Lookout,
    new: Policy,
    present: Policy,
    last: Timestamp,
    counted: Simulation,
    hits: BTreeMap<Key, Hit>,
    held: BTreeMap<(Key, String), Held>,
}

/// Runs every detector over `input`, and both tables over what they see. `reading` says what
/// becomes of lines that are no events.
///
/// # Errors
/// [`ReplayError`] of `reading`, or says why reading failed.
pub fn simulate(
    new: Terms,
    present: Terms,
    input: impl BufRead,
    reading: Reading<'_>,
) -> Result<Simulation, ReplayError> {
    let policy = |terms| Policy::new(Arc::new(Standing::new(terms)));
    let mut run = Run {
        lookout: Lookout::default(),
        new: policy(new),
        present: policy(present),
        last: Timestamp::from_millis(i64::MIN),
        counted: Simulation::default(),
        hits: BTreeMap::new(),
        held: BTreeMap::new(),
    };
    stream::each(input, reading, |event| {
        run.see(event);
        Ok(())
    })?;
    Ok(run.outcome())
}

// === impl Run ===

impl Run {
    fn see(&mut self, event: &Event) {
        self.counted.events += 1;
        self.last = event.ts;
        for (sighting, place) in self.lookout.observe(event, &Names::of(event)) {
            self.counted.findings += 1;
            let new = self.new.decide(sighting.clone(), event, place.clone());
            let present = self.present.decide(sighting, event, place);
            self.hit(&new, |hit| &mut hit.new);
            self.hit(&present, |hit| &mut hit.present);
            self.hold_back(&new);
        }
    }

    fn hit(&mut self, finding: &Finding, side: impl Fn(&mut Hit) -> &mut Option<Share>) {
        let Some(key) = key(finding, &finding.response) else { return };
        let hit = self.hits.entry(key.clone()).or_insert_with(|| Hit {
            target: key.0,
            effect: key.1,
            whom: whom(finding),
            detectors: Vec::new(),
            new: None,
            present: None,
        });
        note(&mut hit.detectors, finding.detector);
        let share = side(hit).get_or_insert_with(|| Share {
            times: 0,
            first: finding.ts,
            until: finding.until,
            seconds: 0,
        });
        share.times += 1;
        share.until = share.until.zip(finding.until).map(|(one, other)| one.max(other));
    }

    fn hold_back(&mut self, finding: &Finding) {
        let Some(HeldBack { response, by, .. }) = &finding.held_back else { return };
        let Some(key) = key(finding, response) else { return };
        let by = serde_json::to_value(by).unwrap_or_default();
        let held = self.held.entry((key.clone(), by.to_string())).or_insert_with(|| Held {
            target: key.0,
            effect: key.1,
            by,
            times: 0,
            detectors: Vec::new(),
        });
        held.times += 1;
        note(&mut held.detectors, finding.detector);
    }

    fn outcome(self) -> Simulation {
        let last = self.last;
        let mut hits: Vec<Hit> = self.hits.into_values().collect();
        for share in hits.iter_mut().flat_map(|hit| [&mut hit.new, &mut hit.present]).flatten() {
            let end = share.until.map_or(last, |until| until.min(last));
            share.seconds = end.since(share.first).as_secs();
        }
        Simulation { hits, held_back: self.held.into_values().collect(), ..self.counted }
    }
}

fn note(detectors: &mut Vec<&'static str>, detector: &'static str) {
    if let Err(at) = detectors.binary_search(&detector) {
        detectors.insert(at, detector);
    }
}

fn key(finding: &Finding, response: &Response) -> Option<Key> {
    let (selector, effect) = respond::restriction(&finding.whom, response)?;
    Some((selector.to_string(), effect.to_string()))
}

fn whom(finding: &Finding) -> Map<String, Value> {
    match serde_json::to_value(&finding.whom) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
