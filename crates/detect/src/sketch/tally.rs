//! Which of a few things happened lately, each with when: at most so many, the oldest forgotten first.

use std::collections::VecDeque;
use std::time::Duration;

use token::time::Timestamp;

/// The last `N` different things, in the order in which they came last.
#[derive(Clone, Debug)]
pub(crate) struct Tally<T, const N: usize>(VecDeque<(Timestamp, T)>);

impl<T, const N: usize> Default for Tally<T, N> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

// === impl Tally ===

impl<T: PartialEq, const N: usize> Tally<T, N> {
    /// Notes a thing; one that is held only becomes the newest.
    pub(crate) fn note(&mut self, now: Timestamp, thing: T) {
        if let Some(at) = self.0.iter().position(|(_, held)| *held == thing) {
            self.0.remove(at);
        }
        self.push(now, thing);
    }

    /// Adds a thing, even if it is held.
    pub(crate) fn push(&mut self, now: Timestamp, thing: T) {
        if self.0.len() >= N {
            self.0.pop_front();
        }
        self.0.push_back((now, thing));
    }

    /// Forgets a thing, however often it is held.
    pub(crate) fn forget(&mut self, thing: &T) {
        self.0.retain(|(_, held)| held != thing);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether the thing is held.
    pub(crate) fn contains(&self, thing: &T) -> bool {
        self.0.iter().any(|(_, held)| held == thing)
    }

    /// What is held and not older than `window`, oldest first.
    pub(crate) fn within(
        &self,
        now: Timestamp,
        window: Duration,
    ) -> impl Iterator<Item = (Timestamp, &T)> {
        let start = now.minus(window);
        self.0.iter().filter(move |(ts, _)| *ts >= start).map(|(ts, thing)| (*ts, thing))
    }

    /// What is held, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, thing)| thing)
    }

    /// When the last thing came.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.0.back().map(|(ts, _)| *ts)
    }

    /// How many are held.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token::time::Timestamp;

    use super::Tally;

    #[test]
    fn holds_the_last_different_things() {
        let at = Timestamp::from_secs;
        let mut tally = Tally::<&str, 2>::default();
        tally.note(at(0), "a");
        tally.note(at(1), "b");
        tally.note(at(2), "a");
        assert_eq!(tally.len(), 2);
        tally.note(at(3), "c");
        assert!(tally.contains(&"a") && !tally.contains(&"b"));
        let lately = tally.within(at(4), Duration::from_secs(1)).map(|(_, thing)| *thing);
        assert_eq!(lately.collect::<Vec<_>>(), ["c"]);
        tally.push(at(9), "c");
        assert_eq!(tally.len(), 2);
        tally.clear();
        assert_eq!(tally.len(), 0);
    }
}
