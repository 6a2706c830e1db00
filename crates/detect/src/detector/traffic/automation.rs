//! A program where a person is expected: a clock's regularity, or a day without rest.
//!
//! Only for clients that people use: five subjects or more who were silent for four hours and came
//! back. What never rests, such as a partner's servers or a fleet of jobs, is no people. Regular: sixty pauses in a row that
//! hardly differ, between requests for many different objects; an app left open polls as regularly,
//! but the same few things. Without rest: something new looked at in twenty of twenty-four hours, which survives
//! every random pause. What a fifth of a client's subjects do is how the client works and counts
//! nothing. State: 48 bytes a principal, 104 for each of 4,096 clients.

use serde_json::json;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

/// Pauses in a row.
const PAUSES: u16 = 60;
/// Mean deviation of a pause, in parts of the pause. People are above a half.
const REGULAR: f32 = 0.12;
/// Shorter pauses are one page that loads its parts.
const SHORTEST: f32 = 0.3;
/// Longer ones begin a new run.
const LONGEST: f32 = 1800.0;
/// Different objects in a run.
const OBJECTS: u32 = 25;
/// Busy hours of the last twenty-four.
const BUSY_HOURS: u32 = 20;
/// Different objects that make an hour busy: more than a poll.
const BUSY: u32 = 5;
const PEOPLE: u32 = 5;
/// Hours of silence that are a rest.
const REST: u32 = 4;

/// The clock of one principal.
#[derive(Default)]
pub(super) struct State {
    last_ms: i64,
    mean: f32,
    deviation: f32,
    pauses: u16,
    objects: Distinct<1>,
    pub(super) hour: u32,
    hour_objects: Distinct<1>,
    /// One bit for each of the last hours that was busy.
    busy: u32,
    once: Once,
}

/// Subjects of a client, and those who behave like a program.
#[derive(Default)]
struct People {
    all: Distinct<4>,
    rested: Distinct<4>,
    programs: Distinct<4>,
}

/// Programs in place of people.
pub(super) struct Automation {
    clients: Table<People>,
}

impl Default for Automation {
    fn default() -> Self {
        Self { clients: Table::new(4096) }
    }
}

// === impl Automation ===

impl Automation {
    pub(super) fn observe(&mut self, seen: &Seen<'_>, state: &mut State) -> Option<Sighting> {
        let subject = seen.subject?;
        let people = self.clients.touch(seen.client, seen.now);
        people.all.add(subject);
        state.pause(seen);
        if state.hours(seen) {
            people.rested.add(subject);
        }
        let regular = state.pauses >= PAUSES
            && state.deviation < REGULAR * state.mean
            && state.objects.count() >= OBJECTS;
        let busy = state.busy.count_ones();
        if !regular && busy < BUSY_HOURS {
            return None;
        }
        people.programs.add(subject);
        let (all, programs) = (people.all.count(), people.programs.count());
        if people.rested.count() < PEOPLE
            || programs > (all / 5).max(2)
            || !state.once.allows(seen.now, 1.0)
        {
            return None;
        }
        Some(if regular { state.regular(seen) } else { without_rest(seen, busy) })
    }
}

// === impl State ===

impl State {
    fn pause(&mut self, seen: &Seen<'_>) {
        // Polls and lists are an app's own clock.
        let Some(object) = seen.object else { return };
        let now = seen.event.ts.as_millis();
        let pause = now.saturating_sub(self.last_ms) as f32 / 1000.0;
        // One page's parts, or an event that came late.
        if pause < SHORTEST {
            return;
        }
        self.last_ms = now;
        if pause > LONGEST {
            (self.pauses, self.mean, self.deviation) = (0, 0.0, 0.0);
            self.objects.clear();
            return;
        }
        self.objects.add(object);
        self.pauses = self.pauses.saturating_add(1);
        // At first the mean of all, later of the last thirty.
        let weight = 1.0 / f32::from(self.pauses.min(30));
        self.mean += (pause - self.mean) * weight;
        self.deviation += ((pause - self.mean).abs() - self.deviation) * weight;
    }

    /// Whether its owner comes back from a rest.
    fn hours(&mut self, seen: &Seen<'_>) -> bool {
        let hour = seen.now / 3600;
        let gone = hour.saturating_sub(self.hour);
        if gone > 0 {
            self.busy = self.busy.checked_shl(gone).unwrap_or(0) & 0x00ff_ffff;
            self.hour = hour;
            self.hour_objects.clear();
        }
        if let Some(object) = seen.object
            && self.hour_objects.add(object)
            && self.hour_objects.count() >= BUSY
        {
            self.busy |= 1;
        }
        gone > REST && gone < hour
    }

    fn regular(&self, seen: &Seen<'_>) -> Sighting {
        let summary = format!(
            "{} asks for an object every {:.1} s, {:.0} % more or less, {} times in a row over {} different \
             objects; people who use this client do not",
            seen.name(),
            self.mean,
            100.0 * self.deviation / self.mean,
            self.pauses,
            self.objects.count()
        );
        let facts = [
            ("pause_seconds", json!(self.mean)),
            ("deviation_seconds", json!(self.deviation)),
            ("deviation_threshold", json!(REGULAR)),
            ("pauses", json!(self.pauses)),
            ("pauses_threshold", json!(PAUSES)),
        ];
        seen.sighting(Kind::Automation, summary, facts.into())
    }
}

fn without_rest(seen: &Seen<'_>, busy: u32) -> Sighting {
    let summary = format!(
        "{} looked at new objects in {busy} of the last 24 hours; people who use this client rest",
        seen.name()
    );
    let facts = [("busy_hours", json!(busy)), ("busy_hours_threshold", json!(BUSY_HOURS))];
    seen.sighting(Kind::Automation, summary, facts.into())
}
