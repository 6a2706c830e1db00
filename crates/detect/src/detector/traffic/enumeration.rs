//! One principal that asks for far more different objects than it and its like ever do.
//!
//! Counts different objects in an hour and, for the patient, in a day; each against the principal's own peak and that
//! of others of its client. Guessing shows itself sooner: objects that are not there or not for this principal,
//! different ones each time, count from twelve an hour where they are three in ten requests, or when the numbers walk
//! and are as much of the day's. A client that works through a list of its own has its habit; a link that is dead is
//! one object however often it is followed. State: 88 bytes a principal, 48 more for each of 100,000 that are refused,
//! and a histogram for each of 4,096 clients.

use serde_json::json;

use crate::detector::traffic::meter::{Limits, Meter};
use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Names, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::once::Once;
use crate::sketch::spread::Spread;
use crate::sketch::table::{Ahead, Table};

/// Forty-five objects an hour are a person who looks around; four times a known habit is none.
const HOUR: Limits = Limits {
    window: 3600,
    floor: 45.0,
    own: 4.0,
    first_day: true,
    peers: 4.0,
    long_tail: false,
    alone: f32::INFINITY,
    early: f32::INFINITY,
};
/// A day holds few full hours; who is above both own and others' days needs no large factor.
const DAY: Limits = Limits {
    window: 86_400,
    floor: 60.0,
    own: 3.0,
    first_day: true,
    peers: 3.0,
    long_tail: false,
    alone: f32::INFINITY,
    early: f32::INFINITY,
};
/// Refusals of different objects: an honest client meets some dead links. Those of somebody's first day are no habit:
/// else an attack that lasts over the full hour would be its own excuse. Forty-four need nobody to compare with.
const GUESSES: Limits = Limits {
    window: 3600,
    floor: 11.0,
    own: 3.0,
    first_day: false,
    peers: 3.0,
    long_tail: false,
    alone: 44.0,
    early: f32::INFINITY,
};
/// As many, slowly.
const SLOW_GUESSES: Limits = Limits {
    window: 86_400,
    floor: 24.0,
    own: 3.0,
    first_day: false,
    peers: 3.0,
    long_tail: false,
    alone: f32::INFINITY,
    early: f32::INFINITY,
};
/// Share of refusals among requests for objects, in tenths.
const SHARE: u32 = 3;
/// So many refused numbers in a row, each a neighbour of the last, are a walk.
const WALK: u16 = 8;
/// So far apart are neighbours; and so far above the last one, where a walk meets what it may see.
const NEAR: u64 = 3;
const ABOVE: u64 = 32;

/// What others of a client do.
#[derive(Default)]
struct Peers {
    hour: Spread,
    day: Spread,
    guesses: Spread,
    slow_guesses: Spread,
}

/// Objects of one principal.
#[derive(Default)]
pub(super) struct State {
    pub(super) objects: Distinct<2>,
    day_objects: Distinct<4>,
    pub(super) hour: Meter,
    pub(super) day: Meter,
    asked: u16,
    asked_today: u16,
}

/// Refusals of one principal.
#[derive(Default)]
struct Guesses {
    objects: Distinct<1>,
    day_objects: Distinct<2>,
    hour: Meter,
    day: Meter,
    last: u64,
    walk: u16,
    walked: Once,
}

/// Enumeration of objects.
pub(super) struct Enumeration {
    peers: Table<Peers>,
    guesses: Table<Guesses>,
}

impl Default for Enumeration {
    fn default() -> Self {
        Self { peers: Table::new(4096), guesses: Table::new(100_000) }
    }
}

// === impl Enumeration ===

impl Enumeration {
    /// Brings near the refusals of principals whose requests come next, in steps: see [`Ahead`].
    pub(super) fn expect(&self, next: &[Names]) -> Ahead {
        let refused = next.iter().filter(|it| it.target.is_denied && it.target.object.is_some());
        self.guesses.expect(refused.filter_map(|names| names.principal))
    }

    /// The second step.
    pub(super) fn expect_states(&self, ahead: &mut Ahead) {
        self.guesses.expect_states(ahead, |guesses| {
            guesses.last ^ u64::from(guesses.hour.window() ^ guesses.day.window())
        });
    }

    /// The third step.
    pub(super) fn expect_room(&self, ahead: &Ahead) {
        self.guesses.expect_room(ahead);
    }

    pub(super) fn observe(
        &mut self,
        seen: &Seen<'_>,
        principal: u64,
        first: u32,
        state: &mut State,
    ) -> Option<Sighting> {
        let object = seen.object?;
        if !seen.is_ok() && !seen.is_denied {
            return None;
        }
        let peers = self.peers.touch(seen.client, seen.now);
        if state.hour.roll(first, seen.now, &HOUR, &mut peers.hour) {
            state.objects.clear();
            state.asked = 0;
        }
        if state.day.roll(first, seen.now, &DAY, &mut peers.day) {
            state.day_objects.clear();
            state.asked_today = 0;
        }
        state.asked = state.asked.saturating_add(1);
        state.asked_today = state.asked_today.saturating_add(1);
        let guess = seen.is_denied.then(|| {
            let guesses = self.guesses.touch(principal, seen.now);
            guesses.observe(seen, object, first, state, peers)
        });
        let guess = guess.flatten();
        if guess.is_some() {
            state.hour.hush(seen.now);
            state.day.hush(seen.now);
        }
        let many = state.count(seen, object, first, peers);
        guess.or(many)
    }
}

// === impl State ===

impl State {
    /// Different objects of the running day, or of the last one that had any.
    pub(super) fn today(&self) -> u32 {
        self.day_objects.count()
    }

    fn count(
        &mut self,
        seen: &Seen<'_>,
        object: u64,
        first: u32,
        peers: &mut Peers,
    ) -> Option<Sighting> {
        if self.objects.add(object) {
            self.hour.raise_to(self.objects.count() as f32, seen.now, &HOUR, &mut peers.hour);
        }
        if self.day_objects.add(object) {
            self.day.raise_to(self.day_objects.count() as f32, seen.now, &DAY, &mut peers.day);
        }
        let excess = self
            .hour
            .judge(first, seen, &HOUR, &mut peers.hour)
            .or_else(|| self.day.judge(first, seen, &DAY, &mut peers.day))?;
        self.hour.hush(seen.now);
        self.day.hush(seen.now);
        let summary = format!(
            "{} asked for {:.0} different objects, lately by {}, {}",
            seen.name(),
            excess.amount,
            seen.shown_route(),
            excess.compared()
        );
        Some(seen.sighting(Kind::Enumeration, summary, excess.facts()))
    }
}

// === impl Guesses ===

impl Guesses {
    fn observe(
        &mut self,
        seen: &Seen<'_>,
        object: u64,
        first: u32,
        state: &State,
        peers: &mut Peers,
    ) -> Option<Sighting> {
        if self.hour.roll(first, seen.now, &GUESSES, &mut peers.guesses) {
            self.objects.clear();
        }
        if self.day.roll(first, seen.now, &SLOW_GUESSES, &mut peers.slow_guesses) {
            self.day_objects.clear();
        }
        let is_new = self.objects.add(object);
        if is_new {
            self.hour.raise_to(self.objects.count() as f32, seen.now, &GUESSES, &mut peers.guesses);
        }
        if self.day_objects.add(object) {
            self.day.raise_to(
                self.day_objects.count() as f32,
                seen.now,
                &SLOW_GUESSES,
                &mut peers.slow_guesses,
            );
        }
        let share = |guesses: u32, asked: u16| guesses * 10 >= u32::from(asked) * SHARE;
        let is_rule = share(self.day_objects.count(), state.asked_today);
        if let Some(walk) = self.walk(seen, is_new, is_rule) {
            self.hush(seen.now);
            return Some(walk);
        }
        let hourly = share(self.objects.count(), state.asked)
            .then(|| {
                // Others' hours without a refusal count as well.
                let windows = peers.hour.count().max(peers.guesses.count());
                self.hour.judge_among(first, seen, &GUESSES, &mut peers.guesses, windows)
            })
            .flatten();
        let excess = hourly.or_else(|| {
            share(self.day_objects.count(), state.asked_today)
                .then(|| self.day.judge(first, seen, &SLOW_GUESSES, &mut peers.slow_guesses))
                .flatten()
        })?;
        self.hush(seen.now);
        let mut facts = excess.facts();
        facts.insert("asked", json!(state.asked));
        let summary = format!(
            "{} was refused {:.0} different objects, lately by {}, {}",
            seen.name(),
            excess.amount,
            seen.shown_route(),
            excess.compared()
        );
        Some(seen.sighting(Kind::Enumeration, summary, facts))
    }

    fn hush(&mut self, now: u32) {
        self.hour.hush(now);
        self.day.hush(now);
        self.walked.allows(now, 1.0);
    }

    /// Neighbouring numbers refused one after the other.
    fn walk(&mut self, seen: &Seen<'_>, is_new: bool, is_rule: bool) -> Option<Sighting> {
        let number = seen.number()?;
        // A program that works through all there is meets gaps as well.
        let is_above = number > self.last && number - self.last <= ABOVE && !seen.is_own_client();
        let is_near = number != self.last && number.abs_diff(self.last) <= NEAR;
        let is_step = is_new && (is_above || is_near);
        self.walk = if is_step { self.walk.saturating_add(1) } else { 0 };
        self.last = number;
        if self.walk < WALK || !is_rule || !self.walked.allows(seen.now, 1.0) {
            return None;
        }
        let summary = format!(
            "{} walks through neighbouring numbers by {}: {} refusals in a row",
            seen.name(),
            seen.shown_route(),
            self.walk + 1
        );
        let facts = [("walk", json!(self.walk + 1)), ("threshold", json!(WALK + 1))];
        Some(seen.sighting(Kind::Enumeration, summary, facts.into()))
    }
}
