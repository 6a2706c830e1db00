//! Signing keys: pending → active → retiring → gone; the private part sealed.

use std::fmt;
use std::str::FromStr;

use rusqlite::params;
use token::id::KeyId;
use token::term::Algorithm;
use token::time::Timestamp;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::open::Store;
use crate::seal::Sealer;
use crate::sql::{self, Columns};
use crate::writer::Act;

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyState {
    /// Published, not yet used.
    Pending,
    /// Signs.
    Active,
    /// Only verifies.
    Retiring,
    /// Neither signs nor verifies; its private part is erased.
    Gone,
}

/// A signing key.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name.
    pub kid: KeyId,
    /// What it signs with.
    pub alg: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// The private part as PKCS #8; empty when it is gone.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// The public part as a JSON Web Key.
    pub public_jwk: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign, or to be at all without ever having signed.
    pub retired_at: Option<Timestamp>,
}

impl Store {
    /// Every key, those that are gone among them, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when a private part cannot be opened.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let sql = "SELECT kid, alg, state, sealed_pkcs8, public_jwk, created_at, activated_at, \
                   retired_at FROM signing_keys ORDER BY created_at, kid";
        self.read(|db| sql::all(db, sql, [], |row| from_columns(row, self.sealer())))
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is one of this name.
    pub async fn add_key(&self, key: &StoredKey) -> Result<(), StoreError> {
        let key = key.clone();
        self.write(move |act| insert(act, &key)).await
    }

    /// Makes a pending key the active one of its algorithm; the one before retires in the same
    /// transaction.
    /// `false` when the key is not pending; then nothing changes.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn promote_key(&self, kid: &KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let kid = kid.clone();
        self.write(move |act| promote(act, &kid, now)).await
    }

    /// Ends a key that is pending or retiring and erases its private part. `false` when it is
    /// active (another must be promoted first), gone, or unknown.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn drop_key(&self, kid: &KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let kid = kid.clone();
        let sql = "UPDATE signing_keys SET state = 'gone', sealed_pkcs8 = NULL, \
                   retired_at = COALESCE(retired_at, ?2) \
                   WHERE kid = ?1 AND state IN ('pending', 'retiring')";
        self.write(move |act| {
            Ok(sql::execute(act.db, sql, params![kid.as_str(), now.as_millis()])? > 0)
        })
        .await
    }
}

fn insert(act: &mut Act<'_>, key: &StoredKey) -> Result<(), StoreError> {
    let sealed = match key.state {
        KeyState::Gone => None,
        KeyState::Pending | KeyState::Active | KeyState::Retiring => {
            Some(act.shared.sealer.seal(&seal_label(&key.kid), &key.pkcs8)?)
        }
    };
    let sql = "INSERT INTO signing_keys (kid, state, sealed_pkcs8, public_jwk, created_at, \
               activated_at, retired_at, alg) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![
        key.kid.as_str(),
        key.state.as_str(),
        sealed,
        key.public_jwk,
        key.created_at.as_millis(),
        key.activated_at.map(Timestamp::as_millis),
        key.retired_at.map(Timestamp::as_millis),
        key.alg.as_str(),
    ];
    sql::execute(act.db, sql, values).map_err(|error| error.or_taken("key name"))?;
    Ok(())
}

fn promote(act: &mut Act<'_>, kid: &KeyId, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT alg FROM signing_keys WHERE kid = ?1 AND state = 'pending'";
    let Some(alg) = sql::one(act.db, sql, [kid.as_str()], |row| row.text("alg"))? else {
        return Ok(false);
    };
    let sql = "UPDATE signing_keys SET state = 'retiring', retired_at = ?1 \
               WHERE state = 'active' AND alg = ?2";
    sql::execute(act.db, sql, params![now.as_millis(), alg])?;
    let sql = "UPDATE signing_keys SET state = 'active', activated_at = ?2 WHERE kid = ?1";
    sql::execute(act.db, sql, params![kid.as_str(), now.as_millis()])?;
    Ok(true)
}

/// A private part that is moved to another row does not open.
fn seal_label(kid: &KeyId) -> String {
    format!("signing_keys {kid}")
}

fn from_columns(row: &Columns<'_, '_>, sealer: &Sealer) -> Result<StoredKey, StoreError> {
    let kid: KeyId = row.id("kid")?;
    let pkcs8 = match row.maybe_bytes("sealed_pkcs8")? {
        Some(sealed) => sealer.open(&seal_label(&kid), &sealed)?,
        None => Zeroizing::default(),
    };
    Ok(StoredKey {
        kid,
        alg: row.word("alg")?,
        state: row.word("state")?,
        pkcs8,
        public_jwk: row.text("public_jwk")?,
        created_at: row.time("created_at")?,
        activated_at: row.maybe_time("activated_at")?,
        retired_at: row.maybe_time("retired_at")?,
    })
}

// === impl KeyState ===

impl KeyState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Retiring, Self::Gone];

    /// The state's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyState {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or(StoreError::Corrupt { what: "state" })
    }
}

// === impl StoredKey ===

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredKey({}, {}, [redacted])", self.kid, self.state)
    }
}
