//! Token Status Lists as they are fetched: made from the records and the restriction log when either has
//! moved, signed anew now and then, else the ready bytes (draft-ietf-oauth-status-list-21 §5).

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use store::{StatusMark, Store, StoreError};
use token::base64url;
use token::id::{KeyId, StatusListId};
use token::jwk::BadKey;
use token::restriction::Effect;
use token::status_list::{BadList, PackedList, Status, StatusList, StatusListToken};
use token::time::Timestamp;

use crate::state::Authority;

/// A suspended token differs from a revoked one.
const BITS: u8 = 2;
/// For how long a checker need not ask again: so late does one learn of a revocation.
pub(crate) const TTL: Duration = Duration::from_secs(10);
/// For how long a list is believed while no newer one can be had.
const LIFE: Duration = Duration::from_mins(10);
/// An older one is signed anew, so that every fetched list has most of its life before it.
const FRESH: Duration = Duration::from_mins(1);
/// Lists whose bytes are kept ready.
const MOST: usize = 256;

/// The ready lists.
#[derive(Default)]
pub(crate) struct Published {
    ready: Mutex<HashMap<StatusListId, Arc<Ready>>>,
    /// One list is made at a time: however many ask, it costs one thread.
    making: tokio::sync::Mutex<()>,
}

/// A list as it goes out.
pub(crate) struct Ready {
    statuses: Arc<Statuses>,
    made_at: Timestamp,
    key: KeyId,
    pub(crate) token: Bytes,
    pub(crate) gzip: Bytes,
    pub(crate) etag: String,
}

struct Statuses {
    mark: StatusMark,
    /// When the first of the restrictions in it ends by itself.
    until: Option<Timestamp>,
    packed: PackedList,
}

/// Why a list cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// The work was given up.
    #[error("making a status list was broken off")]
    BrokenOff,
    /// It has a size that no list may have.
    #[error(transparent)]
    List(#[from] BadList),
    /// The cryptographic library failed.
    #[error(transparent)]
    Signing(#[from] BadKey),
    /// State could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Published ===

impl Published {
    /// The list of this name, with everything that was taken back before the call; `None` when there is
    /// no such list.
    ///
    /// # Errors
    /// [`PublishError`] when it could not be made.
    pub(crate) async fn list(
        &self,
        authority: &Authority,
        id: &StatusListId,
        now: Timestamp,
    ) -> Result<Option<Arc<Ready>>, PublishError> {
        let store = authority.store();
        let mark = store.status_mark();
        let is_good = |ready: &Arc<Ready>| {
            let key = authority.keys().active();
            ready.statuses.hold(&mark, now)
                && now.since(ready.made_at) < FRESH
                && ready.key == *key.public().kid()
        };
        if let Some(ready) = self.held(id).filter(is_good) {
            return Ok(Some(ready));
        }
        let _alone = self.making.lock().await;
        let held = self.held(id);
        if let Some(ready) = held.clone().filter(is_good) {
            return Ok(Some(ready));
        }
        let Some(entries) = store.status_list_entries(id).await? else {
            self.ready().remove(id);
            return Ok(None);
        };
        let statuses = match held.filter(|ready| ready.statuses.hold(&mark, now)) {
            Some(ready) => Arc::clone(&ready.statuses),
            None => {
                let (store, id) = (store.clone(), id.clone());
                let reading = move || Statuses::read(&store, &id, entries, now);
                let read = tokio::task::spawn_blocking(reading).await;
                Arc::new(read.map_err(|_| PublishError::BrokenOff)??)
            }
        };
        let ready = Arc::new(Ready::sign(authority, id, statuses, now)?);
        self.keep(id, &ready, now);
        Ok(Some(ready))
    }

    fn keep(&self, id: &StatusListId, made: &Arc<Ready>, now: Timestamp) {
        let mut ready = self.ready();
        if ready.len() >= MOST {
            ready.retain(|_, old| now.since(old.made_at) < FRESH);
        }
        if ready.len() < MOST {
            ready.insert(id.clone(), Arc::clone(made));
        }
    }

    fn held(&self, id: &StatusListId) -> Option<Arc<Ready>> {
        self.ready().get(id).cloned()
    }

    fn ready(&self) -> MutexGuard<'_, HashMap<StatusListId, Arc<Ready>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Statuses ===

impl Statuses {
    /// A place whose token is not on record is valid: nobody has it, or the record is on its way.
    fn read(
        store: &Store,
        id: &StatusListId,
        entries: u64,
        now: Timestamp,
    ) -> Result<Self, PublishError> {
        // Before anything is read: what changes meanwhile makes this list an old one.
        let mark = store.status_mark();
        let index = store.index();
        let entries = usize::try_from(entries).map_err(|_| BadList::TooLong)?;
        let mut list = StatusList::new(BITS, entries)?;
        let mut until: Option<Timestamp> = None;
        if !index.is_empty() {
            store.read_status_list(id, |idx, facts| {
                let Some(restriction) = index.on_token(&facts, now) else { return };
                let status = match restriction.effect {
                    Effect::Revoke => Status::Invalid,
                    _ => Status::Suspended,
                };
                list.set(idx, status);
                until = [until, restriction.until].into_iter().flatten().min();
            })?;
        }
        Ok(Self { mark, until, packed: list.pack() })
    }

    /// Whether this is what would be read again.
    fn hold(&self, mark: &StatusMark, now: Timestamp) -> bool {
        self.mark.covers(mark) && self.until.is_none_or(|until| now < until)
    }
}

// === impl Ready ===

impl Ready {
    fn sign(
        authority: &Authority,
        id: &StatusListId,
        statuses: Arc<Statuses>,
        now: Timestamp,
    ) -> Result<Self, PublishError> {
        let key = authority.keys().active();
        let claims = StatusListToken {
            sub: uri(authority, id),
            iss: Some(authority.settings().issuer.clone()),
            iat: now.as_secs(),
            exp: Some(now.plus(LIFE).as_secs()),
            ttl: Some(TTL.as_secs()),
            status_list: statuses.packed.clone(),
        };
        let token = Bytes::from(claims.sign(&key)?);
        let hash = digest::digest(&SHA256, &token);
        let etag = format!("W/\"{}\"", base64url::encode(&hash.as_ref()[..16]));
        let (gzip, key) = (gzip(&token), key.public().kid().clone());
        Ok(Self { statuses, made_at: now, key, token, gzip, etag })
    }
}

/// Where a list is fetched, which is its name for everybody else.
pub(crate) fn uri(authority: &Authority, id: &StatusListId) -> String {
    authority.settings().url(&format!("/status/{id}"))
}

/// The list of ours that is fetched there.
pub(crate) fn named(authority: &Authority, uri: &str) -> Option<StatusListId> {
    let id = uri.strip_prefix(&authority.settings().url("/status/"))?;
    Some(StatusListId::from(id))
}

fn gzip(token: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail.
    let _ = encoder.write_all(token);
    encoder.finish().unwrap_or_default().into()
}
