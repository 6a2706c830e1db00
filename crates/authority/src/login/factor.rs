//! What somebody proves beside a password: a code of their application, or a recovery code.

mod base32;
pub(crate) mod recovery;
pub(crate) mod totp;

use std::net::IpAddr;

use store::{Store, StoreError, User};
use token::secret::Secret;
use token::time::Timestamp;

use crate::login::Desk;
use crate::login::browser::Browser;
use crate::login::session::Method;
use crate::login::throttle::growing::Guess;
use crate::login::throttle::{Place, Throttled};

/// What was typed.
#[derive(Debug)]
pub(crate) enum Typed {
    /// A code of the application.
    Code(Secret),
    /// A recovery code.
    Recovery(Secret),
}

/// One try to prove it.
#[derive(Debug)]
pub(crate) struct FactorAttempt<'a> {
    /// Who has to.
    pub(crate) user: &'a User,
    /// What they typed.
    pub(crate) typed: &'a Typed,
    /// The address behind trusted proxies.
    pub(crate) ip: Option<IpAddr>,
    /// The browser that it comes from.
    pub(crate) browser: &'a Browser,
}

/// Why it is not proven.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FactorRefused {
    /// The code is right, but it or a later one was shown before (RFC 6238 §5.2).
    #[error("the code was used before")]
    Replayed,
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many failures before this try.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// Another code.
    #[error("the code is wrong")]
    Wrong,
}

// === impl Typed ===

impl Typed {
    /// The word that events carry.
    pub(crate) fn event_factor(&self) -> &'static str {
        match self {
            Self::Code(_) => "totp",
            Self::Recovery(_) => "recovery_code",
        }
    }
}

// === impl FactorRefused ===

impl FactorRefused {
    /// The word that events carry.
    pub(crate) fn event_result(&self) -> &'static str {
        match self {
            Self::Store(_) => "error",
            Self::Throttled(_) => "throttled",
            Self::Replayed | Self::Wrong => "mfa_failed",
        }
    }
}

// === impl Desk ===

impl Desk {
    /// Checks what somebody typed who has shown their password; a right code is used up by it.
    ///
    /// # Errors
    /// [`FactorRefused`] says why it is not believed.
    pub(crate) async fn prove(
        &self,
        store: &Store,
        attempt: FactorAttempt<'_>,
        now: Timestamp,
    ) -> Result<Method, FactorRefused> {
        let known_browser = attempt.browser.known_as(&attempt.user.username, &self.proofs);
        let place = Place { ip: attempt.ip, known_browser };
        let subject = &attempt.user.id;
        let guess = match attempt.typed {
            Typed::Code(_) => Guess::Code(subject),
            Typed::Recovery(_) => Guess::Recovery(subject),
        };
        let charged = self.guesses.begin(guess, place, now)?;
        let checked = check(store, attempt.user, attempt.typed, now).await;
        match &checked {
            Ok(_) => self.guesses.succeeded(charged),
            Err(FactorRefused::Replayed | FactorRefused::Wrong) => drop(charged),
            Err(_) => self.guesses.withdrawn(charged),
        }
        checked
    }
}

async fn check(
    store: &Store,
    user: &User,
    typed: &Typed,
    now: Timestamp,
) -> Result<Method, FactorRefused> {
    match typed {
        Typed::Recovery(text) => {
            let code = recovery::hash(text.expose()).ok_or(FactorRefused::Wrong)?;
            match store.use_recovery_code(&user.id, &code, now).await? {
                true => Ok(Method::Recovery),
                false => Err(FactorRefused::Wrong),
            }
        }
        Typed::Code(text) => {
            let factors = store.factors_of(&user.id).await?;
            let fits = |factor: &store::TotpFactor| {
                Some((factor.id.clone(), totp::fitting(&factor.secret, text.expose(), now)?))
            };
            let (id, step) = factors.totp.iter().find_map(fits).ok_or(FactorRefused::Wrong)?;
            match store.use_totp(&id, step, now).await? {
                true => Ok(Method::Totp),
                false => Err(FactorRefused::Replayed),
            }
        }
    }
}
