//! The clock of requests for objects: many different ones, few in turn, or one that is watched.

use crate::detector::traffic::automation::clock::{self, Clock, LONG, LONGEST, SHORTEST};
use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;

/// Pauses in a row, and different objects in them.
const PAUSES: u16 = 60;
const OBJECTS: u32 = 25;
/// A round of fewer objects: so many at least, pauses, and one of how many may be for the object before.
const ROUND_OBJECTS: u32 = 3;
const ROUND_PAUSES: u16 = 150;
const REPEATS: u16 = 10;

/// A watch over one object: pauses, none of them longer than so much on the average, in all, and how regular.
const WATCH: u16 = 200;
const WATCH_PAUSE: f32 = 121.0;
const WATCH_SECONDS: f32 = 9_000.0;
const WATCH_REGULAR: f32 = 0.05;

#[derive(Default)]
pub(super) struct Pace {
    /// Hundredths of a second, as far as the number goes.
    last: u32,
    clock: Clock,
    pub(super) pauses: u16,
    /// How many of them were for the object before, of which these are some bits.
    repeats: u8,
    object: u8,
    objects: Distinct<1>,
}

// === impl Pace ===

impl Pace {
    /// Seconds from its last request.
    pub(super) fn since(&self, now: u32) -> f32 {
        clock::between(self.last, now)
    }

    pub(super) fn take(&mut self, seen: &Seen<'_>) {
        // Polls and lists are an app's own clock.
        let Some(object) = seen.object else { return };
        let now = clock::hundredths(seen);
        let pause = self.since(now);
        // One page's parts, or an event that came late.
        if pause < SHORTEST {
            return;
        }
        if pause > LONGEST {
            *self = Self { last: now, ..Self::default() };
        } else {
            self.last = now;
            self.pauses = self.pauses.saturating_add(1);
            self.clock.take(pause, self.pauses);
            self.objects.add(object);
        }
        let bits = (object >> 56) as u8;
        self.repeats = self.repeats.saturating_add(u8::from(bits == self.object));
        self.object = bits;
    }

    /// Forgets the run, and not when it was.
    pub(super) fn begin(&mut self) {
        *self = Self { last: self.last, ..Self::default() };
    }

    /// Whether it is a program's; a page may go on with the same few objects.
    pub(super) fn is_regular(&self, is_page: bool) -> bool {
        self.pauses >= PAUSES
            && self.clock.is_regular()
            && self.is_of_many(is_page)
            && self.clock.mean < LONG
    }

    fn is_of_many(&self, is_page: bool) -> bool {
        // As many repeats as can be held are many.
        let is_round = self.pauses >= ROUND_PAUSES
            && !is_page
            && self.repeats < u8::MAX
            && u16::from(self.repeats) <= self.pauses / REPEATS;
        self.objects.count() >= if is_round { ROUND_OBJECTS } else { OBJECTS }
    }

    /// Whether it may be a watch over one object.
    pub(super) fn watches(&self) -> bool {
        self.pauses >= PAUSES
            && self.objects.count() == 1
            && self.clock.mean <= WATCH_PAUSE
            && self.clock.is_within(WATCH_REGULAR)
    }

    /// Whether it is one, longer than anybody watches.
    pub(super) fn is_watch(&self) -> bool {
        self.watches()
            && self.pauses >= WATCH
            && self.clock.mean * f32::from(self.pauses) >= WATCH_SECONDS
    }

    pub(super) fn sighting(&self, seen: &Seen<'_>) -> Sighting {
        let summary = format!(
            "{} asks for an object {}, {} times in a row over {} different objects; people who use this client do \
             not",
            seen.name(),
            self.clock.told(),
            self.pauses,
            self.objects.count()
        );
        seen.sighting(Kind::Automation, summary, self.clock.facts(self.pauses, PAUSES))
    }
}
