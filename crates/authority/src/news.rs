//! Waiting for the restriction log to grow.

use std::time::Duration;

use token::index::RestrictionIndex;
use tokio::sync::watch;

use crate::state::Authority;

/// A lift calls no listener: it is noticed a little later.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// In place of a position: nobody is to wait any more.
const STOPPING: u64 = u64::MAX;

/// Tells those who wait that a restriction was written.
pub(crate) struct News(watch::Sender<u64>);

// === impl News ===

impl News {
    pub(crate) fn of(index: &RestrictionIndex) -> Self {
        let (sender, _) = watch::channel(0);
        let told = sender.clone();
        index.on_restriction(move |restriction| {
            told.send_if_modified(|newest| {
                let stopping = *newest == STOPPING;
                if !stopping {
                    *newest = restriction.seq;
                }
                !stopping
            });
        });
        Self(sender)
    }

    /// Sends everybody home who waits, and lets nobody wait again: a process that stops would
    /// otherwise stay for the longest of them.
    pub(crate) fn stop(&self) {
        self.0.send_replace(STOPPING);
    }

    /// Whether nobody is to wait any more.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.borrow() == STOPPING
    }

    /// Waits until the log is longer than `after`, at most for `most`.
    pub(crate) async fn wait(&self, authority: &Authority, after: u64, most: Duration) {
        let index = authority.store().index();
        let mut news = self.0.subscribe();
        let grown = async {
            while index.last_seq() <= after && *news.borrow_and_update() != STOPPING {
                let _ = tokio::time::timeout(LOOK_EVERY, news.changed()).await;
            }
        };
        let _ = tokio::time::timeout(most, grown).await;
    }
}
