//! The life of one connection: since when it rests, and whether its client only makes work.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, SetOnce};
use tokio::time::Instant;

/// So many requests of one connection may be taken back by its client; more only if as many were answered.
const MOST_TAKEN_BACK: u32 = 100;

/// What is known of a connection while it is served.
pub(super) struct Life {
    under_way: AtomicU32,
    answered: AtomicU32,
    taken_back: AtomicU32,
    rests_since: Mutex<Instant>,
    /// Bytes of the client.
    read: AtomicUsize,
    abused: Notify,
    /// Whether the newest request has a body, of which some may not have been read yet.
    body: AtomicBool,
    /// Whether something waits to be written.
    writes: AtomicBool,
    /// Somebody asked to switch to another protocol.
    asked_to_switch: SetOnce<()>,
    may_switch: SetOnce<()>,
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
            read: AtomicUsize::new(0),
            abused: Notify::new(),
            body: AtomicBool::new(false),
            writes: AtomicBool::new(false),
            asked_to_switch: SetOnce::new(),
            may_switch: SetOnce::new(),
        })
    }

    pub(super) fn request(self: &Arc<Self>, body: bool) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.body.store(body, Ordering::Relaxed);
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

    /// Notes bytes that the client has sent.
    pub(super) fn reads(&self, bytes: usize) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many bytes the client has sent, modulo the numbers of the machine.
    pub(super) fn read(&self) -> usize {
        self.read.load(Ordering::Relaxed)
    }

    /// Something has come after a rest.
    pub(super) fn hears(&self) {
        *self.rests_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How many requests were answered.
    pub(super) fn answered(&self) -> u32 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether all of the newest request has been read, and all of its answer been written.
    pub(super) fn is_between_requests(&self) -> bool {
        let busy = [&self.body, &self.writes].iter().any(|flag| flag.load(Ordering::Relaxed));
        !busy && self.under_way.load(Ordering::Relaxed) == 0
    }

    /// Notes whether something waits to be written.
    pub(super) fn writes(&self, something: bool) {
        self.writes.store(something, Ordering::Relaxed);
    }

    /// Waits until the connection can be switched to another protocol.
    pub(super) async fn switch(&self) {
        // Only one of two can be the first.
        let _ = self.asked_to_switch.set(());
        self.may_switch.wait().await;
    }

    /// Ready when somebody waits to switch.
    pub(super) async fn asked_to_switch(&self) {
        self.asked_to_switch.wait().await;
    }

    pub(super) fn let_switch(&self) {
        let _ = self.may_switch.set(());
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
