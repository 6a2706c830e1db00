//! How often clients ask for what nobody has decided: who does not wait is told to wait longer (RFC 8628 §3.5).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use token::opaque::OpaqueHash;
use token::time::Timestamp;

/// What clients are told at first.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);
/// What is added for each time that one does not wait.
const PENALTY: Duration = Duration::from_secs(5);
/// Clocks and networks are not exact.
const TOLERANCE: Duration = Duration::from_millis(500);
/// Requests whose polls are remembered; when there are more, those not asked for lately are forgotten.
const MOST: usize = 65_536;
const LATELY: Duration = Duration::from_mins(2);

/// When each request was asked for.
#[derive(Default)]
pub(crate) struct Polls(Mutex<HashMap<OpaqueHash, Asked>>);

#[derive(Clone, Copy)]
struct Asked {
    at: Timestamp,
    interval: Duration,
}

/// Whether a poll came in time, and the seconds to wait from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Fine(u64),
    TooFast(u64),
}

// === impl Polls ===

impl Polls {
    /// Notes a poll.
    pub(crate) fn asked(&self, what: &OpaqueHash, now: Timestamp) -> Pace {
        let mut polls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if polls.len() >= MOST {
            polls.retain(|_, asked| now.since(asked.at) < LATELY);
        }
        let before = polls.get(what).copied();
        let interval = before.map_or(INTERVAL, |asked| asked.interval);
        let soon = before.is_some_and(|asked| now.since(asked.at) + TOLERANCE < asked.interval);
        let interval = if soon { interval + PENALTY } else { interval };
        if polls.len() < MOST {
            polls.insert(*what, Asked { at: now, interval });
        }
        let secs = interval.as_secs();
        if soon { Pace::TooFast(secs) } else { Pace::Fine(secs) }
    }
}

#[cfg(test)]
mod tests {
    use token::opaque::OpaqueHash;
    use token::time::Timestamp;

    use super::{Pace, Polls};

    #[test]
    fn who_does_not_wait_waits_longer() {
        let (polls, code) = (Polls::default(), OpaqueHash::of("code"));
        let at = |secs| polls.asked(&code, Timestamp::from_secs(secs));
        assert_eq!(at(0), Pace::Fine(5));
        assert_eq!(at(5), Pace::Fine(5));
        assert_eq!(at(7), Pace::TooFast(10));
        assert_eq!(at(12), Pace::TooFast(15));
        assert_eq!(at(27), Pace::Fine(15));
        assert_eq!(polls.asked(&OpaqueHash::of("other"), Timestamp::from_secs(27)), Pace::Fine(5));
    }
}
