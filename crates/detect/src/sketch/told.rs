//! What was told already: one report of a thing, another when it has grown tenfold, and a new one
//! only after a day in which it did not happen.

use std::time::Duration;

use token::time::Timestamp;

const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);
const GROWN: u32 = 10;

/// When a thing happened last, and how large it was when it was told: never, if that is zero.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    last: Timestamp,
    size: u32,
}

// === impl Told ===

impl Told {
    /// Whether a thing of this size, which happens now, is news; it counts as told then.
    pub(crate) fn is_news(&mut self, now: Timestamp, size: u32) -> bool {
        let told = self.is_open(now).then_some(self.size);
        let news = told.is_none_or(|told| size >= told.saturating_mul(GROWN));
        let told = if news { size.max(1) } else { told.unwrap_or(1) };
        *self = Self { last: now, size: told };
        news
    }

    /// Something of it, to bring it near.
    pub(crate) fn read(self) -> u64 {
        self.last.as_millis() as u64
    }

    /// Whether it was told and has happened within the last day.
    pub(crate) fn is_open(self, now: Timestamp) -> bool {
        self.size > 0 && now.since(self.last) < FORGOTTEN
    }
}

#[cfg(test)]
mod tests {
    use token::time::Timestamp;

    use super::Told;

    #[test]
    fn news_is_the_first_the_tenfold_and_what_comes_after_a_quiet_day() {
        let at = Timestamp::from_secs;
        let mut told = Told::default();
        assert!(told.is_news(at(0), 5));
        assert!(!told.is_news(at(10), 49));
        assert!(told.is_news(at(20), 50));
        assert!(!told.is_news(at(80_000), 60));
        assert!(told.is_open(at(166_000)) && !told.is_open(at(167_000)));
        assert!(told.is_news(at(167_000), 1));
    }
}
