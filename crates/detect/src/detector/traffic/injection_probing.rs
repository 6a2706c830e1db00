//! Somebody who tries injections: refused for them again and again, with different ones.
//!
//! Counts different attempts (path, class and size of the body), so that an author who saves the
//! same text about SQL ten times has tried once. An event does not hold the query, so that what
//! comes without a body cannot be told apart: it counts each time once two classes were seen, since
//! one text is of one class, and otherwise as a third. By principal; and by network, for attempts
//! without a token and for those that change tokens: where many people share an address, each
//! writes texts of their own, so that named attempts count there from twelve. Rules that only
//! observe count as well. State: 72 bytes for each of 50,000 principals and networks.

use serde_json::json;
use token::finding::Whom;
use token::reason::Refused;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting, network};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const FAST: u32 = 600;
const SLOW: u32 = 86_400;
/// Different attempts in ten minutes.
const FAST_COUNT: u32 = 5;
/// Different attempts in a day.
const SLOW_COUNT: u32 = 8;
/// Different attempts of an address by named principals, in ten minutes and in a day.
const SHARED: (u32, u32) = (12, 24);

/// So many without a body, all of one class, are as good as one more.
const BLIND: u32 = 3;

/// One attempt.
#[derive(Clone, Copy)]
struct Attempt {
    what: u64,
    class: u64,
    /// It had no body, so that another text looks the same.
    is_blind: bool,
}

/// Attempts of one principal or network.
#[derive(Default)]
struct Attempts {
    fast_window: u32,
    slow_window: u32,
    fast: Distinct<1>,
    slow: Distinct<1>,
    fast_blind: u16,
    slow_blind: u16,
    classes: Distinct<1>,
    once: Once,
}

/// Tries of injections.
pub(super) struct InjectionProbing {
    attempts: Table<Attempts>,
}

impl Default for InjectionProbing {
    fn default() -> Self {
        Self { attempts: Table::new(50_000) }
    }
}

// === impl InjectionProbing ===

impl InjectionProbing {
    pub(super) fn observe(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let request = seen.request;
        let refused = request.refused.as_ref().or(request.would_refuse.as_ref());
        let Some(Refused::Injection(class)) = refused else { return None };
        let class_number = hash::text(class);
        let attempt = Attempt {
            what: hash::both(hash::both(hash::text(&request.path), class_number), request.bytes_in),
            class: class_number,
            is_blind: request.bytes_in == 0,
        };
        if let Some(principal) = seen.principal {
            let attempts = self.attempts.touch(hash::both(1, principal), seen.now);
            let found = attempts.add(seen.now, attempt, (FAST_COUNT, SLOW_COUNT));
            // What was said of the principal is not said again of the address that it has.
            if attempts.once.is_open(seen.now) {
                return found.map(|count| {
                    let summary = words(&seen.name(), class, count);
                    seen.sighting(Kind::InjectionProbing, summary, facts(count))
                });
            }
        }
        let (space, limits) = match seen.principal {
            Some(_) => (2, SHARED),
            None => (3, (FAST_COUNT, SLOW_COUNT)),
        };
        let (network, ip) = seen.network.zip(seen.event.ip)?;
        let attempts = self.attempts.touch(hash::both(space, network), seen.now);
        let count = attempts.add(seen.now, attempt, limits)?;
        Some(Sighting {
            kind: Kind::InjectionProbing,
            actor: network::actor(ip),
            whom: Whom { ip: Some(ip), ..Whom::default() },
            summary: words(&ip.to_string(), class, count),
            facts: facts(count),
        })
    }
}

// === impl Attempts ===

impl Attempts {
    /// How many different ones within ten minutes and a day, when it is to be reported.
    fn add(&mut self, now: u32, attempt: Attempt, limits: (u32, u32)) -> Option<(u32, u32)> {
        if now / FAST > self.fast_window {
            self.fast_window = now / FAST;
            self.fast.clear();
            self.fast_blind = 0;
        }
        if now / SLOW > self.slow_window {
            self.slow_window = now / SLOW;
            self.slow.clear();
            self.slow_blind = 0;
            self.classes.clear();
        }
        self.fast.add(attempt.what);
        self.slow.add(attempt.what);
        if attempt.is_blind {
            self.fast_blind = self.fast_blind.saturating_add(1);
            self.slow_blind = self.slow_blind.saturating_add(1);
            self.classes.add(attempt.class);
        }
        let parts = if self.classes.count() >= 2 { 1 } else { BLIND };
        let blind = |count: u16| u32::from(count) / parts;
        let fast = self.fast.count().max(blind(self.fast_blind));
        let slow = self.slow.count().max(blind(self.slow_blind));
        let times = (fast as f32 / limits.0 as f32).max(slow as f32 / limits.1 as f32);
        (times >= 1.0 && self.once.allows(now, times)).then_some((fast, slow))
    }
}

fn words(who: &str, class: &str, (fast, slow): (u32, u32)) -> String {
    format!(
        "{who} was refused for {fast} different injections within ten minutes and {slow} within a day, \
         lately `{class}`"
    )
}

fn facts((fast, slow): (u32, u32)) -> super::seen::Facts {
    [("attempts_ten_minutes", json!(fast)), ("attempts_day", json!(slow))].into()
}
