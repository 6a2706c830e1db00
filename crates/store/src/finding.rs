//! Findings of the detectors, what was done about them, and whether it was undone.

use rusqlite::params;
use serde_json::Value;
use token::id::FindingId;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql::{self, Columns};
use crate::writer::Act;

/// A finding as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFinding {
    /// Its name.
    pub id: FindingId,
    /// The finding in the public format.
    pub finding: Value,
    /// Time of the event that decided it.
    pub ts: Timestamp,
    /// The detector's name.
    pub detector: String,
    /// Groups findings of one actor or campaign.
    pub incident: String,
    /// Position of the restriction that answers it.
    pub restriction: Option<u64>,
    /// Whether that restriction was written for this finding, or was there before.
    pub restriction_created: bool,
    /// When what was done about it was undone.
    pub undone_at: Option<Timestamp>,
    /// Who undid it.
    pub undone_by: Option<String>,
}

const COLUMNS: &str = "id, finding, ts, detector, incident, restriction, restriction_created, \
                       undone_at, undone_by";

impl Store {
    /// Keeps a finding.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is one of this id.
    pub async fn add_finding(&self, finding: &StoredFinding) -> Result<(), StoreError> {
        let finding = finding.clone();
        self.write(move |act| insert(act, &finding)).await
    }

    /// Findings, the last written first, those before `before`; nothing when that is unknown.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn findings(
        &self,
        before: Option<&FindingId>,
        limit: usize,
    ) -> Result<Vec<StoredFinding>, StoreError> {
        let position = match before {
            Some(_) => "(SELECT position FROM findings WHERE id = ?1)",
            None => "COALESCE(?1, 9223372036854775807)",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM findings WHERE position < {position} \
             ORDER BY position DESC LIMIT ?2"
        );
        let values = params![before.map(FindingId::as_str), sql::page(limit)];
        self.read(|db| sql::all(db, &sql, values, from_columns))
    }

    /// The finding of this id.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn finding(&self, id: &FindingId) -> Result<Option<StoredFinding>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM findings WHERE id = ?1");
        self.read(|db| sql::one(db, &sql, [id.as_str()], from_columns))
    }

    /// Remembers that what was done about a finding was undone; `false` when there is no such
    /// finding, or when it was undone before.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn mark_undone(
        &self,
        id: &FindingId,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, actor) = (id.clone(), actor.to_owned());
        let sql = "UPDATE findings SET undone_at = ?2, undone_by = ?3 \
                   WHERE id = ?1 AND undone_at IS NULL";
        self.write(move |act| {
            let values = params![id.as_str(), now.as_millis(), actor];
            Ok(sql::execute(act.db, sql, values)? > 0)
        })
        .await
    }
}

fn insert(act: &mut Act<'_>, new: &StoredFinding) -> Result<(), StoreError> {
    let position = sql::next(act.db, "findings")?;
    let sql = "INSERT INTO findings (id, position, finding, ts, detector, incident, restriction, \
               restriction_created, undone_at, undone_by) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = params![
        new.id.as_str(),
        position,
        new.finding.to_string(),
        new.ts.as_millis(),
        new.detector,
        new.incident,
        new.restriction.map(sql::position),
        new.restriction_created,
        new.undone_at.map(Timestamp::as_millis),
        new.undone_by,
    ];
    sql::execute(act.db, sql, values).map_err(|error| error.or_taken("finding id"))?;
    Ok(())
}

fn from_columns(row: &Columns<'_, '_>) -> Result<StoredFinding, StoreError> {
    Ok(StoredFinding {
        id: row.id("id")?,
        finding: row.json("finding")?,
        ts: row.time("ts")?,
        detector: row.text("detector")?,
        incident: row.text("incident")?,
        restriction: row.maybe_seq("restriction")?,
        restriction_created: row.flag("restriction_created")?,
        undone_at: row.maybe_time("undone_at")?,
        undone_by: row.maybe_text("undone_by")?,
    })
}
