//! Somebody who tries injections: refused for them again and again, with different ones.
//!
//! Counts different attempts (path, class and size of the body), so that an author who saves the
//! same text about SQL ten times has tried once. By principal; and by network, for attempts
//! without a token and for those that change tokens: where many people share an address, each
//! writes texts of their own, so that named attempts count there from twelve. Rules that only
//! observe count as well. State: 56 bytes for each of 50,000 principals and networks.

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

/// Attempts of one principal or network.
#[derive(Default)]
struct Attempts {
    fast_window: u32,
    slow_window: u32,
    fast: Distinct<1>,
    slow: Distinct<1>,
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
        let attempt =
            hash::both(hash::both(hash::text(&request.path), hash::text(class)), request.bytes_in);
        let named = seen.principal.map(|principal| {
            let attempts = self.attempts.touch(hash::both(1, principal), seen.now);
            let found = attempts.add(seen.now, attempt, (FAST_COUNT, SLOW_COUNT));
            found.map(|count| {
                seen.sighting(
                    Kind::InjectionProbing,
                    words(&seen.name(), class, count),
                    facts(count),
                )
            })
        });
        let (space, limits) = match seen.principal {
            Some(_) => (2, SHARED),
            None => (3, (FAST_COUNT, SLOW_COUNT)),
        };
        let by_network = seen.network.zip(seen.event.ip).and_then(|(network, ip)| {
            let attempts = self.attempts.touch(hash::both(space, network), seen.now);
            let count = attempts.add(seen.now, attempt, limits)?;
            Some(Sighting {
                kind: Kind::InjectionProbing,
                actor: network::actor(ip),
                whom: Whom { ip: Some(ip), ..Whom::default() },
                summary: words(&ip.to_string(), class, count),
                facts: facts(count),
            })
        });
        named.flatten().or(by_network)
    }
}

// === impl Attempts ===

impl Attempts {
    /// How many different ones within ten minutes and a day, when it is to be reported.
    fn add(&mut self, now: u32, attempt: u64, limits: (u32, u32)) -> Option<(u32, u32)> {
        if now / FAST > self.fast_window {
            self.fast_window = now / FAST;
            self.fast.clear();
        }
        if now / SLOW > self.slow_window {
            self.slow_window = now / SLOW;
            self.slow.clear();
        }
        self.fast.add(attempt);
        self.slow.add(attempt);
        let count = (self.fast.count(), self.slow.count());
        let times = (count.0 as f32 / limits.0 as f32).max(count.1 as f32 / limits.1 as f32);
        (times >= 1.0 && self.once.allows(now, times)).then_some(count)
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
