//! What people prove who they are with beside a password, and what stands in for it when it is lost.

use rusqlite::{Connection, params};
use token::id::SubjectId;
use token::opaque::OpaqueHash;
use token::time::Timestamp;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::open::Store;
use crate::passkey::Passkey;
use crate::sql::{self, Columns};
use crate::writer::Act;

/// The one kind that there is: a time-based one-time password (RFC 6238).
const TOTP: &str = "totp";

/// An application that makes time-based one-time passwords for a person (RFC 6238).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpFactor {
    /// Its name here.
    pub id: String,
    /// Whose it is.
    pub subject: SubjectId,
    /// The key that it shares with us.
    pub secret: Zeroizing<Vec<u8>>,
    /// The last time step whose code was accepted.
    pub last_step: u64,
    /// When it was set up.
    pub created_at: Timestamp,
    /// When a code of it was last accepted.
    pub last_used_at: Option<Timestamp>,
}

/// What a person has beside a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// Passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// Applications that make codes, the oldest first.
    pub totp: Vec<TotpFactor>,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
}

/// How the removal of a factor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is the last one, which was to be kept.
    Last,
    /// It is removed.
    Removed,
    /// The person has none of this id.
    Unknown,
}

// === impl Factors ===

impl Factors {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.passkeys.is_empty() && self.totp.is_empty()
    }
}

impl Store {
    /// What a person has beside a password.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn factors_of(&self, subject: &SubjectId) -> Result<Factors, StoreError> {
        let sql = "SELECT id, subject, sealed, last_step, created_at, last_used_at FROM factors \
                   WHERE subject = ?1 AND kind = ?2 ORDER BY created_at, id";
        let left = "SELECT count(*) AS left FROM recovery_codes \
                    WHERE subject = ?1 AND used_at IS NULL";
        self.read(|db| {
            let values = params![subject.as_str(), TOTP];
            let totp = sql::all(db, sql, values, |row| self.factor_of(row))?;
            let left = sql::one(db, left, [subject.as_str()], |row| row.seq("left"))?;
            let recovery_codes = usize::try_from(left.unwrap_or_default()).unwrap_or(usize::MAX);
            Ok(Factors { passkeys: self.passkeys_of(db, subject)?, totp, recovery_codes })
        })
    }

    /// Whether a person has anything beside a password.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn has_factor(&self, subject: &SubjectId) -> Result<bool, StoreError> {
        self.read(|db| has_factor(db, subject))
    }

    /// Adds a factor. Recovery codes that are given take the place of all earlier ones. `false` when
    /// there is nobody of this id.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the id is in use.
    pub async fn add_totp(
        &self,
        factor: &TotpFactor,
        recovery_codes: Option<Vec<OpaqueHash>>,
    ) -> Result<bool, StoreError> {
        let sealed = self.sealer().seal(&label(&factor.id, &factor.subject), &factor.secret)?;
        let TotpFactor { id, subject, last_step, created_at, last_used_at, .. } = factor.clone();
        self.write(move |act| {
            let sql = "INSERT INTO factors \
                       (id, subject, kind, sealed, last_step, created_at, last_used_at) \
                       SELECT ?1, id, ?3, ?4, ?5, ?6, ?7 FROM users WHERE id = ?2";
            let values = params![
                id,
                subject.as_str(),
                TOTP,
                sealed,
                sql::position(last_step),
                created_at.as_millis(),
                last_used_at.map(Timestamp::as_millis),
            ];
            let added = sql::execute(act.db, sql, values);
            if added.map_err(|error| error.or_taken("factor id"))? == 0 {
                return Ok(false);
            }
            if let Some(codes) = recovery_codes {
                replace_codes(act, &subject, &codes, created_at)?;
            }
            Ok(true)
        })
        .await
    }

    /// Notes that the code of a time step was shown; `false` when that code or a later one was shown
    /// before (RFC 6238 §5.2), or there is no such factor any more.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn use_totp(&self, id: &str, step: u64, now: Timestamp) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |act| {
            let sql = "UPDATE factors SET last_step = ?2, last_used_at = ?3 \
                       WHERE id = ?1 AND last_step < ?2";
            let values = params![id, sql::position(step), now.as_millis()];
            Ok(sql::execute(act.db, sql, values)? > 0)
        })
        .await
    }

    /// Uses a recovery code up; `false` when it is not one of the person's, or was used before.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn use_recovery_code(
        &self,
        subject: &SubjectId,
        code: &OpaqueHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (subject, code) = (subject.clone(), *code);
        self.write(move |act| {
            let sql = "UPDATE recovery_codes SET used_at = ?3 \
                       WHERE subject = ?1 AND hash = ?2 AND used_at IS NULL";
            let values = params![subject.as_str(), code.as_bytes(), now.as_millis()];
            Ok(sql::execute(act.db, sql, values)? > 0)
        })
        .await
    }

    /// Gives a person new recovery codes in place of all earlier ones; `false` when they have no factor
    /// that those could stand in for.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn renew_recovery_codes(
        &self,
        subject: &SubjectId,
        codes: Vec<OpaqueHash>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let subject = subject.clone();
        self.write(move |act| {
            if !has_factor(act.db, &subject)? {
                return Ok(false);
            }
            replace_codes(act, &subject, &codes, now).map(|()| true)
        })
        .await
    }

    /// Removes one factor; with the last one go the recovery codes and the browsers that are remembered,
    /// unless the last one is to be kept.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn remove_factor(
        &self,
        subject: &SubjectId,
        id: &str,
        keep_last: bool,
    ) -> Result<Removal, StoreError> {
        let (subject, id) = (subject.clone(), id.to_owned());
        self.write(move |act| {
            let values = [subject.as_str(), id.as_str()];
            let sql = "SELECT count(*) FILTER (WHERE id = ?2) AS named, count(*) AS held FROM \
                       (SELECT id FROM factors WHERE subject = ?1 \
                       UNION ALL SELECT id FROM passkeys WHERE subject = ?1) AS of_person";
            let counted = sql::one(act.db, sql, values, |row| {
                Ok((row.number("named")? > 0, row.number("held")?))
            })?;
            match counted.unwrap_or_default() {
                (false, _) => return Ok(Removal::Unknown),
                (true, 1) if keep_last => return Ok(Removal::Last),
                (true, 1) => forget_all(act, &subject).map(drop)?,
                (true, _) => {
                    let sql = "DELETE FROM factors WHERE subject = ?1 AND id = ?2";
                    sql::execute(act.db, sql, values)?;
                    let sql = "DELETE FROM passkeys WHERE subject = ?1 AND id = ?2";
                    sql::execute(act.db, sql, values)?;
                }
            }
            Ok(Removal::Removed)
        })
        .await
    }

    /// Removes all factors of a person, and what goes with the last one; how many there were.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn remove_factors(&self, subject: &SubjectId) -> Result<usize, StoreError> {
        let subject = subject.clone();
        self.write(move |act| forget_all(act, &subject)).await
    }

    fn factor_of(&self, row: &Columns<'_, '_>) -> Result<TotpFactor, StoreError> {
        let (id, subject) = (row.text("id")?, row.id::<SubjectId>("subject")?);
        let secret = self.sealer().open(&label(&id, &subject), &row.bytes("sealed")?)?;
        Ok(TotpFactor {
            id,
            subject,
            secret,
            last_step: row.seq("last_step")?,
            created_at: row.time("created_at")?,
            last_used_at: row.maybe_time("last_used_at")?,
        })
    }
}

/// Removes all that a person has beside a password; how many factors there were.
fn forget_all(act: &Act<'_>, subject: &SubjectId) -> Result<usize, StoreError> {
    let id = [subject.as_str()];
    sql::execute(act.db, "DELETE FROM recovery_codes WHERE subject = ?1", id)?;
    sql::execute(act.db, "DELETE FROM remembered_browsers WHERE subject = ?1", id)?;
    let passkeys = sql::execute(act.db, "DELETE FROM passkeys WHERE subject = ?1", id)?;
    Ok(passkeys + sql::execute(act.db, "DELETE FROM factors WHERE subject = ?1", id)?)
}

fn has_factor(db: &Connection, subject: &SubjectId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM factors WHERE subject = ?1 \
               UNION ALL SELECT 1 FROM passkeys WHERE subject = ?1";
    sql::one(db, sql, [subject.as_str()], |_| Ok(())).map(|found| found.is_some())
}

pub(crate) fn replace_codes(
    act: &Act<'_>,
    subject: &SubjectId,
    codes: &[OpaqueHash],
    now: Timestamp,
) -> Result<(), StoreError> {
    sql::execute(act.db, "DELETE FROM recovery_codes WHERE subject = ?1", [subject.as_str()])?;
    let sql = "INSERT INTO recovery_codes (subject, hash, created_at) VALUES (?1, ?2, ?3)";
    for code in codes {
        let values = params![subject.as_str(), code.as_bytes(), now.as_millis()];
        sql::execute(act.db, sql, values)?;
    }
    Ok(())
}

/// A secret that is moved to another person or another factor does not open.
fn label(id: &str, subject: &SubjectId) -> String {
    format!("totp secret {} {subject} {id}", subject.as_str().len())
}
