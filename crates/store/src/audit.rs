//! The audit log: who changed what, and when; appended to, never changed.

use std::net::IpAddr;

use rusqlite::params;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql::{self, Columns};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who, such as `admin:<subject>`.
    pub actor: String,
    /// What, such as `client.create`.
    pub action: String,
    /// On what.
    pub target: String,
    /// From where.
    pub ip: Option<IpAddr>,
}

/// An entry with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its position: grows by one an entry, without holes.
    pub seq: u64,
    /// The entry.
    pub entry: AuditEntry,
}

impl Store {
    /// Appends an entry; it is on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn append_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let new = entry.clone();
        let sql = "INSERT INTO audit (seq, at, actor, action, target, ip) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.write(move |act| {
            let seq = sql::next(act.db, "audit")?;
            let ip = new.ip.as_ref().map(IpAddr::to_string);
            let at = new.at.as_millis();
            let values = params![seq, at, new.actor, new.action, new.target, ip];
            sql::execute(act.db, sql, values).map(drop)
        })
        .await
    }

    /// Entries, newest first, those before position `before`.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let sql = "SELECT seq, at, actor, action, target, ip FROM audit WHERE seq < ?1 \
                   ORDER BY seq DESC LIMIT ?2";
        let before = before.map_or(i64::MAX, sql::position);
        self.read(|db| sql::all(db, sql, params![before, sql::page(limit)], from_columns))
    }

    /// Entries behind position `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn audit_after(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let sql = "SELECT seq, at, actor, action, target, ip FROM audit WHERE seq > ?1 \
                   ORDER BY seq LIMIT ?2";
        let values = params![sql::position(after), sql::page(limit)];
        self.read(|db| sql::all(db, sql, values, from_columns))
    }

    /// What an actor did and what was done on a target, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn audit_about(
        &self,
        actor: &str,
        target: &str,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let sql = "SELECT seq, at, actor, action, target, ip FROM audit WHERE actor = ?1 \
                   UNION SELECT seq, at, actor, action, target, ip FROM audit WHERE target = ?2 \
                   ORDER BY seq DESC LIMIT ?3";
        let values = params![actor, target, sql::page(limit)];
        self.read(|db| sql::all(db, sql, values, from_columns))
    }
}

fn from_columns(row: &Columns<'_, '_>) -> Result<AuditRow, StoreError> {
    let ip = row.maybe_text("ip")?.map(|ip| ip.parse()).transpose();
    let entry = AuditEntry {
        at: row.time("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        target: row.text("target")?,
        ip: ip.map_err(|_| StoreError::Corrupt { what: "ip" })?,
    };
    Ok(AuditRow { seq: row.seq("seq")?, entry })
}
