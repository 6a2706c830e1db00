//! Bait: tokens that look real and that nobody has a reason to use.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::id::TokenId;
use crate::jws::Jws;
use crate::reason::Reason;
use crate::reference;
use crate::validate::{Claimed, TokenRefused};

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
        !self.is_empty() && self.ids.pin().contains(id)
    }

    /// Which bait a text is, wherever it is shown; `None` for any other text. Nothing is verified: its name is random,
    /// and whoever shows it has found the bait.
    pub fn find(&self, text: &str) -> Option<TokenId> {
        if self.is_empty() {
            return None;
        }
        let name = reference::name(text);
        if self.contains(&name) {
            return Some(name);
        }
        let claimed = Claimed::of(Jws::parse(text).ok()?.unverified_payload());
        claimed.token.map(TokenId::from).filter(|token| self.contains(token))
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
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

/// Who has a browser send a request, by its field `Sec-Fetch-Site`: another site, or a link in a letter. Whoever sits at
/// that browser may know nothing of what it shows; pages of the same origin, and programs, show what they hold.
pub fn passed_on_by_site(site: Option<&str>) -> Option<&'static str> {
    site.filter(|site| *site != "same-origin").map(|_| "site")
}
