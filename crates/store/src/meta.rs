//! Small facts by name, for whoever has to remember one across starts.

use rusqlite::Connection;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql;

impl Store {
    /// The value under this name.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn meta(&self, name: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM meta WHERE name = ?1";
        self.read(|db| sql::one(db, sql, [name], |row| row.text("value")))
    }

    /// Puts a value under this name, in place of the one before.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn set_meta(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |act| set(act.db, &name, &value)).await
    }
}

/// The same as part of an act.
pub(crate) fn set(db: &Connection, name: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sql::execute(db, sql, [name, value]).map(drop)
}
