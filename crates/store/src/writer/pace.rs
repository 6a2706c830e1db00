//! How long a commit waits for more acts: not at all for a caller who is alone.
//!
//! Callers who were answered by the commit before mostly come back with their next act. Where there are
//! several, a commit waits for as many as are expected, but never for long: a sync to disk for each of
//! them would cost more, themselves as well.

use std::thread;
use std::time::Duration;

/// For each act that is expected.
const EACH: Duration = Duration::from_micros(100);
/// At most.
const LONGEST: Duration = Duration::from_millis(2);
/// Whoever sleeps need not be woken for every act; so often one looks.
const LOOKS: u32 = 4;

/// What the commits so far tell about the next.
#[derive(Default)]
pub(super) struct Pace {
    /// Acts of the commit before.
    before: usize,
}

// === impl Pace ===

impl Pace {
    /// Waits until as many acts are there as are expected, or for as long as that is worth. `others`
    /// came during the commit before.
    pub(super) fn gather<T>(
        &mut self,
        others: usize,
        acts: &mut Vec<T>,
        mut take: impl FnMut(&mut Vec<T>),
    ) {
        let expected = self.expected(others);
        let slice = (EACH * u32::try_from(expected).unwrap_or(u32::MAX)).min(LONGEST) / LOOKS;
        for _ in 0..LOOKS {
            if acts.len() >= expected {
                break;
            }
            thread::sleep(slice);
            take(acts);
        }
        self.before = acts.len();
    }

    /// How many acts the next commit is likely to have.
    fn expected(&self, others: usize) -> usize {
        if self.before > 1 || others > 0 { self.before + others } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    /// One commit: so many acts are there, so many come at each look; how many it has, and the looks.
    fn commit(pace: &mut Pace, others: usize, first: usize, later: usize) -> (usize, usize) {
        let (mut acts, mut looks) = (vec![(); first], 0);
        pace.gather(others, &mut acts, |acts| {
            looks += 1;
            acts.extend(vec![(); later]);
        });
        (acts.len(), looks)
    }

    #[test]
    fn who_is_alone_never_waits() {
        let mut pace = Pace::default();
        for _ in 0..5 {
            assert_eq!(commit(&mut pace, 0, 1, 0), (1, 0));
        }
    }

    #[test]
    fn several_callers_come_to_share_commits() {
        let mut pace = Pace::default();
        assert_eq!(commit(&mut pace, 0, 1, 0), (1, 0));
        // The second came during the first one's commit, and the first comes back.
        assert_eq!(commit(&mut pace, 1, 1, 1), (2, 1));
        assert_eq!(commit(&mut pace, 0, 1, 1), (2, 1));
    }

    #[test]
    fn one_who_does_not_come_back_is_waited_for_once() {
        let mut pace = Pace::default();
        assert_eq!(commit(&mut pace, 0, 20, 0), (20, 0));
        assert_eq!(commit(&mut pace, 0, 1, 0), (1, 4));
        assert_eq!(commit(&mut pace, 0, 1, 0), (1, 0));
    }
}
