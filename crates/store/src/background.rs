//! Records that nobody waits for: bounded, written with whatever the writer commits next.

use std::sync::{Mutex, PoisonError};

use crate::issued::IssuedToken;

/// More records than this do not wait; at some 300 bytes each they hold less than 3 MB.
pub(crate) const WAITING_MAX: usize = 8192;

/// The records that wait.
#[derive(Default)]
pub(crate) struct Background(Mutex<Vec<IssuedToken>>);

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is the first that waits: the writer must be told.
    First,
    /// Too many wait; it is lost.
    Lost,
    /// Others wait with it.
    Waits,
}

// === impl Background ===

impl Background {
    /// Takes one record in.
    pub(crate) fn push(&self, record: IssuedToken) -> Taken {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return Taken::Lost;
        }
        waiting.push(record);
        if waiting.len() == 1 { Taken::First } else { Taken::Waits }
    }

    /// Takes all out, in the order in which they came.
    pub(crate) fn drain(&self) -> Vec<IssuedToken> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether any waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
