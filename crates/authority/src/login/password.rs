//! Passwords that people choose: Argon2id on a bounded pool, the same cost whoever asks.

pub mod breached;
pub mod policy;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use token::random::{OsRandom, Random};
use token::secret::Secret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use self::policy::{PolicyRefused, Rules};

/// OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// RFC 9106 §4.
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 32;

/// How many wait for each that runs. At some 25 ms a hash, who waits longest waits a second.
const WAITING_PER_THREAD: usize = 40;

/// What a password is compared with when there is nobody of that name: same cost, no password
/// is known to fit, and the answer would be no even if one did.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
                     Ahfx6H9u8P3kYzFzaH5RlA$8l0u8Wq7v0rXk3o2yQm5tJcB1nDgE6hZsTfVpUaKiMo";

/// Hashes and checks passwords, a few at a time, the others in a queue of bounded length where
/// first come is first served. A clone is the same pool.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    running: Arc<Semaphore>,
    present: AtomicUsize,
    limit: usize,
    rules: Rules,
}

/// Why a password was neither hashed nor checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The queue is full.
    #[error("too many passwords are being checked just now; try again shortly")]
    Busy,
    /// The hash function failed, for lack of memory for example.
    #[error("hashing the password failed: {0}")]
    Hashing(String),
    /// The list of stolen passwords cannot be read any more.
    #[error("the list of stolen passwords cannot be read: {0}")]
    List(String),
    /// A new password that is too weak.
    #[error(transparent)]
    Policy(#[from] PolicyRefused),
    /// What is stored for the person is no Argon2 hash.
    #[error("the stored password hash is damaged; set a new password")]
    StoredHash,
}

// === impl Passwords ===

impl Passwords {
    /// A pool that works on this many passwords at the same time, at least one; each takes
    /// 19 MiB while it runs. New ones keep the rules.
    pub fn new(threads: usize, rules: Rules) -> Self {
        let threads = threads.clamp(1, Semaphore::MAX_PERMITS >> 8);
        Self(Arc::new(Pool {
            running: Arc::new(Semaphore::new(threads)),
            present: AtomicUsize::new(0),
            limit: threads.saturating_mul(WAITING_PER_THREAD + 1),
            rules,
        }))
    }

    /// Hashes a new password into PHC form, when it keeps the rules; `names` are those of the person it is
    /// for.
    ///
    /// # Errors
    /// [`PasswordError::Policy`] when it is too weak, [`PasswordError::Busy`] when too many wait.
    pub async fn hash(
        &self,
        password: Secret,
        names: Vec<String>,
    ) -> Result<Secret, PasswordError> {
        let pool = Arc::clone(&self.0);
        self.run(move || hash(&pool.kept(password, &names)?)).await?
    }

    /// Whether a new password keeps the rules.
    ///
    /// # Errors
    /// As [`Passwords::hash`].
    pub async fn check(&self, password: Secret, names: Vec<String>) -> Result<(), PasswordError> {
        let pool = Arc::clone(&self.0);
        self.run(move || pool.kept(password, &names).map(drop)).await?
    }

    /// The shortest new password, in characters.
    pub fn min_chars(&self) -> usize {
        self.0.rules.min_chars
    }

    /// Whether the presented password is the stored one. With nothing stored the answer is no,
    /// and takes as long.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when too many wait, [`PasswordError::StoredHash`] when the stored
    /// hash cannot be read.
    pub async fn verify(
        &self,
        stored: Option<Secret>,
        presented: Secret,
    ) -> Result<bool, PasswordError> {
        self.run(move || verify(stored.as_ref(), &policy::normalised(presented))).await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Place::take(&self.0)?;
        let permit = Arc::clone(&self.0.running).acquire_owned().await;
        let permit = permit.map_err(|_| PasswordError::Busy)?;
        // Both travel with the work: who stops waiting for it does not make room for more.
        let held: (Place, OwnedSemaphorePermit) = (place, permit);
        let done = spawn_blocking(move || {
            let result = work();
            drop(held);
            result
        });
        done.await.map_err(|error| PasswordError::Hashing(error.to_string()))
    }
}

// === impl Pool ===

impl Pool {
    /// A new password in the form that is hashed, when it keeps the rules.
    fn kept(&self, password: Secret, names: &[String]) -> Result<Secret, PasswordError> {
        let password = policy::normalised(password);
        let checked = self.rules.check(&password, names);
        checked.map_err(|error| PasswordError::List(error.to_string()))??;
        Ok(password)
    }
}

/// One place among those that run or wait.
struct Place(Arc<Pool>);

// === impl Place ===

impl Place {
    fn take(pool: &Arc<Pool>) -> Result<Self, PasswordError> {
        let place = Self(Arc::clone(pool));
        if pool.present.fetch_add(1, Ordering::AcqRel) >= pool.limit {
            return Err(PasswordError::Busy);
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.present.fetch_sub(1, Ordering::AcqRel);
    }
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(TAG_BYTES));
    let params = params.map_err(|error| PasswordError::Hashing(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &Secret) -> Result<Secret, PasswordError> {
    let mut salt = [0u8; SALT_BYTES];
    // A salt must be unique, not repeatable: no test gains from bringing its own.
    OsRandom::new().fill(&mut salt);
    let hashed = argon2()?.hash_password_with_salt(password.expose().as_bytes(), &salt);
    let hashed = hashed.map_err(|error| PasswordError::Hashing(error.to_string()))?;
    Ok(Secret::new(hashed.to_string()))
}

fn verify(stored: Option<&Secret>, presented: &Secret) -> Result<bool, PasswordError> {
    let text = stored.map_or(DUMMY, Secret::expose);
    let known = PasswordHash::new(text).map_err(|_| PasswordError::StoredHash)?;
    if known.salt.is_none() || known.hash.is_none() {
        return Err(PasswordError::StoredHash);
    }
    let outcome = argon2()?.verify_password(presented.expose().as_bytes(), &known);
    match outcome {
        Ok(()) => Ok(stored.is_some()),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordError::Hashing(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
