//! Incidents: findings that belong together, by actor or by campaign, counted where they are kept.

use rusqlite::{Connection, params, params_from_iter};
use token::time::Timestamp;

use crate::error::StoreError;
use crate::finding::sought::FindingsSought;
use crate::open::Store;
use crate::sql::{self, Columns};

/// Findings that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its name: `subject:u1@2026-11-28T10:00:00.000Z`.
    pub id: String,
    /// `actor`, or `campaign`: many networks that did the same at once.
    pub kind: String,
    /// How many findings.
    pub findings: u64,
    /// The detectors, with how many each.
    pub detectors: Vec<(String, u64)>,
    /// The worst of them: `low` to `critical`.
    pub severity: String,
    /// Time of the first one.
    pub first: Timestamp,
    /// Time of the last one.
    pub last: Timestamp,
    /// How many were answered with a restriction.
    pub answered: u64,
    /// How many answers were undone.
    pub undone: u64,
    /// Where it is in the list: grows with every finding.
    pub rank: u64,
}

const COUNTED: &str = "COUNT(*) AS findings, MIN(ts) AS first_ts, MAX(ts) AS last_ts, \
    MAX(CASE severity WHEN 'critical' THEN 3 WHEN 'high' THEN 2 WHEN 'medium' THEN 1 ELSE 0 END) \
    AS worst, COUNT(restriction) AS answered, COUNT(undone_at) AS undone, COUNT(verdict) AS judged";

impl Store {
    /// Incidents and campaigns with a finding that is as `sought`, the one with the last finding first, those before
    /// this rank.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn incidents(
        &self,
        sought: &FindingsSought,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Incident>, StoreError> {
        let mut conditions = self.named_now(sought).await?.about();
        let having = |column: &str| {
            if conditions.is_empty() {
                return String::new();
            }
            let sql = conditions.sql();
            format!("AND {column} IN (SELECT {column} FROM findings WHERE TRUE{sql})")
        };
        let (in_incident, in_campaign) = (having("incident"), having("campaign"));
        let whole = any("answered", sought.answered) + &any("judged", sought.judged);
        let before = conditions.value(before.map_or(i64::MAX, sql::position));
        let limit = conditions.value(sql::page(limit));
        let sql = format!(
            "SELECT * FROM (\
             SELECT incident AS id, 'actor' AS kind, 2 * MAX(position) AS place, {COUNTED} \
             FROM findings WHERE TRUE {in_incident} GROUP BY incident \
             UNION ALL \
             SELECT campaign AS id, 'campaign' AS kind, 2 * MAX(position) + 1 AS place, {COUNTED} \
             FROM findings WHERE campaign IS NOT NULL {in_campaign} GROUP BY campaign) AS grouped \
             WHERE place < ?{before}{whole} ORDER BY place DESC LIMIT ?{limit}"
        );
        let values = params_from_iter(conditions.into_values());
        self.read(|db| with_detectors(db, sql::all(db, &sql, values, from_columns)?))
    }

    /// The incident or campaign of this name, or the one that an incident of this name has become a part of.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn incident(&self, id: &str) -> Result<Option<Incident>, StoreError> {
        let sql = format!(
            "SELECT incident AS id, 'actor' AS kind, 2 * MAX(position) AS place, {COUNTED} \
             FROM findings WHERE incident = ?1 GROUP BY incident \
             UNION ALL \
             SELECT campaign AS id, 'campaign' AS kind, 2 * MAX(position) + 1 AS place, {COUNTED} \
             FROM findings WHERE campaign = ?1 GROUP BY campaign"
        );
        // Its first findings still say the name that it was given before it became a part.
        let whole = "SELECT incident FROM findings WHERE json_extract(finding, '$.incident') = ?1 \
                     ORDER BY position DESC LIMIT 1";
        self.read(|db| {
            let find = |id: &str| sql::all(db, &sql, params![id], from_columns);
            let mut found = find(id)?;
            if found.is_empty()
                && let Some(id) = sql::one(db, whole, params![id], |row| row.text("incident"))?
            {
                found = find(&id)?;
            }
            Ok(with_detectors(db, found)?.into_iter().next())
        })
    }

    /// The incidents of actors whose last finding is not older, with its time.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn incidents_since(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let sql = "SELECT incident, MAX(ts) AS last_ts FROM findings WHERE ts >= ?1 \
                   GROUP BY incident ORDER BY last_ts";
        self.read(|db| {
            sql::all(db, sql, params![since.as_millis()], |row| {
                Ok((row.text("incident")?, row.time("last_ts")?))
            })
        })
    }
}

/// A condition on how many findings of an incident have this.
fn any(count: &str, wanted: Option<bool>) -> String {
    let sign = match wanted {
        None => return String::new(),
        Some(true) => ">",
        Some(false) => "=",
    };
    format!(" AND {count} {sign} 0")
}

fn with_detectors(
    db: &Connection,
    mut incidents: Vec<Incident>,
) -> Result<Vec<Incident>, StoreError> {
    for incident in &mut incidents {
        let column = if incident.kind == "campaign" { "campaign" } else { "incident" };
        let sql = format!(
            "SELECT detector, COUNT(*) AS findings FROM findings WHERE {column} = ?1 \
             GROUP BY detector ORDER BY detector"
        );
        incident.detectors = sql::all(db, &sql, params![incident.id], |row| {
            Ok((row.text("detector")?, row.seq("findings")?))
        })?;
    }
    Ok(incidents)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<Incident, StoreError> {
    let severity = match row.number("worst")? {
        3 => "critical",
        2 => "high",
        1 => "medium",
        _ => "low",
    };
    Ok(Incident {
        id: row.text("id")?,
        kind: row.text("kind")?,
        findings: row.seq("findings")?,
        detectors: Vec::new(),
        severity: severity.to_owned(),
        first: row.time("first_ts")?,
        last: row.time("last_ts")?,
        answered: row.seq("answered")?,
        undone: row.seq("undone")?,
        rank: row.seq("place")?,
    })
}
