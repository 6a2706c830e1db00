//! One change after the other by the clock: a bot that reserves, redeems or posts.
//!
//! Apps send changes of their own by a clock too, such as where a courier is, or what is being written; then most who
//! send them do it by the clock. So: forty-five pauses in a row that hardly differ, of ten seconds to ten minutes,
//! between changes by one route, where eight people make that change with the client, and one in five of them at most
//! was regular for twelve. Personal tokens and API keys are made for programs, and a device that says so by its
//! User-Agent goes by a clock. State: 40 bytes for each of 16,384 principals, 56 for each of 4,096 routes.

use token::user_agent;

use crate::detector::traffic::automation::clock::{self, Clock, LONG};
use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting, is_library};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const PRINCIPALS: usize = 16_384;
const ROUTES: usize = 4_096;
/// Pauses in a row, and so many that are enough to count among those who do it.
const PAUSES: u16 = 45;
const SOME: u16 = 12;
/// In seconds: shorter ones are a program's that was told to send much. Longer ones than [`LONG`] begin a new run.
const SHORTEST: f32 = 10.0;
const PEOPLE: u32 = 8;
/// What applications of telephones are made with.
const APPS: [&str; 3] = ["CFNetwork", "Darwin", "okhttp"];
const SHARE: u32 = 5;

/// The last changes of one principal by one route.
#[derive(Clone, Default)]
struct Run {
    key: u64,
    last: u32,
    clock: Clock,
    pauses: u16,
    once: Once,
}

/// People who make a change, and those who do it by a clock.
#[derive(Default)]
struct People {
    all: Distinct<2>,
    regular: Distinct<2>,
}

/// Changes by the clock.
pub(in crate::detector::traffic) struct Changes {
    /// Of whoever was there last: two may take each other's place, which costs less than to look for it.
    runs: Vec<Run>,
    routes: Table<People>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { runs: vec![Run::default(); PRINCIPALS], routes: Table::new(ROUTES) }
    }
}

// === impl Changes ===

impl Changes {
    /// Looks at a change.
    pub(in crate::detector::traffic) fn observe(
        &mut self,
        seen: &Seen<'_>,
        principal: u64,
    ) -> Option<Sighting> {
        let request = seen.request;
        if request.refused.is_some() || request.token_kind.is_for_programs() || seen.is_of_client()
        {
            return None;
        }
        let route = hash::both(seen.client, seen.route?);
        let people = self.routes.touch(route, seen.now);
        people.all.add(principal);
        let key = hash::both(route, principal);
        let run = self.runs.get_mut(key as usize % PRINCIPALS)?;
        if run.key != key {
            *run = Run { key, ..Run::default() };
        }
        run.take(clock::hundredths(seen));
        if run.pauses < SOME || !run.clock.is_regular() || run.clock.mean < SHORTEST {
            return None;
        }
        people.regular.add(principal);
        let (all, regular) = (people.all.count(), people.regular.count());
        if run.pauses < PAUSES
            || all < PEOPLE
            || regular * SHARE > all
            || is_device(seen)
            || !run.once.allows(seen.now, 1.0)
        {
            return None;
        }
        let summary = format!(
            "{} did {} {}, {} times in a row; of {all} people who do that with this client {regular} did it by a clock",
            seen.name(),
            seen.shown_route(),
            run.clock.told(),
            run.pauses
        );
        let mut facts = run.clock.facts(run.pauses, PAUSES);
        facts.insert("people", all.into());
        facts.insert("people_who_do_that", regular.into());
        Some(seen.sighting(Kind::Automation, summary, facts))
    }
}

/// Whether the program says that it is no browser, no telephone's or computer's, and no library: a device.
fn is_device(seen: &Seen<'_>) -> bool {
    let is_app = |ua: &str| APPS.iter().any(|sign| ua.contains(sign));
    let is_other =
        |ua: &str| !ua.starts_with("Mozilla/") && user_agent::system(ua).is_none() && !is_app(ua);
    seen.event.ua.as_deref().is_some_and(is_other) && !is_library(seen.event)
}

// === impl Run ===

impl Run {
    fn take(&mut self, now: u32) {
        let pause = clock::between(self.last, now);
        // An event that came late.
        if pause <= 0.0 {
            return;
        }
        self.last = now;
        if pause > LONG {
            (self.clock, self.pauses) = (Clock::default(), 0);
            return;
        }
        self.pauses = self.pauses.saturating_add(1);
        self.clock.take(pause, self.pauses);
    }
}
