//! The most that somebody has done in one window, with limits on how fast that may grow.
//!
//! A peak and not a mean: a nightly export is a habit although most hours are empty, so that the
//! season needs no table of hours. It fades by 4 % a day, so that a week keeps three quarters of it.

const DAY: u32 = 86_400;
const FADE: f32 = 0.96;
/// After the first day a peak grows at most by half in one window: whoever wants to teach a tenfold
/// habit needs several windows, each of which may be reported.
const GROWTH: f32 = 1.5;

/// A peak and when it was last renewed. When its owner was first seen is known to whoever holds it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habit {
    peak: f32,
    last: u32,
}

// === impl Habit ===

impl Habit {
    /// Learns the value of a window that has ended; the owner was first seen at `first`.
    pub(crate) fn learn(&mut self, first: u32, now: u32, value: f32, floor: f32) {
        let most = if is_known(first, now) { (self.peak * GROWTH).max(floor) } else { f32::MAX };
        self.renew(now, value.min(most));
    }

    /// Learns a value that was reported: by a tenth, so that an attack teaches little and a lasting
    /// change is no news after a day.
    pub(crate) fn learn_little(&mut self, now: u32, value: f32) {
        self.renew(now, value.min(self.peak * 1.1));
    }

    fn renew(&mut self, now: u32, value: f32) {
        let days = now.saturating_sub(self.last) as f32 / DAY as f32;
        if self.last != 0 && days > 0.0 {
            self.peak *= FADE.powf(days);
        }
        self.peak = self.peak.max(value);
        self.last = now;
    }

    /// The peak.
    pub(crate) const fn peak(&self) -> f32 {
        self.peak
    }
}

/// Whether what was seen covers a day: before that, a night's work cannot be known.
pub(crate) const fn is_known(first: u32, now: u32) -> bool {
    now.saturating_sub(first) >= DAY
}

#[cfg(test)]
mod tests {
    use super::{DAY, Habit};

    #[test]
    fn a_peak_is_learnt_at_once_at_first_and_by_halves_later() {
        let mut habit = Habit::default();
        habit.learn(10, 10, 500.0, 1.0);
        habit.learn(10, 10 + DAY, 100_000.0, 1.0);
        assert!((700.0..=750.0).contains(&habit.peak()), "{}", habit.peak());
        habit.learn(10, 10 + 8 * DAY, 1.0, 1.0);
        assert!((500.0..600.0).contains(&habit.peak()), "{}", habit.peak());
        habit.learn_little(10 + 8 * DAY, 100_000.0);
        assert!(habit.peak() < 660.0, "{}", habit.peak());
    }
}
