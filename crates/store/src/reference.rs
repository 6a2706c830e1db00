//! Opaque access tokens: the JWT behind each, which nobody can read without the token itself.

use rusqlite::params;
use token::opaque::OpaqueHash;
use token::reference::{References, Unavailable};
use token::secret::Secret;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::{seal, sql};

/// What a JWT is sealed for.
const SEAL: &str = "jwt behind an opaque token";

impl Store {
    /// Keeps the JWT that an opaque token stands for until `forget_at`. Both are on disk, the token as
    /// its hash, when this returns.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn keep_reference(
        &self,
        opaque: &Secret,
        jwt: &Secret,
        forget_at: Timestamp,
    ) -> Result<(), StoreError> {
        let hash = OpaqueHash::of(opaque.expose());
        let sealed = seal::seal_to(opaque.expose(), SEAL, jwt.expose().as_bytes())?;
        self.write(move |act| {
            let sql = "INSERT INTO token_references (hash, sealed, forget_at) VALUES (?1, ?2, ?3)";
            let values = params![hash.as_bytes(), sealed, forget_at.as_millis()];
            sql::execute(act.db, sql, values).map_err(|error| error.or_taken("opaque token"))?;
            Ok(())
        })
        .await
    }

    /// The JWT that an opaque token stands for.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub fn reference(&self, opaque: &str) -> Result<Option<Secret>, StoreError> {
        let hash = OpaqueHash::of(opaque);
        let sql = "SELECT sealed FROM token_references WHERE hash = ?1";
        let sealed =
            self.read(|db| sql::one(db, sql, [hash.as_bytes()], |row| row.maybe_bytes("sealed")))?;
        let Some(sealed) = sealed.flatten() else { return Ok(None) };
        let jwt = seal::open_from(opaque, SEAL, &sealed)?;
        let jwt = str::from_utf8(&jwt).map_err(|_| StoreError::Corrupt { what: "opaque token" })?;
        Ok(Some(Secret::new(jwt)))
    }
}

impl References for Store {
    fn resolve(&self, opaque: &str) -> Result<Option<Secret>, Unavailable> {
        self.reference(opaque).map_err(|error| {
            tracing::error!(%error, "an opaque token could not be looked up");
            Unavailable
        })
    }
}
