//! Tokens verified before: it saves the signature work and nothing else.
//!
//! An entry counts only under the version of the keyring that it was verified under, its issuer's alone;
//! what another issuer's server has said counts only for a while. Times, restrictions and routes are
//! asked on every use. Refusals live in a room of their own, so that no flood of forgeries can push good
//! tokens out.

use std::sync::Arc;

use quick_cache::sync::Cache;
use token::opaque::OpaqueHash;
use token::reason::{Forgery, Reason, Refused};
use token::time::Timestamp;
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
    under: Under,
    value: Arc<T>,
}

/// For how long an entry counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Under {
    /// As long as this is the version of the issuer's keyring.
    Keys {
        /// Which issuer: zero for our own, then the others as they are configured.
        issuer: u32,
        /// The version.
        version: u64,
    },
    /// As long as this is the version of all personal tokens.
    Records {
        /// The version.
        version: u64,
    },
    /// Until this time, at which the issuer's server is asked again.
    Until(Timestamp),
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

    /// What was found out, if it still counts.
    pub(crate) fn find(
        &self,
        token: &OpaqueHash,
        counts: impl Fn(&Under) -> bool,
    ) -> Option<Remembered> {
        if let Some(entry) = self.good.get(token).filter(|entry| counts(&entry.under)) {
            return Some(Remembered::Good(entry.value));
        }
        let entry = self.bad.get(token).filter(|entry| counts(&entry.under))?;
        Some(Remembered::Refused(entry.value))
    }

    pub(crate) fn remember(&self, token: OpaqueHash, under: Under, value: &Arc<Known>) {
        self.good.insert(token, Entry { under, value: Arc::clone(value) });
    }

    /// Remembers a refusal that cost a look-up of keys or more, and that time cannot mend, or that a
    /// server has said.
    pub(crate) fn remember_refused(
        &self,
        token: OpaqueHash,
        under: Under,
        refused: &Arc<TokenRefused>,
    ) {
        // An opaque value of ours is known before anybody has it, or never.
        let lasting = matches!(
            refused.refused,
            Refused::Forged(Forgery::BadSignature) | Refused::Plain(Reason::UnknownToken)
        );
        if lasting || matches!(under, Under::Until(_)) {
            self.bad.insert(token, Entry { under, value: Arc::clone(refused) });
        }
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { under: self.under, value: Arc::clone(&self.value) }
    }
}

#[cfg(test)]
mod tests;
