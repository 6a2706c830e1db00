//! Bait: tokens that look real and that nobody has a reason to use.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::id::TokenId;

/// The names of all honeytokens, asked on every request.
#[derive(Default)]
pub struct Honeytokens {
    ids: papaya::HashSet<TokenId>,
    count: AtomicUsize,
}

// === impl Honeytokens ===

impl Honeytokens {
    /// Remembers one.
    pub fn add(&self, id: TokenId) {
        if self.ids.pin().insert(id) {
            self.count.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Whether this token is bait.
    pub fn contains(&self, id: &TokenId) -> bool {
        self.count.load(Ordering::Acquire) > 0 && self.ids.pin().contains(id)
    }
}
