//! Security events as requests to a URL (RFC 8935), or kept for whoever fetches them (RFC 8936); somebody else makes
//! and signs them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use remote::{FetchError, Fetched, Fetcher};
use serde::Deserialize;
use store::{NewDelivery, Store, StoreError};
use token::secret::Secret;
use token::time::Timestamp;
use url::Url;

use crate::outlet::NotTaken;
use crate::webhook;

/// The media type of a security event token (RFC 8417 §7.2).
const SECURITY_EVENT: &str = "application/secevent+jwt";
/// What nobody has fetched for so long is given up. Until then its key has to be published.
pub const KEPT_FOR: Duration = Duration::from_hours(7 * 24);
const UNFETCHED: &str = "nobody has fetched it for 7 days";
/// Of what a receiver says, so much is kept.
const MOST_WORDS: usize = 200;

/// Somebody who gets security events.
#[derive(Clone)]
pub struct Receiver {
    url: Url,
    token: Secret,
    fetcher: Fetcher,
    tries: Tries,
}

/// Makes the event by which a receiver sees that it is reached.
pub trait Verifies: Send + Sync {
    /// The signed token for the receiver of this name, as it would be kept for them.
    ///
    /// # Errors
    /// Why there is none.
    fn verification(&self, receiver: &str) -> Result<NewDelivery, String>;
}

/// Whoever makes that event, who is named later: before there is an authority there are findings already.
#[derive(Clone, Default)]
pub struct Tries(Arc<OnceLock<Arc<dyn Verifies>>>);

/// What a receiver says of a token that it does not take (RFC 8935 §2.3).
#[derive(Deserialize)]
struct Refused {
    err: String,
    #[serde(default)]
    description: String,
}

// === impl Tries ===

impl Tries {
    /// Names who makes them; the first one stays.
    pub fn made_by(&self, verifies: Arc<dyn Verifies>) {
        // Named twice is named.
        let _ = self.0.set(verifies);
    }

    fn verification(&self, receiver: &str) -> Result<NewDelivery, NotTaken> {
        let verifies = self.0.get().ok_or_else(|| NotTaken::for_now("nobody signs yet"))?;
        verifies.verification(receiver).map_err(NotTaken::for_now)
    }

    /// Has a receiver that fetches find such an event.
    pub(crate) async fn keep(
        &self,
        receiver: &str,
        store: &Store,
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        let event = self.verification(receiver)?;
        let kept = store.add_deliveries(vec![event], now).await;
        kept.map_err(|error| NotTaken::for_now(error.to_string()))
    }
}

// === impl Receiver ===

impl Receiver {
    /// One at this URL, to whom `token` shows who we are; `fetcher` says which addresses it may lead to.
    pub fn new(url: Url, token: Secret, fetcher: Fetcher, tries: Tries) -> Self {
        Self { url, token, fetcher, tries }
    }

    pub(crate) fn place(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Tells the receiver of this name that somebody tries it.
    pub(crate) async fn test(&self, name: &str) -> Result<(), NotTaken> {
        let event = self.tries.verification(name)?;
        self.send(&event.body).await
    }

    /// RFC 8935 §2.1.
    pub(crate) async fn send(&self, token: &str) -> Result<(), NotTaken> {
        let mut credential = HeaderValue::from_str(&format!("Bearer {}", self.token.expose()))
            .map_err(|_| NotTaken::ForGood("its token cannot be sent in a header".to_owned()))?;
        credential.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, credential), (ACCEPT, json)]);
        match self.fetcher.post(&self.url, SECURITY_EVENT, token.to_owned(), headers).await {
            Ok(answer) => judge(&answer),
            Err(error @ FetchError::Url(_)) => Err(NotTaken::ForGood(error.to_string())),
            Err(error) => Err(NotTaken::for_now(error.to_string())),
        }
    }
}

/// Gives up what was kept for a receiver that does not come.
pub(crate) async fn give_up_unfetched(
    store: &Store,
    receiver: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = now.minus(KEPT_FOR);
    let number = store.give_up_deliveries(receiver, before, UNFETCHED, now).await?;
    if number > 0 {
        tracing::error!(outlet = receiver, number, "security events are given up: {UNFETCHED}");
    }
    Ok(())
}

fn judge(answer: &Fetched) -> Result<(), NotTaken> {
    // §2.3: only here the receiver says what is wrong with the token.
    let said = (answer.status == StatusCode::BAD_REQUEST)
        .then(|| serde_json::from_slice::<Refused>(&answer.body).ok())
        .flatten();
    let Some(Refused { err, description }) = said else { return webhook::judge(answer) };
    let words = format!("it refuses the event: {err} {description}");
    let words: String = words.chars().filter(|one| !one.is_control()).take(MOST_WORDS).collect();
    match err.as_str() {
        // What is wrong there can be mended while it waits: keys, the token, who may send.
        "access_denied" | "authentication_failed" | "invalid_key" => Err(NotTaken::for_now(words)),
        _ => Err(NotTaken::ForGood(words)),
    }
}
