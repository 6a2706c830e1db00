//! Slowing down who knows a password and guesses the code behind it: each failure makes the next wait
//! longer, up to a bound.
//!
//! A code has a million values, so that beside the counts of single places there is one of all places
//! where the person never signed in. It can make a new browser wait, which is why recovery codes, which
//! nobody guesses, are counted apart: with one of those, or in a browser that is known, nobody is kept out.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use token::id::SubjectId;
use token::time::Timestamp;

use super::{MAX_COUNTS, Place, Throttled, network};

/// Failures are forgiven when there was none for so long.
const FORGIVEN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// How waits grow.
#[derive(Clone, Copy, Debug)]
struct Slope {
    /// So many failures are free.
    free: u32,
    /// The wait after the next; it doubles with each.
    first: Duration,
    /// But not beyond.
    longest: Duration,
}

/// From one place.
const PER_PLACE: Slope =
    Slope { free: 5, first: Duration::from_secs(30), longest: Duration::from_secs(3600) };
/// From all places that are not known together: a hundred tries a day, of a million codes three of which
/// are good at a time.
const PER_PERSON: Slope =
    Slope { free: 20, first: Duration::from_secs(30), longest: Duration::from_secs(15 * 60) };

/// What is guessed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guess<'a> {
    /// The code of somebody's application.
    Code(&'a SubjectId),
    /// Somebody's recovery code.
    Recovery(&'a SubjectId),
}

/// Counts of failures.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    hasher: RandomState,
    counts: Mutex<HashMap<u64, Count>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Count {
    failures: u32,
    last: Timestamp,
}

/// A try that was let through and counted beforehand as a failure.
#[derive(Debug)]
#[must_use]
pub(crate) struct Charged {
    place: u64,
    person: Option<u64>,
}

// === impl Guesses ===

impl Guesses {
    /// Counts one try.
    ///
    /// # Errors
    /// [`Throttled`] when it comes too early; nothing is counted then.
    pub(crate) fn begin(
        &self,
        guess: Guess<'_>,
        from: Place<'_>,
        now: Timestamp,
    ) -> Result<Charged, Throttled> {
        let (kind, subject) = match guess {
            Guess::Code(subject) => ("code", subject),
            Guess::Recovery(subject) => ("recovery", subject),
        };
        let place = match from.known_browser {
            Some(browser) => self.hasher.hash_one((kind, subject, "browser", browser)),
            None => self.hasher.hash_one((kind, subject, "network", network(from.ip))),
        };
        let counts_all = from.known_browser.is_none() && matches!(guess, Guess::Code(_));
        let person = counts_all.then(|| self.hasher.hash_one((kind, subject)));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let next_place = PER_PLACE.next(counts.get(&place), now)?;
        let next_person =
            person.map(|key| PER_PERSON.next(counts.get(&key), now).map(|count| (key, count)));
        counts.extend(next_person.transpose()?);
        counts.insert(place, next_place);
        if counts.len() > MAX_COUNTS {
            forget(&mut counts, now);
        }
        Ok(Charged { place, person })
    }

    /// The code was right: the place starts anew, and the person's count gets this try back.
    pub(crate) fn succeeded(&self, charged: Charged) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&charged.place);
        give_back(&mut counts, charged.person);
    }

    /// Nothing was found out about the code.
    pub(crate) fn withdrawn(&self, charged: Charged) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        give_back(&mut counts, Some(charged.place));
        give_back(&mut counts, charged.person);
    }
}

fn give_back(counts: &mut HashMap<u64, Count>, key: Option<u64>) {
    if let Some(count) = key.and_then(|key| counts.get_mut(&key)) {
        count.failures = count.failures.saturating_sub(1);
    }
}

// === impl Slope ===

impl Slope {
    fn next(self, count: Option<&Count>, now: Timestamp) -> Result<Count, Throttled> {
        let held = count.copied().filter(|count| now.since(count.last) < FORGIVEN_AFTER);
        let Some(held) = held else { return Ok(Count { failures: 1, last: now }) };
        let due = held.last.plus(self.wait(held.failures));
        if due > now {
            let wait = due.since(now).max(Duration::from_secs(1));
            return Err(Throttled { wait });
        }
        Ok(Count { failures: held.failures.saturating_add(1), last: now })
    }

    fn wait(self, failures: u32) -> Duration {
        match failures.checked_sub(self.free) {
            None => Duration::ZERO,
            Some(beyond) => {
                let factor = 1u32.checked_shl(beyond).unwrap_or(u32::MAX);
                self.first.saturating_mul(factor).min(self.longest)
            }
        }
    }
}

/// Makes room: first what is forgiven, then the half with the fewest failures.
fn forget(counts: &mut HashMap<u64, Count>, now: Timestamp) {
    counts.retain(|_, count| now.since(count.last) < FORGIVEN_AFTER);
    if counts.len() > MAX_COUNTS / 2 {
        let mut all: Vec<Count> = counts.values().copied().collect();
        let middle = all.len() / 2;
        let (_, median, _) = all.select_nth_unstable(middle);
        let median = *median;
        counts.retain(|_, count| *count > median);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token::id::SubjectId;
    use token::time::Timestamp;

    use super::{Guess, Guesses, MAX_COUNTS};
    use crate::login::throttle::Place;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_790_000_000 + seconds)
    }

    fn from(ip: &str) -> Place<'static> {
        Place { ip: ip.parse().ok(), known_browser: None }
    }

    fn wait(guesses: &Guesses, guess: Guess<'_>, place: Place<'_>, now: i64) -> u64 {
        guesses.begin(guess, place, at(now)).err().map_or(0, |throttled| throttled.wait.as_secs())
    }

    #[test]
    fn each_failure_makes_the_next_wait_longer_up_to_an_hour() {
        let (guesses, alice) = (Guesses::default(), SubjectId::from("alice"));
        let known = Place { ip: None, known_browser: Some("b1") };
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..16 {
            let wait = wait(&guesses, Guess::Code(&alice), known, now);
            waits.push(wait);
            now += i64::try_from(wait).expect("seconds");
            if wait > 0 {
                assert!(guesses.begin(Guess::Code(&alice), known, at(now)).is_ok());
            }
        }
        assert_eq!(waits[..5], [0; 5]);
        assert_eq!(waits[5..], [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]);
        assert_eq!(wait(&guesses, Guess::Code(&alice), known, now + 24 * 3600), 0, "forgiven");
        assert_eq!(wait(&guesses, Guess::Code(&alice), known, now + 24 * 3600), 0);
    }

    #[test]
    fn guesses_from_everywhere_are_slowed_down_together() {
        let (guesses, alice) = (Guesses::default(), SubjectId::from("alice"));
        let hour = 3600;
        let tried = |n: i64| {
            let ip = format!("198.51.{}.{}", n / 250, n % 250);
            guesses.begin(Guess::Code(&alice), from(&ip), at(n * hour / 1000)).is_ok()
        };
        let let_through = (0..1000).filter(|n| tried(*n)).count();
        assert!(let_through < 30, "{let_through} of a thousand networks in an hour");
    }

    #[test]
    fn nobody_is_kept_out_of_a_known_browser_or_from_their_recovery_codes() {
        let (guesses, alice) = (Guesses::default(), SubjectId::from("alice"));
        for n in 0..200u8 {
            let _ = guesses.begin(Guess::Code(&alice), from(&format!("198.51.100.{n}")), at(0));
            let _ = guesses.begin(Guess::Code(&alice), from("192.0.2.1"), at(0));
        }
        assert!(wait(&guesses, Guess::Code(&alice), from("192.0.2.1"), 0) > 0);
        let known = Place { known_browser: Some("b1"), ..from("192.0.2.1") };
        assert_eq!(wait(&guesses, Guess::Code(&alice), known, 0), 0);
        assert_eq!(wait(&guesses, Guess::Recovery(&alice), from("192.0.2.1"), 0), 0);
        assert_eq!(wait(&guesses, Guess::Code(&"bob".into()), from("192.0.2.1"), 0), 0);
    }

    #[test]
    fn a_success_starts_anew_and_what_found_out_nothing_costs_nothing() {
        let (guesses, alice) = (Guesses::default(), SubjectId::from("alice"));
        let begin = || guesses.begin(Guess::Code(&alice), from("192.0.2.1"), at(0));
        for _ in 0..50 {
            guesses.withdrawn(begin().expect("let through"));
        }
        for _ in 0..4 {
            let _ = begin().expect("let through");
        }
        guesses.succeeded(begin().expect("let through"));
        for _ in 0..5 {
            let _ = begin().expect("let through");
        }
        assert_eq!(begin().err().map(|throttled| throttled.wait), Some(Duration::from_secs(30)));
    }

    #[test]
    fn memory_is_bounded_and_the_worst_are_remembered_longest() {
        let (guesses, alice) = (Guesses::default(), SubjectId::from("alice"));
        let known = Place { ip: None, known_browser: Some("b1") };
        for _ in 0..5 {
            let _ = guesses.begin(Guess::Code(&alice), known, at(0));
        }
        for n in 0..70_000 {
            let person = SubjectId::from(format!("p{n}"));
            let _ = guesses.begin(Guess::Recovery(&person), from("192.0.2.1"), at(1));
        }
        assert!(guesses.counts.lock().expect("lock").len() <= MAX_COUNTS);
        assert_eq!(wait(&guesses, Guess::Code(&alice), known, 1), 29);
    }
}
