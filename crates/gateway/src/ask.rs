//! What has to be asked of another issuer before a request can be decided: only that request waits.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use token::foreign::{Unusable, read_introspection};
use token::opaque::OpaqueHash;
use token::reference::Unavailable;
use token::secret::Secret;
use token::time::Timestamp;
use token::validate::TokenRefused;
use tokio::sync::watch;

use crate::cache::{Remembered, Under};
use crate::check::{Asked, Verdict, check};
use crate::core::Core;
use crate::foreign::Foreign;
use crate::observe::Observation;
use crate::refusal::Refusal;
use crate::verify::Known;

/// An issuer is asked about so many tokens at the same time; more are told to come again.
const MOST_FLIGHTS: usize = 256;
/// For how long it counts that a token is not good: it may have been shown too early.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// A question, and whom to ask.
pub(crate) enum Question {
    /// Its keys are to be fetched: a token names one that is not among them.
    Key { issuer: Arc<Foreign>, kid: String },
    /// It is to say what a token is.
    Token { issuer: Arc<Foreign>, hash: OpaqueHash, text: Secret },
}

/// What came of it.
#[derive(Clone)]
pub(crate) enum Heard {
    /// The keys are as new as they can be.
    Keys,
    /// The token is good.
    Good(Arc<Known>),
    /// It is not.
    Refused(Arc<TokenRefused>),
    /// Nobody can say.
    Nothing,
}

/// Decides about one request; where another issuer has to be asked first, that is done, once.
///
/// # Errors
/// [`Refusal`] as [`check`].
pub(crate) async fn settle(
    core: &Arc<Core>,
    asked: Asked<'_>,
    seen: &mut Observation,
) -> Result<Verdict, Refusal> {
    let question = match check(core, asked, seen) {
        Ok(verdict) => return Ok(verdict),
        Err(refusal) => refusal.into_question()?,
    };
    // Boxed, since hardly any request has to wait here.
    let heard = Box::pin(question.ask(core)).await;
    // A token may have ended while its issuer thought about it.
    let now = core.clock.now();
    check(core, Asked { now, heard: Some(&heard), ..asked }, seen)
}

// === impl Question ===

impl Question {
    async fn ask(self, core: &Arc<Core>) -> Heard {
        match self {
            Self::Key { issuer, kid } => {
                let looked = issuer.told.server.look_for(&kid).await;
                looked.map_or(Heard::Nothing, |()| Heard::Keys)
            }
            Self::Token { issuer, hash, text } => match issuer.join(core, hash, text) {
                Joined::Known(heard) => heard,
                Joined::Waits(mut flight) => {
                    let landed = flight.wait_for(Option::is_some).await;
                    landed.ok().and_then(|heard| heard.clone()).unwrap_or(Heard::Nothing)
                }
            },
        }
    }
}

/// How one comes to an answer.
enum Joined {
    Known(Heard),
    Waits(watch::Receiver<Option<Heard>>),
}

// === impl Foreign ===

impl Foreign {
    /// Asks about a token, or waits with those who have asked already.
    fn join(self: &Arc<Self>, core: &Arc<Core>, hash: OpaqueHash, text: Secret) -> Joined {
        let mut flights = self.flights();
        // Whoever asked may have ended with its thread.
        flights.retain(|_, flight| flight.has_changed().is_ok());
        if let Some(flight) = flights.get(&hash) {
            return Joined::Waits(flight.clone());
        }
        // The answer may have come since the check; it is remembered before its flight ends.
        match core.verifier.remembered(&hash, core.clock.now()) {
            Some(Remembered::Good(known)) => return Joined::Known(Heard::Good(known)),
            Some(Remembered::Refused(refused)) => return Joined::Known(Heard::Refused(refused)),
            None => {}
        }
        if flights.len() >= MOST_FLIGHTS {
            return Joined::Known(Heard::Nothing);
        }
        let (landed, flight) = watch::channel(None);
        flights.insert(hash, flight.clone());
        drop(flights);
        // By itself, so that whoever goes away takes nothing from those who wait.
        let (issuer, core) = (Arc::clone(self), Arc::clone(core));
        tokio::spawn(async move {
            let answer = issuer.told.server.introspect(text.expose()).await;
            let heard = issuer.hear(&core, hash, answer, core.clock.now());
            issuer.flights().remove(&hash);
            let _ = landed.send(Some(heard));
        });
        Joined::Waits(flight)
    }

    fn hear(
        &self,
        core: &Core,
        hash: OpaqueHash,
        answer: Result<Bytes, Unavailable>,
        now: Timestamp,
    ) -> Heard {
        let (Ok(answer), Some(how)) = (answer, &self.told.introspection) else {
            return Heard::Nothing;
        };
        let cache = &core.verifier.cache;
        match read_introspection(&answer, &hash, &self.told.rules, now) {
            Ok(token) => {
                let until = now.plus(how.keep).min(token.expires_at());
                let known = core.verifier.shared.known(token);
                cache.remember(hash, Under::Until(until), &known);
                Heard::Good(known)
            }
            Err(Unusable::Answer) => {
                let issuer = &self.told.rules.issuer;
                tracing::warn!(%issuer, "an issuer's answer about a token cannot be read");
                Heard::Nothing
            }
            Err(Unusable::Token(refused)) => {
                let refused = Arc::new(refused);
                let until = Under::Until(now.plus(how.keep.min(REFUSED_FOR)));
                cache.remember_refused(hash, until, &refused);
                Heard::Refused(refused)
            }
        }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<OpaqueHash, watch::Receiver<Option<Heard>>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
