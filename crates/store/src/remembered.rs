//! Browsers in which a person need not prove a further factor for a while.

use rusqlite::params;
use token::id::SubjectId;
use token::opaque::OpaqueHash;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql;

impl Store {
    /// Remembers a browser by the hash of its cookie; `false` when there is nobody of this id.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the cookie is in use.
    pub async fn remember_browser(
        &self,
        cookie: &OpaqueHash,
        subject: &SubjectId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (cookie, subject) = (*cookie, subject.clone());
        self.write(move |act| {
            let sql = "INSERT INTO remembered_browsers (hash, subject, created_at, expires_at) \
                       SELECT ?1, id, ?3, ?4 FROM users WHERE id = ?2";
            let values = params![
                cookie.as_bytes(),
                subject.as_str(),
                now.as_millis(),
                expires_at.as_millis()
            ];
            let added = sql::execute(act.db, sql, values);
            Ok(added.map_err(|error| error.or_taken("cookie"))? > 0)
        })
        .await
    }

    /// Whether the browser of this cookie is remembered for this person.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn is_remembered(
        &self,
        cookie: &OpaqueHash,
        subject: &SubjectId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM remembered_browsers \
                   WHERE hash = ?1 AND subject = ?2 AND expires_at > ?3";
        let values = params![cookie.as_bytes(), subject.as_str(), now.as_millis()];
        self.read(|db| sql::one(db, sql, values, |_| Ok(()))).map(|found| found.is_some())
    }

    /// How many browsers are remembered for a person.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn remembered_browsers(
        &self,
        subject: &SubjectId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) AS number FROM remembered_browsers \
                   WHERE subject = ?1 AND expires_at > ?2";
        let values = params![subject.as_str(), now.as_millis()];
        let number = self.read(|db| sql::one(db, sql, values, |row| row.seq("number")))?;
        Ok(number.unwrap_or_default())
    }

    /// Forgets all browsers that are remembered for a person; how many there were.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn forget_browsers(&self, subject: &SubjectId) -> Result<usize, StoreError> {
        let subject = subject.clone();
        self.write(move |act| {
            let sql = "DELETE FROM remembered_browsers WHERE subject = ?1";
            sql::execute(act.db, sql, [subject.as_str()])
        })
        .await
    }
}
