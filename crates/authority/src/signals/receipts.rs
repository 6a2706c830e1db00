//! Which security events of others were taken, and which are being taken right now: none is acknowledged before it
//! was followed, however often it comes meanwhile.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use token::replay::{UsedName, UsedOnce};
use token::time::Timestamp;

/// What is remembered of events.
pub(crate) struct Receipts {
    taken: UsedOnce,
    under_way: Mutex<HashSet<[u8; 16]>>,
}

/// The right to follow an event. Without [`Receipt::done`] it counts as never taken, also when whoever has pushed it
/// goes away in the middle.
pub(crate) struct Receipt<'r> {
    receipts: &'r Receipts,
    name: UsedName,
    done: bool,
}

/// Why an event is not to be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was taken.
    Taken,
    /// It is being followed, and nobody knows yet whether that will succeed.
    UnderWay,
}

// === impl Receipts ===

impl Receipts {
    /// For events that are refused for other reasons once they are older than `life`.
    pub(crate) fn new(life: Duration) -> Self {
        Self { taken: UsedOnce::new(life), under_way: Mutex::default() }
    }

    /// Begins to take an event.
    ///
    /// # Errors
    /// [`Seen`] when that is done, or is being done.
    pub(crate) fn begin(&self, name: &UsedName, now: Timestamp) -> Result<Receipt<'_>, Seen> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.contains(name.as_bytes()) {
            return Err(Seen::UnderWay);
        }
        if !self.taken.first_use(name, now) {
            return Err(Seen::Taken);
        }
        under_way.insert(*name.as_bytes());
        Ok(Receipt { receipts: self, name: name.clone(), done: false })
    }

    /// One that an earlier run has taken.
    pub(crate) fn resume(&self, name: &UsedName, now: Timestamp) {
        self.taken.first_use(name, now);
    }
}

// === impl Receipt ===

impl Receipt<'_> {
    /// It was followed.
    pub(crate) fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Receipt<'_> {
    fn drop(&mut self) {
        let mut under_way = self.receipts.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.done {
            self.receipts.taken.forget(&self.name);
        }
        under_way.remove(self.name.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token::replay::UsedName;
    use token::time::Timestamp;

    use super::{Receipts, Seen};

    #[test]
    fn an_event_is_taken_once_and_only_when_it_was_followed() {
        let (receipts, now) = (Receipts::new(Duration::from_secs(60)), Timestamp::from_secs(9));
        let name = UsedName::of(["https://idp.example", "e1"]);
        let first = receipts.begin(&name, now).expect("new");
        assert_eq!(receipts.begin(&name, now).err(), Some(Seen::UnderWay));
        let other = UsedName::of(["https://idp.example", "e2"]);
        assert!(receipts.begin(&other, now).is_ok(), "others do not wait for it");
        drop(first);
        let second = receipts.begin(&name, now).expect("it was not followed");
        second.done();
        assert_eq!(receipts.begin(&name, now).err(), Some(Seen::Taken));
        receipts.resume(&other, now);
        assert_eq!(receipts.begin(&other, now).err(), Some(Seen::Taken));
    }
}
