//! On the way to a provider and back: what the browser carries meanwhile, sealed, good there and once.

use std::time::Duration;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError};
use token::id::{SessionId, SubjectId};
use token::random::Random;
use token::time::Timestamp;
use token::{base62, base64url};

use crate::login::browser::Browser;
use crate::login::half;

/// How long somebody may take at the provider.
pub(crate) const LIFE: Duration = Duration::from_secs(15 * 60);
/// 256 bits.
const SECRET_CHARS: usize = 43;
/// A longer request does not fit into a cookie: 4096 bytes are all that browsers keep of one, sealed and named.
pub(crate) const MAX_REQUEST_BYTES: usize = 2000;
const LABEL: &str = "trip to a provider";

/// Somebody who is at a provider.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Trip {
    /// The provider's name here.
    pub(crate) provider: String,
    /// What comes back, so that nobody else's answer is taken (RFC 6749 §10.12).
    pub(crate) state: String,
    /// What the ID token has to have (OpenID Connect Core 1.0 §15.5.2).
    pub(crate) nonce: String,
    /// What shows that the code is redeemed where it was asked for (RFC 7636 §4.1).
    pub(crate) verifier: String,
    /// What for.
    pub(crate) purpose: Purpose,
    /// Since when.
    pub(crate) at: Timestamp,
}

/// What somebody is at a provider for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// To connect their account there with the one here.
    Connect {
        /// Whose.
        subject: SubjectId,
        /// In which session they asked for it.
        session: SessionId,
    },
    /// To sign in for this.
    SignIn {
        /// What the sign-in form carries.
        request: String,
    },
}

// === impl Trip ===

impl Trip {
    /// One that begins now.
    pub(crate) fn new(
        provider: &str,
        purpose: Purpose,
        random: &dyn Random,
        now: Timestamp,
    ) -> Self {
        let secret = || base62::random(SECRET_CHARS, random);
        let (state, nonce, verifier) = (secret(), secret(), secret());
        Self { provider: provider.to_owned(), state, nonce, verifier, purpose, at: now }
    }

    /// The S256 challenge (RFC 7636 §4.2).
    pub(crate) fn challenge(&self) -> String {
        base64url::encode(digest::digest(&digest::SHA256, self.verifier.as_bytes()))
    }

    /// The name of what redeems its code, which is done once.
    pub(crate) fn assertion_id(&self) -> String {
        base64url::encode(digest::digest(&digest::SHA256, self.state.as_bytes()))
    }

    /// When it is too late to come back.
    pub(crate) fn ends_at(&self) -> Timestamp {
        self.at.plus(LIFE)
    }

    /// What the browser keeps: it opens there, with the state that comes back.
    pub(crate) fn seal(&self, store: &Store, browser: &Browser) -> Result<String, StoreError> {
        half::seal(store, &half::label(LABEL, browser, &self.state), self)
    }

    /// Reads it; `None` in another browser, with another state, of another provider, or too late.
    pub(crate) fn open(
        store: &Store,
        browser: &Browser,
        provider: &str,
        state: &str,
        text: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let trip: Self = half::open(store, &half::label(LABEL, browser, state), text)?;
        let is_good = trip.state == state && trip.provider == provider && now < trip.ends_at();
        is_good.then_some(trip)
    }
}
