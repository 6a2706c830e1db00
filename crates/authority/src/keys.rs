//! The signing keys: pending (published, unused) → active → retiring (verify only) → gone.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use store::{KeyState, Store, StoreError, StoredKey};
use token::id::KeyId;
use token::jwk::{BadKey, PublicJwk};
use token::key::{KeySet, PrivateKey, PublicKey};
use token::keyring::Keyring;
use token::term::Algorithm;
use token::time::Timestamp;

/// When keys change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySchedule {
    /// How long a key signs; `None` leaves rotation to people.
    pub rotate_every: Option<Duration>,
    /// How long a key is published before it signs: more than checkers keep our JWKS.
    pub overlap: Duration,
    /// How long a key verifies after it signed last: at least the life of the longest token.
    pub retire_after: Duration,
}

/// Those that sign now.
#[derive(Clone)]
struct Active {
    /// Signs access tokens, and whatever nobody wants otherwise.
    first: Arc<PrivateKey>,
    all: Vec<Arc<PrivateKey>>,
}

/// The keys that sign and verify tokens, as the store has them.
pub struct SigningKeys {
    store: Store,
    schedule: KeySchedule,
    algorithms: Vec<Algorithm>,
    active: ArcSwap<Active>,
    keyring: Arc<Keyring>,
    jwks: ArcSwap<Bytes>,
    /// One change at a time: each reads the store, writes it, and shows the outcome.
    change: tokio::sync::Mutex<()>,
}

/// Why keys cannot be loaded or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A stored public key is not what was written.
    #[error("the stored public key `{0}` cannot be read")]
    Damaged(KeyId),
    /// No algorithm to sign with.
    #[error("at least one signing algorithm is needed")]
    NoAlgorithm,
    /// A key that was just made active is not there.
    #[error("no signing key for {0} is active; the data directory is damaged")]
    NoneActive(Algorithm),
    /// The work was given up.
    #[error("making a key was broken off")]
    BrokenOff,
    /// The cryptographic library failed, or a stored private key is not what was written.
    #[error(transparent)]
    Signing(#[from] BadKey),
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long checkers keep the published keys before they fetch them again: less than the time that a
/// key is published before it is used.
pub const PUBLISHED_FOR: Duration = Duration::from_mins(5);

/// How a rotation is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// A new key signs from now on; what older keys signed stays good.
    AtOnce,
    /// The same, and every older key is gone: whoever holds one can sign nothing that is believed.
    Compromised,
    /// A new key is published now and signs when checkers have had time to fetch it.
    Scheduled,
}

// === impl SigningKeys ===

impl SigningKeys {
    /// Loads the keys of the store, and makes those of algorithms that have none; they are active
    /// at once. The first algorithm is that of access tokens.
    ///
    /// # Errors
    /// [`KeysError`] when the store cannot be read or holds keys that cannot be used.
    pub async fn load_or_create(
        store: &Store,
        algorithms: &[Algorithm],
        schedule: KeySchedule,
        now: Timestamp,
    ) -> Result<Self, KeysError> {
        add_missing(store, algorithms, now).await?;
        let keys = store.keys().await?;
        let (active, published) = (active(&keys, algorithms)?, published(&keys)?);
        Ok(Self {
            store: store.clone(),
            schedule,
            algorithms: algorithms.to_vec(),
            active: ArcSwap::from_pointee(active),
            jwks: ArcSwap::from_pointee(jwks(&published)?),
            keyring: Arc::new(Keyring::new(published)),
            change: tokio::sync::Mutex::new(()),
        })
    }

    /// The key that signs access tokens now.
    pub fn active(&self) -> Arc<PrivateKey> {
        Arc::clone(&self.active.load().first)
    }

    /// The key that signs with this algorithm now; `None` for one that is not configured.
    pub fn active_for(&self, algorithm: Algorithm) -> Option<Arc<PrivateKey>> {
        let active = self.active.load();
        active.all.iter().find(|key| key.public().algorithm() == algorithm).cloned()
    }

    /// What can be signed with, that of access tokens first.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The keys that verify, shared with every checker in this process.
    pub fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring)
    }

    /// The published key set (RFC 7517 §5), ready to be sent.
    pub fn jwks(&self) -> Bytes {
        Bytes::clone(&self.jwks.load())
    }

    /// Brings in a new key for every algorithm; returns the name of that for access tokens. A
    /// scheduled rotation that is already under way is not started twice.
    ///
    /// # Errors
    /// [`KeysError`] when the change could not be made, or only in part; calling again mends it.
    pub async fn rotate(&self, how: Rotation, now: Timestamp) -> Result<KeyId, KeysError> {
        let mut first = None;
        for algorithm in &self.algorithms {
            let kid = self.rotate_one(*algorithm, how, now).await?;
            first.get_or_insert(kid);
        }
        first.ok_or(KeysError::NoAlgorithm)
    }

    async fn rotate_one(
        &self,
        algorithm: Algorithm,
        how: Rotation,
        now: Timestamp,
    ) -> Result<KeyId, KeysError> {
        let _alone = self.change.lock().await;
        let keys = self.store.keys().await?;
        let pending: Vec<&KeyId> = keys
            .iter()
            .filter(|key| key.state == KeyState::Pending && key.alg == algorithm)
            .map(|key| &key.kid)
            .collect();
        if let (Rotation::Scheduled, Some(kid)) = (how, pending.first()) {
            return Ok(KeyId::clone(kid));
        }
        let outcome = match how {
            Rotation::AtOnce | Rotation::Compromised => {
                replace_at_once(&self.store, algorithm, &pending, now).await
            }
            Rotation::Scheduled => add_new(&self.store, algorithm, now).await,
        };
        if let (Rotation::Compromised, Ok(_)) = (how, &outcome) {
            for key in self.store.keys().await? {
                if key.alg == algorithm && key.state == KeyState::Retiring {
                    self.store.drop_key(&key.kid, now).await?;
                }
            }
        }
        self.show().await?;
        outcome
    }

    /// Does what is due: promotes a key that was published long enough, publishes the next one
    /// in time, and drops those that nothing alive was signed with. To be called every minute.
    ///
    /// # Errors
    /// [`KeysError`] when a change could not be made; the next call tries again.
    pub async fn tend(&self, now: Timestamp) -> Result<(), KeysError> {
        let due = {
            let _alone = self.change.lock().await;
            let keys = self.store.keys().await?;
            let mut changed = false;
            for key in &keys {
                match step(key, &self.schedule, now) {
                    Some(Step::Promote) => self.store.promote_key(&key.kid, now).await?,
                    Some(Step::Drop) => self.store.drop_key(&key.kid, now).await?,
                    None => continue,
                };
                changed = true;
            }
            if changed {
                self.show().await?;
            }
            let due = |algorithm: &&Algorithm| {
                !changed && next_is_due(&keys, **algorithm, &self.schedule, now)
            };
            self.algorithms.iter().filter(due).copied().collect::<Vec<_>>()
        };
        for algorithm in due {
            self.rotate_one(algorithm, Rotation::Scheduled, now).await?;
        }
        Ok(())
    }

    /// Makes what the store has now the truth of this process. The verifying keys come first:
    /// no token may be signed with a key that checkers do not have yet.
    async fn show(&self) -> Result<(), KeysError> {
        let keys = self.store.keys().await?;
        let (active, published) = (active(&keys, &self.algorithms)?, published(&keys)?);
        self.jwks.store(Arc::new(jwks(&published)?));
        self.keyring.replace(published);
        self.active.store(Arc::new(active));
        Ok(())
    }
}

enum Step {
    Drop,
    Promote,
}

/// What is due for one key.
fn step(key: &StoredKey, schedule: &KeySchedule, now: Timestamp) -> Option<Step> {
    match key.state {
        KeyState::Pending => {
            (now >= key.created_at.plus(schedule.overlap)).then_some(Step::Promote)
        }
        KeyState::Retiring => {
            let retired_at = key.retired_at?;
            (now >= retired_at.plus(schedule.retire_after)).then_some(Step::Drop)
        }
        KeyState::Active | KeyState::Gone => None,
    }
}

/// Whether the next key must be published now to sign in time.
fn next_is_due(
    keys: &[StoredKey],
    algorithm: Algorithm,
    schedule: &KeySchedule,
    now: Timestamp,
) -> bool {
    let Some(rotate_every) = schedule.rotate_every else { return false };
    let mut keys = keys.iter().filter(|key| key.alg == algorithm);
    let active = keys.clone().find(|key| key.state == KeyState::Active);
    let pending = keys.any(|key| key.state == KeyState::Pending);
    let Some(since) = active.and_then(|key| key.activated_at) else { return false };
    !pending && now >= since.plus(rotate_every.saturating_sub(schedule.overlap))
}

/// Makes a key for each algorithm that has none to sign with. RSA keys take a while: all at the same
/// time.
async fn add_missing(
    store: &Store,
    algorithms: &[Algorithm],
    now: Timestamp,
) -> Result<(), KeysError> {
    let keys = store.keys().await?;
    let of =
        |algorithm, state| keys.iter().find(move |key| key.alg == algorithm && key.state == state);
    let mut made = Vec::new();
    for algorithm in algorithms {
        if of(*algorithm, KeyState::Active).is_some() {
            continue;
        }
        // A start that was cut short may have left a key that nobody promoted.
        match of(*algorithm, KeyState::Pending) {
            Some(key) => drop(store.promote_key(&key.kid, now).await?),
            None => made.push(generate(*algorithm)),
        }
    }
    for key in made {
        let key = stored(&key.await.map_err(|_| KeysError::BrokenOff)??, now)?;
        store.add_key(&key).await?;
        store.promote_key(&key.kid, now).await?;
    }
    Ok(())
}

fn generate(algorithm: Algorithm) -> tokio::task::JoinHandle<Result<PrivateKey, BadKey>> {
    tokio::task::spawn_blocking(move || PrivateKey::generate(algorithm))
}

async fn add_new(store: &Store, algorithm: Algorithm, now: Timestamp) -> Result<KeyId, KeysError> {
    let key = generate(algorithm).await.map_err(|_| KeysError::BrokenOff)??;
    let key = stored(&key, now)?;
    store.add_key(&key).await?;
    Ok(key.kid)
}

async fn replace_at_once(
    store: &Store,
    algorithm: Algorithm,
    pending: &[&KeyId],
    now: Timestamp,
) -> Result<KeyId, KeysError> {
    let kid = add_new(store, algorithm, now).await?;
    store.promote_key(&kid, now).await?;
    // Whoever knows the active key may know the one that lay beside it.
    for kid in pending {
        store.drop_key(kid, now).await?;
    }
    Ok(kid)
}

fn active(keys: &[StoredKey], algorithms: &[Algorithm]) -> Result<Active, KeysError> {
    let of = |algorithm: &Algorithm| {
        let active = |key: &&StoredKey| key.state == KeyState::Active && key.alg == *algorithm;
        let key = keys.iter().find(active).ok_or(KeysError::NoneActive(*algorithm))?;
        Ok(Arc::new(PrivateKey::from_pkcs8(*algorithm, &key.pkcs8)?))
    };
    let all = algorithms.iter().map(of).collect::<Result<Vec<_>, KeysError>>()?;
    let first = all.first().cloned().ok_or(KeysError::NoAlgorithm)?;
    Ok(Active { first, all })
}

/// The keys that checkers may meet: all but those that are gone.
fn published(keys: &[StoredKey]) -> Result<KeySet, KeysError> {
    let live = keys.iter().filter(|key| key.state != KeyState::Gone);
    live.map(|key| Ok(Arc::new(PublicKey::from_jwk(jwk(key)?)?))).collect()
}

fn jwk(key: &StoredKey) -> Result<PublicJwk, KeysError> {
    PublicJwk::parse(key.public_jwk.as_bytes()).map_err(|_| KeysError::Damaged(key.kid.clone()))
}

fn jwks(keys: &KeySet) -> Result<Bytes, BadKey> {
    let mut list: Vec<&PublicJwk> = keys.iter().map(|key| key.jwk()).collect();
    list.sort_by(|a, b| a.kid.cmp(&b.kid));
    let document = serde_json::json!({ "keys": list });
    serde_json::to_vec(&document).map(Bytes::from).map_err(|_| BadKey::Library)
}

fn stored(key: &PrivateKey, now: Timestamp) -> Result<StoredKey, BadKey> {
    let public_jwk = serde_json::to_string(key.public().jwk()).map_err(|_| BadKey::Library)?;
    Ok(StoredKey {
        kid: key.public().kid().clone(),
        alg: key.public().algorithm(),
        state: KeyState::Pending,
        pkcs8: key.expose_pkcs8().to_vec().into(),
        public_jwk,
        created_at: now,
        activated_at: None,
        retired_at: None,
    })
}

#[cfg(test)]
mod tests;
