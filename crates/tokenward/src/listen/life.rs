//! The life of one connection in HTTP/2: since when it rests, and whether its client only makes work.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// So many requests of one connection may be taken back by its client; more only if as many were answered.
const MOST_TAKEN_BACK: u32 = 100;

/// What is known of a connection while it is served.
pub(super) struct Life {
    under_way: AtomicU32,
    answered: AtomicU32,
    taken_back: AtomicU32,
    rests_since: Mutex<Instant>,
    abused: Notify,
}

/// A request under way, to the last byte of its answer; dropped before it is answered, it was taken back.
pub(super) struct UnderWay {
    life: Arc<Life>,
    answered: bool,
}

// === impl Life ===

impl Life {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            under_way: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            taken_back: AtomicU32::new(0),
            rests_since: Mutex::new(Instant::now()),
            abused: Notify::new(),
        })
    }

    pub(super) fn request(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay { life: Arc::clone(self), answered: false }
    }

    /// How long no request has been under way.
    pub(super) fn rests(&self) -> Option<Duration> {
        if self.under_way.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let since = *self.rests_since.lock().unwrap_or_else(PoisonError::into_inner);
        Some(since.elapsed())
    }

    /// Ready when the client has sent request after request only to take them back: each costs us work, and
    /// it nothing (CVE-2023-44487).
    pub(super) async fn abused(&self) {
        self.abused.notified().await;
    }
}

// === impl UnderWay ===

impl UnderWay {
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let life = &self.life;
        let mut since = life.rests_since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = Instant::now();
        life.under_way.fetch_sub(1, Ordering::Relaxed);
        if self.answered {
            life.answered.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let taken_back = life.taken_back.fetch_add(1, Ordering::Relaxed) + 1;
        if taken_back > MOST_TAKEN_BACK && taken_back > life.answered.load(Ordering::Relaxed) {
            life.abused.notify_one();
        }
    }
}
