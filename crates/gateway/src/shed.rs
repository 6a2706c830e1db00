//! What is refused while the process has more to do than it can: the least trusted first.
//!
//! Overload is seen by what it does: a task that is due waits for its turn. Every worker looks a hundred times
//! a second how late it is called; the least delay of ten looks is the queue that stands (as CoDel has it,
//! RFC 8289 §3): a single hiccup is no overload. While that is above the target, severity grows, else it falls
//! half as fast. It sheds unknown callers first, in a growing share, then tokens that were taken back in part,
//! and tokens that are known to be good last. Nobody is shed wholly, so that a new token gets in by trying again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::refusal::Fault;

const SHED: &str = "tokenward_shed_total";
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Looks of which the least delay counts.
const LOOKS: u32 = 10;
/// Shares are counted in thousandths.
const WHOLE: u32 = 1000;
/// By how much severity grows with every delay above the target, and twice as much as it falls.
const STEP: u32 = 100;
/// Of each rank so much is shed at most.
const MOST_SHED: u32 = 900;

/// How far a caller is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    /// Nobody has verified a token of theirs yet, or they bring none.
    Unknown,
    /// Their token is good, and was taken back in part.
    Restricted,
    /// Their token is good.
    Known,
}

/// Decides who is refused, for all workers.
pub(crate) struct Shedder {
    /// `None`: nobody is.
    target: Option<Duration>,
    /// 0 for none, and [`WHOLE`] for each rank that is shed.
    severity: AtomicU32,
    /// What has added up of each rank: at [`WHOLE`], one is refused.
    owed: [AtomicU32; 3],
}

// === impl Shedder ===

impl Shedder {
    pub(crate) fn new(target: Option<Duration>) -> Self {
        metrics::describe_counter!(
            SHED,
            "Requests refused before any work because threads were late"
        );
        metrics::counter!(SHED).increment(0);
        Self { target, severity: AtomicU32::new(0), owed: Default::default() }
    }

    /// Lets a request go on, or refuses it before more work is done for it.
    ///
    /// # Errors
    /// [`Fault::Overloaded`].
    pub(crate) fn admit(&self, rank: Rank) -> Result<(), Fault> {
        let severity = self.severity.load(Ordering::Relaxed);
        if severity == 0 {
            return Ok(());
        }
        let share = severity.saturating_sub(rank as u32 * WHOLE).min(MOST_SHED);
        let owed = &self.owed[rank as usize];
        // Evenly, and without drawing numbers; that two threads may count one request twice does not matter.
        let before = owed.fetch_add(share, Ordering::Relaxed);
        if before + share < WHOLE {
            return Ok(());
        }
        owed.fetch_sub(WHOLE, Ordering::Relaxed);
        metrics::counter!(SHED).increment(1);
        Err(Fault::Overloaded)
    }

    /// Notes how long the standing queue of a worker is.
    pub(crate) fn observe(&self, delay: Duration) {
        let Some(target) = self.target else { return };
        let next = |severity: u32| {
            Some(match delay > target {
                true => (severity + STEP).min(3 * WHOLE),
                false => severity.saturating_sub(STEP / 2),
            })
        };
        let _ = self.severity.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// Looks how late this worker is called, for as long as this is polled; ends at once where nobody is shed.
    pub(crate) async fn watch(&self) {
        while self.target.is_some() {
            let mut least = Duration::MAX;
            for _ in 0..LOOKS {
                let due = Instant::now() + LOOK_EVERY;
                tokio::time::sleep_until(due).await;
                least = least.min(due.elapsed());
            }
            self.observe(least);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Rank, Shedder};

    const TARGET: Duration = Duration::from_millis(50);

    fn under(observations: u32) -> Shedder {
        let shedder = Shedder::new(Some(TARGET));
        (0..observations).for_each(|_| shedder.observe(TARGET * 2));
        shedder
    }

    fn shed(shedder: &Shedder, rank: Rank) -> usize {
        (0..100).filter(|_| shedder.admit(rank).is_err()).count()
    }

    #[test]
    fn the_least_trusted_go_first_and_nobody_wholly() {
        let ranks = [Rank::Unknown, Rank::Restricted, Rank::Known];
        let shares = |observations| ranks.map(|rank| shed(&under(observations), rank));
        assert_eq!(shares(0), [0, 0, 0]);
        assert_eq!(shares(5), [50, 0, 0]);
        assert_eq!(shares(15), [90, 50, 0]);
        assert_eq!(shares(25), [90, 90, 50]);
        assert_eq!(shares(1000), [90, 90, 90]);
    }

    #[test]
    fn it_ends_when_the_queue_is_gone() {
        let shedder = under(30);
        (0..60).for_each(|_| shedder.observe(TARGET));
        assert_eq!(shed(&shedder, Rank::Unknown), 0);
    }

    #[test]
    fn without_a_target_nothing_is_shed() {
        let shedder = Shedder::new(None);
        (0..100).for_each(|_| shedder.observe(Duration::from_secs(10)));
        assert_eq!(shed(&shedder, Rank::Unknown), 0);
    }
}
