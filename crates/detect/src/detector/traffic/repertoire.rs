//! A program that does more new things within an hour than in all its life before.
//!
//! A service does the same few things for as long as it lives, and a new version brings one or two more. Whoever holds
//! its secret looks around. So five routes that it never used, and more than all that it had used before, are told as
//! probing of functions, whether they were let through or not. It must be known for half a day, or have done nothing
//! new for three hours and twenty requests; people do new things every day, and are not looked at. Of a program that
//! was not seen in the half day before, five administrators' functions within its first hour are enough: a forgotten
//! account that wakes up is in strange hands. State: 112 bytes for each of 10,000 clients.

use serde_json::json;

use crate::detector::traffic::seen::{Facts, Seen};
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const PROGRAMS: usize = 10_000;
const HOUR: u32 = 3600;
const KNOWN: u32 = 12 * HOUR;
const NEW: u32 = 5;
/// So long, and for so many requests, nothing new: it has shown what it does.
const SETTLED: u32 = 3 * HOUR;
const REQUESTS: u32 = 20;

/// What one program does.
#[derive(Default)]
struct Program {
    routes: Distinct<2>,
    new: Distinct<2>,
    /// Administrators' functions, in its first hour.
    administration: Distinct<4>,
    /// When the first of the new ones came.
    since: u32,
    /// When it last learnt a route, and its requests since then.
    settled: u32,
    requests: u32,
    once: Once,
}

/// What programs do.
pub(super) struct Repertoire {
    programs: Table<Program>,
    /// When the first request of all came.
    began: u32,
}

impl Default for Repertoire {
    fn default() -> Self {
        Self { programs: Table::new(PROGRAMS), began: 0 }
    }
}

// === impl Repertoire ===

impl Repertoire {
    pub(super) fn observe(
        &mut self,
        seen: &Seen<'_>,
        principal: u64,
        first: u32,
    ) -> Option<Sighting> {
        if self.began == 0 {
            self.began = seen.now;
        }
        let route = seen.route.filter(|_| seen.is_own_client())?;
        let program = self.programs.touch(principal, seen.now);
        if !program.is_new(route, seen.now) {
            return None;
        }
        let (known, new) = (program.routes.count(), program.new.count());
        let is_fresh = seen.now.saturating_sub(first) < HOUR;
        if is_fresh && first.saturating_sub(self.began) >= KNOWN && seen.is_administration() {
            program.administration.add(route);
            let functions = program.administration.count();
            if functions >= NEW && program.once.allows(seen.now, 1.0) {
                return Some(awake(seen, functions));
            }
        }
        if new < NEW
            || new <= known
            || !(seen.now.saturating_sub(first) >= KNOWN || program.is_settled())
            || !program.once.allows(seen.now, 1.0)
        {
            return None;
        }
        let summary = format!(
            "{} used {new} routes within an hour that it never used, lately {}; it had used {known} before",
            seen.name(),
            seen.shown_route()
        );
        let facts = Facts::from([
            ("new_routes", json!(new)),
            ("new_routes_threshold", json!(NEW.max(known + 1))),
            ("routes_known", json!(known)),
            ("window_seconds", json!(HOUR)),
        ]);
        Some(seen.sighting(Kind::FunctionProbing, summary, facts))
    }
}

/// What is said of a program that begins with administrators' functions.
fn awake(seen: &Seen<'_>, functions: u32) -> Sighting {
    let summary = format!(
        "{}, of which nothing was seen before, used {functions} administrators' functions within its first hour, \
         lately {}",
        seen.name(),
        seen.shown_route()
    );
    let facts = Facts::from([
        ("administrators_functions", json!(functions)),
        ("administrators_functions_threshold", json!(NEW)),
        ("window_seconds", json!(HOUR)),
    ]);
    seen.sighting(Kind::FunctionProbing, summary, facts)
}

// === impl Program ===

impl Program {
    /// Whether the route is another new one.
    fn is_new(&mut self, route: u64, now: u32) -> bool {
        if self.new.count() > 0 && now.saturating_sub(self.since) >= HOUR {
            // What was told is learnt as well: it is told once, and the next is compared with it.
            self.routes = self.routes.with(&self.new);
            self.new.clear();
            (self.settled, self.requests) = (self.since, 0);
        }
        let mut routes = self.routes;
        if !routes.add(route) || !self.new.add(route) {
            self.requests = self.requests.saturating_add(1);
            return false;
        }
        if self.new.count() == 1 {
            self.since = now;
        }
        true
    }

    /// Whether the new routes come after a time without any.
    const fn is_settled(&self) -> bool {
        self.settled > 0
            && self.requests >= REQUESTS
            && self.since.saturating_sub(self.settled) >= SETTLED
    }
}
