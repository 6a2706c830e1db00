//! Passkeys: keys that people sign in with, in an authenticator of theirs (Web Authentication Level 3).

use rusqlite::{Connection, params};
use token::id::SubjectId;
use token::opaque::OpaqueHash;
use token::time::Timestamp;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::factor;
use crate::open::Store;
use crate::sql::{self, Columns};

/// A passkey of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its name here.
    pub id: String,
    /// Whose it is.
    pub subject: SubjectId,
    /// What its authenticator calls it (Web Authentication §4, credential ID).
    pub credential: Vec<u8>,
    /// What its authenticator calls the person (§5.4.3, user handle).
    pub handle: Vec<u8>,
    /// What the person calls it.
    pub name: String,
    /// What signatures are checked with, in the words of whoever checks them.
    pub record: Vec<u8>,
    /// How many signatures its authenticator has counted (§6.1.1); zero: it does not count.
    pub counter: u32,
    /// Whether there are copies of it in other places (§6.1.3).
    pub is_backed_up: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
}

/// What a signature has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyUse {
    /// The new record.
    pub record: Vec<u8>,
    /// The new counter.
    pub counter: u32,
    /// Whether there are copies now.
    pub is_backed_up: bool,
    /// When it was made.
    pub at: Timestamp,
}

const COLUMNS: &str = "SELECT id, subject, credential, handle, name, sealed, counter, is_backed_up, \
                       created_at, last_used_at FROM passkeys";

impl Store {
    /// The passkey that an authenticator calls so.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn passkey_by_credential(
        &self,
        credential: &[u8],
    ) -> Result<Option<Passkey>, StoreError> {
        let sql = format!("{COLUMNS} WHERE credential = ?1");
        self.read(|db| sql::one(db, &sql, [credential], |row| self.passkey_from(row)))
    }

    /// Adds a passkey. Recovery codes that are given take the place of all earlier ones. `false` when
    /// there is nobody of this id.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the id or the credential is somebody's already.
    pub async fn add_passkey(
        &self,
        passkey: &Passkey,
        recovery_codes: Option<Vec<OpaqueHash>>,
    ) -> Result<bool, StoreError> {
        let sealed = self.seal_passkey(passkey, &passkey.record)?;
        let passkey = passkey.clone();
        self.write(move |act| {
            let sql = "INSERT INTO passkeys (id, subject, credential, handle, name, sealed, counter, \
                       is_backed_up, created_at, last_used_at) \
                       SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM users WHERE id = ?2";
            let values = params![
                passkey.id,
                passkey.subject.as_str(),
                passkey.credential,
                passkey.handle,
                passkey.name,
                sealed,
                i64::from(passkey.counter),
                i64::from(passkey.is_backed_up),
                passkey.created_at.as_millis(),
                passkey.last_used_at.map(Timestamp::as_millis),
            ];
            let added = sql::execute(act.db, sql, values);
            if added.map_err(|error| error.or_taken("passkey"))? == 0 {
                return Ok(false);
            }
            if let Some(codes) = recovery_codes {
                factor::replace_codes(act, &passkey.subject, &codes, passkey.created_at)?;
            }
            Ok(true)
        })
        .await
    }

    /// Notes that a signature of it was accepted; `false` when another was accepted meanwhile whose
    /// counter is no smaller, or there is no such passkey any more.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn use_passkey(
        &self,
        passkey: &Passkey,
        used: PasskeyUse,
    ) -> Result<bool, StoreError> {
        let sealed = self.seal_passkey(passkey, &used.record)?;
        let id = passkey.id.clone();
        self.write(move |act| {
            let sql = "UPDATE passkeys SET sealed = ?2, counter = ?3, is_backed_up = ?4, \
                       last_used_at = ?5 WHERE id = ?1 AND (counter < ?3 OR (counter = 0 AND ?3 = 0))";
            let values = params![
                id,
                sealed,
                i64::from(used.counter),
                i64::from(used.is_backed_up),
                used.at.as_millis(),
            ];
            Ok(sql::execute(act.db, sql, values)? > 0)
        })
        .await
    }

    /// Gives a passkey another name; `false` when the person has none of this id.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn rename_passkey(
        &self,
        subject: &SubjectId,
        id: &str,
        name: &str,
    ) -> Result<bool, StoreError> {
        let (subject, id, name) = (subject.clone(), id.to_owned(), name.to_owned());
        self.write(move |act| {
            let sql = "UPDATE passkeys SET name = ?3 WHERE subject = ?1 AND id = ?2";
            Ok(sql::execute(act.db, sql, params![subject.as_str(), id, name])? > 0)
        })
        .await
    }

    /// The passkeys of a person, the oldest first.
    pub(crate) fn passkeys_of(
        &self,
        db: &Connection,
        subject: &SubjectId,
    ) -> Result<Vec<Passkey>, StoreError> {
        let sql = format!("{COLUMNS} WHERE subject = ?1 ORDER BY created_at, id");
        sql::all(db, &sql, [subject.as_str()], |row| self.passkey_from(row))
    }

    fn seal_passkey(&self, passkey: &Passkey, record: &[u8]) -> Result<Vec<u8>, StoreError> {
        let label = label(&passkey.id, &passkey.subject);
        self.sealer().seal(&label, &Zeroizing::new(record.to_vec()))
    }

    fn passkey_from(&self, row: &Columns<'_, '_>) -> Result<Passkey, StoreError> {
        let (id, subject) = (row.text("id")?, row.id::<SubjectId>("subject")?);
        let record = self.sealer().open(&label(&id, &subject), &row.bytes("sealed")?)?;
        let counter = u32::try_from(row.seq("counter")?);
        Ok(Passkey {
            credential: row.bytes("credential")?,
            handle: row.bytes("handle")?,
            name: row.text("name")?,
            record: record.to_vec(),
            counter: counter.map_err(|_| StoreError::Corrupt { what: "counter" })?,
            is_backed_up: row.flag("is_backed_up")?,
            created_at: row.time("created_at")?,
            last_used_at: row.maybe_time("last_used_at")?,
            id,
            subject,
        })
    }
}

/// A record that is moved to another person or another passkey does not open.
fn label(id: &str, subject: &SubjectId) -> String {
    format!("passkey {} {subject} {id}", subject.as_str().len())
}
