//! Where letters are handed over.

use std::sync::Arc;

use token::time::Timestamp;

use crate::letter::Letter;
use crate::mailbox::Mailbox;

/// Where letters wait until a server has taken them.
pub trait Queue: Send + Sync {
    /// Takes a letter that is worth nothing any more at `until`; never waits.
    fn keep(&self, letter: Letter, until: Timestamp, now: Timestamp);

    /// What became of letters since the start.
    fn counts(&self) -> Counts;
}

/// Where letters are handed over. A clone is the same one.
#[derive(Clone)]
pub struct Outbox(Arc<Way>);

enum Way {
    Mailbox(Mailbox),
    None,
    Queue(Arc<dyn Queue>),
}

/// What became of letters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// A server has taken them.
    pub sent: u64,
    /// Nobody has: too many waited, or a server refused them for good, or for too long.
    pub lost: u64,
}

// === impl Outbox ===

impl Outbox {
    /// No letters are sent.
    pub fn none() -> Self {
        Self(Arc::new(Way::None))
    }

    /// Letters are kept in memory.
    pub fn mailbox() -> Self {
        Self(Arc::new(Way::Mailbox(Mailbox::default())))
    }

    /// Letters are sent; whoever takes them out of the queue sees to that.
    pub fn queue(queue: Arc<dyn Queue>) -> Self {
        Self(Arc::new(Way::Queue(queue)))
    }

    /// Whether letters reach anybody.
    pub fn is_open(&self) -> bool {
        !matches!(*self.0, Way::None)
    }

    /// Hands a letter over that is worth nothing any more at `until`; never waits.
    pub fn post(&self, letter: Letter, until: Timestamp, now: Timestamp) {
        match &*self.0 {
            Way::None => {}
            Way::Mailbox(mailbox) => mailbox.keep(letter, now),
            Way::Queue(queue) => queue.keep(letter, until, now),
        }
    }

    /// The letters that are kept; `None` where they are sent.
    pub fn kept(&self) -> Option<&Mailbox> {
        match &*self.0 {
            Way::Mailbox(mailbox) => Some(mailbox),
            Way::None | Way::Queue(_) => None,
        }
    }

    /// What became of letters that were to be sent.
    pub fn counts(&self) -> Counts {
        match &*self.0 {
            Way::Queue(queue) => queue.counts(),
            Way::Mailbox(_) | Way::None => Counts::default(),
        }
    }
}
