//! Somebody who guesses what an API checks itself: vouchers, gift cards, one-time codes.
//!
//! The door lets each try through, and the API answers that it was wrong (400, 404, 409, 410, 422). People fail a few
//! times at a form, and a route that is broken fails for all. So: fifteen changes by one route that failed within a
//! day, three in four of all that somebody sent there since the first of them, or thirty and more than half, where at
//! least five others use the route and fail at most once in three; thirty where they fail more often, but twice each
//! on the average, of whom four failures each count. Personal tokens and API keys are made for programs, which fail as
//! often as they are run. State: 32 bytes for each of 8,192 principals and routes, 48 for each of 4,096 routes.

use serde_json::json;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const TRIERS: usize = 8_192;
const ROUTES: usize = 4_096;
const DAY: u32 = 86_400;
const FAILED: u32 = 15;
/// Others who use the route, and of how many of their tries one may fail.
const OTHERS: u32 = 5;
const SELDOM: u32 = 3;
/// Where more fail, so many times each on the average.
const FEW: u32 = 2;

/// Failures of one principal in a day that say something of the route.
const COUNTED: u32 = 4;

/// One principal on one route, for a day from the first failure on.
#[derive(Default)]
struct Tries {
    since: u32,
    failed: u32,
    done: u32,
    once: Once,
}

/// One route, by whomever.
#[derive(Default)]
struct Route {
    people: Distinct<1>,
    failed: u32,
    done: u32,
}

/// Guesses at what an API checks.
pub(super) struct FailedChanges {
    tries: Table<Tries>,
    routes: Table<Route>,
}

impl Default for FailedChanges {
    fn default() -> Self {
        Self { tries: Table::new(TRIERS), routes: Table::new(ROUTES) }
    }
}

// === impl FailedChanges ===

impl FailedChanges {
    /// Looks at a change.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, principal: u64) -> Option<Sighting> {
        let request = seen.request;
        let is_program = request.token_kind.is_for_programs();
        if request.refused.is_some() || is_program || seen.is_of_client() {
            return None;
        }
        let is_failed = matches!(request.status, 400 | 404 | 409 | 410 | 422);
        if !is_failed && request.status >= 400 {
            return None;
        }
        let key = hash::both(seen.client, seen.route?);
        let route = self.routes.touch(key, seen.now);
        route.people.add(principal);
        let key = hash::both(key, principal);
        if !is_failed {
            route.done = route.done.saturating_add(1);
            // Only whoever failed has a share of what was done.
            if self.tries.peek(key).is_some() {
                let tries = self.tries.touch(key, seen.now);
                tries.done = tries.done.saturating_add(1);
            }
            return None;
        }
        let tries = self.tries.touch(key, seen.now);
        if seen.now.saturating_sub(tries.since) > DAY {
            *tries = Tries { since: seen.now, once: tries.once, ..Tries::default() };
        }
        tries.failed = tries.failed.saturating_add(1);
        // Else one who guesses would make it look broken for the next.
        route.failed = route.failed.saturating_add((tries.failed <= COUNTED).into());
        let others_failed = route.failed.saturating_sub(tries.failed.min(COUNTED));
        let others_done = route.done.saturating_sub(tries.done);
        let others = route.people.count().saturating_sub(1);
        let all_others = others_failed.saturating_add(others_done);
        let wanted = match () {
            () if others_failed.saturating_mul(SELDOM) <= all_others => FAILED,
            () if others_failed <= others.saturating_mul(FEW) => FAILED * 2,
            () => return None,
        };
        // Whoever guesses what many have, such as vouchers, finds some.
        let is_most = tries.failed >= tries.done.saturating_mul(3)
            || tries.failed >= wanted.max(FAILED * 2) && tries.failed > tries.done;
        if tries.failed < wanted
            || !is_most
            || others < OTHERS
            || !tries.once.allows(seen.now, tries.failed as f32 / FAILED as f32)
        {
            return None;
        }
        let summary = format!(
            "{} failed {} times within a day at {}, and {} were done; of {others} others {others_failed} of {} failed: \
             somebody may guess what is checked there",
            seen.name(),
            tries.failed,
            seen.shown_route(),
            tries.done,
            all_others
        );
        let facts = [
            ("failed", json!(tries.failed)),
            ("threshold", json!(wanted)),
            ("done", json!(tries.done)),
            ("others", json!(others)),
            ("others_failed", json!(others_failed)),
            ("others_done", json!(others_done)),
        ];
        Some(seen.sighting(Kind::Enumeration, summary, facts.into()))
    }
}
