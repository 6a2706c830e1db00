//! Tokens verified before: it saves the signature work and nothing else.
//!
//! An entry counts only under the version of the keyring that it was verified under. Times,
//! restrictions and routes are asked on every use. Refusals live in a room of their own, so that
//! no flood of forgeries can push good tokens out.

use std::sync::Arc;

use quick_cache::sync::Cache;
use token::opaque::OpaqueHash;
use token::reason::{Forgery, Reason, Refused};
use token::validate::TokenRefused;

use crate::verify::Known;

/// A room for refusals is this part of the one for good tokens.
const REFUSAL_PART: usize = 8;

/// Verified tokens and refusals, by the SHA-256 of the presented text.
pub(crate) struct TokenCache {
    good: Cache<OpaqueHash, Entry<Known>>,
    bad: Cache<OpaqueHash, Entry<TokenRefused>>,
}

struct Entry<T> {
    keys: u64,
    value: Arc<T>,
}

/// What the cache knows about a token.
pub(crate) enum Remembered {
    Good(Arc<Known>),
    Refused(Arc<TokenRefused>),
}

// === impl TokenCache ===

impl TokenCache {
    pub(crate) fn new(entries: usize) -> Self {
        let entries = entries.max(1);
        Self { good: Cache::new(entries), bad: Cache::new((entries / REFUSAL_PART).max(16)) }
    }

    /// What was found out under these keys.
    pub(crate) fn find(&self, token: &OpaqueHash, keys: u64) -> Option<Remembered> {
        if let Some(entry) = self.good.get(token).filter(|entry| entry.keys == keys) {
            return Some(Remembered::Good(entry.value));
        }
        let entry = self.bad.get(token).filter(|entry| entry.keys == keys)?;
        Some(Remembered::Refused(entry.value))
    }

    pub(crate) fn remember(&self, token: OpaqueHash, keys: u64, value: &Arc<Known>) {
        self.good.insert(token, Entry { keys, value: Arc::clone(value) });
    }

    /// Remembers a refusal that cost a look-up of keys or more, and that time cannot mend.
    pub(crate) fn remember_refused(
        &self,
        token: OpaqueHash,
        keys: u64,
        refused: &Arc<TokenRefused>,
    ) {
        // An opaque value is known before anybody has it, or never.
        if matches!(
            refused.refused,
            Refused::Forged(Forgery::BadSignature) | Refused::Plain(Reason::UnknownToken)
        ) {
            self.bad.insert(token, Entry { keys, value: Arc::clone(refused) });
        }
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { keys: self.keys, value: Arc::clone(&self.value) }
    }
}

#[cfg(test)]
mod tests;
