//! Token Status Lists: which there are, and which tokens stand where in them.
//!
//! A list is on disk before its first place is given away, so that a token's list is known as long as the
//! token lives. Which token took a place is part of the token's record, which nobody waits for.

use rusqlite::{Connection, params};
use token::id::StatusListId;
use token::restriction::TokenFacts;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql::{self, Columns};

/// A token's place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusPlace {
    /// The list.
    pub list: StatusListId,
    /// Position in it, from zero.
    pub idx: u64,
}

/// How far the statuses of all tokens have come: lists that were made at the same mark say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusMark {
    restrictions: u64,
    born_restricted: u64,
}

impl Store {
    /// Keeps a new list, whose places can be given away when this returns.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is such a list.
    pub async fn open_status_list(
        &self,
        list: &StatusListId,
        entries: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (list, entries) = (list.clone(), sql::position(entries));
        self.write(move |act| {
            let sql = "INSERT INTO status_lists (list, entries, opened_at) VALUES (?1, ?2, ?3)";
            sql::execute(act.db, sql, params![list.as_str(), entries, now.as_millis()])
                .map(drop)
                .map_err(|error| error.or_taken("status list"))
        })
        .await
    }

    /// Notes that no place of a list will be given away any more: from `forget_at` on it is unknown, or
    /// when its last recorded token has expired, whichever is later.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn close_status_list(
        &self,
        list: &StatusListId,
        forget_at: Timestamp,
    ) -> Result<(), StoreError> {
        let list = list.clone();
        self.write(move |act| {
            let sql = "UPDATE status_lists SET forget_at = ?2 WHERE list = ?1";
            sql::execute(act.db, sql, params![list.as_str(), forget_at.as_millis()]).map(drop)
        })
        .await
    }

    /// The same for every list that is open. To be called before this process opens one: those are of
    /// processes that have ended.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn close_status_lists(&self, forget_at: Timestamp) -> Result<usize, StoreError> {
        let sql = "UPDATE status_lists SET forget_at = ?1 WHERE forget_at IS NULL";
        self.write(move |act| sql::execute(act.db, sql, [forget_at.as_millis()])).await
    }

    /// Every list, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn status_lists(&self) -> Result<Vec<StatusListId>, StoreError> {
        let sql = "SELECT list FROM status_lists ORDER BY opened_at, list";
        self.read(|db| sql::all(db, sql, [], |row| row.id("list")))
    }

    /// Shows every token on record that has a place in this list; how many places the list has, or
    /// `None` when there is no such list. Blocks for as long as the reading takes.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub fn read_status_list(
        &self,
        list: &StatusListId,
        mut each: impl FnMut(u64, TokenFacts),
    ) -> Result<Option<u64>, StoreError> {
        self.read(|db| {
            let Some(entries) = entries(db, list)? else { return Ok(None) };
            let sql = "SELECT status_idx, token, grant_id, session, subject, client, key_id, \
                       issued_at FROM issued_tokens WHERE status_list = ?1";
            sql::each(db, sql, [list.as_str()], |row| {
                each(row.seq("status_idx")?, facts(row)?);
                Ok(())
            })?;
            Ok(Some(entries))
        })
    }

    /// How many places a list has; `None` when there is no such list.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn status_list_entries(
        &self,
        list: &StatusListId,
    ) -> Result<Option<u64>, StoreError> {
        self.read(|db| entries(db, list))
    }

    /// How far statuses have come. It moves before a call that takes something back returns, and when
    /// the record of a token arrives that was taken back before.
    pub fn status_mark(&self) -> StatusMark {
        StatusMark {
            restrictions: self.index().last_seq(),
            born_restricted: self.shared().born_restricted(),
        }
    }

    /// Whether the record of another token would be kept. When not, a token whose status has to be
    /// published is better not made.
    pub fn has_room_for_records(&self) -> bool {
        self.shared().background.has_room()
    }
}

fn entries(db: &Connection, list: &StatusListId) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT entries FROM status_lists WHERE list = ?1";
    sql::one(db, sql, [list.as_str()], |row| row.seq("entries"))
}

fn facts(row: &Columns<'_, '_>) -> Result<TokenFacts, StoreError> {
    Ok(TokenFacts {
        token: row.id("token")?,
        grant: row.maybe_id("grant_id")?,
        session: row.maybe_id("session")?,
        subject: row.id("subject")?,
        client: row.id("client")?,
        key: row.id("key_id")?,
        issued_at: row.time("issued_at")?,
        foreign: None,
    })
}

// === impl StatusMark ===

impl StatusMark {
    /// Whether everything is in it that was known at `other`.
    pub fn covers(&self, other: &Self) -> bool {
        self.restrictions >= other.restrictions && self.born_restricted >= other.born_restricted
    }
}
