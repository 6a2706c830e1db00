//! Findings as requests to a URL, signed as Standard Webhooks 1.0 has it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use remote::{FetchError, Fetched, Fetcher};
use serde_json::json;
use token::id::DeliveryId;
use token::secret::Secret;
use token::time::Timestamp;
use url::Url;
use zeroize::Zeroizing;

use crate::notice::Notice;
use crate::outlet::NotTaken;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const PREFIX: &str = "whsec_";

/// What requests are signed with: several while one replaces another.
#[derive(Clone)]
pub struct Secrets(Arc<[hmac::Key]>);

/// Somebody who is told findings by requests.
#[derive(Clone)]
pub struct Webhook {
    url: Url,
    secrets: Secrets,
    fetcher: Fetcher,
}

/// Why a text is no secret of a webhook. It does not say what was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// It is too short or too long.
    #[error("a secret has from 24 to 64 bytes")]
    Length,
    /// There is none.
    #[error("there is no secret in it")]
    None,
    /// It is not `whsec_` and base64.
    #[error("a secret is `whsec_` and base64, such as `openssl rand -base64 32` makes")]
    Text,
}

// === impl Secrets ===

impl Secrets {
    /// Reads secrets, one in each line.
    ///
    /// # Errors
    /// [`BadSecret`] says what is wrong.
    pub fn parse(text: &Secret) -> Result<Self, BadSecret> {
        let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = lines.map(|line| {
            let encoded = line.strip_prefix(PREFIX).ok_or(BadSecret::Text)?;
            let bytes = STANDARD.decode(encoded).map_err(|_| BadSecret::Text)?;
            let bytes = Zeroizing::new(bytes);
            if !(24..=64).contains(&bytes.len()) {
                return Err(BadSecret::Length);
            }
            Ok(hmac::Key::new(HMAC_SHA256, &bytes))
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(BadSecret::None) } else { Ok(Self(keys.into())) }
    }

    /// One signature of each secret, separated by spaces.
    pub(crate) fn sign(&self, id: &str, secs: i64, body: &str) -> String {
        let signed = format!("{id}.{secs}.{body}");
        let signatures = self.0.iter().map(|key| {
            let tag = hmac::sign(key, signed.as_bytes());
            format!("v1,{}", STANDARD.encode(tag.as_ref()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

// === impl Webhook ===

impl Webhook {
    /// One at this URL; `fetcher` says which addresses it may lead to.
    pub fn new(url: Url, secrets: Secrets, fetcher: Fetcher) -> Self {
        Self { url, secrets, fetcher }
    }

    /// Its host alone: chats have the secret in the path.
    pub(crate) fn place(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The same bytes at every try.
    pub(crate) fn body(notice: &Notice, now: Timestamp) -> String {
        json!({ "type": notice.kind, "timestamp": now.to_string(), "data": notice.finding })
            .to_string()
    }

    /// The timestamp is that of the try: who takes no old requests takes this one, and a copy of it
    /// later not.
    pub(crate) async fn send(
        &self,
        id: &DeliveryId,
        body: &str,
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        let secs = now.as_secs();
        let signature = self.secrets.sign(id.as_str(), secs, body);
        let mut headers = HeaderMap::new();
        for (name, text) in
            [(ID, id.to_string()), (TIMESTAMP, secs.to_string()), (SIGNATURE, signature)]
        {
            let value = HeaderValue::from_str(&text)
                .map_err(|error| NotTaken::ForGood(error.to_string()))?;
            headers.insert(name, value);
        }
        match self.fetcher.post_json(&self.url, body.to_owned(), headers).await {
            Ok(answer) => judge(&answer),
            Err(error @ FetchError::Url(_)) => Err(NotTaken::ForGood(self.hidden(&error))),
            Err(error) => Err(NotTaken::for_now(self.hidden(&error))),
        }
    }

    /// What went wrong, for whoever reads the log or the list: without what may be secret in the URL.
    fn hidden(&self, error: &FetchError) -> String {
        let mut shown = self.url.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        error.to_string().replace(shown.as_str(), &self.place())
    }
}

pub(crate) fn judge(answer: &Fetched) -> Result<(), NotTaken> {
    match answer.status {
        status if status.is_success() => Ok(()),
        // The receiver wants no more of this.
        StatusCode::GONE => Err(NotTaken::ForGood("it answers with status 410 (gone)".to_owned())),
        status => {
            let cause = format!("it answers with status {}", status.as_u16());
            Err(NotTaken::ForNow { cause, wait: wait(&answer.headers) })
        }
    }
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3).
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let secs = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(secs))
}
