//! Honeytokens: tokens that nobody has a reason to use.

use rusqlite::{Connection, params};
use token::honeytoken::Honeytokens;
use token::id::TokenId;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql::{self, Columns};
use crate::writer::AfterCommit;

/// A honeytoken; of the token itself only the name is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Honeytoken {
    /// Its `jti`.
    pub token: TokenId,
    /// Where it was laid out, in words for people.
    pub label: String,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it would expire.
    pub expires_at: Timestamp,
}

const COLUMNS: &str = "token, label, created_by, created_at, expires_at";

impl Store {
    /// Keeps a honeytoken; its use is noticed before this returns.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is one of this name.
    pub async fn add_honeytoken(&self, honeytoken: &Honeytoken) -> Result<(), StoreError> {
        let new = honeytoken.clone();
        let sql = "INSERT INTO honeytokens (token, label, created_by, created_at, expires_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        self.write(move |act| {
            let values = params![
                new.token.as_str(),
                new.label,
                new.created_by,
                new.created_at.as_millis(),
                new.expires_at.as_millis(),
            ];
            sql::execute(act.db, sql, values).map_err(|error| error.or_taken("honeytoken"))?;
            act.after_commit(AfterCommit::Honeytoken(new.token.clone()));
            Ok(())
        })
        .await
    }

    /// The honeytoken of this name.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn honeytoken(&self, token: &TokenId) -> Result<Option<Honeytoken>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM honeytokens WHERE token = ?1");
        self.read(|db| sql::one(db, &sql, [token.as_str()], from_columns))
    }

    /// Honeytokens in order of their name, which for tokens of ours is that of their time, those
    /// behind `after`.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn list_honeytokens(
        &self,
        after: Option<&TokenId>,
        limit: usize,
    ) -> Result<Vec<Honeytoken>, StoreError> {
        let after = after.map_or("", TokenId::as_str);
        let sql =
            format!("SELECT {COLUMNS} FROM honeytokens WHERE token > ?1 ORDER BY token LIMIT ?2");
        self.read(|db| sql::all(db, &sql, params![after, sql::page(limit)], from_columns))
    }
}

/// Brings all names into memory, those of expired tokens too: who shows one has found the bait.
pub(crate) fn load(db: &Connection, honeytokens: &Honeytokens) -> Result<(), StoreError> {
    for token in sql::all(db, "SELECT token FROM honeytokens", [], |row| row.id("token"))? {
        honeytokens.add(token);
    }
    Ok(())
}

fn from_columns(row: &Columns<'_, '_>) -> Result<Honeytoken, StoreError> {
    Ok(Honeytoken {
        token: row.id("token")?,
        label: row.text("label")?,
        created_by: row.text("created_by")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}
