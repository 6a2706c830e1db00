//! A person who takes four different steps within half a second: a bot that buys before people can read.
//!
//! A page may send a change or two by itself; who fills a cart, prices it and pays takes time. Four changes that
//! succeeded by different routes within half a second are a program's, where thirty people change something with the
//! client and one in ten of them at most does that: else it is how the client works. Personal tokens and API keys are
//! made for programs. State: 80 bytes for each of 4,096 principals, 56 for each of 4,096 clients.

use serde_json::json;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const PRINCIPALS: usize = 4_096;
const CLIENTS: usize = 4_096;
const STEPS: usize = 4;
/// In milliseconds.
const WITHIN: i64 = 500;
const PEOPLE: u32 = 30;
const SHARE: u32 = 10;

/// The last steps of one principal.
#[derive(Clone, Default)]
struct Run {
    principal: u64,
    steps: [Step; STEPS],
    once: Once,
}

/// When something was changed by a route last.
#[derive(Clone, Copy, Default)]
struct Step {
    route: u64,
    ms: i64,
}

/// People who change something with a client, and those who are as quick as a program.
#[derive(Default)]
struct People {
    all: Distinct<4>,
    quick: Distinct<1>,
}

/// People who are too quick.
pub(super) struct QuickChanges {
    /// Of whoever was there last: two may take each other's place, which costs less than to look for it.
    runs: Vec<Run>,
    clients: Table<People>,
}

impl Default for QuickChanges {
    fn default() -> Self {
        Self { runs: vec![Run::default(); PRINCIPALS], clients: Table::new(CLIENTS) }
    }
}

// === impl QuickChanges ===

impl QuickChanges {
    /// Looks at a change.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, principal: u64) -> Option<Sighting> {
        let request = seen.request;
        let is_program = request.token_kind.is_for_programs();
        if !seen.is_ok() || is_program || seen.is_of_client() {
            return None;
        }
        let people = self.clients.touch(seen.client, seen.now);
        people.all.add(principal);
        let run = self.runs.get_mut(principal as usize % PRINCIPALS)?;
        if run.principal != principal {
            *run = Run { principal, ..Run::default() };
        }
        let steps = run.take(Step { route: seen.route?, ms: seen.event.ts.as_millis() });
        if steps < STEPS {
            return None;
        }
        people.quick.add(principal);
        let (all, quick) = (people.all.count(), people.quick.count());
        if all < PEOPLE || quick * SHARE > all || !run.once.allows(seen.now, 1.0) {
            return None;
        }
        let summary = format!(
            "{} took {steps} different steps within half a second, lately {}; of {all} people of this client {quick} \
             did that",
            seen.name(),
            seen.shown_route()
        );
        let facts = [
            ("steps", json!(steps)),
            ("threshold", json!(STEPS)),
            ("window_milliseconds", json!(WITHIN)),
            ("people", json!(all)),
            ("people_who_do_that", json!(quick)),
        ];
        Some(seen.sighting(Kind::Automation, summary, facts.into()))
    }
}

// === impl Run ===

impl Run {
    /// How many different steps were taken lately, with this one.
    fn take(&mut self, now: Step) -> usize {
        let same = self.steps.iter().position(|step| step.route == now.route);
        let oldest = || (0..STEPS).min_by_key(|at| self.steps[*at].ms).unwrap_or_default();
        let at = same.unwrap_or_else(oldest);
        self.steps[at] = now;
        let lately = |step: &&Step| now.ms.saturating_sub(step.ms) <= WITHIN;
        self.steps.iter().filter(lately).count()
    }
}
