//! The clock of requests of any kind: for different routes in turn while none came at another time.

use crate::detector::traffic::automation::clock::{self, Clock, LONG, LONGEST, SHORTEST};
use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;

/// Pauses in a row, and different things in them; or pauses in a run with fewer things.
const PAUSES: u8 = 60;
const THINGS: u32 = 6;
const TURNS_PAUSES: u8 = 75;
/// One of so many requests is for another route than the one before.
const TURNS: u8 = 4;
/// Who is off the beat by so great a part of a pause begins a new run.
const OFF_BEAT: f32 = 0.5;

#[derive(Default)]
pub(super) struct Beat {
    /// Hundredths of a second, as far as the number goes.
    last: u32,
    clock: Clock,
    /// In the run, the half of them where that would be too many, and how many were between two routes.
    pub(super) pauses: u8,
    turns: u8,
    /// Some bits of the last route.
    route: u16,
    things: Distinct<1>,
}

// === impl Beat ===

impl Beat {
    /// Seconds from its last request.
    pub(super) fn since(&self, now: u32) -> f32 {
        clock::between(self.last, now)
    }

    pub(super) fn take(&mut self, seen: &Seen<'_>) {
        let now = clock::hundredths(seen);
        let pause = self.since(now);
        // One page's parts, or an event that came late.
        if pause < SHORTEST {
            return;
        }
        let off = (pause - self.clock.mean).abs();
        let route = (seen.route.unwrap_or(0) >> 48) as u16;
        if pause > LONGEST || (self.pauses > 0 && off > OFF_BEAT * self.clock.mean) {
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
        self.clock.take(pause, self.pauses.into());
    }

    pub(super) fn is_regular(&self) -> bool {
        let is_long = self.pauses >= PAUSES && self.things.count() >= THINGS;
        (is_long || self.pauses >= TURNS_PAUSES)
            && self.clock.mean < LONG
            && self.clock.is_regular()
            && self.turns >= self.pauses / TURNS
    }

    /// Whether a page is open that asks for one thing after the other of one route.
    pub(super) fn is_poll(&self) -> bool {
        self.pauses >= PAUSES && self.clock.is_regular() && self.turns < self.pauses / TURNS
    }

    pub(super) fn sighting(&self, seen: &Seen<'_>) -> Sighting {
        let summary = format!(
            "{} asks for something {}, {} times in a row and for {} different things; people who use this client \
             do not",
            seen.name(),
            self.clock.told(),
            self.pauses,
            self.things.count()
        );
        let many = self.things.count() >= THINGS;
        let threshold = if many { PAUSES } else { TURNS_PAUSES };
        let facts = self.clock.facts(self.pauses.into(), threshold.into());
        seen.sighting(Kind::Automation, summary, facts)
    }
}
