//! Security events that their receiver fetches (RFC 8936): kept until they are acknowledged.

use std::time::Duration;

use store::{Delivery, StoreError};
use token::id::DeliveryId;
use tokio::sync::{Notify, Semaphore};

use super::Stream;
use crate::state::Authority;

/// Events of one answer.
pub(crate) const MOST_EVENTS: usize = 100;
/// Proxies give up on silent connections after a minute.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Events that somebody has tried again are heard of this much later.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Requests of one receiver that wait at the same time; a further one is answered at once.
const WAITING: usize = 4;
/// Of what a receiver says of an event, so much is kept.
const MOST_WORDS: usize = 200;

/// Those who wait for events.
pub(crate) struct Fetching {
    fresh: Notify,
    /// For each stream, in their order.
    places: Vec<(String, Semaphore)>,
}

/// What a receiver asks for (§2.2).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Poll {
    /// How many events at most.
    pub(crate) most: Option<usize>,
    /// Whether to answer at once where there is none.
    pub(crate) immediately: bool,
    /// Events that were taken, by their `jti`.
    pub(crate) taken: Vec<String>,
    /// Events that are refused, and why.
    pub(crate) refused: Vec<(String, String)>,
}

/// What a receiver gets (§2.3).
#[derive(Debug, Default)]
pub(crate) struct Polled {
    /// Events by their `jti`, the oldest first.
    pub(crate) events: Vec<(DeliveryId, String)>,
    /// Whether there are more.
    pub(crate) more: bool,
}

// === impl Fetching ===

impl Fetching {
    pub(crate) fn of(streams: &[Stream]) -> Self {
        let fetched = streams.iter().filter(|stream| stream.fetched_with.is_some());
        let places = fetched.map(|stream| (stream.name.clone(), Semaphore::new(WAITING))).collect();
        Self { fresh: Notify::new(), places }
    }

    /// Says that there may be something new.
    pub(super) fn wake(&self) {
        self.fresh.notify_waiters();
    }
}

// === impl Authority ===

impl Authority {
    /// The stream of this name, for whoever shows its token.
    pub(crate) fn fetched_stream(&self, name: &str, token: &str) -> Option<&Stream> {
        let stream = self.settings().streams.iter().find(|one| one.name == name)?;
        stream.fetched_with.as_ref().filter(|known| known.matches(token)).map(|_| stream)
    }

    /// Notes what was taken and refused, then reads what is kept for a stream. Where there is nothing it waits for
    /// something, unless it is to answer at once, for `longest` at most. What is not acknowledged comes again.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read or written.
    pub(crate) async fn poll(
        &self,
        stream: &Stream,
        asked: Poll,
        longest: Duration,
    ) -> Result<Polled, StoreError> {
        self.settle(stream, asked.taken, asked.refused).await?;
        let most = asked.most.unwrap_or(MOST_EVENTS).min(MOST_EVENTS);
        if most == 0 {
            return Ok(Polled { events: Vec::new(), more: self.kept(stream, 0).await?.more });
        }
        let place = self.fetching().places.iter().find(|(name, _)| *name == stream.name);
        let place = place.and_then(|(_, places)| places.try_acquire().ok());
        if asked.immediately || place.is_none() {
            return self.kept(stream, most).await;
        }
        let waited = tokio::time::timeout(longest, self.wait_for_kept(stream, most));
        waited.await.unwrap_or_else(|_| Ok(Polled::default()))
    }

    async fn settle(
        &self,
        stream: &Stream,
        taken: Vec<String>,
        refused: Vec<(String, String)>,
    ) -> Result<(), StoreError> {
        if taken.is_empty() && refused.is_empty() {
            return Ok(());
        }
        let taken = taken.iter().map(|jti| jti.as_str().into()).collect();
        let cause = |words: String| -> String {
            let plain = words.chars().filter(|one| !one.is_control());
            "it refuses the event: ".chars().chain(plain.take(MOST_WORDS)).collect()
        };
        let refused: Vec<(DeliveryId, String)> =
            refused.into_iter().map(|(jti, words)| (jti.as_str().into(), cause(words))).collect();
        let causes: Vec<_> = refused.iter().map(|(_, cause)| cause.clone()).collect();
        let store = self.store();
        let (_, number) = store.settle_deliveries(&stream.name, taken, refused, self.now()).await?;
        if number > 0 {
            tracing::warn!(stream = stream.name, number, ?causes, "security events are refused");
        }
        Ok(())
    }

    async fn wait_for_kept(&self, stream: &Stream, most: usize) -> Result<Polled, StoreError> {
        loop {
            // It is told of all that comes after this, so that nothing falls between the look and the wait.
            let fresh = self.fetching().fresh.notified();
            let kept = self.kept(stream, most).await?;
            if !kept.events.is_empty() || self.news().is_stopping() {
                return Ok(kept);
            }
            let _ = tokio::time::timeout(LOOK_EVERY, fresh).await;
        }
    }

    async fn kept(&self, stream: &Stream, most: usize) -> Result<Polled, StoreError> {
        let due = self.store().due_deliveries(&stream.name, self.now(), most + 1).await?;
        let more = due.len() > most;
        let one = |delivery: Delivery| (delivery.id, delivery.body);
        Ok(Polled { events: due.into_iter().take(most).map(one).collect(), more })
    }
}
