//! How long requests took, for operators: a histogram that two atomic additions fill and that never grows.
//!
//! The recorder of the other numbers keeps every sample until somebody collects them: 16 bytes for each request.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const NAME: &str = "tokenward_gateway_request_duration_seconds";
const HELP: &str = "Time from a request's head to the end of its answer";

/// Upper bounds of the buckets, each with how it is written in seconds.
const BOUNDS: [(Duration, &str); 14] = [
    (Duration::from_micros(250), "0.00025"),
    (Duration::from_micros(500), "0.0005"),
    (Duration::from_millis(1), "0.001"),
    (Duration::from_micros(2500), "0.0025"),
    (Duration::from_millis(5), "0.005"),
    (Duration::from_millis(10), "0.01"),
    (Duration::from_millis(25), "0.025"),
    (Duration::from_millis(50), "0.05"),
    (Duration::from_millis(100), "0.1"),
    (Duration::from_millis(250), "0.25"),
    (Duration::from_millis(500), "0.5"),
    (Duration::from_secs(1), "1"),
    (Duration::from_millis(2500), "2.5"),
    (Duration::from_secs(10), "10"),
];

/// Those of all gateways of this process, as all its numbers are.
static REQUESTS: Durations = Durations::new();

/// How long the requests took that this process's gateways have answered. Shown, it is a histogram in
/// Prometheus' text format 0.0.4.
pub fn requests() -> &'static Durations {
    &REQUESTS
}

/// A histogram of times.
pub struct Durations {
    /// By the first bound that holds each; the last for those that none holds.
    counts: [AtomicU64; BOUNDS.len() + 1],
    /// The sum, in microseconds.
    micros: AtomicU64,
}

// === impl Durations ===

impl Durations {
    const fn new() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; BOUNDS.len() + 1], micros: AtomicU64::new(0) }
    }

    /// Counts one.
    pub(crate) fn record(&self, took: Duration) {
        let held = BOUNDS.iter().position(|(bound, _)| took <= *bound).unwrap_or(BOUNDS.len());
        self.counts[held].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl fmt::Display for Durations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# HELP {NAME} {HELP}\n# TYPE {NAME} histogram")?;
        let mut all = 0;
        let bounds = BOUNDS.iter().map(|(_, seconds)| *seconds).chain(["+Inf"]);
        for (count, bound) in self.counts.iter().zip(bounds) {
            all += count.load(Ordering::Relaxed);
            writeln!(f, "{NAME}_bucket{{le=\"{bound}\"}} {all}")?;
        }
        let seconds = Duration::from_micros(self.micros.load(Ordering::Relaxed)).as_secs_f64();
        writeln!(f, "{NAME}_sum {seconds}\n{NAME}_count {all}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BOUNDS, Durations};

    #[test]
    fn each_is_counted_by_the_first_bound_that_holds_it() {
        let durations = Durations::new();
        for micros in [0, 250, 251, 9_999_999, 10_000_000, 10_000_001] {
            durations.record(Duration::from_micros(micros));
        }
        let page = durations.to_string();
        for line in [
            "_bucket{le=\"0.00025\"} 2\n",
            "_bucket{le=\"0.0005\"} 3\n",
            "_bucket{le=\"2.5\"} 3\n",
            "_bucket{le=\"10\"} 5\n",
            "_bucket{le=\"+Inf\"} 6\n",
            "_sum 30.000501\n",
            "_count 6\n",
        ] {
            assert!(page.contains(line), "{line} in {page}");
        }
    }

    #[test]
    fn bounds_rise_and_are_written_as_they_are() {
        assert!(BOUNDS.is_sorted_by(|(one, _), (next, _)| one < next));
        for (bound, seconds) in BOUNDS {
            assert_eq!(seconds.parse(), Ok(bound.as_secs_f64()));
        }
    }
}
