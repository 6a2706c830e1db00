//! What people say of findings, and whom detectors are believed less about because of it.

use std::sync::atomic::Ordering;

use rusqlite::params;
use token::id::FindingId;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::finding::Verdict;
use crate::open::Store;
use crate::sql::{self, Columns};
use crate::writer::Act;

/// Whom or what a detector is believed less about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// Its name.
    pub seq: u64,
    /// The detector.
    pub detector: String,
    /// `subject:u1`, `client:c1`, `ip:192.0.2.7` or `route:GET /orders`.
    pub about: String,
    /// How often the confidence is halved.
    pub halvings: u32,
    /// The finding that was judged last.
    pub finding: FindingId,
    /// Who judged it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// What a verdict changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The detector is believed less about this, until then.
    Doubt {
        /// As in [`Tolerance::about`].
        about: String,
        /// When that ends by itself.
        until: Timestamp,
        /// No more halvings than this.
        most: u32,
    },
    /// Nothing.
    None,
    /// The detector is believed again about these.
    Trust(Vec<String>),
}

const COLUMNS: &str = "seq, detector, about, halvings, finding, created_by, created_at, expires_at";

impl Store {
    /// Keeps what is said of a finding, and what follows from it; `false` when there is no such finding.
    /// One finding counts once, however often it is judged.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn judge_finding(
        &self,
        id: &FindingId,
        verdict: Verdict,
        consequence: Consequence,
    ) -> Result<bool, StoreError> {
        let id = id.clone();
        let done = self.write(move |act| judge(act, &id, &verdict, &consequence)).await?;
        self.shared().tolerances.fetch_add(1, Ordering::AcqRel);
        Ok(done)
    }

    /// Tolerances that have not ended, newest first, those before this one.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn tolerances(
        &self,
        before: Option<u64>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Tolerance>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM tolerances WHERE seq < ?1 AND expires_at > ?3 \
             ORDER BY seq DESC LIMIT ?2"
        );
        let before = before.map_or(i64::MAX, sql::position);
        let values = params![before, sql::page(limit), now.as_millis()];
        self.read(|db| sql::all(db, &sql, values, from_columns))
    }

    /// Every tolerance that has not ended, for whoever goes by them.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn all_tolerances(&self, now: Timestamp) -> Result<Vec<Tolerance>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tolerances WHERE expires_at > ?1 ORDER BY seq");
        self.read(|db| sql::all(db, &sql, params![now.as_millis()], from_columns))
    }

    /// Another number whenever tolerances have changed: whoever goes by them reads them again then.
    pub fn tolerances_version(&self) -> u64 {
        self.shared().tolerances.load(Ordering::Acquire)
    }

    /// Ends a tolerance; `false` when there is none of this name.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn remove_tolerance(&self, seq: u64) -> Result<bool, StoreError> {
        let sql = "DELETE FROM tolerances WHERE seq = ?1";
        let removed =
            self.write(move |act| sql::execute(act.db, sql, [sql::position(seq)])).await?;
        self.shared().tolerances.fetch_add(1, Ordering::AcqRel);
        Ok(removed > 0)
    }
}

fn judge(
    act: &mut Act<'_>,
    id: &FindingId,
    verdict: &Verdict,
    consequence: &Consequence,
) -> Result<bool, StoreError> {
    let sql = "SELECT detector, verdict FROM findings WHERE id = ?1";
    let found = sql::one(act.db, sql, [id.as_str()], |row| {
        Ok((row.text("detector")?, row.maybe_text("verdict")?))
    })?;
    let Some((detector, before)) = found else { return Ok(false) };
    let sql = "UPDATE findings SET verdict = ?2, verdict_at = ?3, verdict_by = ?4 WHERE id = ?1";
    let values = params![id.as_str(), verdict.word, verdict.at.as_millis(), verdict.by];
    sql::execute(act.db, sql, values)?;
    match consequence {
        Consequence::Doubt { about, until, most } => {
            let again = before.as_deref().is_some_and(|word| word != "true");
            let (detector, until, most) = (detector.as_str(), *until, *most);
            doubt(act, &Doubt { id, detector, about, until, most, again }, verdict)?;
        }
        Consequence::None => {}
        Consequence::Trust(abouts) => {
            let sql = "DELETE FROM tolerances WHERE detector = ?1 AND about = ?2";
            for about in abouts {
                sql::execute(act.db, sql, params![detector, about])?;
            }
        }
    }
    Ok(true)
}

struct Doubt<'d> {
    id: &'d FindingId,
    detector: &'d str,
    about: &'d str,
    until: Timestamp,
    most: u32,
    /// This finding has been counted before.
    again: bool,
}

fn doubt(act: &mut Act<'_>, doubt: &Doubt<'_>, verdict: &Verdict) -> Result<(), StoreError> {
    let sql = "SELECT halvings, expires_at FROM tolerances WHERE detector = ?1 AND about = ?2";
    let held = sql::one(act.db, sql, params![doubt.detector, doubt.about], |row| {
        Ok((row.number("halvings")?, row.time("expires_at")?))
    })?;
    let halvings = match held {
        Some((halvings, end)) if end > verdict.at => {
            if doubt.again {
                halvings
            } else {
                (halvings + 1).min(i64::from(doubt.most))
            }
        }
        _ => 1,
    };
    let sql = "INSERT INTO tolerances \
               (seq, detector, about, halvings, finding, created_by, created_at, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
               ON CONFLICT (detector, about) DO UPDATE SET seq = ?1, halvings = ?4, finding = ?5, \
               created_by = ?6, created_at = ?7, expires_at = ?8";
    let values = params![
        sql::next(act.db, "tolerances")?,
        doubt.detector,
        doubt.about,
        halvings,
        doubt.id.as_str(),
        verdict.by,
        verdict.at.as_millis(),
        doubt.until.as_millis(),
    ];
    sql::execute(act.db, sql, values).map(drop)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<Tolerance, StoreError> {
    let halvings = u32::try_from(row.number("halvings")?);
    Ok(Tolerance {
        seq: row.seq("seq")?,
        detector: row.text("detector")?,
        about: row.text("about")?,
        halvings: halvings.map_err(|_| StoreError::Corrupt { what: "halvings" })?,
        finding: row.id("finding")?,
        created_by: row.text("created_by")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}
