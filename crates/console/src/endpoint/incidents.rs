//! `/incidents`: findings that belong together, what was done about them and in which order, and undoing it.

use std::collections::BTreeMap;

use axum::extract::State;
use detect::respond::{self, UndoRefused, Undone};
use http::StatusCode;
use serde::Serialize;
use store::{Incident, RestrictionRow, StoredFinding};
use token::id::FindingId;
use token::restriction::{Effect, Selector};
use token::time::Timestamp;
use utoipa::ToSchema;

use super::restrictions::{EffectText, SelectorBody};
use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{self, Query, Segment};
use crate::problem::Problem;
use crate::sought::SoughtQuery;

/// The longest timeline, in findings.
const TIMELINE: usize = 500;

/// Findings that belong together.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentView {
    /// Its name: of an actor (`subject:…`, `client:…`, `grant:…`, `ip:…`) or a campaign, and when it began.
    id: String,
    /// `actor`, or `campaign`: many networks that did the same at once.
    kind: String,
    /// How many findings.
    findings: u64,
    /// Which detectors, and how many findings each has.
    detectors: Vec<DetectorCount>,
    /// The worst of them: `low` to `critical`.
    severity: String,
    /// Time of the first one.
    #[schema(value_type = String, format = DateTime)]
    first: Timestamp,
    /// Time of the last one.
    #[schema(value_type = String, format = DateTime)]
    last: Timestamp,
    /// How many were answered with a restriction.
    answered: u64,
    /// How many answers were undone.
    undone: u64,
}

/// A detector, and how many findings it has.
#[derive(Serialize, ToSchema)]
struct DetectorCount {
    /// Its name.
    detector: String,
    /// How many.
    findings: u64,
}

/// An incident with everything that happened in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentStory {
    #[serde(flatten)]
    incident: IncidentView,
    /// What happened, in the order of time; of at most 500 findings, the first ones.
    timeline: Vec<Step>,
    /// What it cost whoever it concerns: the restrictions, with their ends.
    restrictions: Vec<Cost>,
}

/// One step of an incident.
#[derive(Serialize, ToSchema)]
struct Step {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `found`, `undone` or `judged`.
    step: &'static str,
    /// The finding.
    #[schema(value_type = String)]
    finding: FindingId,
    /// The detector.
    detector: String,
    /// In plain words: what was found, who undid it, or what was said of it by whom.
    words: String,
    /// What was done, of a finding.
    response: Option<String>,
}

/// A restriction, and how long it held.
#[derive(Serialize, ToSchema)]
struct Cost {
    /// Its position in the log.
    seq: u64,
    /// What it is about.
    #[schema(value_type = SelectorBody)]
    selector: Selector,
    /// What it does.
    #[schema(value_type = EffectText)]
    effect: Effect,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// When it was lifted.
    #[schema(value_type = Option<String>, format = DateTime)]
    lifted_at: Option<Timestamp>,
    /// For how many seconds it has held until now.
    seconds: u64,
}

/// What came of undoing an incident.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentUndone {
    /// The incident.
    id: String,
    /// How many responses were undone.
    undone: usize,
    /// Each finding that was answered, the first one first.
    findings: Vec<FindingUndone>,
}

/// What came of undoing one finding of an incident.
#[derive(Serialize, ToSchema)]
struct FindingUndone {
    /// The finding.
    #[schema(value_type = String)]
    finding: FindingId,
    /// The detector.
    detector: String,
    /// What was done.
    response: Option<String>,
    /// Position of the restriction that answered it.
    restriction: Option<u64>,
    /// Whether that was undone.
    undone: bool,
    /// Whether something of it goes on, since findings of others are answered by the same.
    kept: bool,
    /// Why it was not undone.
    why: Option<String>,
}

/// List incidents and campaigns, the one with the last finding first: all, or those that have a finding that meets
/// all conditions. They are counted whole. `answered` and `judged` ask about any of their findings.
#[utoipa::path(get, path = "/incidents", tag = "incidents", params(SoughtQuery),
    responses((status = 200, description = "A page of incidents", body = Page<IncidentView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(query): Query<SoughtQuery>,
) -> Result<Answer<Page<IncidentView>>, Problem> {
    let (sought, limit) = (query.sought()?, query.limit.rows());
    let before = query.before.map(|text| input::position("before", &text)).transpose()?;
    let rows = console.store().incidents(&sought, before, limit).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.rank.to_string(), view)))
}

/// Show an incident with its timeline, and what was done.
#[utoipa::path(get, path = "/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The incident", body = IncidentStory),
        (status = 404, description = "No incident of this id", body = Problem)))]
pub(crate) async fn show(
    State(console): State<Console>,
    _: Reader,
    Segment(id): Segment,
) -> Result<Answer<IncidentStory>, Problem> {
    let store = console.store();
    let incident = store.incident(&id).await?.ok_or_else(|| Problem::unknown("incident"))?;
    let findings = store.findings_of(&incident.id, TIMELINE).await?;
    let mut positions: Vec<u64> = findings.iter().filter_map(|found| found.restriction).collect();
    positions.sort_unstable();
    positions.dedup();
    let (mut restrictions, now) = (Vec::new(), console.authority.now());
    for seq in positions {
        // What can fit nothing any more leaves the log a week later.
        restrictions.extend(store.restriction(seq).await?.map(|row| cost(&row, now)));
    }
    let timeline = timeline(&findings);
    Ok(Answer(IncidentStory { incident: view(incident), timeline, restrictions }))
}

/// Undo what was done about each finding of an incident or campaign, by the rules for one finding: what findings of
/// others are answered with stays, and a revocation is final. The answer says of each what came of it.
#[utoipa::path(post, path = "/incidents/{id}/undo", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "What was undone, and what was not", body = IncidentUndone),
        (status = 404, description = "No incident of this id", body = Problem),
        (status = 409, description = "Nothing of it can be undone", body = Problem)))]
pub(crate) async fn undo(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
) -> Result<Recorded, Problem> {
    let now = console.authority.now();
    let _alone = console.changing.lock().await;
    let store = console.store();
    let incident = store.incident(&id).await?.ok_or_else(|| Problem::unknown("incident"))?;
    let all = respond::undo_incident(store, &incident, administrator.actor(), now).await?;
    let findings: Vec<_> = all.into_iter().map(came_of).collect();
    let undone = findings.iter().filter(|found| found.undone).count();
    if undone == 0 {
        return Err(nothing_undone(&findings));
    }
    let target = format!("{} {undone} of {}", incident.id, findings.len());
    let change = Change { action: "incident.undo", target: &target, at: now };
    let shown = IncidentUndone { id: incident.id, undone, findings };
    console.record(&administrator, change, answer::json(StatusCode::OK, &shown)).await
}

fn came_of((found, outcome): (StoredFinding, Result<Undone, UndoRefused>)) -> FindingUndone {
    let response = found.finding.get("response").and_then(|text| text.as_str());
    FindingUndone {
        response: response.map(str::to_owned),
        finding: found.id,
        detector: found.detector,
        restriction: found.restriction,
        undone: outcome.is_ok(),
        kept: outcome.as_ref().is_ok_and(|undone| undone.kept),
        why: outcome.err().map(|refused| refused.to_string()),
    }
}

/// Each reason once, with how many findings it is of.
fn nothing_undone(findings: &[FindingUndone]) -> Problem {
    let mut reasons = BTreeMap::<&str, usize>::new();
    for why in findings.iter().filter_map(|found| found.why.as_deref()) {
        *reasons.entry(why).or_default() += 1;
    }
    let reasons: Vec<String> = reasons.iter().map(|(why, n)| format!("{n}: {why}")).collect();
    match reasons.is_empty() {
        true => Problem::conflict("nothing was done about it"),
        false => {
            Problem::conflict(format_args!("nothing of it can be undone ({})", reasons.join("; ")))
        }
    }
}

fn view(incident: Incident) -> IncidentView {
    let detectors = incident.detectors.into_iter();
    IncidentView {
        id: incident.id,
        kind: incident.kind,
        findings: incident.findings,
        detectors: detectors
            .map(|(detector, findings)| DetectorCount { detector, findings })
            .collect(),
        severity: incident.severity,
        first: incident.first,
        last: incident.last,
        answered: incident.answered,
        undone: incident.undone,
    }
}

fn timeline(findings: &[StoredFinding]) -> Vec<Step> {
    let mut steps: Vec<Step> = findings.iter().flat_map(steps).collect();
    steps.sort_by_key(|step| step.at);
    steps
}

fn steps(found: &StoredFinding) -> Vec<Step> {
    let step = |at, step, words: String, response| Step {
        at,
        step,
        finding: found.id.clone(),
        detector: found.detector.clone(),
        words,
        response,
    };
    let text = |pointer: &str| found.finding.pointer(pointer).and_then(|text| text.as_str());
    let summary = text("/evidence/summary").unwrap_or_default().to_owned();
    let response = text("/response").map(str::to_owned);
    let mut steps = vec![step(found.ts, "found", summary, response)];
    if let (Some(at), Some(by)) = (found.undone_at, &found.undone_by) {
        steps.push(step(at, "undone", format!("undone by {by}"), None));
    }
    if let Some(said) = &found.verdict {
        steps.push(step(said.at, "judged", format!("called {} by {}", said.word, said.by), None));
    }
    steps
}

fn cost(row: &RestrictionRow, now: Timestamp) -> Cost {
    let restriction = &row.restriction;
    let ends = [row.lifted_at, restriction.until, Some(now)];
    let end = ends.into_iter().flatten().min().unwrap_or(now);
    Cost {
        seq: restriction.seq,
        selector: restriction.selector.clone(),
        effect: restriction.effect.clone(),
        at: restriction.at,
        until: restriction.until,
        lifted_at: row.lifted_at,
        seconds: end.since(restriction.at).as_secs(),
    }
}
