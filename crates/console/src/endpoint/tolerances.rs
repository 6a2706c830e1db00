//! `/tolerances`: whom and what detectors are believed less about, because people said that they were wrong.

use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use serde::Serialize;
use store::Tolerance;
use token::id::FindingId;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{self, Before, Query, Segment};
use crate::problem::Problem;

/// A detector is believed less about somebody or a route.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToleranceView {
    /// Its name.
    seq: u64,
    /// The detector.
    detector: String,
    /// `subject:…`, `client:…`, `ip:…` or `route:…`.
    about: String,
    /// How often the confidence is halved: once or twice.
    halvings: u32,
    /// The finding that was judged last.
    #[schema(value_type = String)]
    finding: FindingId,
    /// Who judged it.
    created_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When this ends by itself.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// List tolerances that have not ended, newest first.
#[utoipa::path(get, path = "/tolerances", tag = "tolerances", params(Before),
    responses((status = 200, description = "A page of tolerances", body = Page<ToleranceView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(page): Query<Before>,
) -> Result<Answer<Page<ToleranceView>>, Problem> {
    let before = page.before.map(|text| input::position("before", &text)).transpose()?;
    let (limit, now) = (page.limit.rows(), console.authority.now());
    let rows = console.store().tolerances(before, limit, now).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.seq.to_string(), view)))
}

/// End a tolerance: the detector is believed again.
#[utoipa::path(delete, path = "/tolerances/{seq}", tag = "tolerances",
    params(("seq" = u64, Path, description = "The tolerance's name")),
    responses((status = 204, description = "It has ended"),
        (status = 404, description = "No tolerance of this name", body = Problem)))]
pub(crate) async fn remove(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(seq): Segment,
) -> Result<Recorded, Problem> {
    let (position, now) = (input::position("seq", &seq)?, console.authority.now());
    if !console.store().remove_tolerance(position).await? {
        return Err(Problem::unknown("tolerance"));
    }
    let change = Change { action: "tolerance.remove", target: &seq, at: now };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

fn view(tolerance: Tolerance) -> ToleranceView {
    let Tolerance { seq, detector, about, halvings, finding, created_by, created_at, expires_at } =
        tolerance;
    ToleranceView { seq, detector, about, halvings, finding, created_by, created_at, expires_at }
}
