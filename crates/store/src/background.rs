//! Records that nobody waits for: bounded, written with whatever the writer commits next.

use std::sync::{Mutex, PoisonError};

use token::personal::Use;

use crate::error::StoreError;
use crate::issued::{self, IssuedToken};
use crate::personal;
use crate::sign_in::{self, FailedTry};
use crate::used::{self, Used};
use crate::writer::Act;

/// More records than this do not wait; at some 300 bytes each they hold less than 3 MB.
pub(crate) const WAITING_MAX: usize = 8192;

/// Something to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    FailedTry(FailedTry),
    Issued(IssuedToken),
    PersonalUse(Use),
    Used(Used),
}

/// The records that wait.
#[derive(Default)]
pub(crate) struct Background(Mutex<Vec<Record>>);

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
    pub(crate) fn push(&self, record: Record) -> Taken {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return Taken::Lost;
        }
        waiting.push(record);
        if waiting.len() == 1 { Taken::First } else { Taken::Waits }
    }

    /// Takes all out, in the order in which they came.
    pub(crate) fn drain(&self) -> Vec<Record> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether any waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether the next record is safe from being lost, with those of answers that are being made.
    pub(crate) fn has_room(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() < WAITING_MAX / 2
    }
}

// === impl Record ===

impl Record {
    /// Writes it.
    pub(crate) fn insert(&self, act: &Act<'_>) -> Result<(), StoreError> {
        match self {
            Self::FailedTry(tried) => sign_in::count(act.db, tried),
            Self::Issued(token) => issued::insert(act, token),
            Self::PersonalUse(used) => personal::keep_use(act, used),
            Self::Used(used) => used::insert(act, used),
        }
    }
}
