//! A step without the steps that belong before it: a checkout without a cart.
//!
//! Learns of each API which routes come before which, of all clients that people use together, since they are one
//! product's: a change (not GET) that needs another change had it before in forty-nine of fifty visits, in fifteen by
//! eight principals or more; what is only looked at comes before most things anyway, so that a hundred visits are
//! needed to know that it must. Of a client of which three visits had it, and no more than one or one in ten lacked
//! it, that is known as well; others may work otherwise. Services are each for themselves. A visit ends after an
//! hour's silence; a person on two devices is on a visit with each client. Three changes without what they need, by
//! one principal and no more than a day apart, are a finding: one may be an event that was lost. A step that a visit
//! lacks counts once before however many other changes, and half, where it is a look, before the same change again.
//! From a company's network it takes six times as many: those who build and test an API skip steps at work. A change
//! that is made again in a visit needs its change again, where all but one of twenty had it, first or again, in fifty
//! visits or more: six of these are a finding, since people do the last step again. What failed on the API's side was
//! done as far as the principal could, and what was looked at in the visit before, on the same day, may still be open
//! for a change and another. Each principal teaches once a visit, and once that it makes a change again, and who lacks
//! something twice within a day teaches nothing by that, so a few cannot teach a new order. The same change again
//! within ten seconds is a retry; where more than three principals lack the same twice within a day, the client has
//! changed and nothing is said. State: 32 bytes a principal, as many for each of 50,000 with a missing step and of
//! 20,000 visits beside another; 64 routes and 32 changes of them for each of 512 clients and APIs.

use serde_json::json;
use token::event::NetworkKind;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const VISIT: u32 = 3600;
const DAY: u32 = 86_400;
const ROUTES: usize = 64;
const CHANGES: usize = 32;
/// Visits and principals that must have made a change before it is understood.
const VISITS: u16 = 15;
const TEACHERS: u32 = 8;
/// Visits before it is known that something must have been looked at.
const LOOKS: u16 = 100;
/// Visits before it is known what must have been done again before the same change.
const AGAIN: u16 = 50;
/// Visits with a client before it is known to work like the others.
const OWN_VISITS: u32 = 3;
/// Of fifty visits one may be without it, and one in any case.
const ONE_OF: u32 = 50;
const AGAIN_ONE_OF: u32 = 20;
const OWN_ONE_OF: u32 = 10;
/// A repeat within so many seconds is a retry.
const RETRY: u32 = 10;
/// So many principals that lack the same twice are no attackers.
const LACKING: u32 = 3;
/// Changes without what they need, no more than a day apart.
const MISSING: u16 = 3;
/// Changes that are made again without it, of which honest people do one or two.
const MISSING_AGAIN: u16 = 6;
/// So many times as many by whoever is at work, where things are tried that are being built.
const AT_WORK: u16 = 6;
/// Of the table's keys, those of changes that are made again.
const AGAIN_KEY: u64 = 2;
/// And those of changes at work, which count for themselves.
const AT_WORK_KEY: u64 = 3;

/// Of the table's keys, those of one client.
const OWN: u64 = 1;

/// Visits with another client than the last, which go on meanwhile.
const BESIDE: usize = 20_000;

/// Where a principal is in its visit.
#[derive(Clone, Copy, Default)]
pub(super) struct State {
    client: u32,
    /// One bit for each route of the client.
    visited: u64,
    /// Of the visit before, if it was within a day; of the first routes alone.
    earlier: u32,
    /// The last changes, each once and the last first.
    lately: Lately,
    pub(super) last: u32,
}

/// Places of changes plus one, the high bit for those that were made again; zero where there is none.
#[derive(Clone, Copy, Default)]
struct Lately([u8; 4]);

/// A change in a visit.
#[derive(Clone, Copy)]
enum Turn {
    First,
    /// For the second time, with what was changed since.
    Second(u64),
    /// More often than that.
    Later(u64),
}

/// What visits of one API look like, or those with one of its clients, by the places of routes in the first.
#[derive(Default)]
struct Order {
    routes: Vec<Route>,
    changes: Vec<Change>,
}

struct Route {
    number: u64,
    name: String,
    is_change: bool,
}

/// What came before one change.
struct Change {
    route: usize,
    visits: u16,
    before: [u16; ROUTES],
    /// Visits in which it was made again, and what came in between.
    again: u16,
    between: [u16; ROUTES],
    teachers: Distinct<1>,
    /// Who lacked something before it twice or more, on the running day.
    lacking: Distinct<1>,
    /// The same of those that make it again.
    repeating: Distinct<1>,
    day: u32,
}

/// What a visit lacked.
struct Needed {
    place: usize,
    name: String,
    is_change: bool,
    /// How many visits of a hundred have it.
    share: u32,
}

/// Missing steps of a principal.
#[derive(Default)]
struct Missing {
    last: u32,
    count: u16,
    /// The same, where what was only not looked at again in the visit is a half.
    halves: u16,
    /// What was missing last, and before which change: places plus one.
    needed: u8,
    before: u8,
    once: Once,
}

/// Steps out of order.
pub(super) struct Sequence {
    orders: Table<Order>,
    missing: Table<Missing>,
    beside: Table<State>,
}

impl Default for Sequence {
    fn default() -> Self {
        Self { orders: Table::new(512), missing: Table::new(50_000), beside: Table::new(BESIDE) }
    }
}

// === impl Sequence ===

impl Sequence {
    pub(super) fn observe(
        &mut self,
        seen: &Seen<'_>,
        principal: u64,
        state: &mut State,
    ) -> Option<Sighting> {
        let is_change = !matches!(seen.request.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        let route = seen.route.filter(|_| seen.is_ok() || is_failure(seen, is_change))?;
        let host = seen.request.host.as_deref().map_or(0, hash::text);
        let client = hash::both(seen.client, host);
        // A service is like nobody else.
        let api = if seen.is_own_client() { client } else { host };
        self.go_on(seen, principal, client, state);
        let order = self.orders.touch(api, seen.now);
        let at = order.place(route, is_change, seen)?;
        let mut visit = *state;
        state.visited |= 1u64 << at;
        if !is_change || !seen.is_ok() {
            return None;
        }
        let turn = state.lately.take(at);
        if matches!(turn, Turn::Later(_)) {
            visit.earlier = 0;
        }
        let is_at_work = seen.event.origin.net == Some(NetworkKind::Business);
        let holder = if is_at_work { hash::both(principal, AT_WORK_KEY) } else { principal };
        let peek = |key| self.missing.peek(key).filter(|held| held.is_lately(seen.now));
        // What its own first lacking visit taught counts nothing.
        let (missing, again) = (peek(holder), peek(hash::both(holder, AGAIN_KEY)));
        let taught = u16::from(missing.is_some_and(|held| held.count == 1));
        let taught_again = u16::from(again.is_some_and(|held| held.count == 1));
        // Who lacks it in the whole visit lacks it as at the first time.
        let first = order.needed(at, &visit, Turn::First, taught);
        let repeat = || Some((order.needed(at, &visit, turn, taught_again)?, turn, taught_again));
        let needed = first.map(|needed| (needed, Turn::First, taught)).or_else(repeat);
        let teaches = match (turn, &needed) {
            (Turn::First, Some(_)) => missing.is_none(),
            (Turn::Second(_), Some((_, needed, _))) => needed.since().is_some() && again.is_none(),
            (Turn::First | Turn::Second(_), None) => true,
            (Turn::Later(_), _) => false,
        };
        if teaches {
            order.learn(at, visit.visited, turn, principal);
        }
        let own = self.orders.touch(hash::both(client, OWN), seen.now);
        let needed = needed.filter(|(it, turn, taught)| own.agrees(at, it.place, *turn, *taught));
        if teaches {
            own.learn(at, visit.visited, turn, principal);
        }
        let (Needed { name: needed, share, place, is_change }, turn, _) = needed?;
        let is_again = turn.since().is_some();
        let (key, enough) = if is_again {
            (hash::both(holder, AGAIN_KEY), MISSING_AGAIN)
        } else {
            (holder, MISSING)
        };
        let enough = if is_at_work { AT_WORK * enough } else { enough };
        let missing = self.missing.touch(key, seen.now);
        if !missing.note(seen.now, (place, is_change), at) {
            return None;
        }
        let times = f32::from(missing.halves) / f32::from(2 * enough);
        let is_second = missing.count == 2;
        let is_habit = missing.halves >= 2 * (enough - 1);
        let lacking = if is_habit { own.lacking(at, is_again, seen.now, principal) } else { 0 };
        let is_news = times >= 1.0 && lacking <= LACKING && missing.once.allows(seen.now, times);
        let count = missing.count;
        if is_second && lacking <= LACKING {
            own.forget(at, turn);
            self.orders.touch(api, seen.now).forget(at, turn);
        }
        if !is_news {
            return None;
        }
        let summary = format!(
            "{} did {} without {needed} {} times, no more than a day apart; {share} % of visits have it before",
            seen.name(),
            seen.shown_route(),
            count
        );
        let facts = [
            ("missing_steps", json!(count)),
            ("missing_steps_threshold", json!(enough)),
            ("needed", json!(needed)),
            ("visits_with_it_percent", json!(share)),
        ];
        Some(seen.sighting(Kind::Sequence, summary, facts.into()))
    }
}

// === impl Sequence (visits) ===

impl Sequence {
    /// Makes `state` the visit that the request belongs to.
    fn go_on(&mut self, seen: &Seen<'_>, principal: u64, client: u64, state: &mut State) {
        let (client, now) = (client as u32, seen.now);
        let mut visit = *state;
        if state.client != client {
            if state.is_on(now) {
                *self.beside.touch(hash::both(principal, state.client.into()), now) = *state;
            }
            visit =
                self.beside.peek(hash::both(principal, client.into())).copied().unwrap_or_default();
        }
        if !visit.is_on(now) {
            let is_lately = now.saturating_sub(visit.last) <= DAY;
            let earlier = if is_lately { visit.visited as u32 } else { 0 };
            visit = State { client, earlier, ..State::default() };
        }
        *state = visit;
        state.last = now;
    }
}

// === impl State ===

impl State {
    const fn is_on(&self, now: u32) -> bool {
        now.saturating_sub(self.last) <= VISIT
    }
}

// === impl Lately ===

impl Lately {
    /// Notes a change.
    fn take(&mut self, at: usize) -> Turn {
        const SECOND: u8 = 0x80;
        let entry = at as u8 + 1;
        let held = self.0.iter().position(|held| held & !SECOND == entry);
        let end = held.unwrap_or(self.0.len() - 1);
        let was_second = held.is_some() && self.0.get(end).is_some_and(|it| it & SECOND != 0);
        let since = self.0.iter().take(end).filter(|it| **it != 0);
        let since = since.fold(0, |set, it| set | 1u64 << ((it & !SECOND) - 1));
        if let Some(part) = self.0.get_mut(..=end) {
            part.rotate_right(1);
        }
        self.0[0] = if held.is_some() { entry | SECOND } else { entry };
        match (held, was_second) {
            (None, _) => Turn::First,
            (Some(_), false) => Turn::Second(since),
            (Some(_), true) => Turn::Later(since),
        }
    }
}

// === impl Turn ===

impl Turn {
    /// What was changed since the same change, if it was made before.
    const fn since(self) -> Option<u64> {
        match self {
            Self::First => None,
            Self::Second(since) | Self::Later(since) => Some(since),
        }
    }
}

// === impl Order ===

impl Order {
    /// The route's bit; routes beyond the first sixty-four of an API are not followed.
    fn place(&mut self, number: u64, is_change: bool, seen: &Seen<'_>) -> Option<usize> {
        if let Some(at) = self.routes.iter().position(|known| known.number == number) {
            return Some(at);
        }
        if self.routes.len() >= ROUTES {
            return None;
        }
        self.routes.push(Route { number, name: seen.shown_route(), is_change });
        Some(self.routes.len() - 1)
    }

    /// The missing route that most visits have before this change.
    fn needed(&self, at: usize, visit: &State, turn: Turn, taught: u16) -> Option<Needed> {
        let change = self.changes.iter().find(|change| change.route == at)?;
        let is_again = turn.since().is_some();
        let (enough, one_of) = if is_again { (AGAIN, AGAIN_ONE_OF) } else { (VISITS, ONE_OF) };
        if change.visits < enough || change.teachers.count() < TEACHERS {
            return None;
        }
        let missing = self.routes.iter().enumerate().filter(|(other, route)| {
            let bit = 1u64 << other;
            let is_missing = match (turn.since(), route.is_change) {
                (Some(since), is_change) => is_change && since & bit == 0,
                (None, true) => visit.visited & bit == 0,
                (None, false) => {
                    (visit.visited | u64::from(visit.earlier)) & bit == 0 && change.visits >= LOOKS
                }
            };
            *other != at && is_missing && change.has_had(*other, turn, taught, one_of)
        });
        let had = |place: usize| change.had(place, turn);
        let (place, route) =
            missing.max_by_key(|(place, route)| (route.is_change, had(*place), ROUTES - place))?;
        let share = (had(place) * 100 / change.times(turn).max(1)).min(100);
        Some(Needed { place, name: route.name.clone(), is_change: route.is_change, share })
    }

    /// Whether visits with this client have the other route before this change as well.
    fn agrees(&self, at: usize, other: usize, turn: Turn, taught: u16) -> bool {
        let change = self.changes.iter().find(|change| change.route == at);
        change.is_some_and(|change| {
            change.had(other, turn) >= OWN_VISITS && change.has_had(other, turn, taught, OWN_ONE_OF)
        })
    }

    /// How many principals lack something before this change today, with this one.
    fn lacking(&mut self, at: usize, is_again: bool, now: u32, principal: u64) -> u32 {
        let Some(change) = self.changes.iter_mut().find(|change| change.route == at) else {
            return 0;
        };
        if now / DAY > change.day {
            change.day = now / DAY;
            change.lacking.clear();
            change.repeating.clear();
        }
        let who = if is_again { &mut change.repeating } else { &mut change.lacking };
        who.add(principal);
        who.count()
    }

    /// Takes back what the last visit without a needed step taught.
    fn forget(&mut self, at: usize, turn: Turn) {
        if let Some(change) = self.changes.iter_mut().find(|change| change.route == at) {
            let count = if turn.since().is_some() { &mut change.again } else { &mut change.visits };
            *count = count.saturating_sub(1);
        }
    }

    fn learn(&mut self, at: usize, visited: u64, turn: Turn, principal: u64) {
        let known = self.changes.iter().position(|change| change.route == at);
        let place = known.unwrap_or_else(|| {
            if self.changes.len() < CHANGES {
                self.changes.push(Change::of(at));
            }
            self.changes.len() - 1
        });
        let Some(change) = self.changes.get_mut(place).filter(|change| change.route == at) else {
            return;
        };
        change.teachers.add(principal);
        let (had, times, counts) = match turn.since() {
            Some(since) => (since, &mut change.again, &mut change.between),
            None => (visited, &mut change.visits, &mut change.before),
        };
        *times += 1;
        for (other, count) in counts.iter_mut().enumerate() {
            *count += (had >> other & 1) as u16;
        }
        // Old visits fade.
        if *times >= 10_000 {
            change.visits /= 2;
            change.again /= 2;
            let counts = change.before.iter_mut().chain(&mut change.between);
            counts.for_each(|count| *count /= 2);
        }
    }
}

// === impl Missing ===

impl Missing {
    /// Notes what was missing before a change, and whether that is one itself; whether it counts.
    fn note(&mut self, now: u32, (place, is_change): (usize, bool), at: usize) -> bool {
        let ago = now.saturating_sub(self.last);
        if self.count > 0 && ago < RETRY {
            return false;
        }
        if !self.is_lately(now) {
            (self.count, self.halves) = (0, 0);
        }
        // A step that one visit lacks is one that is missing, before however many other changes.
        let is_same = self.count > 0 && ago <= VISIT && usize::from(self.needed) == place + 1;
        self.last = now;
        if is_same && usize::from(self.before) != at + 1 {
            return false;
        }
        (self.needed, self.before) = (place as u8 + 1, at as u8 + 1);
        self.count = self.count.saturating_add(1);
        let halves = if is_same && !is_change { 1 } else { 2 };
        self.halves = self.halves.saturating_add(halves);
        true
    }

    /// Whether something was missing within the last day.
    const fn is_lately(&self, now: u32) -> bool {
        self.count > 0 && now.saturating_sub(self.last) <= DAY
    }
}

// === impl Change ===

impl Change {
    /// How often it was made, and again where it is about that.
    fn times(&self, turn: Turn) -> u32 {
        let again = if turn.since().is_some() { self.again } else { 0 };
        u32::from(self.visits) + u32::from(again)
    }

    /// How often the other route came before, and in between where it is about that.
    fn had(&self, other: usize, turn: Turn) -> u32 {
        let count = |counts: &[u16; ROUTES]| u32::from(counts.get(other).copied().unwrap_or(0));
        count(&self.before) + turn.since().map_or(0, |_| count(&self.between))
    }

    /// Whether all times but one, or but one of so many, had the other route, `taught` apart.
    fn has_had(&self, other: usize, turn: Turn, taught: u16, one_of: u32) -> bool {
        let (times, had) = (self.times(turn), self.had(other, turn) + u32::from(taught));
        times - had.min(times) <= (times / one_of).max(1)
    }

    fn of(route: usize) -> Self {
        let (nobody, none) = (Distinct::default(), [0; ROUTES]);
        Self {
            route,
            visits: 0,
            before: none,
            again: 0,
            between: none,
            teachers: nobody,
            lacking: nobody,
            repeating: nobody,
            day: 0,
        }
    }
}

/// Whether the API could not do it, or had nothing there to look at.
fn is_failure(seen: &Seen<'_>, is_change: bool) -> bool {
    let status = seen.request.status;
    seen.request.refused.is_none() && (status >= 500 || status == 404 && !is_change)
}
