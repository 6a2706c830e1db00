//! A program where a person is expected: a clock's regularity, or a day without rest.
//!
//! Only for clients that people use: five subjects or more who were silent for four hours and came back, or who signed
//! in, which is enough for the clock. What they ask for with a personal token or a key does not count, since these are
//! made for programs. What never rests, such as a partner's servers or a fleet of jobs, is no people. Regular: sixty
//! pauses in a row that hardly differ, between requests for many different objects; an app left open polls as
//! regularly, but the same route; and whoever asks for one object all the time, every two minutes or sooner, for two
//! hours and a half and two hundred times, does not watch it. Or between requests of any kind, for different routes in
//! turn while none came at another time: sixty for six different things, or a hundred. An app that polls two asks for
//! both at once or by a clock for each, and who uses an app that polls breaks its rhythm. Without rest: something new
//! looked at in twenty of twenty-four hours, and not by a poll of one route, which survives every random pause. What a
//! fifth of a client's subjects do is how the client works and counts nothing. State: 72 bytes a principal, 136 for
//! each of 4,096 clients.

use serde_json::json;

use crate::detector::traffic::seen::{Facts, Seen};
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
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
/// A watch over few objects: pauses, none of them longer than so much on the average, in all, and how regular.
const WATCH: u16 = 200;
const WATCH_PAUSE: f32 = 121.0;
const WATCH_SECONDS: f32 = 9_000.0;
const WATCH_REGULAR: f32 = 0.05;
/// Different things in a run of requests of any kind, and pauses in a run with fewer.
const THINGS: u32 = 6;
const TURNS_PAUSES: u8 = 100;
/// One of so many requests is for another route than the one before.
const TURNS: u8 = 4;
/// Who is off the beat by so great a part of a pause begins a new run.
const OFF_BEAT: f32 = 0.5;
/// Busy hours of the last twenty-four.
const BUSY_HOURS: u32 = 20;
/// Different objects that make an hour busy: more than a poll.
const BUSY: u32 = 5;
const PEOPLE: u32 = 5;
/// Pauses of a run that one client alone may go on with.
const FEW: u16 = 6;
/// Hours of silence that are a rest.
const REST: u32 = 4;

/// The clock of one principal.
#[derive(Default)]
pub(super) struct State {
    last_ms: i64,
    /// Some bits of the client whose clock it is: a person's devices have their own.
    client: u16,
    mean: f32,
    deviation: f32,
    pauses: u16,
    objects: Distinct<1>,
    beat: Beat,
    pub(super) hour: u32,
    hour_objects: Distinct<1>,
    /// One bit for each of the last hours that was busy.
    busy: u32,
    once: Once,
}

/// The clock of requests of any kind.
#[derive(Default)]
struct Beat {
    /// Hundredths of a second, as far as the number goes.
    last: u32,
    mean: f32,
    deviation: f32,
    /// In the run, the half of them where that would be too many, and how many were between two routes.
    pauses: u8,
    turns: u8,
    /// Some bits of the last route.
    route: u16,
    things: Distinct<1>,
}

/// Subjects of a client, and those who behave like a program.
#[derive(Default)]
struct People {
    all: Distinct<4>,
    rested: Distinct<4>,
    signed_in: Distinct<4>,
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
        if seen.request.token_kind.is_for_programs() {
            return None;
        }
        let subject = seen.subject?;
        let people = self.clients.touch(seen.client, seen.now);
        people.all.add(subject);
        if state.is_of(seen) {
            state.pause(seen);
            state.beat.take(seen);
        }
        if state.hours(seen) {
            people.rested.add(subject);
        }
        if seen.event.who.session.is_some() {
            people.signed_in.add(subject);
        }
        let is_own = state.client == short(seen.client);
        let regular = is_own && state.is_regular();
        let beating = is_own && state.beat.is_regular();
        let busy = state.busy.count_ones();
        if !regular && !beating && busy < BUSY_HOURS {
            return None;
        }
        people.programs.add(subject);
        let (all, programs) = (people.all.count(), people.programs.count());
        let are_people = people.rested.count() >= PEOPLE
            || ((regular || beating) && people.signed_in.count() >= PEOPLE);
        if !are_people || programs > (all / 5).max(2) || !state.once.allows(seen.now, 1.0) {
            return None;
        }
        Some(if regular {
            state.regular(seen)
        } else if beating {
            state.beat.sighting(seen)
        } else {
            without_rest(seen, busy)
        })
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

    /// Whether the request is of the client whose clock is held; another takes it over while there is none to speak of.
    fn is_of(&mut self, seen: &Seen<'_>) -> bool {
        let client = short(seen.client);
        if client != self.client {
            let is_run = self.pauses >= FEW || u16::from(self.beat.pauses) >= FEW;
            let now = seen.event.ts.as_millis();
            let since = now.saturating_sub(self.last_ms) as f32 / 1000.0;
            let is_over = since > LONGEST && self.beat.since(now) > LONGEST;
            if is_run && !is_over {
                return false;
            }
            (self.client, self.pauses, self.beat) = (client, 0, Beat::default());
            (self.mean, self.deviation) = (0.0, 0.0);
            self.objects.clear();
        }
        true
    }

    fn is_regular(&self) -> bool {
        let is_even = self.pauses >= PAUSES && self.deviation < REGULAR * self.mean;
        self.is_watch() || is_even && self.objects.count() >= OBJECTS
    }

    fn is_watch(&self) -> bool {
        self.pauses >= WATCH
            && self.mean <= WATCH_PAUSE
            && self.deviation < WATCH_REGULAR * self.mean
            && self.mean * f32::from(self.pauses) >= WATCH_SECONDS
            && self.objects.count() == 1
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
            && !self.beat.is_poll()
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
        let facts = clock(self.mean, self.deviation, self.pauses);
        seen.sighting(Kind::Automation, summary, facts)
    }
}

// === impl Beat ===

impl Beat {
    /// Seconds since its last request.
    fn since(&self, ms: i64) -> f32 {
        ((ms / 10) as u32).wrapping_sub(self.last) as f32 / 100.0
    }

    fn take(&mut self, seen: &Seen<'_>) {
        let now = (seen.event.ts.as_millis() / 10) as u32;
        let pause = self.since(seen.event.ts.as_millis());
        // One page's parts.
        if pause < SHORTEST {
            return;
        }
        let off = (pause - self.mean).abs();
        let route = (seen.route.unwrap_or(0) >> 48) as u16;
        if pause > LONGEST || (self.pauses > 0 && off > OFF_BEAT * self.mean) {
            *self = Self { last: now, route, ..Self::default() };
            return;
        }
        self.last = now;
        if self.pauses == u8::MAX {
            (self.pauses, self.turns) = (self.pauses / 2, self.turns / 2);
        }
        self.turns += u8::from(route != self.route);
        self.route = route;
        self.things.add(hash::both(seen.route.unwrap_or(0), seen.object.unwrap_or(0)));
        self.pauses += 1;
        let weight = 1.0 / f32::from(self.pauses.min(30));
        self.mean += (pause - self.mean) * weight;
        self.deviation += ((pause - self.mean).abs() - self.deviation) * weight;
    }

    fn is_regular(&self) -> bool {
        let many = u16::from(self.pauses) >= PAUSES && self.things.count() >= THINGS;
        (many || self.pauses >= TURNS_PAUSES)
            && self.deviation < REGULAR * self.mean
            && self.turns >= self.pauses / TURNS
    }

    /// Whether a page is open that asks for one thing after the other of one route.
    fn is_poll(&self) -> bool {
        u16::from(self.pauses) >= PAUSES
            && self.deviation < REGULAR * self.mean
            && self.turns < self.pauses / TURNS
    }

    fn sighting(&self, seen: &Seen<'_>) -> Sighting {
        let summary = format!(
            "{} asks for something every {:.1} s, {:.0} % more or less, {} times in a row and for {} different \
             things; people who use this client do not",
            seen.name(),
            self.mean,
            100.0 * self.deviation / self.mean,
            self.pauses,
            self.things.count()
        );
        seen.sighting(
            Kind::Automation,
            summary,
            clock(self.mean, self.deviation, self.pauses.into()),
        )
    }
}

fn clock(mean: f32, deviation: f32, pauses: u16) -> Facts {
    Facts::from([
        ("pause_seconds", json!(mean)),
        ("deviation_seconds", json!(deviation)),
        ("deviation_threshold", json!(REGULAR)),
        ("pauses", json!(pauses)),
        ("pauses_threshold", json!(PAUSES)),
    ])
}

fn without_rest(seen: &Seen<'_>, busy: u32) -> Sighting {
    let summary = format!(
        "{} looked at new objects in {busy} of the last 24 hours; people who use this client rest",
        seen.name()
    );
    let facts = [("busy_hours", json!(busy)), ("busy_hours_threshold", json!(BUSY_HOURS))];
    seen.sighting(Kind::Automation, summary, facts.into())
}

fn short(client: u64) -> u16 {
    (client >> 48) as u16
}
