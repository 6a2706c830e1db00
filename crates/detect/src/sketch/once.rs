//! One report of a thing, and another only when it has grown much or a day has passed.

const DAY_MINUTES: u32 = 24 * 60;

/// When a thing was reported, in minutes, and how bad it was then, in the lowest four bits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Once(u32);

// === impl Once ===

impl Once {
    /// Whether to report a thing of so many times its limit: at first, at each eightfold, and
    /// after a day.
    pub(crate) fn allows(&mut self, now: u32, times: f32) -> bool {
        let level = 1 + (times.clamp(1.0, 1e9).log2() / 3.0) as u32;
        if self.is_open(now) && level <= self.0 & 15 {
            return false;
        }
        self.0 = (now / 60) << 4 | level;
        true
    }

    /// Whether it was reported within the last day.
    pub(crate) const fn is_open(self, now: u32) -> bool {
        self.0 != 0 && (now / 60).saturating_sub(self.0 >> 4) < DAY_MINUTES
    }
}
