//! A step without the steps that belong before it: a checkout without a cart.
//!
//! Learns for each client which routes come before which: a change (not GET) that thirty visits of
//! ten principals made, nineteen of twenty of them after a certain other route, needs that route.
//! A visit ends after an hour's silence; a person on two devices is on a visit with each client. Three changes without what they need, by one principal
//! and no more than a day apart, are a finding: one may be an event that was lost. Each
//! principal teaches once a visit, so a few cannot teach a new order. The same change again within
//! ten seconds is a retry; where more than three principals lack the same twice within a day, the
//! client has changed and nothing is said. State: 16 bytes a principal,
//! 32 more for each of 50,000 with a missing step and of 20,000 visits beside another; 64 routes and 32 changes of them for each of 512
//! clients.

use serde_json::json;

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
const VISITS: u16 = 30;
const TEACHERS: u32 = 10;
/// Of twenty visits, so many had the other route before.
const OF_TWENTY: u32 = 19;
/// A repeat within so many seconds is a retry.
const RETRY: u32 = 10;
/// So many principals that lack the same twice are no attackers.
const LACKING: u32 = 3;
/// Changes without what they need, no more than a day apart.
const MISSING: u16 = 3;

/// Visits with another client than the last, which go on meanwhile.
const BESIDE: usize = 20_000;

/// Where a principal is in its visit.
#[derive(Clone, Copy, Default)]
pub(super) struct State {
    client: u32,
    /// One bit for each route of the client.
    visited: u64,
    pub(super) last: u32,
}

/// What one client's visits look like.
#[derive(Default)]
struct Order {
    routes: Vec<(u64, String)>,
    changes: Vec<Change>,
}

/// What came before one change.
struct Change {
    route: usize,
    visits: u16,
    before: [u16; ROUTES],
    teachers: Distinct<1>,
    /// Who lacked something before it twice or more, on the running day.
    lacking: Distinct<1>,
    day: u32,
}

/// Missing steps of a principal.
#[derive(Default)]
struct Missing {
    last: u32,
    count: u16,
    once: Once,
}

/// Steps out of order.
pub(super) struct Sequence {
    clients: Table<Order>,
    missing: Table<Missing>,
    beside: Table<State>,
}

impl Default for Sequence {
    fn default() -> Self {
        Self { clients: Table::new(512), missing: Table::new(50_000), beside: Table::new(BESIDE) }
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
        let route = seen.route.filter(|_| seen.is_ok())?;
        self.go_on(seen, principal, state);
        let order = self.clients.touch(seen.client, seen.now);
        let at = order.place(route, seen)?;
        let (visited, bit) = (state.visited, 1u64 << at);
        state.visited |= bit;
        if matches!(seen.request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
            return None;
        }
        let needed = order.needed(at, visited);
        // Repeats within a visit teach nothing.
        if visited & bit == 0 {
            order.learn(at, visited, principal);
        }
        let (needed, share) = needed?;
        let missing = self.missing.touch(principal, seen.now);
        if missing.count > 0 && seen.now.saturating_sub(missing.last) < RETRY {
            return None;
        }
        if seen.now.saturating_sub(missing.last) > DAY {
            missing.count = 0;
        }
        missing.last = seen.now;
        missing.count = missing.count.saturating_add(1);
        let times = f32::from(missing.count) / f32::from(MISSING);
        let lacking = if missing.count < 2 { 0 } else { order.lacking(at, seen.now, principal) };
        if times < 1.0 || lacking > LACKING || !missing.once.allows(seen.now, times) {
            return None;
        }
        let summary = format!(
            "{} did {} without {needed} {} times, no more than a day apart; {share} % of visits have it before",
            seen.name(),
            seen.shown_route(),
            missing.count
        );
        let facts = [
            ("missing_steps", json!(missing.count)),
            ("missing_steps_threshold", json!(MISSING)),
            ("needed", json!(needed)),
            ("visits_with_it_percent", json!(share)),
        ];
        Some(seen.sighting(Kind::Sequence, summary, facts.into()))
    }
}

// === impl Sequence (visits) ===

impl Sequence {
    /// Makes `state` the visit that the request belongs to.
    fn go_on(&mut self, seen: &Seen<'_>, principal: u64, state: &mut State) {
        let (client, now) = (seen.client as u32, seen.now);
        let mut visit = *state;
        if state.client != client {
            if state.is_on(now) {
                *self.beside.touch(hash::both(principal, state.client.into()), now) = *state;
            }
            visit =
                self.beside.peek(hash::both(principal, client.into())).copied().unwrap_or_default();
        }
        *state = if visit.is_on(now) { visit } else { State { client, ..State::default() } };
        state.last = now;
    }
}

// === impl State ===

impl State {
    const fn is_on(&self, now: u32) -> bool {
        now.saturating_sub(self.last) <= VISIT
    }
}

// === impl Order ===

impl Order {
    /// The route's bit; routes beyond the first sixty-four of a client are not followed.
    fn place(&mut self, route: u64, seen: &Seen<'_>) -> Option<usize> {
        if let Some(at) = self.routes.iter().position(|(known, _)| *known == route) {
            return Some(at);
        }
        if self.routes.len() >= ROUTES {
            return None;
        }
        self.routes.push((route, seen.shown_route()));
        Some(self.routes.len() - 1)
    }

    /// The missing route that most visits have before this change, and how many of a hundred.
    fn needed(&self, at: usize, visited: u64) -> Option<(String, u32)> {
        let change = self.changes.iter().find(|change| change.route == at)?;
        if change.visits < VISITS || change.teachers.count() < TEACHERS {
            return None;
        }
        let visits = u32::from(change.visits);
        let missing = change.before.iter().enumerate().filter(|(other, count)| {
            *other != at
                && visited & (1u64 << other) == 0
                && u32::from(**count) * 20 >= visits * OF_TWENTY
        });
        let (other, count) = missing.max_by_key(|(other, count)| (**count, ROUTES - other))?;
        let (_, name) = self.routes.get(other)?;
        Some((name.clone(), u32::from(*count) * 100 / visits))
    }

    /// How many principals lack something before this change today, with this one.
    fn lacking(&mut self, at: usize, now: u32, principal: u64) -> u32 {
        let Some(change) = self.changes.iter_mut().find(|change| change.route == at) else {
            return 0;
        };
        if now / DAY > change.day {
            change.day = now / DAY;
            change.lacking.clear();
        }
        change.lacking.add(principal);
        change.lacking.count()
    }

    fn learn(&mut self, at: usize, visited: u64, principal: u64) {
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
        change.visits += 1;
        change.teachers.add(principal);
        for (other, count) in change.before.iter_mut().enumerate() {
            *count += (visited >> other & 1) as u16;
        }
        // Old visits fade.
        if change.visits >= 10_000 {
            change.visits /= 2;
            change.before.iter_mut().for_each(|count| *count /= 2);
        }
    }
}

// === impl Change ===

impl Change {
    fn of(route: usize) -> Self {
        let (teachers, lacking) = (Distinct::default(), Distinct::default());
        Self { route, visits: 0, before: [0; ROUTES], teachers, lacking, day: 0 }
    }
}
