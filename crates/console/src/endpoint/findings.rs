//! `/findings`: what the detectors found, what was done about it, and undoing that.

use axum::extract::State;
use detect::feedback::{self, About, JudgeRefused, Verdict};
use detect::respond::{self, UndoRefused};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::StoredFinding;
use token::id::FindingId;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{Body, Query, Segment};
use crate::problem::Problem;
use crate::sought::SoughtQuery;

/// A finding, and what became of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct FindingView {
    /// Its name.
    #[schema(value_type = String)]
    id: FindingId,
    /// The finding in the public format: `ts`, `detector`, `class`, `severity`, `confidence`, whom
    /// it concerns, `incident`, `evidence` and `response`.
    #[schema(value_type = Object)]
    finding: Value,
    /// Position of the restriction that answers it.
    restriction: Option<u64>,
    /// When that was undone.
    #[schema(value_type = Option<String>, format = DateTime)]
    undone_at: Option<Timestamp>,
    /// Who undid it.
    undone_by: Option<String>,
    /// What somebody says of it: `true`, `false` or `expected`.
    verdict: Option<String>,
    /// When that was said.
    #[schema(value_type = Option<String>, format = DateTime)]
    verdict_at: Option<Timestamp>,
    /// By whom.
    verdict_by: Option<String>,
}

/// What is said of a finding.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedbackBody {
    /// `true`: it is as it says; `false`: it is not; `expected`: it is, and is meant to be.
    verdict: VerdictWord,
    /// What a `false` or `expected` is about: whom it concerns, or its route, for everybody. `principal` when
    /// it is not given.
    #[serde(default)]
    about: AboutWord,
}

/// What somebody says of a finding.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum VerdictWord {
    /// It is as it says, and it is meant to be.
    Expected,
    /// It is not as it says.
    False,
    /// It is as it says, and it is abuse.
    True,
}

/// What a verdict is about.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AboutWord {
    /// Whom the finding concerns.
    #[default]
    Principal,
    /// The route of its request.
    Route,
}

/// List findings, newest first: all, or those that meet all conditions.
#[utoipa::path(get, path = "/findings", tag = "findings", params(SoughtQuery),
    responses((status = 200, description = "A page of findings", body = Page<FindingView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(query): Query<SoughtQuery>,
) -> Result<Answer<Page<FindingView>>, Problem> {
    let (sought, limit) = (query.sought()?, query.limit.rows());
    let before = query.before.map(FindingId::from);
    let rows = console.store().findings(&sought, before.as_ref(), limit).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.id.to_string(), view)))
}

/// Show a finding with its evidence.
#[utoipa::path(get, path = "/findings/{id}", tag = "findings",
    params(("id" = String, Path, description = "The finding's id")),
    responses((status = 200, description = "The finding", body = FindingView),
        (status = 404, description = "No finding of this id", body = Problem)))]
pub(crate) async fn show(
    State(console): State<Console>,
    _: Reader,
    Segment(id): Segment,
) -> Result<Answer<FindingView>, Problem> {
    find(&console, &FindingId::from(id)).await.map(|finding| Answer(view(finding)))
}

/// Say what a finding is worth. After `false` and `expected` its detector is believed half as much about this
/// principal or route, twice at most, for 30 or 90 days; after `true` it is believed again. What is certain is
/// never doubted: there the verdict alone is kept.
#[utoipa::path(post, path = "/findings/{id}/feedback", tag = "findings", request_body = FeedbackBody,
    params(("id" = String, Path, description = "The finding's id")),
    responses((status = 200, description = "The finding, judged", body = FindingView),
        (status = 404, description = "No finding of this id", body = Problem),
        (status = 409, description = "It is about no route", body = Problem)))]
pub(crate) async fn judge(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
    Body(body): Body<FeedbackBody>,
) -> Result<Recorded, Problem> {
    let (id, now) = (FindingId::from(id), console.authority.now());
    let said = body.said();
    feedback::judge(console.store(), &id, said, administrator.actor(), now).await?;
    let finding = find(&console, &id).await?;
    let target = format!("{id} {}", said.0.word());
    let change = Change { action: "finding.feedback", target: &target, at: now };
    let shown = answer::json(StatusCode::OK, &view(finding));
    console.record(&administrator, change, shown).await
}

/// Undo what was done about a finding, exactly: what other findings are answered with stays. A revocation is
/// final.
#[utoipa::path(post, path = "/findings/{id}/undo", tag = "findings",
    params(("id" = String, Path, description = "The finding's id")),
    responses((status = 200, description = "The finding, undone", body = FindingView),
        (status = 404, description = "No finding of this id", body = Problem),
        (status = 409, description = "It is final, was undone, or has ended", body = Problem)))]
pub(crate) async fn undo(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
) -> Result<Recorded, Problem> {
    let (id, now) = (FindingId::from(id), console.authority.now());
    let _alone = console.changing.lock().await;
    respond::undo(console.store(), &id, administrator.actor(), now).await?;
    let finding = find(&console, &id).await?;
    let change = Change { action: "finding.undo", target: id.as_str(), at: now };
    let shown = answer::json(StatusCode::OK, &view(finding));
    console.record(&administrator, change, shown).await
}

async fn find(console: &Console, id: &FindingId) -> Result<StoredFinding, Problem> {
    console.store().finding(id).await?.ok_or_else(|| Problem::unknown("finding"))
}

fn view(finding: StoredFinding) -> FindingView {
    FindingView {
        id: finding.id,
        finding: finding.finding,
        restriction: finding.restriction,
        undone_at: finding.undone_at,
        undone_by: finding.undone_by,
        verdict: finding.verdict.as_ref().map(|said| said.word.clone()),
        verdict_at: finding.verdict.as_ref().map(|said| said.at),
        verdict_by: finding.verdict.map(|said| said.by),
    }
}

// === impl FeedbackBody ===

impl FeedbackBody {
    const fn said(&self) -> (Verdict, About) {
        let verdict = match self.verdict {
            VerdictWord::Expected => Verdict::Expected,
            VerdictWord::False => Verdict::False,
            VerdictWord::True => Verdict::True,
        };
        let about = match self.about {
            AboutWord::Principal => About::Principal,
            AboutWord::Route => About::Route,
        };
        (verdict, about)
    }
}

impl From<JudgeRefused> for Problem {
    fn from(refused: JudgeRefused) -> Self {
        match refused {
            JudgeRefused::NoRoute => Self::conflict(refused),
            JudgeRefused::Store(error) => error.into(),
            JudgeRefused::Unknown => Self::unknown("finding"),
        }
    }
}

impl From<UndoRefused> for Problem {
    fn from(refused: UndoRefused) -> Self {
        match refused {
            UndoRefused::Unknown => Self::unknown("finding"),
            UndoRefused::Store(error) => error.into(),
            UndoRefused::AlreadyUndone | UndoRefused::Final | UndoRefused::NothingDone => {
                Self::conflict(refused)
            }
        }
    }
}
