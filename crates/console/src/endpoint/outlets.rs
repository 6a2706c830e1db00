//! `/outlets`: whom findings are told, and whether that works.

use axum::extract::State;
use http::StatusCode;
use notify::notifier::{OutletStatus, Tested};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer};
use crate::change::{Change, Recorded};
use crate::input::Segment;
use crate::problem::Problem;

/// Somebody who is told findings.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutletView {
    /// Its name.
    name: String,
    /// `webhook`, `signals` (security events), `syslog`, `person` (whom a finding concerns is asked), or `letters`:
    /// the mail server.
    kind: &'static str,
    /// Where it leads, without what is secret in it.
    place: String,
    /// Deliveries that wait for it.
    waiting: u64,
    /// Deliveries that were given up in the last week.
    dead: u64,
}

/// Every outlet.
#[derive(Serialize, ToSchema)]
pub(crate) struct Outlets {
    /// In the order of the configuration.
    items: Vec<OutletView>,
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestView {
    /// Whether it was taken.
    taken: bool,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// List outlets: whom findings are told.
#[utoipa::path(get, path = "/outlets", tag = "outlets",
    responses((status = 200, description = "The outlets", body = Outlets)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
) -> Result<Answer<Outlets>, Problem> {
    let outlets = console.notifier.outlets().await?;
    Ok(Answer(Outlets { items: outlets.into_iter().map(view).collect() }))
}

/// Tell an outlet, past its queue, that somebody tries it, and say what came of that.
#[utoipa::path(post, path = "/outlets/{name}/test", tag = "outlets",
    params(("name" = String, Path, description = "The outlet's name")),
    responses((status = 200, description = "What came of it", body = TestView),
        (status = 404, description = "No outlet of this name", body = Problem)))]
pub(crate) async fn test(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(name): Segment,
) -> Result<Recorded, Problem> {
    let cause = match console.notifier.test(&name).await {
        Tested::NotTaken(cause) => Some(cause),
        Tested::Taken => None,
        Tested::Unknown => return Err(Problem::unknown("outlet")),
    };
    let change = Change { action: "outlet.test", target: &name, at: console.authority.now() };
    let shown = TestView { taken: cause.is_none(), cause };
    console.record(&administrator, change, answer::json(StatusCode::OK, &shown)).await
}

fn view(outlet: OutletStatus) -> OutletView {
    let OutletStatus { name, kind, place, waiting, dead } = outlet;
    OutletView { name, kind, place, waiting, dead }
}
