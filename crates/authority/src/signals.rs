//! Security events for others (Shared Signals Framework 1.0): what has happened here, as signed tokens.
//!
//! [`event`] says which events there are. `restricted` reads them out of the restriction log and `changed` out of the
//! audit log; [`Authority::signal`] keeps them for every stream, and somebody else takes them there. [`received`] is the
//! other direction, and [`fetched`] goes for events that are not brought.

pub mod changed;
pub mod event;
pub mod fetched;
mod happened;
pub(crate) mod message;
pub(crate) mod poll;
pub(crate) mod receipts;
pub mod received;
mod restricted;

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use store::{NewDelivery, StoreError};
use token::id::TokenId;
use token::jwk::BadKey;
use token::jws;
use token::secret::Secret;
use token::term::{Algorithm, token_type};
use token::time::Timestamp;

use self::event::{EventType, VERIFICATION};
use self::happened::Happened;
use crate::state::Authority;

/// Entries of a log that are read at a time.
const PAGE: usize = 200;
/// What is older is told to nobody: it is as long as a delivery is tried.
const NEWS_FOR: Duration = Duration::from_hours(24);

/// Somebody who gets security events.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its name: that of the outlet by which its deliveries leave.
    pub name: String,
    /// The audience of its tokens.
    pub audience: String,
    /// Which events it gets.
    pub events: Vec<EventType>,
    /// What its receiver shows who fetches the events (RFC 8936); `None` where they are brought.
    pub fetched_with: Option<Secret>,
}

/// Why events could not be kept for a stream.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// A token could not be signed.
    #[error(transparent)]
    Signing(#[from] BadKey),
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A security event token (RFC 8417 §2.2, Shared Signals Framework 1.0 §4).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    jti: TokenId,
    iat: i64,
    aud: &'a str,
    /// When it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    toe: Option<i64>,
    /// The same for all that came of one act.
    #[serde(skip_serializing_if = "Option::is_none")]
    txn: Option<&'a str>,
    sub_id: &'a Value,
    events: Value,
}

/// Where it is written what has happened.
#[derive(Clone, Copy)]
enum Log {
    Audit,
    Restrictions,
}

/// What is in a part of a log.
struct Part {
    happened: Vec<Happened>,
    /// The position up to which this is the whole log.
    upto: u64,
    more: bool,
}

// === impl Authority ===

impl Authority {
    /// Reads what was written to the restriction log and the audit log, and keeps what every stream is told of it.
    /// A stream that is new is told what happens from now on. Says whether there is something new to be delivered.
    ///
    /// # Errors
    /// [`SignalError`] when state cannot be read or written, or nothing can be signed; the next call goes on
    /// where this one was.
    pub async fn signal(&self) -> Result<bool, SignalError> {
        let mut any = false;
        for stream in &self.settings().streams {
            for log in [Log::Audit, Log::Restrictions] {
                any |= self.signal_to(stream, log).await?;
            }
        }
        if any {
            self.fetching().wake();
        }
        Ok(any)
    }

    /// Waits until the restriction log is longer than `after`, at most for `most`.
    pub async fn wait_for_news(&self, after: u64, most: Duration) {
        self.news().wait(self, after, most).await;
    }

    /// An event by which a stream's receiver sees that it is reached (§8.1.4.1); `None` when there is no such
    /// stream.
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails to sign.
    pub fn verification(&self, stream: &str) -> Result<Option<NewDelivery>, BadKey> {
        let Some(stream) = self.settings().streams.iter().find(|one| one.name == stream) else {
            return Ok(None);
        };
        let now = self.now();
        let claims = Claims {
            iss: &self.settings().issuer,
            jti: TokenId::generate(now, self.random()),
            iat: now.as_secs(),
            aud: &stream.audience,
            toe: None,
            txn: None,
            sub_id: &json!({ "format": "opaque", "id": stream.name }),
            events: json!({ VERIFICATION: {} }),
        };
        Ok(Some(NewDelivery {
            id: claims.jti.as_str().into(),
            outlet: stream.name.clone(),
            about: "verification".to_owned(),
            body: self.sign_event(&claims)?,
            until: None,
        }))
    }

    async fn signal_to(&self, stream: &Stream, log: Log) -> Result<bool, SignalError> {
        let (store, mark) = (self.store(), format!("stream:{}:{}", log.as_str(), stream.name));
        let known = store.meta(&mark).await?.and_then(|text| text.parse().ok());
        let Some(mut after) = known else {
            let last = log.last(self).await?;
            store.add_deliveries_upto(Vec::new(), &mark, last, self.now()).await?;
            return Ok(false);
        };
        let mut any = false;
        loop {
            let now = self.now();
            let part = log.read(self, after, now).await?;
            if part.upto == after {
                return Ok(any);
            }
            let told = part
                .happened
                .iter()
                .filter(|one| stream.events.contains(&one.event) && now.since(one.at) <= NEWS_FOR);
            let new = told.map(|happened| {
                let jti = TokenId::generate(now, self.random());
                Ok::<_, BadKey>(NewDelivery {
                    // Whoever fetches it acknowledges it by its `jti`.
                    id: jti.as_str().into(),
                    outlet: stream.name.clone(),
                    about: format!("{} of {}", happened.event, happened.whose),
                    body: self.event_token(stream, happened, jti, now)?,
                    until: None,
                })
            });
            let new = new.collect::<Result<Vec<_>, _>>()?;
            any |= !new.is_empty();
            store.add_deliveries_upto(new, &mark, part.upto, now).await?;
            after = part.upto;
            if !part.more {
                return Ok(any);
            }
        }
    }

    fn event_token(
        &self,
        stream: &Stream,
        happened: &Happened,
        jti: TokenId,
        now: Timestamp,
    ) -> Result<String, BadKey> {
        self.sign_event(&Claims {
            iss: &self.settings().issuer,
            jti,
            iat: now.as_secs(),
            aud: &stream.audience,
            toe: Some(happened.at.as_secs()),
            txn: Some(&happened.cause),
            sub_id: &happened.subject,
            events: json!({ happened.event.uri(): happened.body }),
        })
    }

    /// With RS256 where that is configured, which every receiver of CAEP events has to know (CAEP
    /// Interoperability Profile 1.0 §2.6), else with the key of access tokens.
    fn sign_event(&self, claims: &Claims<'_>) -> Result<String, BadKey> {
        let keys = self.keys();
        let key = keys.active_for(Algorithm::Rs256).unwrap_or_else(|| keys.active());
        let payload = serde_json::to_vec(claims).map_err(|_| BadKey::Library)?;
        jws::sign(&key, token_type::SECURITY_EVENT, &payload)
    }
}

// === impl Log ===

impl Log {
    fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Restrictions => "restrictions",
        }
    }

    async fn last(self, authority: &Authority) -> Result<u64, StoreError> {
        let store = authority.store();
        match self {
            Self::Audit => Ok(store.audit(None, 1).await?.first().map_or(0, |row| row.seq)),
            Self::Restrictions => Ok(store.index().last_seq()),
        }
    }

    async fn read(
        self,
        authority: &Authority,
        after: u64,
        now: Timestamp,
    ) -> Result<Part, StoreError> {
        let store = authority.store();
        let mut happened = Vec::new();
        let (upto, more) = match self {
            Self::Audit => {
                let rows = store.audit_after(after, PAGE).await?;
                for row in &rows {
                    happened.extend(changed::of(authority, row));
                }
                (rows.last().map_or(after, |row| row.seq), rows.len() >= PAGE)
            }
            Self::Restrictions => {
                let page = store.restriction_log(after, PAGE, now).await?;
                for entry in &page.entries {
                    happened.extend(restricted::of(authority, entry).await?);
                }
                (page.upto, page.more)
            }
        };
        Ok(Part { happened, upto, more })
    }
}
