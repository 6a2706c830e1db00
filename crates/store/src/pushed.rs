//! Pushed authorization requests (RFC 9126): kept from everybody, opened by their client, good for one code.

use rusqlite::params;
use token::base64url;
use token::id::ClientId;
use token::opaque::OpaqueHash;
use token::time::Timestamp;

use crate::code::{self, Code};
use crate::error::StoreError;
use crate::open::Store;
use crate::sql;

/// A request that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequest {
    /// The hash of its name.
    pub name: OpaqueHash,
    /// Who pushed it.
    pub client: ClientId,
    /// Its parameters.
    pub request: String,
    /// When it is too late to open it.
    pub expires_at: Timestamp,
}

struct Row {
    client: ClientId,
    sealed: Vec<u8>,
    opened: bool,
    expires_at: Timestamp,
}

impl Store {
    /// Keeps a request, sealed; `false` when `most` are kept already.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is one of this name.
    pub async fn push_request(
        &self,
        pushed: &PushedRequest,
        most: usize,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sealed = self.sealer().seal(&label(&pushed.name), pushed.request.as_bytes())?;
        let (name, client, until) = (pushed.name, pushed.client.clone(), pushed.expires_at);
        self.write(move |act| {
            let sql = "SELECT count(*) AS kept FROM pushed_requests WHERE expires_at > ?1";
            let kept = sql::one(act.db, sql, [now.as_millis()], |row| row.seq("kept"))?;
            if kept.unwrap_or_default() >= u64::try_from(most).unwrap_or(u64::MAX) {
                return Ok(false);
            }
            let sql = "INSERT INTO pushed_requests (name, client, request, opened, expires_at) \
                       VALUES (?1, ?2, ?3, 0, ?4)";
            let values = params![name.as_bytes(), client.as_str(), sealed, until.as_millis()];
            sql::execute(act.db, sql, values).map_err(|error| error.or_taken("request"))?;
            Ok(true)
        })
        .await
    }

    /// The request of this name, for the client that pushed it. The first time it is opened its end
    /// becomes `until`.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read or written.
    pub async fn open_pushed_request(
        &self,
        name: &OpaqueHash,
        client: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let sql = "SELECT client, request, opened, expires_at FROM pushed_requests WHERE name = ?1";
        let row = self.read(|db| {
            sql::one(db, sql, [name.as_bytes()], |row| {
                Ok(Row {
                    client: row.id("client")?,
                    sealed: row.bytes("request")?,
                    opened: row.flag("opened")?,
                    expires_at: row.time("expires_at")?,
                })
            })
        })?;
        let row = row.filter(|row| row.client.as_str() == client && now < row.expires_at);
        let Some(row) = row else { return Ok(None) };
        if !row.opened {
            let name = *name;
            let sql = "UPDATE pushed_requests SET opened = 1, expires_at = ?2 \
                       WHERE name = ?1 AND opened = 0";
            self.write(move |act| {
                sql::execute(act.db, sql, params![name.as_bytes(), until.as_millis()]).map(drop)
            })
            .await?;
        }
        let request = self.sealer().open(&label(name), &row.sealed)?;
        let request = String::from_utf8(request.to_vec());
        request.map(Some).map_err(|_| StoreError::Corrupt { what: "request" })
    }

    /// Keeps a code in place of the pushed request that it answers, in one transaction: the name is good
    /// once (RFC 9126 §7.3). `false`, and no code, when the request was answered before or is over.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn save_code_of_pushed(
        &self,
        code: &Code,
        name: &OpaqueHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (code, name) = (code.clone(), *name);
        self.write(move |act| {
            let sql = "DELETE FROM pushed_requests WHERE name = ?1 AND expires_at > ?2";
            let values = params![name.as_bytes(), now.as_millis()];
            if sql::execute(act.db, sql, values)? == 0 {
                return Ok(false);
            }
            code::insert(act.db, &code).map(|()| true)
        })
        .await
    }
}

/// A sealed request cannot pass for another.
fn label(name: &OpaqueHash) -> String {
    format!("pushed request {}", base64url::encode(name.as_bytes()))
}
