//! Whom and what detectors are believed less about, because people said that they were wrong.

use std::collections::HashMap;

use token::time::Timestamp;

/// Doubts, by detector and by whom or what they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tolerances(HashMap<(String, String), Vec<Doubt>>);

/// How much less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// How often the confidence is halved.
    pub halvings: u32,
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
}

/// A confidence is halved no more often: a detector is never quite disbelieved.
pub const MOST_HALVINGS: u32 = 2;

// === impl Tolerances ===

impl Tolerances {
    /// Adds one: `about` is `subject:u1`, `client:c1`, `ip:192.0.2.7` or `route:GET /orders`.
    pub fn add(&mut self, detector: &str, about: &str, doubt: Doubt) {
        self.0.entry((detector.to_owned(), about.to_owned())).or_default().push(doubt);
    }

    /// How often a confidence is halved at that time: the most of what is about one of these.
    pub(super) fn halvings(&self, detector: &str, about: &[&str], now: Timestamp) -> u32 {
        if self.0.is_empty() {
            return 0;
        }
        let doubts = about
            .iter()
            .filter_map(|about| self.0.get(&(detector.to_owned(), (*about).to_owned())))
            .flatten();
        let held = doubts.filter(|doubt| doubt.from <= now && now < doubt.until);
        held.map(|doubt| doubt.halvings.min(MOST_HALVINGS)).max().unwrap_or(0)
    }
}
