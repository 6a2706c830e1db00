//! Since when each of a few things is known of somebody: a thing is strange for its first day. People take days to show
//! which devices and networks are theirs, so nothing is strange to somebody who is known for less than three. It may be
//! sudden: first seen in the last hour, and an hour or more after its owner.

use std::time::Duration;

use smallvec::SmallVec;
use token::time::Timestamp;

const YOUNG: Duration = Duration::from_secs(24 * 3600);
const SUDDEN: Duration = Duration::from_secs(3600);
const SETTLED: Duration = Duration::from_secs(72 * 3600);

/// At most `N` things, the one not seen for longest forgotten first.
#[derive(Clone, Debug)]
pub(super) struct Known<const N: usize> {
    /// Of the owner and not of a thing: whoever crowds out what is known makes nobody young again. The first thing's
    /// time, so that it says nothing while there are none.
    since: Timestamp,
    /// Most have one.
    things: SmallVec<[Thing; 1]>,
}

#[derive(Clone, Copy, Debug)]
struct Thing {
    what: u64,
    first: Timestamp,
    last: Timestamp,
}

impl<const N: usize> Default for Known<N> {
    fn default() -> Self {
        Self { since: Timestamp::default(), things: SmallVec::new() }
    }
}

// === impl Known ===

impl<const N: usize> Known<N> {
    /// Notes a thing; whether it is strange, which nothing is to somebody who has not settled.
    pub(super) fn note(&mut self, now: Timestamp, what: u64) -> bool {
        if self.things.is_empty() {
            self.since = now;
        }
        if let Some(held) = self.things.iter_mut().find(|held| held.what == what) {
            held.last = now;
            return now.since(held.first) < YOUNG && self.is_settled(now);
        }
        if self.things.len() >= N
            && let Some(oldest) = (0..N).min_by_key(|at| self.things.get(*at).map(|held| held.last))
        {
            self.things.swap_remove(oldest);
        }
        self.things.push(Thing { what, first: now, last: now });
        self.is_settled(now)
    }

    /// Whether a thing that is held is sudden, whether its owner has settled or not.
    pub(super) fn is_sudden(&self, now: Timestamp, what: u64) -> bool {
        let held = self.things.iter().find(|held| held.what == what);
        held.is_some_and(|held| {
            now.since(held.first) < SUDDEN && held.first.since(self.since) >= SUDDEN
        })
    }

    /// Whether a thing that is held was first seen in the last hour.
    pub(super) fn is_young(&self, now: Timestamp, what: u64) -> bool {
        self.first(what).is_some_and(|first| now.since(first) < SUDDEN)
    }

    /// Whether the thing is held.
    pub(super) fn holds(&self, what: u64) -> bool {
        self.things.iter().any(|held| held.what == what)
    }

    /// Since when the thing is held.
    pub(super) fn first(&self, what: u64) -> Option<Timestamp> {
        self.things.iter().find(|held| held.what == what).map(|held| held.first)
    }

    /// Something of it, to bring it near.
    pub(super) const fn read(&self) -> u64 {
        self.since.as_millis() as u64
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// How many are held.
    pub(super) fn len(&self) -> usize {
        self.things.len()
    }

    /// Whether the owner is known for so long.
    pub(super) fn is_known_for(&self, now: Timestamp, long: Duration) -> bool {
        !self.things.is_empty() && now.since(self.since) >= long
    }

    /// Whether the owner is known for three days.
    pub(super) fn is_settled(&self, now: Timestamp) -> bool {
        self.is_known_for(now, SETTLED)
    }
}

#[cfg(test)]
mod tests {
    use token::time::Timestamp;

    use super::Known;

    #[test]
    fn a_thing_is_strange_for_a_day_to_whom_others_are_known() {
        let at = Timestamp::from_secs;
        let mut known = Known::<2>::default();
        assert!(!known.note(at(0), 1));
        assert!(!known.note(at(250_000), 2), "its owner is young as well");
        assert!(!known.note(at(260_000), 1));
        assert!(known.note(at(260_000), 2));
        assert!(!known.note(at(350_000), 2));
        assert!(!known.note(at(350_000), 1));
        assert!(known.note(at(350_001), 3));
        assert_eq!(known.len(), 2);
    }

    #[test]
    fn what_comes_after_the_first_hour_is_sudden_for_an_hour() {
        let at = Timestamp::from_secs;
        let mut known = Known::<4>::default();
        known.note(at(0), 1);
        known.note(at(3000), 2);
        known.note(at(4000), 3);
        assert!(!known.is_sudden(at(4000), 1) && !known.is_sudden(at(4000), 2));
        assert!(known.is_sudden(at(4000), 3) && known.is_sudden(at(7000), 3));
        assert!(!known.is_sudden(at(7600), 3) && !known.is_sudden(at(4000), 4));
    }
}
