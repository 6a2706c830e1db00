//! Letters that are not sent but kept, for a machine of one's own and for tests.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use token::time::Timestamp;

use crate::letter::Letter;

/// The newest so many are kept.
const MOST: usize = 200;

/// The letters, in memory alone.
#[derive(Debug, Default)]
pub struct Mailbox(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    letters: VecDeque<Kept>,
    taken: u64,
}

/// A letter that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number, from 1.
    pub id: u64,
    /// When it was posted.
    pub at: Timestamp,
    /// The letter.
    pub letter: Letter,
}

// === impl Mailbox ===

impl Mailbox {
    /// Keeps one; the oldest goes when there are too many.
    pub(crate) fn keep(&self, letter: Letter, at: Timestamp) {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inside.taken += 1;
        let id = inside.taken;
        inside.letters.push_back(Kept { id, at, letter });
        if inside.letters.len() > MOST {
            inside.letters.pop_front();
        }
    }

    /// The newest first, those with a number below `before`.
    pub fn newest(&self, before: Option<u64>, limit: usize) -> Vec<Kept> {
        let inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let older = |kept: &&Kept| before.is_none_or(|before| kept.id < before);
        inside.letters.iter().rev().filter(older).take(limit).cloned().collect()
    }

    /// The one of this number, while it is kept.
    pub fn find(&self, id: u64) -> Option<Kept> {
        let inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inside.letters.iter().find(|kept| kept.id == id).cloned()
    }
}
