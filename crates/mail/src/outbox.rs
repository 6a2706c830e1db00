//! Where letters are handed over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use token::time::Timestamp;
use tokio::sync::mpsc::{self, Sender};

use crate::courier::{self, Courier};
use crate::letter::Letter;
use crate::mailbox::Mailbox;
use crate::smtp::{BadSmtp, Carrier, Smtp};

/// Letters that can be handed over while the courier is busy; with those that it holds itself, no more than
/// twice as many wait.
const QUEUE: usize = 500;

/// Where letters are handed over. A clone is the same one.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Way>);

#[derive(Debug)]
enum Way {
    Mailbox(Mailbox),
    None,
    Smtp { queue: Sender<Letter>, tally: Arc<Tally> },
}

/// What became of letters, counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    sent: AtomicU64,
    lost: AtomicU64,
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

    /// Letters are sent by SMTP; the courier has to run for that.
    ///
    /// # Errors
    /// [`BadSmtp`] names the setting that cannot be used.
    pub fn smtp(settings: &Smtp) -> Result<(Self, Courier), BadSmtp> {
        let carrier = Carrier::new(settings)?;
        let (queue, letters) = mpsc::channel(QUEUE);
        let tally = Arc::new(Tally::default());
        let courier = Courier::new(carrier, letters, Arc::clone(&tally), &courier::PAUSES);
        Ok((Self(Arc::new(Way::Smtp { queue, tally })), courier))
    }

    /// Whether letters reach anybody.
    pub fn is_open(&self) -> bool {
        !matches!(*self.0, Way::None)
    }

    /// Hands a letter over; never waits. Where it cannot be taken it is counted and lost.
    pub fn post(&self, letter: Letter, now: Timestamp) {
        match &*self.0 {
            Way::None => {}
            Way::Mailbox(mailbox) => mailbox.keep(letter, now),
            Way::Smtp { queue, tally } => {
                if queue.try_send(letter).is_err() {
                    tally.lose();
                    tracing::error!("a letter is lost: too many wait for the mail server");
                }
            }
        }
    }

    /// The letters that are kept; `None` where they are sent.
    pub fn kept(&self) -> Option<&Mailbox> {
        match &*self.0 {
            Way::Mailbox(mailbox) => Some(mailbox),
            Way::None | Way::Smtp { .. } => None,
        }
    }

    /// What became of letters that were to be sent.
    pub fn counts(&self) -> Counts {
        match &*self.0 {
            Way::Smtp { tally, .. } => tally.counts(),
            Way::Mailbox(_) | Way::None => Counts::default(),
        }
    }
}

// === impl Tally ===

impl Tally {
    pub(crate) fn send(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts { sent: read(&self.sent), lost: read(&self.lost) }
    }
}
