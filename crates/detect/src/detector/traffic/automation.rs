//! A program where a person is expected: a clock's regularity, or a day without rest.
//!
//! Only for clients that people use: five subjects or more who were silent for four hours and came back, or who signed
//! in, which is enough for the clock. What they ask for with a personal token or a key does not count, since these are
//! made for programs. What never rests, such as a partner's servers or a fleet of jobs, is no people. Regular: sixty
//! pauses in a row that hardly differ, of ten minutes at most (what signs in and looks every quarter of an hour is a
//! monitor), between requests for many different objects; or a hundred and fifty in a round of a few, by somebody who
//! does other things as well, which a page on a wall does not. An app left open polls as regularly, but the same
//! route; and whoever asks for one object all the time, every two minutes or sooner, for two hours and a half and two
//! hundred times, does not watch it, if nobody else of the client asks for one sixty times. Or between requests of any
//! kind, for different routes in turn while none came at another time: sixty for six different things, or
//! seventy-five. An app that polls two asks for both at once or by a clock for each, and who uses an app that polls
//! breaks its rhythm. Without rest: something new looked at in twenty of twenty-four hours, in half of each, and not
//! by a poll of one route, which survives every random pause. What a fifth of a client's subjects do is how the client
//! works and counts nothing. State: 72 bytes a principal, 136 for each of 4,096 clients.

mod beat;
pub(super) mod changes;
mod clock;
mod pace;
mod script;

use serde_json::json;
use token::event::NetworkKind;

use self::beat::Beat;
use self::clock::LONGEST;
use self::pace::Pace;
use self::script::{Script, Scripts};
use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

/// Busy hours of the last twenty-four.
const BUSY_HOURS: u32 = 20;
/// Different objects that make an hour busy, which is more than a poll, and in how many twelfths of it.
const BUSY: u32 = 5;
const BUSY_TWELFTHS: u32 = 6;
const PEOPLE: u32 = 5;
/// Other requests of somebody who does not only leave a page open.
const OTHERS: u8 = 3;
/// Pauses of a run that one client alone may go on with.
const FEW: u16 = 6;
/// Who else of a client watches one object shows that its pages do.
const WATCHERS: u32 = 1;
/// Hours of silence that are a rest.
const REST: u16 = 4;

/// The clock of one principal.
#[derive(Default)]
pub(super) struct State {
    /// Some bits of the client whose clock it is: a person's devices have their own.
    client: u16,
    pace: Pace,
    /// Requests for no object, as far as the number goes.
    others: u8,
    beat: Beat,
    /// As far as the number goes.
    pub(super) hour: u16,
    hour_objects: Distinct<1>,
    /// One bit for each twelfth of the hour in which there was one.
    twelfths: u16,
    /// One bit for each of the last hours that was busy.
    busy: u32,
    once: Once,
}

/// Subjects of a client, and those who behave like a program.
#[derive(Default)]
struct People {
    all: Distinct<4>,
    rested: Distinct<4>,
    signed_in: Distinct<4>,
    programs: Distinct<4>,
    /// Those who watch one object by a clock.
    watchers: Distinct<1>,
}

/// Programs in place of people.
pub(super) struct Automation {
    clients: Table<People>,
    scripts: Scripts,
}

impl Default for Automation {
    fn default() -> Self {
        Self { clients: Table::new(4096), scripts: Scripts::default() }
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
        state.others = state.others.saturating_add(u8::from(seen.object.is_none()));
        if state.is_of(seen) {
            state.pace.take(seen);
            state.beat.take(seen);
        }
        if state.hours(seen) {
            people.rested.add(subject);
        }
        if seen.event.who.session.is_some() {
            people.signed_in.add(subject);
        }
        let script = self.scripts.take(seen, subject, people.all.count());
        if state.pace.watches() {
            people.watchers.add(subject);
        }
        let how = script.map(How::Script).or_else(|| state.how(seen, people.watchers.count()))?;
        people.programs.add(subject);
        let (all, programs) = (people.all.count(), people.programs.count());
        let are_people = people.rested.count() >= PEOPLE
            || (how.is_clock() && people.signed_in.count() >= PEOPLE);
        if !are_people || programs > (all / 5).max(2) || !state.once.allows(seen.now, 1.0) {
            return None;
        }
        Some(match how {
            How::Pace => state.pace.sighting(seen),
            How::Beat => state.beat.sighting(seen),
            How::Hours(busy) => without_rest(seen, busy),
            How::Script(script) => script.sighting(seen),
        })
    }
}

/// What is unlike people.
enum How {
    Pace,
    Beat,
    /// Busy hours of the last twenty-four.
    Hours(u32),
    Script(Script),
}

// === impl How ===

impl How {
    const fn is_clock(&self) -> bool {
        matches!(self, Self::Pace | Self::Beat | Self::Script(_))
    }
}

// === impl State ===

impl State {
    fn how(&self, seen: &Seen<'_>, watchers: u32) -> Option<How> {
        let is_own = self.client == short(seen.client);
        let busy = self.busy.count_ones();
        // A page on a wall asks for nothing else, and there is no wall where servers are.
        let is_page = self.others < OTHERS && seen.event.origin.net != Some(NetworkKind::Hosting);
        let is_watch = watchers <= WATCHERS && self.pace.is_watch();
        if is_own && (is_watch || self.pace.is_regular(is_page)) {
            Some(How::Pace)
        } else if is_own && self.beat.is_regular() {
            Some(How::Beat)
        } else {
            (busy >= BUSY_HOURS).then_some(How::Hours(busy))
        }
    }

    /// Whether the request is of the client whose clock is held; another takes it over while there is none to speak of.
    fn is_of(&mut self, seen: &Seen<'_>) -> bool {
        let client = short(seen.client);
        if client != self.client {
            let is_run = self.pace.pauses >= FEW || u16::from(self.beat.pauses) >= FEW;
            let now = clock::hundredths(seen);
            let is_over = self.pace.since(now) > LONGEST && self.beat.since(now) > LONGEST;
            if is_run && !is_over {
                return false;
            }
            (self.client, self.beat) = (client, Beat::default());
            self.pace.begin();
        }
        true
    }

    /// Whether its owner comes back from a rest.
    fn hours(&mut self, seen: &Seen<'_>) -> bool {
        let hour = (seen.now / 3600) as u16;
        // An event that came late is of the hour that has begun.
        let gone = (hour.wrapping_sub(self.hour) as i16).max(0) as u16;
        let is_first = self.hour == 0;
        let gone = if is_first { hour } else { gone };
        if gone > 0 {
            self.busy = self.busy.checked_shl(gone.into()).unwrap_or(0) & 0x00ff_ffff;
            self.hour = hour;
            self.hour_objects.clear();
            self.twelfths = 0;
        }
        if let Some(object) = seen.object {
            self.hour_objects.add(object);
            self.twelfths |= 1 << (seen.now % 3600 / 300);
            let is_busy =
                self.twelfths.count_ones() >= BUSY_TWELFTHS && self.hour_objects.count() >= BUSY;
            self.busy |= u32::from(is_busy && !self.beat.is_poll());
        }
        gone > REST && !is_first
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

fn short(client: u64) -> u16 {
    (client >> 48) as u16
}
