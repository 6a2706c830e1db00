//! Findings of the detectors, what was done about them, and whether it was undone.

use std::net::IpAddr;
use std::sync::Arc;

use rusqlite::{params, params_from_iter};
use serde_json::Value;
use token::id::FindingId;
use token::restriction::Restriction;
use token::time::Timestamp;

use crate::delivery::{self, NewDelivery};
use crate::error::StoreError;
use crate::open::Store;
use crate::restriction::HeldRestriction;
use crate::sql::{self, Columns};
use crate::writer::Act;

pub(crate) mod sought;
mod undo;

use sought::FindingsSought;

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
    /// Groups findings of one actor.
    pub incident: String,
    /// Groups findings of many networks that do the same at once.
    pub campaign: Option<String>,
    /// Position of the restriction that answers it.
    pub restriction: Option<u64>,
    /// Whether that restriction was written for this finding, or was there before.
    pub restriction_created: bool,
    /// When what was done about it was undone.
    pub undone_at: Option<Timestamp>,
    /// Who undid it.
    pub undone_by: Option<String>,
    /// What a person says of it.
    pub verdict: Option<Verdict>,
}

/// What a person says of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `true`, `false` or `expected`.
    pub word: String,
    /// When it was said.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// What came of undoing what was done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoing {
    /// It was undone before.
    AlreadyUndone,
    /// It was a revocation.
    Final,
    /// The restriction at this position stands no longer for this finding; it does for others, as they
    /// would have it.
    Kept(u64),
    /// The restriction at this position is lifted.
    Lifted(u64),
    /// Nothing that was done about it is still in force.
    NothingDone,
    /// There is no such finding.
    Unknown,
}

/// Earlier findings that belong to the same as a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    /// When its campaign began: those of its detector since then are parts of it.
    pub campaign_since: Option<Timestamp>,
    /// Incidents that turned out to be parts of its own.
    pub joins: Vec<String>,
}

/// A finding that is to be kept.
pub struct NewFinding {
    /// The finding; which restriction answers it is filled in where there is an `answer`.
    pub finding: StoredFinding,
    /// The restriction that is to answer it; one in force that does as much takes its place.
    pub answer: Option<HeldRestriction>,
    /// Earlier findings that belong to the same. They join its campaign and its incident.
    pub belongs: Belongs,
    /// What is told of it to others.
    pub told: Vec<NewDelivery>,
}

/// A finding that is on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptFinding {
    /// As it is kept.
    pub finding: StoredFinding,
    /// The restriction that answers it, where an answer was wanted.
    pub restriction: Option<Arc<Restriction>>,
}

/// Findings of an incident that are undone in one act.
const UNDONE_AT_ONCE: usize = 256;

const COLUMNS: &str = "id, finding, ts, detector, incident, campaign, restriction, \
                       restriction_created, undone_at, undone_by, verdict, verdict_at, verdict_by";

impl From<StoredFinding> for NewFinding {
    /// Answered already or not at all, belonging to nothing, told to nobody.
    fn from(finding: StoredFinding) -> Self {
        Self { finding, answer: None, belongs: Belongs::default(), told: Vec::new() }
    }
}

impl Store {
    /// Keeps a finding with the restriction that answers it and what is told of it to others, all of it or nothing.
    /// The act has begun when this returns, so that acts that come later find it done; the future waits until it
    /// is on disk. Its error is [`StoreError::NameTaken`] when there is one of this id.
    pub fn begin_finding(
        &self,
        new: NewFinding,
        now: Timestamp,
    ) -> impl Future<Output = Result<KeptFinding, StoreError>> + Send + 'static {
        self.begin(move |act| {
            let NewFinding { mut finding, answer, belongs, told } = new;
            let answer = answer.map(|held| act.restrict_held(held, now)).transpose()?;
            if let Some((restriction, created)) = &answer {
                finding.restriction = Some(restriction.seq);
                finding.restriction_created = *created;
            }
            insert(act, &finding)?;
            delivery::insert(act.db, &told, now)?;
            join(act, &finding, &belongs)?;
            Ok(KeptFinding { finding, restriction: answer.map(|(restriction, _)| restriction) })
        })
    }

    /// Findings that are as `sought`, the last written first, those before `before`; nothing when that is unknown.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn findings(
        &self,
        sought: &FindingsSought,
        before: Option<&FindingId>,
        limit: usize,
    ) -> Result<Vec<StoredFinding>, StoreError> {
        let mut conditions = self.named_now(sought).await?.of_finding();
        if let Some(before) = before {
            let place = conditions.value(before.to_string());
            let position = format!("(SELECT position FROM findings WHERE id = ?{place})");
            conditions.add(&format!("position < {position}"));
        }
        let limit = conditions.value(sql::page(limit));
        let sql = format!(
            "SELECT {COLUMNS} FROM findings WHERE TRUE{} ORDER BY position DESC LIMIT ?{limit}",
            conditions.sql()
        );
        let values = params_from_iter(conditions.into_values());
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

    /// Undoes what was done about a finding: exactly that. Where its restriction answers other findings as
    /// well, they keep what each of them would have had by itself.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn undo_finding(
        &self,
        id: &FindingId,
        actor: &str,
        now: Timestamp,
    ) -> Result<Undoing, StoreError> {
        let (id, actor) = (id.clone(), actor.to_owned());
        self.write(move |act| undo::undo(act, &id, &actor, now)).await
    }

    /// Undoes what was done about each finding of this incident or campaign, and says what came of each that was
    /// answered, the first written first. Others get to write after every few of them.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read or written; then some may be undone.
    pub async fn undo_incident(
        &self,
        incident: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<Vec<(StoredFinding, Undoing)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM findings WHERE (incident = ?1 OR campaign = ?1) \
             AND restriction IS NOT NULL ORDER BY position DESC"
        );
        // The last one first: what stands on an earlier one's restriction is gone before that is lifted.
        let answered = self.read(|db| sql::all(db, &sql, params![incident], from_columns))?;
        let mut outcomes = Vec::with_capacity(answered.len());
        for some in answered.chunks(UNDONE_AT_ONCE) {
            let ids: Vec<FindingId> = some.iter().map(|finding| finding.id.clone()).collect();
            let actor = actor.to_owned();
            let undone = self.write(move |act| {
                ids.iter().map(|id| undo::undo(act, id, &actor, now)).collect::<Result<Vec<_>, _>>()
            });
            outcomes.extend(undone.await?);
        }
        let mut all: Vec<_> = answered.into_iter().zip(undo::settled(outcomes)).collect();
        all.reverse();
        Ok(all)
    }

    /// Findings of this incident or campaign, the first written first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn findings_of(
        &self,
        incident: &str,
        limit: usize,
    ) -> Result<Vec<StoredFinding>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM findings WHERE incident = ?1 OR campaign = ?1 \
             ORDER BY position LIMIT ?2"
        );
        self.read(|db| sql::all(db, &sql, params![incident, sql::page(limit)], from_columns))
    }
}

/// Has earlier findings join the campaign and the incident of a new one.
fn join(act: &Act<'_>, finding: &StoredFinding, belongs: &Belongs) -> Result<(), StoreError> {
    for part in &belongs.joins {
        let sql = "UPDATE findings SET incident = ?1 WHERE incident = ?2";
        sql::execute(act.db, sql, params![finding.incident, part])?;
    }
    let (Some(campaign), Some(since)) = (&finding.campaign, belongs.campaign_since) else {
        return Ok(());
    };
    let sql = "UPDATE findings SET campaign = ?1 \
               WHERE detector = ?2 AND ts >= ?3 AND campaign IS NULL";
    let values = params![campaign, finding.detector, since.as_millis()];
    sql::execute(act.db, sql, values).map(drop)
}

fn insert(act: &mut Act<'_>, new: &StoredFinding) -> Result<(), StoreError> {
    let position = sql::next(act.db, "findings")?;
    let sql = "INSERT INTO findings (id, position, finding, ts, detector, incident, restriction, \
               restriction_created, undone_at, undone_by, campaign, severity, class, subject, \
               client, token, ip) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
               ?14, ?15, ?16, ?17)";
    let text = |member: &str| new.finding.get(member).and_then(Value::as_str);
    // One address has one text, however it came.
    let ip = text("ip").and_then(|ip| ip.parse::<IpAddr>().ok());
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
        new.campaign,
        text("severity"),
        text("class"),
        text("subject"),
        text("client"),
        text("token"),
        ip.map(|ip| ip.to_canonical().to_string()),
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
        campaign: row.maybe_text("campaign")?,
        restriction: row.maybe_seq("restriction")?,
        restriction_created: row.flag("restriction_created")?,
        undone_at: row.maybe_time("undone_at")?,
        undone_by: row.maybe_text("undone_by")?,
        verdict: verdict(row)?,
    })
}

fn verdict(row: &Columns<'_, '_>) -> Result<Option<Verdict>, StoreError> {
    let Some(word) = row.maybe_text("verdict")? else { return Ok(None) };
    Ok(Some(Verdict { word, at: row.time("verdict_at")?, by: row.text("verdict_by")? }))
}
