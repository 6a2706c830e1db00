//! The keys that checkers hold right now: swapped whole, read without waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::key::KeySet;

/// A set of public keys shared by everything that checks tokens. What was verified under one
/// version may be trusted only while that version is current.
#[derive(Default)]
pub struct Keyring {
    keys: ArcSwap<KeySet>,
    version: AtomicU64,
}

// === impl Keyring ===

impl Keyring {
    /// A ring that holds `keys`.
    pub fn new(keys: KeySet) -> Self {
        Self { keys: ArcSwap::from_pointee(keys), version: AtomicU64::new(1) }
    }

    /// The keys of now.
    pub fn current(&self) -> Arc<KeySet> {
        self.keys.load_full()
    }

    /// Grows with every [`Keyring::replace`].
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Puts other keys in place.
    pub fn replace(&self, keys: KeySet) {
        self.keys.store(Arc::new(keys));
        self.version.fetch_add(1, Ordering::AcqRel);
    }
}
