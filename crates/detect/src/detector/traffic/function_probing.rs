//! A principal that tries functions outside of its role: refused by many different routes.
//!
//! Counts different routes (method and template) that refused a verified principal: too little
//! scope, a rule, 403 or 405. A client that lacks a scope is refused by the same few routes again
//! and again, and so are all that use it: a route that refuses a fifth of a client's principals,
//! and at least three, is the client's fault and does not count. Five routes in an hour or eight
//! in a day are more than a menu that shows one entry too many. State: 40 bytes for each of
//! 100,000 principals that were refused, 40 for each of 16,384 routes of clients and 32 for each
//! of 4,096 clients.

use serde_json::json;
use token::reason::{Reason, Refused};

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const HOUR: u32 = 3600;
const DAY: u32 = 86_400;
/// Different routes in an hour.
const FAST: u32 = 5;
/// Different routes in a day.
const SLOW: u32 = 8;

/// Refusals of one principal.
#[derive(Default)]
struct Refusals {
    hour: u32,
    day: u32,
    routes: Distinct<1>,
    day_routes: Distinct<1>,
    once: Once,
}

/// Probing of functions.
pub(super) struct FunctionProbing {
    refusals: Table<Refusals>,
    refused_by: Table<Distinct<2>>,
    active: Table<Distinct<2>>,
}

impl Default for FunctionProbing {
    fn default() -> Self {
        Self {
            refusals: Table::new(100_000),
            refused_by: Table::new(16_384),
            active: Table::new(4096),
        }
    }
}

// === impl FunctionProbing ===

impl FunctionProbing {
    pub(super) fn observe(&mut self, seen: &Seen<'_>, principal: u64) -> Option<Sighting> {
        self.active.touch(seen.client, seen.now).add(principal);
        let route = seen.route?;
        let is_refused = match seen.request.refused {
            Some(Refused::Plain(reason)) => {
                matches!(reason, Reason::InsufficientScope | Reason::Policy)
            }
            None => matches!(seen.request.status, 403 | 405),
            Some(_) => false,
        };
        // A 403 for an object says something about the object.
        if !is_refused || (seen.request.refused.is_none() && seen.object.is_some()) {
            return None;
        }
        let active = self.active.peek(seen.client).map_or(0, Distinct::count);
        let refused = self.refused_by.touch(hash::both(seen.client, route), seen.now);
        refused.add(principal);
        if refused.count() >= 3.max(active / 5) {
            return None;
        }
        let refusals = self.refusals.touch(principal, seen.now);
        let (fast, slow) = refusals.add(seen.now, route);
        let times = (fast as f32 / FAST as f32).max(slow as f32 / SLOW as f32);
        if times < 1.0 || !refusals.once.allows(seen.now, times) {
            return None;
        }
        let summary = format!(
            "{} was refused by {fast} different routes within an hour and {slow} within a day, lately {}; \
             others of the client are not",
            seen.name(),
            seen.shown_route()
        );
        let facts = [
            ("routes_hour", json!(fast)),
            ("routes_hour_threshold", json!(FAST)),
            ("routes_day", json!(slow)),
            ("routes_day_threshold", json!(SLOW)),
        ];
        Some(seen.sighting(Kind::FunctionProbing, summary, facts.into()))
    }
}

// === impl Refusals ===

impl Refusals {
    fn add(&mut self, now: u32, route: u64) -> (u32, u32) {
        if now / HOUR > self.hour {
            self.hour = now / HOUR;
            self.routes.clear();
        }
        if now / DAY > self.day {
            self.day = now / DAY;
            self.day_routes.clear();
        }
        self.routes.add(route);
        self.day_routes.add(route);
        (self.routes.count(), self.day_routes.count())
    }
}
