//! Access tokens of ours that were verified before: it saves the work on form and signature, and
//! nothing else.
//!
//! An entry counts only under the version of the keyring that it was verified under, for an audience
//! that is asked for, and before its token expires. Whether the token was taken back, is bait, or
//! belongs to somebody who is turned away is asked on every use, outside of here.

use std::sync::Arc;

use quick_cache::sync::Cache;
use token::opaque::OpaqueHash;
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

/// Tokens that are kept, at some 1 KB each; those asked for least go first.
const MOST: usize = 10_000;

/// Verified tokens, by the SHA-256 of their text. Only good ones are kept: a flood of forgeries finds
/// no room here.
pub(crate) struct VerifiedTokens(Cache<OpaqueHash, Entry>);

#[derive(Clone)]
struct Entry {
    keys: u64,
    token: Arc<VerifiedAccessToken>,
}

// === impl VerifiedTokens ===

impl VerifiedTokens {
    /// The token of this text, if it was found good under these keys and still is for one of these
    /// audiences. What is not found here has to be verified, which says what is wrong with it.
    pub(crate) fn find(
        &self,
        text: &OpaqueHash,
        keys: u64,
        audiences: &[String],
        now: Timestamp,
    ) -> Option<Arc<VerifiedAccessToken>> {
        let entry = self.0.get(text).filter(|entry| entry.keys == keys)?;
        let meant = entry.token.audience();
        let fits = audiences.iter().any(|audience| meant.contains(audience));
        (fits && !entry.token.expired(now)).then_some(entry.token)
    }

    /// Keeps a token that was verified under these keys.
    pub(crate) fn remember(&self, text: OpaqueHash, keys: u64, token: &Arc<VerifiedAccessToken>) {
        self.0.insert(text, Entry { keys, token: Arc::clone(token) });
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}
