//! An issuer whose keys are followed: found by its metadata, fetched, and kept fresh in the background, so
//! that whoever checks never waits for it to begin.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use token::keyring::Keyring;
use tokio::time::Instant;
use url::Url;

use crate::fetch::Fetcher;
use crate::issuer::discover;
use crate::keys::{Freshness, Outcomes, Prospect, RemoteKeys};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How often it is looked whether a set has become stale.
const TICK: Duration = Duration::from_millis(500);
/// An issuer that cannot be asked for its keys may have moved them.
const ASK_WHERE_EVERY: Duration = Duration::from_mins(1);

/// The keys of an issuer, wherever it says that they are.
pub struct FollowedKeys {
    fetcher: Fetcher,
    issuer: String,
    jwks_uri: Option<Url>,
    freshness: Freshness,
    keyring: Arc<Keyring>,
    found: ArcSwapOption<Found>,
    /// Attempts to find them that failed.
    unfound: Mutex<u64>,
}

struct Found {
    url: Url,
    keys: RemoteKeys,
    /// What was counted at places before this.
    before: Outcomes,
}

// === impl FollowedKeys ===

impl FollowedKeys {
    /// The keys of `issuer` at `jwks_uri`; without that, its metadata says where they are. Nothing is
    /// fetched yet.
    pub fn new(
        fetcher: Fetcher,
        issuer: impl Into<String>,
        jwks_uri: Option<Url>,
        freshness: Freshness,
    ) -> Self {
        let (keyring, found, unfound) = (Arc::default(), ArcSwapOption::empty(), Mutex::default());
        Self { fetcher, issuer: issuer.into(), jwks_uri, freshness, keyring, found, unfound }
    }

    /// The keys as they are now; empty until they were fetched, and never again.
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    /// What [`FollowedKeys::look_for`] would come to.
    pub fn prospect(&self, kid: &str) -> Prospect {
        let found = self.found.load();
        found.as_ref().map_or(Prospect::NotNow, |found| found.keys.prospect(kid))
    }

    /// Fetches the keys for a name that is not among them, as [`RemoteKeys::look_for`].
    pub async fn look_for(&self, kid: &str) -> bool {
        match self.found.load_full() {
            Some(found) => found.keys.look_for(kid).await,
            None => false,
        }
    }

    /// How long ago the last usable set came.
    pub fn age(&self) -> Option<Duration> {
        self.found.load().as_ref().and_then(|found| found.keys.age())
    }

    /// How fetches ended so far, those of the issuer's metadata that failed among them.
    pub fn outcomes(&self) -> Outcomes {
        let unfound = *self.unfound.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.found.load();
        let Outcomes { good, failed } = found.as_ref().map(|found| found.all()).unwrap_or_default();
        Outcomes { good, failed: failed + unfound }
    }

    /// Finds the keys and keeps them fresh until nobody else holds them. An issuer that is down is
    /// tried again and again; its last good keys stay.
    pub async fn follow(self: Arc<Self>) {
        let (mut pause, mut asked_where) = (FIRST_PAUSE, None);
        let mut told = String::new();
        while Arc::strong_count(&self) > 1 {
            match self.keep_up(&mut asked_where).await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    tokio::time::sleep(TICK).await;
                }
                Err(trouble) => {
                    // Once: an issuer may be down for a night.
                    if told != trouble {
                        let has_keys = !self.keyring.current().is_empty();
                        tracing::warn!(issuer = self.issuer, has_keys, "{trouble}");
                        told = trouble;
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn keep_up(&self, asked_where: &mut Option<Instant>) -> Result<(), String> {
        let found = match self.found.load_full() {
            Some(found) => found,
            None => self.find(asked_where).await?,
        };
        if !found.keys.is_stale() {
            return Ok(());
        }
        let Err(trouble) = found.keys.refresh().await else { return Ok(()) };
        let moved = self.jwks_uri.is_none()
            && asked_where.is_none_or(|asked| asked.elapsed() > ASK_WHERE_EVERY);
        if moved {
            self.find(asked_where).await?;
        }
        Err(trouble.to_string())
    }

    async fn find(&self, asked_where: &mut Option<Instant>) -> Result<Arc<Found>, String> {
        *asked_where = Some(Instant::now());
        let url = match &self.jwks_uri {
            Some(url) => url.clone(),
            None => {
                let metadata = discover(&self.fetcher, &self.issuer).await.map_err(|error| {
                    *self.unfound.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                    error.to_string()
                })?;
                metadata.jwks_uri
            }
        };
        let before = self.found.load_full();
        if let Some(before) = before.as_ref().filter(|before| before.url == url) {
            return Ok(Arc::clone(before));
        }
        let (fetcher, keyring) = (self.fetcher.clone(), Arc::clone(&self.keyring));
        let keys = RemoteKeys::into_keyring(fetcher, url.clone(), self.freshness, keyring);
        let before = before.map(|before| before.all()).unwrap_or_default();
        let found = Arc::new(Found { url, keys, before });
        self.found.store(Some(Arc::clone(&found)));
        Ok(found)
    }
}

// === impl Found ===

impl Found {
    fn all(&self) -> Outcomes {
        let Outcomes { good, failed } = self.keys.outcomes();
        Outcomes { good: self.before.good + good, failed: self.before.failed + failed }
    }
}
