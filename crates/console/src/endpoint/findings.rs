//! `/findings`: what the detectors found, what was done about it, and undoing that.

use axum::extract::State;
use detect::respond::{self, UndoRefused};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use store::StoredFinding;
use token::id::FindingId;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{Before, Query, Segment};
use crate::problem::Problem;

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
}

/// List findings, newest first.
#[utoipa::path(get, path = "/findings", tag = "findings", params(Before),
    responses((status = 200, description = "A page of findings", body = Page<FindingView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(page): Query<Before>,
) -> Result<Answer<Page<FindingView>>, Problem> {
    let before = page.before.map(FindingId::from);
    let limit = page.limit.rows();
    let rows = console.store().findings(before.as_ref(), limit).await?;
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

/// Undo what was done about a finding: a block or a suspension. A revocation is final.
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
