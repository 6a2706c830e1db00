//! Pauses between requests, and how little they differ.

use serde_json::json;

use crate::detector::traffic::seen::{Facts, Seen};

/// Mean deviation of a pause, in parts of the pause. People are above a half.
const REGULAR: f32 = 0.12;
/// Shorter pauses are one page that loads its parts, in seconds.
pub(super) const SHORTEST: f32 = 0.3;
/// Longer ones begin a new run, in seconds.
pub(super) const LONGEST: f32 = 1800.0;
/// In seconds: what comes more seldom is a monitor, or a job.
pub(super) const LONG: f32 = 600.0;
/// An event that came later than one of after it, by at most so many hundredths of a second, is of the same moment.
const LATE: i32 = 6000;

/// The mean pause of a run in seconds, and how far pauses are from it.
#[derive(Clone, Default)]
pub(super) struct Clock {
    pub(super) mean: f32,
    pub(super) deviation: f32,
}

// === impl Clock ===

impl Clock {
    /// Takes the pause that is the so manieth of its run: at first the mean of all, later of the last thirty.
    pub(super) fn take(&mut self, pause: f32, pauses: u16) {
        let weight = 1.0 / f32::from(pauses.clamp(1, 30));
        self.mean += (pause - self.mean) * weight;
        self.deviation += ((pause - self.mean).abs() - self.deviation) * weight;
    }

    pub(super) fn is_regular(&self) -> bool {
        self.is_within(REGULAR)
    }

    pub(super) fn is_within(&self, part: f32) -> bool {
        self.deviation < part * self.mean
    }

    /// The sentence's "every 15.0 s, 2 % more or less".
    pub(super) fn told(&self) -> String {
        let percent = 100.0 * self.deviation / self.mean;
        format!("every {:.1} s, {percent:.0} % more or less", self.mean)
    }

    pub(super) fn facts(&self, pauses: u16, threshold: u16) -> Facts {
        Facts::from([
            ("pause_seconds", json!(self.mean)),
            ("deviation_seconds", json!(self.deviation)),
            ("deviation_threshold", json!(REGULAR)),
            ("pauses", json!(pauses)),
            ("pauses_threshold", json!(threshold)),
        ])
    }
}

/// When the request was, in hundredths of a second, as far as the number goes.
pub(super) fn hundredths(seen: &Seen<'_>) -> u32 {
    (seen.event.ts.as_millis() / 10) as u32
}

/// Seconds from one to the other.
pub(super) fn between(last: u32, now: u32) -> f32 {
    let gone = now.wrapping_sub(last);
    if (-LATE..0).contains(&(gone as i32)) { 0.0 } else { gone as f32 / 100.0 }
}
