//! Since when each of a few things is known of somebody: a thing is strange for its first day.

use std::time::Duration;

use token::time::Timestamp;

const YOUNG: Duration = Duration::from_secs(24 * 3600);

/// At most `N` things, the one not seen for longest forgotten first.
#[derive(Clone, Debug)]
pub(super) struct Known<const N: usize>(Vec<Thing>);

#[derive(Clone, Copy, Debug)]
struct Thing {
    what: u64,
    first: Timestamp,
    last: Timestamp,
}

impl<const N: usize> Default for Known<N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

// === impl Known ===

impl<const N: usize> Known<N> {
    /// Notes a thing; whether it is strange, which nothing is to somebody first seen within a day.
    pub(super) fn note(&mut self, now: Timestamp, what: u64) -> bool {
        if let Some(held) = self.0.iter_mut().find(|held| held.what == what) {
            held.last = now;
            return now.since(held.first) < YOUNG && self.is_settled(now);
        }
        if self.0.len() >= N
            && let Some(oldest) = (0..N).min_by_key(|at| self.0.get(*at).map(|held| held.last))
        {
            self.0.swap_remove(oldest);
        }
        self.0.push(Thing { what, first: now, last: now });
        self.is_settled(now)
    }

    /// How many are held.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether anything is known for longer than a day.
    pub(super) fn is_settled(&self, now: Timestamp) -> bool {
        self.0.iter().any(|held| now.since(held.first) >= YOUNG)
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
        assert!(!known.note(at(80_000), 2), "its owner is as young");
        assert!(!known.note(at(90_000), 1));
        assert!(known.note(at(90_000), 2));
        assert!(!known.note(at(180_000), 2));
        assert!(known.note(at(180_001), 3));
        assert_eq!(known.len(), 2);
    }
}
