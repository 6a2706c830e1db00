//! How slowly a client may send a body: some of it has to come in every so much time of waiting for it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What has to come: a client on any usable line sends more.
const LEAST_BYTES: u64 = 1024;

/// Counts bytes, and the time in which nothing else was waited for: a slow upstream is not the client's fault.
pub(crate) struct Pace {
    every: Duration,
    waited: Duration,
    /// Since when the client is being waited for.
    since: Option<Instant>,
    bytes: u64,
    alarm: Option<Pin<Box<Sleep>>>,
}

// === impl Pace ===

impl Pace {
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, waited: Duration::ZERO, since: None, bytes: 0, alarm: None }
    }

    /// So many bytes have come.
    pub(crate) fn came(&mut self, bytes: u64) {
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= LEAST_BYTES {
            (self.bytes, self.waited) = (0, Duration::ZERO);
        }
    }

    /// Nothing has come: ready once that has been so for too long.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let deadline = since + self.every.saturating_sub(self.waited);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        alarm.as_mut().poll(cx)
    }
}
