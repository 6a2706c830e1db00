//! Bait: tokens that look real and that nobody has a reason to use.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::id::TokenId;
use crate::reason::Reason;
use crate::validate::TokenRefused;

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

    /// What a refusal is when the token says that it is bait: one that has expired, whose key is
    /// gone, or that was tampered with. Its name is random: who shows it has found the bait.
    pub fn recognise(&self, refused: &TokenRefused) -> Option<TokenRefused> {
        let claimed = refused.claimed.token.as_deref().map(TokenId::from)?;
        self.contains(&claimed).then(|| TokenRefused {
            refused: Reason::Honeytoken.into(),
            detail: refused.detail,
            claimed: refused.claimed.clone(),
            missed: None,
        })
    }
}
