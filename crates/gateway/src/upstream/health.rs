//! Whether a server gets requests, judged by those that it got and by
//! asking it. Shared by all threads, without a lock.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How long a server is left alone at first; twice as long every time that it fails again.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest that it is left alone.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// What is known of a server. Times are milliseconds since the upstream was built.
#[derive(Default)]
pub(crate) struct Health {
    /// Failures since the last success.
    failures: AtomicU32,
    /// How often it was left alone since the last success.
    rests: AtomicU32,
    /// Until when it is left alone; 0 when it is in use.
    out_until: AtomicU64,
    /// Whether it was asked and is not well.
    unwell: AtomicBool,
}

// === impl Health ===

impl Health {
    /// Whether it gets requests as others do.
    pub(crate) fn is_in(&self) -> bool {
        self.out_until.load(Ordering::Relaxed) == 0 && !self.unwell.load(Ordering::Relaxed)
    }

    /// Whether it was asked and is well, or was not asked.
    pub(crate) fn is_well(&self) -> bool {
        !self.unwell.load(Ordering::Relaxed)
    }

    /// Whether its rest is over and the caller is the one to try it; nobody else is within `window`.
    pub(crate) fn claim_trial(&self, now: u64, window: Duration) -> bool {
        let until = self.out_until.load(Ordering::Relaxed);
        if until == 0 || now < until || self.unwell.load(Ordering::Relaxed) {
            return false;
        }
        let next = now.saturating_add(millis(window)).max(1);
        self.out_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// It was asked. One that is well again needs no trial.
    pub(crate) fn probed(&self, well: bool) {
        self.unwell.store(!well, Ordering::Relaxed);
        if well {
            self.succeeded();
        }
    }

    /// A request got its answer. Returns whether the server comes back by that.
    pub(crate) fn succeeded(&self) -> bool {
        // Read before written: while all is well, threads share the line in their caches.
        let order = Ordering::Relaxed;
        if self.failures.load(order) == 0 && self.out_until.load(order) == 0 {
            return false;
        }
        self.failures.store(0, Ordering::Relaxed);
        self.rests.store(0, Ordering::Relaxed);
        self.out_until.swap(0, Ordering::Relaxed) != 0
    }

    /// A request failed, after which `fail_after` in a row are too many. Returns for how long the server
    /// is left alone from now on, if it is that. Requests that were under way before say nothing new of a
    /// server that is out; its trial does.
    pub(crate) fn failed(&self, now: u64, fail_after: u32, trial: bool) -> Option<Duration> {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let until = self.out_until.load(Ordering::Relaxed);
        if !(trial || until == 0 && failures >= fail_after) {
            return None;
        }
        let doublings = self.rests.load(Ordering::Relaxed).min(16);
        let rest = FIRST_REST.saturating_mul(1 << doublings).min(LONGEST_REST);
        let next = now.saturating_add(millis(rest)).max(1);
        let order = Ordering::Relaxed;
        self.out_until.compare_exchange(until, next, order, order).ok()?;
        self.rests.store(doublings + 1, Ordering::Relaxed);
        Some(rest)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Health;

    const WINDOW: Duration = Duration::from_secs(5);

    #[test]
    fn so_many_in_a_row_and_the_rest_grows() {
        let health = Health::default();
        assert_eq!(health.failed(0, 2, false), None);
        health.succeeded();
        assert_eq!(health.failed(0, 2, false), None, "not in a row");
        assert_eq!(health.failed(0, 2, false), Some(Duration::from_secs(1)));
        assert_eq!(health.failed(0, 2, false), None, "was under way before");
        let mut now = 1000;
        for expected in [2, 4, 8, 16, 32, 60, 60] {
            assert!(!health.claim_trial(now - 1, WINDOW), "rests until {now}");
            assert!(health.claim_trial(now, WINDOW));
            assert!(!health.claim_trial(now, WINDOW), "one at a time");
            let rest = health.failed(now, 2, true).expect("out again");
            assert_eq!(rest, Duration::from_secs(expected));
            now += expected * 1000;
        }
        assert!(health.claim_trial(now, WINDOW));
        assert!(health.succeeded() && health.is_in());
        assert!(!health.succeeded(), "is back already");
        health.failed(now, 2, false);
        assert_eq!(health.failed(now, 2, false), Some(Duration::from_secs(1)), "from the start");
    }

    #[test]
    fn a_trial_that_nobody_waits_for_is_made_again() {
        let health = Health::default();
        assert!(health.failed(0, 1, false).is_some());
        assert!(health.claim_trial(1000, WINDOW));
        assert!(!health.claim_trial(5999, WINDOW));
        assert!(health.claim_trial(6000, WINDOW));
    }
}
