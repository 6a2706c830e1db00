//! What the writer thread and the callers share: memory that follows the disk, and gauges.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use token::honeytoken::Honeytokens;
use token::id::{ClientId, GrantId, SubjectId, TokenId};
use token::index::RestrictionIndex;
use token::opaque::OpaqueHash;
use token::personal::Uses;
use token::time::Timestamp;

use crate::background::{Background, Record};
use crate::client::Client;
use crate::grant::ClaimsRequest;
use crate::refresh::{Given, RefreshState};
use crate::seal::Sealer;
use crate::user::User;

/// Clients held in memory; those asked for least are dropped first.
const CLIENTS: usize = 10_000;
/// The same of people.
const USERS: usize = 10_000;
/// The same of what grants asked for by name.
const CLAIMS: usize = 10_000;
/// The same of refresh tokens that were not used.
const UNUSED: usize = 10_000;
/// The same of how personal tokens are used.
const USES: usize = 10_000;
/// The same of answers with new refresh tokens, for who did not get them; at some 2 kB each they hold
/// less than 10 MB.
const ANSWERS: usize = 4096;

/// How the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether writes are taken at all.
    pub writer_alive: bool,
    /// Why the last commit failed; `None` when it succeeded.
    pub last_error: Option<String>,
    /// Acts that wait to be written.
    pub queue_depth: usize,
    /// Records (issued tokens, names that were used) that were lost since the start, because too many waited or the
    /// disk refused them.
    pub lost_background: u64,
}

/// Memory on both sides of the queue.
pub(crate) struct Shared {
    pub(crate) index: Arc<RestrictionIndex>,
    pub(crate) honeytokens: Arc<Honeytokens>,
    pub(crate) clients: Cache<ClientId, Arc<Client>>,
    pub(crate) users: Cache<SubjectId, Arc<User>>,
    pub(crate) claims: Cache<GrantId, Arc<ClaimsRequest>>,
    pub(crate) unused: Cache<OpaqueHash, Arc<RefreshState>>,
    /// By the token that was shown.
    pub(crate) answers: Cache<OpaqueHash, Arc<Given>>,
    /// What one of these loses when it is dropped is less than a minute old.
    pub(crate) uses: Cache<TokenId, Arc<Uses>>,
    pub(crate) sealer: Sealer,
    pub(crate) longest_token_life: Duration,
    pub(crate) background: Background,
    pub(crate) gauges: Gauges,
    /// Up to when restrictions that can fit nothing any more are out of memory.
    forgotten_until: AtomicI64,
    born_restricted: AtomicU64,
    personal_version: AtomicU64,
    /// Grows with every change of tolerances.
    pub(crate) tolerances: AtomicU64,
}

/// What [`Health`] is read from.
#[derive(Default)]
pub(crate) struct Gauges {
    pub(crate) alive: AtomicBool,
    pub(crate) queued: AtomicUsize,
    pub(crate) lost: AtomicU64,
    last_error: Mutex<Option<String>>,
}

// === impl Shared ===

impl Shared {
    pub(crate) fn new(sealer: Sealer, longest_token_life: Duration, now: Timestamp) -> Self {
        Self {
            index: Arc::default(),
            honeytokens: Arc::default(),
            clients: Cache::new(CLIENTS),
            users: Cache::new(USERS),
            claims: Cache::new(CLAIMS),
            unused: Cache::new(UNUSED),
            answers: Cache::new(ANSWERS),
            uses: Cache::new(USES),
            sealer,
            longest_token_life,
            background: Background::default(),
            gauges: Gauges::default(),
            forgotten_until: AtomicI64::new(now.as_millis()),
            born_restricted: AtomicU64::new(0),
            personal_version: AtomicU64::new(0),
            tolerances: AtomicU64::new(0),
        }
    }

    /// How many tokens were taken back before their record was on disk.
    pub(crate) fn born_restricted(&self) -> u64 {
        self.born_restricted.load(Ordering::Acquire)
    }

    /// Counts those among records that are on disk now: whoever has read before did not see them.
    pub(crate) fn note_born_restricted(&self, records: &[Record]) {
        let restricted = |record: &&Record| match record {
            Record::Issued(token) if token.status.is_some() => {
                self.index.on_token(&token.facts(), token.issued_at).is_some()
            }
            _ => false,
        };
        let count = records.iter().filter(restricted).count();
        if count > 0 {
            self.born_restricted
                .fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::AcqRel);
        }
    }

    /// How often something has changed that personal tokens depend on.
    pub(crate) fn personal_version(&self) -> u64 {
        self.personal_version.load(Ordering::Acquire)
    }

    /// What was looked up before does not count any more.
    pub(crate) fn personal_changed(&self) {
        self.personal_version.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn forgotten_until(&self) -> Timestamp {
        Timestamp::from_millis(self.forgotten_until.load(Ordering::Acquire))
    }

    pub(crate) fn forgot_until(&self, now: Timestamp) {
        self.forgotten_until.fetch_max(now.as_millis(), Ordering::AcqRel);
    }
}

// === impl Gauges ===

impl Gauges {
    pub(crate) fn health(&self) -> Health {
        Health {
            writer_alive: self.alive.load(Ordering::Acquire),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            queue_depth: self.queued.load(Ordering::Acquire),
            lost_background: self.lost.load(Ordering::Acquire),
        }
    }

    pub(crate) fn committed(&self, outcome: Result<(), &str>) {
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(()) => *last = None,
            Err(cause) => *last = Some(cause.to_owned()),
        }
    }

    pub(crate) fn lose(&self, records: usize) {
        self.lost.fetch_add(u64::try_from(records).unwrap_or(u64::MAX), Ordering::AcqRel);
    }
}
