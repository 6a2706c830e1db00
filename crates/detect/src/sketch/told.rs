//! What was told already: one report of a thing, and another when it has grown tenfold or after a day.

use std::time::Duration;

use token::time::Timestamp;

const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);
const GROWN: u32 = 10;

/// When a thing was told last, and how large it was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told(Option<(Timestamp, u32)>);

// === impl Told ===

impl Told {
    /// Whether a thing of this size is news; it counts as told then.
    pub(crate) fn is_news(&mut self, now: Timestamp, size: u32) -> bool {
        let news = match self.0 {
            Some((last, before)) if now.since(last) < FORGOTTEN => {
                size >= before.saturating_mul(GROWN)
            }
            _ => true,
        };
        if news {
            self.0 = Some((now, size.max(1)));
        }
        news
    }

    /// Whether it was told within the last day.
    pub(crate) fn is_open(self, now: Timestamp) -> bool {
        self.0.is_some_and(|(last, _)| now.since(last) < FORGOTTEN)
    }
}

#[cfg(test)]
mod tests {
    use token::time::Timestamp;

    use super::Told;

    #[test]
    fn news_is_the_first_the_tenfold_and_the_next_day() {
        let at = Timestamp::from_secs;
        let mut told = Told::default();
        assert!(told.is_news(at(0), 5));
        assert!(!told.is_news(at(10), 49));
        assert!(told.is_news(at(20), 50));
        assert!(told.is_open(at(86_000)) && !told.is_open(at(90_000)));
        assert!(told.is_news(at(90_000), 1));
    }
}
