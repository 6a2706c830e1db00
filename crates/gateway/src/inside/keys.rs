//! The keys of the gateway's own tokens: one that stays, or one for each period, known before it signs.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use serde_json::json;
use token::jwk::BadKey;
use token::key::PrivateKey;
use token::time::Timestamp;

/// The keys that sign what upstreams are told. They have no part in checking what comes from outside.
pub struct InternalKeys {
    source: Source,
    held: ArcSwapOption<Held>,
}

type Make = Box<dyn Fn(u64) -> Result<PrivateKey, BadKey> + Send + Sync>;

enum Source {
    Fixed(Arc<PrivateKey>),
    Rotating { every: Duration, make: Make },
}

/// Those of a period.
pub(super) struct Held {
    number: u64,
    pub(super) signs: Arc<PrivateKey>,
    /// Of this period, and where keys rotate of the ones before and after it, so that neither who has
    /// fetched them long ago nor who has just done it lacks one.
    pub(super) published: Bytes,
}

// === impl InternalKeys ===

impl InternalKeys {
    /// One key, for as long as the gateway runs.
    pub fn fixed(key: PrivateKey) -> Self {
        Self { source: Source::Fixed(Arc::new(key)), held: ArcSwapOption::empty() }
    }

    /// A key for each period of this length, by its number since the epoch. `make` gives the same key for the
    /// same number, at every instance and after every restart.
    pub fn rotating(
        every: Duration,
        make: impl Fn(u64) -> Result<PrivateKey, BadKey> + Send + Sync + 'static,
    ) -> Self {
        let every = every.max(Duration::from_secs(1));
        let source = Source::Rotating { every, make: Box::new(make) };
        Self { source, held: ArcSwapOption::empty() }
    }

    /// The keys of now.
    ///
    /// # Errors
    /// [`BadKey`] when they cannot be made.
    pub(super) fn at(&self, now: Timestamp) -> Result<Arc<Held>, BadKey> {
        let number = match &self.source {
            Source::Fixed(_) => 0,
            Source::Rotating { every, .. } => {
                u64::try_from(now.as_secs()).unwrap_or(0) / every.as_secs()
            }
        };
        if let Some(held) = self.held.load_full().filter(|held| held.number == number) {
            return Ok(held);
        }
        let held = Arc::new(self.hold(number)?);
        self.held.store(Some(Arc::clone(&held)));
        Ok(held)
    }

    fn hold(&self, number: u64) -> Result<Held, BadKey> {
        let (signs, others) = match &self.source {
            Source::Fixed(key) => (Arc::clone(key), Vec::new()),
            Source::Rotating { make, .. } => {
                let others = [number.saturating_sub(1), number + 1];
                let others = others.into_iter().filter(|other| *other != number).map(make);
                (Arc::new(make(number)?), others.collect::<Result<_, _>>()?)
            }
        };
        let keys: Vec<_> =
            [&*signs].into_iter().chain(&others).map(|key| key.public().jwk()).collect();
        let published =
            serde_json::to_vec(&json!({ "keys": keys })).map_err(|_| BadKey::Library)?;
        Ok(Held { number, signs, published: published.into() })
    }
}
