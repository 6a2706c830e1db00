//! The key set of an issuer: fetched once for everybody, kept while the issuer is down, asked again for an unknown key, but not by whoever likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use token::jwk::BadKey;
use token::key::KeySet;
use token::keyring::Keyring;
use tokio::time::Instant;
use url::Url;

use crate::fetch::{FetchError, Fetcher};

/// So many names are remembered that were not there.
const MOST_ABSENT: usize = 1024;

/// When a key set is fetched again.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// It is fetched again after this time, or sooner when the issuer says so …
    pub at_most: Duration,
    /// … but not before this time has passed, whatever the issuer says.
    pub at_least: Duration,
    /// After a failure so long nothing is tried.
    pub pause: Duration,
    /// So often an unknown key name leads to a fetch out of turn …
    pub unknown_every: Duration,
    /// … and so many may have been saved up.
    pub unknown_burst: u32,
    /// For so long after the last good answer the keys are used while the issuer is down; `None`
    /// for ever.
    pub while_down: Option<Duration>,
}

/// The keys of one issuer. [`RemoteKeys::keyring`] is what checks read, without waiting.
pub struct RemoteKeys {
    fetcher: Fetcher,
    url: Url,
    freshness: Freshness,
    keyring: Arc<Keyring>,
    state: Mutex<State>,
    /// Held by the one who fetches.
    flight: tokio::sync::Mutex<()>,
}

/// Why no keys were had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The set cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What was fetched is no key set, or has no key that is of use.
    #[error("`{url}` is no usable key set: {fault}")]
    Set {
        /// Where it was found.
        url: String,
        /// What is wrong with it.
        fault: BadKey,
    },
    /// It failed a moment ago, and is not tried again yet.
    #[error("`{0}` could not be fetched a moment ago")]
    Paused(String),
}

/// What a search for a name would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// The issuer has said a moment ago that there is no such key.
    Absent,
    /// The issuer is asked, or is being asked.
    Asks,
    /// It is not asked now: it failed a moment ago, or was asked too often. The key may be there.
    NotNow,
}

/// How fetches of keys ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// With a usable key set.
    pub good: u64,
    /// Without.
    pub failed: u64,
}

struct State {
    /// Grows with every fetch that ended, well or badly.
    fetches: u64,
    fresh_until: Option<Instant>,
    last_good: Option<Instant>,
    paused_until: Option<Instant>,
    /// Since the first fetch: how many went well, and how many badly.
    outcomes: Outcomes,
    /// An unknown name has caused a fetch that has not ended.
    asked: bool,
    /// Names that were not there when they were looked for, and until when that is believed.
    absent: HashMap<String, Instant>,
    /// Fetches out of turn that are left, and since when.
    unknown: (u32, Instant),
}

// === impl Freshness ===

/// Five minutes at most, ten seconds at least; for unknown names three at once and one in ten seconds.
impl Default for Freshness {
    fn default() -> Self {
        Self {
            at_most: Duration::from_mins(5),
            at_least: Duration::from_secs(10),
            pause: Duration::from_secs(5),
            unknown_every: Duration::from_secs(10),
            unknown_burst: 3,
            while_down: None,
        }
    }
}

// === impl RemoteKeys ===

impl RemoteKeys {
    /// The keys at `url`. Nothing is fetched yet.
    pub fn new(fetcher: Fetcher, url: Url, freshness: Freshness) -> Self {
        Self::into_keyring(fetcher, url, freshness, Arc::default())
    }

    /// The same, for a ring that somebody reads already.
    pub fn into_keyring(
        fetcher: Fetcher,
        url: Url,
        freshness: Freshness,
        keyring: Arc<Keyring>,
    ) -> Self {
        let state = State {
            fetches: 0,
            fresh_until: None,
            last_good: None,
            paused_until: None,
            outcomes: Outcomes::default(),
            asked: false,
            absent: HashMap::new(),
            unknown: (freshness.unknown_burst, Instant::now()),
        };
        let flight = tokio::sync::Mutex::default();
        Self { fetcher, url, freshness, keyring, state: Mutex::new(state), flight }
    }

    /// The keys as they are now; empty before the first fetch.
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    /// Whether [`RemoteKeys::refresh`] has something to do.
    pub fn is_stale(&self) -> bool {
        let (state, now) = (self.state(), Instant::now());
        !state.is_paused(now) && state.fresh_until.is_none_or(|until| now >= until)
    }

    /// Fetches the keys if it is time. Whoever comes while somebody fetches waits for that one.
    ///
    /// # Errors
    /// [`KeysError`] when the issuer cannot be asked: what was held stays.
    pub async fn refresh(&self) -> Result<(), KeysError> {
        if !self.is_stale() {
            let paused = self.state().is_paused(Instant::now());
            return if paused { Err(KeysError::Paused(self.url.to_string())) } else { Ok(()) };
        }
        self.fetch_once().await
    }

    /// Fetches the keys because a token names one that is not among them, if the issuer was not
    /// asked so lately; returns whether the name is known now.
    pub async fn look_for(&self, kid: &str) -> bool {
        if self.keyring.current().key(kid).is_some() {
            return true;
        }
        let Some((seen, _asking)) = self.may_ask(kid) else { return false };
        let fetched = self.fetch_unless_done(seen).await;
        let found = self.keyring.current().key(kid).is_some();
        match fetched {
            Ok(()) if !found => self.remember_absent(kid),
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, "an issuer's keys could not be fetched; the last good ones stay");
            }
        }
        found
    }

    /// What [`RemoteKeys::look_for`] would come to. Uses nothing up.
    pub fn prospect(&self, kid: &str) -> Prospect {
        let now = Instant::now();
        let mut state = self.state();
        if state.is_absent(kid, now) {
            Prospect::Absent
        } else if state.asked || (!state.is_paused(now) && state.left(self.freshness, now) > 0) {
            Prospect::Asks
        } else {
            Prospect::NotNow
        }
    }

    /// How long ago the last usable set came; `None` before the first.
    pub fn age(&self) -> Option<Duration> {
        self.state().last_good.map(|last| last.elapsed())
    }

    /// How fetches ended so far.
    pub fn outcomes(&self) -> Outcomes {
        self.state().outcomes
    }

    /// A name that was not there is not looked for again at once: a client that insists must not use up
    /// the fetches that a new key needs.
    fn remember_absent(&self, kid: &str) {
        let now = Instant::now();
        let mut state = self.state();
        // Whoever waited for another's fetch learns here that it failed.
        if state.is_paused(now) {
            return;
        }
        if state.absent.len() >= MOST_ABSENT {
            state.absent.retain(|_, until| now < *until);
        }
        if state.absent.len() < MOST_ABSENT {
            state.absent.insert(kid.to_owned(), now + self.freshness.unknown_every);
        }
    }

    /// Drops the keys when the issuer has been silent for too long.
    pub fn forget_if_silent(&self) {
        let (Some(most), Some(last)) = (self.freshness.while_down, self.state().last_good) else {
            return;
        };
        if last.elapsed() > most && !self.keyring.current().is_empty() {
            tracing::error!(url = %self.url, "an issuer was silent for too long: its keys are dropped");
            self.keyring.replace(KeySet::default());
        }
    }

    /// Joins the fetch that unknown names have caused, or takes one of those that they may cause,
    /// if one is left; returns how many fetches there were before it.
    fn may_ask(&self, kid: &str) -> Option<(u64, Option<Asking<'_>>)> {
        let now = Instant::now();
        let mut state = self.state();
        if state.is_absent(kid, now) {
            return None;
        }
        if state.asked {
            return Some((state.fetches, None));
        }
        if state.is_paused(now) || state.left(self.freshness, now) == 0 {
            return None;
        }
        state.unknown.0 -= 1;
        state.asked = true;
        Some((state.fetches, Some(Asking(self))))
    }

    async fn fetch_once(&self) -> Result<(), KeysError> {
        let seen = self.state().fetches;
        self.fetch_unless_done(seen).await
    }

    /// Fetches, unless somebody has done so since `seen`.
    async fn fetch_unless_done(&self, seen: u64) -> Result<(), KeysError> {
        let _flight = self.flight.lock().await;
        if self.state().fetches != seen {
            return Ok(());
        }
        let fetched = self.fetch().await;
        let now = Instant::now();
        let mut state = self.state();
        state.fetches += 1;
        state.asked = false;
        match &fetched {
            Ok(_) => state.outcomes.good += 1,
            Err(_) => state.outcomes.failed += 1,
        }
        match fetched {
            Ok((keys, max_age)) => {
                let Freshness { at_least, at_most, .. } = self.freshness;
                let stays = max_age.unwrap_or(at_most).max(at_least).min(at_most);
                state.fresh_until = Some(now + stays);
                state.last_good = Some(now);
                state.paused_until = None;
                // The same keys again must not make every verified token be verified again.
                if !keys.is_same(&self.keyring.current()) {
                    state.absent.clear();
                    self.keyring.replace(keys);
                }
                Ok(())
            }
            Err(error) => {
                state.paused_until = Some(now + self.freshness.pause);
                Err(error)
            }
        }
    }

    async fn fetch(&self) -> Result<(KeySet, Option<Duration>), KeysError> {
        let answer = self.fetcher.get(&self.url, "application/jwk-set+json, application/json");
        let answer = answer.await?;
        let max_age = answer.max_age();
        let wrong = |fault| KeysError::Set { url: self.url.to_string(), fault };
        let keys = KeySet::from_jwks(&answer.body).map_err(wrong)?;
        // An empty set would refuse everybody: it is taken for the mistake that it nearly always is.
        if keys.is_empty() { Err(wrong(BadKey::Member("keys"))) } else { Ok((keys, max_age)) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The search of one who may ask. Whoever goes away in the middle of it leaves nobody free to ask at will.
struct Asking<'k>(&'k RemoteKeys);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.state().asked = false;
    }
}

// === impl State ===

impl State {
    fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    fn is_absent(&self, kid: &str, now: Instant) -> bool {
        self.absent.get(kid).is_some_and(|until| now < *until)
    }

    /// Fetches out of turn that are left now.
    fn left(&mut self, freshness: Freshness, now: Instant) -> u32 {
        let Freshness { unknown_every, unknown_burst, .. } = freshness;
        let (left, since) = self.unknown;
        let every = unknown_every.max(Duration::from_millis(1));
        let grown = now.duration_since(since).as_millis() / every.as_millis();
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        self.unknown = match left.saturating_add(grown) {
            full if full >= unknown_burst => (unknown_burst, now),
            left => (left, since + every.saturating_mul(grown)),
        };
        self.unknown.0
    }
}

/// Keeps the keys fresh until nobody else holds them: asks when it is time, and says when it fails.
pub async fn keep_fresh(keys: Arc<RemoteKeys>) {
    loop {
        if Arc::strong_count(&keys) == 1 {
            return;
        }
        if keys.is_stale()
            && let Err(error) = keys.refresh().await
        {
            tracing::warn!(%error, "an issuer's keys could not be fetched; the last good ones stay");
        }
        keys.forget_if_silent();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
