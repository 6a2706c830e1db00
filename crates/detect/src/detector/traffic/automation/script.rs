//! A library that nobody gave a name of their own, with a person's token, by a clock.
//!
//! An app polls one route by a clock, and a page on a wall does; where the people of a client have an app, a library
//! is none, whatever it asks for. Sixty pauses in a row that hardly differ, by a library that fewer than three of at
//! least thirty people of the client use; what telephones' applications are built with may be one of these. State: 40
//! bytes for each of 4,096 principals, 32 for each of 4,096 libraries of clients.

use crate::detector::traffic::automation::clock::{self, Clock, LONG, LONGEST, SHORTEST};
use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting, is_library};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::table::Table;

/// Pauses in a row.
const PAUSES: u16 = 60;
/// What applications of telephones are built with, and sometimes call themselves.
const APPS: [&str; 3] = ["okhttp", "Dart", "CFNetwork"];
/// People that a client needs before a library is none of its own.
const PEOPLE: u32 = 30;
/// People from whom on it is.
const COMMON: u32 = 3;

/// Libraries with people's tokens.
pub(super) struct Scripts {
    runs: Table<Run>,
    users: Table<Distinct<1>>,
}

/// One person's library.
#[derive(Default)]
struct Run {
    /// Hundredths of a second, as far as the number goes.
    last: u32,
    clock: Clock,
    pauses: u16,
}

impl Default for Scripts {
    fn default() -> Self {
        Self { runs: Table::new(4096), users: Table::new(4096) }
    }
}

// === impl Scripts ===

impl Scripts {
    /// Looks at a request of one of so many people; how many pauses were alike, when it is a script's.
    pub(super) fn take(&mut self, seen: &Seen<'_>, subject: u64, people: u32) -> Option<Script> {
        let ua = seen.event.ua.as_deref().filter(|_| is_library(seen.event))?;
        if seen.is_of_client() || APPS.iter().any(|app| ua.starts_with(app)) {
            return None;
        }
        let library = hash::without_digits(ua);
        let users = self.users.touch(hash::both(seen.client, library), seen.now);
        users.add(subject);
        let is_rare = people >= PEOPLE && users.count() < COMMON;
        let run = self.runs.touch(hash::both(subject, library), seen.now);
        run.take(seen);
        let is_regular = run.pauses >= PAUSES && run.clock.is_regular() && run.clock.mean < LONG;
        (is_rare && is_regular).then(|| Script { clock: run.clock.clone(), pauses: run.pauses })
    }
}

/// What is told.
pub(super) struct Script {
    clock: Clock,
    pauses: u16,
}

// === impl Script ===

impl Script {
    pub(super) fn sighting(&self, seen: &Seen<'_>) -> Sighting {
        let library = seen.event.ua.as_deref().unwrap_or("a library");
        let summary = format!(
            "{} asks {}, {} times in a row, by {library}, which hardly anybody of this client uses",
            seen.name(),
            self.clock.told(),
            self.pauses
        );
        seen.sighting(Kind::Automation, summary, self.clock.facts(self.pauses, PAUSES))
    }
}

// === impl Run ===

impl Run {
    fn take(&mut self, seen: &Seen<'_>) {
        let now = clock::hundredths(seen);
        let pause = clock::between(self.last, now);
        // What is asked at once, or came late.
        if pause < SHORTEST {
            return;
        }
        if pause > LONGEST {
            *self = Self { last: now, ..Self::default() };
            return;
        }
        self.last = now;
        self.pauses = self.pauses.saturating_add(1);
        self.clock.take(pause, self.pauses);
    }
}
