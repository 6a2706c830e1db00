//! Passwords that people choose: Argon2id on a bounded pool with fair queues, the same cost whoever asks.

pub mod breached;
pub mod policy;
mod pool;
mod queue;
mod used_most;

use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use token::random::{OsRandom, Random};
use token::secret::Secret;

use self::policy::{PolicyRefused, Rules};
use self::pool::Pool;
use self::queue::{Line, Place};
use super::name_key;

/// OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// RFC 9106 §4.
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 32;

/// What a password is compared with when there is nobody of that name: same cost, no password
/// is known to fit, and the answer would be no even if one did.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
                     Ahfx6H9u8P3kYzFzaH5RlA$8l0u8Wq7v0rXk3o2yQm5tJcB1nDgE6hZsTfVpUaKiMo";

/// Hashes and checks passwords, a few at a time. The others wait: networks (/24 of IPv4, /56 of IPv6) take turns,
/// and within one the accounts do. Where too many wait, whoever waits longest in the fullest line is turned away.
/// A clone is the same pool.
#[derive(Clone, Debug)]
pub struct Passwords {
    pool: Arc<Pool>,
    rules: Arc<Rules>,
}

/// For whom a password is worked on: it says where they queue.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The address behind trusted proxies.
    pub ip: Option<IpAddr>,
    /// The account's name, as it was typed.
    pub account: &'a str,
    /// Whether they have shown who they are: by a browser in which they signed in before, a session, a link or a
    /// token. Then they do not wait behind strangers of the same network.
    pub is_known: bool,
}

/// How much there is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Passwords that are worked on; each takes 19 MiB.
    pub running: usize,
    /// Those that wait.
    pub waiting: usize,
    /// Those that were turned away since the start.
    pub shed: u64,
}

/// Why a password was neither hashed nor checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many wait, most of them in the same line.
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
        Self { pool: Arc::new(Pool::new(threads)), rules: Arc::new(rules) }
    }

    /// Hashes a new password into PHC form, when it keeps the rules; `names` are those of the person it is
    /// for.
    ///
    /// # Errors
    /// [`PasswordError::Policy`] when it is too weak, [`PasswordError::Busy`] when too many wait.
    pub async fn hash(
        &self,
        asker: Asker<'_>,
        password: Secret,
        names: Vec<String>,
    ) -> Result<Secret, PasswordError> {
        let rules = Arc::clone(&self.rules);
        self.run(asker, move || hash(&kept(&rules, password, &names)?)).await?
    }

    /// Whether a new password keeps the rules.
    ///
    /// # Errors
    /// As [`Passwords::hash`].
    pub async fn check(
        &self,
        asker: Asker<'_>,
        password: Secret,
        names: Vec<String>,
    ) -> Result<(), PasswordError> {
        let rules = Arc::clone(&self.rules);
        self.run(asker, move || kept(&rules, password, &names).map(drop)).await?
    }

    /// The shortest new password, in characters.
    pub fn min_chars(&self) -> usize {
        self.rules.min_chars
    }

    /// How much there is to do just now.
    pub fn load(&self) -> Load {
        self.pool.load()
    }

    /// Whether the presented password is the stored one. With nothing stored the answer is no,
    /// and takes as long.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when too many wait, [`PasswordError::StoredHash`] when the stored
    /// hash cannot be read.
    pub async fn verify(
        &self,
        asker: Asker<'_>,
        stored: Option<Secret>,
        presented: Secret,
    ) -> Result<bool, PasswordError> {
        self.run(asker, move || verify(stored.as_ref(), &policy::normalised(presented))).await?
    }

    async fn run<T: Send + 'static>(
        &self,
        asker: Asker<'_>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let account = self.pool.hasher.hash_one(name_key(asker.account));
        let place = Place { line: Line::of(asker.ip, asker.is_known), account };
        self.pool.run(place, work).await
    }
}

/// A new password in the form that is hashed, when it keeps the rules.
fn kept(rules: &Rules, password: Secret, names: &[String]) -> Result<Secret, PasswordError> {
    let password = policy::normalised(password);
    let checked = rules.check(&password, names);
    checked.map_err(|error| PasswordError::List(error.to_string()))??;
    Ok(password)
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
