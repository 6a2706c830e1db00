//! `/requests`: why one request was answered as it was, for as long as the gateway remembers it.

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use token::explanation::Explanation;
use utoipa::ToSchema;

use crate::Console;
use crate::access::Reader;
use crate::answer::Answer;
use crate::input::Segment;
use crate::problem::Problem;

/// One request, step by step.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestView {
    /// Its id, as its answer said it.
    request: String,
    /// When it came, and from where; method, path and route; whose token it had; the status, why it was
    /// refused (`refused`, `would_refuse`), the API that it went to and how long all of it took. No
    /// credential and no query is kept.
    #[schema(value_type = Object)]
    summary: Value,
    /// The steps of its path, in their order.
    steps: Vec<StepView>,
}

/// One step.
#[derive(Serialize, ToSchema)]
pub(crate) struct StepView {
    /// Its name: `clear`, `target`, `framing`, `route`, `present`, `verify`, `bind`, `in_force`, `permit`,
    /// `within`, `admit`, `inspect`, `forward`.
    step: &'static str,
    /// `passed`, `failed`, `not_needed` or `not_reached`.
    #[schema(value_type = String)]
    outcome: token::explanation::Outcome,
    /// What was checked, or what was demanded and what was there instead.
    detail: Option<String>,
}

/// Explain a request by the id that its answer told.
#[utoipa::path(get, path = "/requests/{id}", tag = "requests",
    params(("id" = String, Path, description = "The request's id")),
    responses((status = 200, description = "The request", body = RequestView),
        (status = 404, description = "Not remembered, or not any more", body = Problem)))]
pub(crate) async fn show(
    State(console): State<Console>,
    _: Reader,
    Segment(id): Segment,
) -> Result<Answer<RequestView>, Problem> {
    let known = console.requests.as_ref().map(|requests| requests.explain(&id));
    match known {
        Some(Some(explanation)) => Ok(Answer(view(explanation))),
        Some(None) => Err(Problem::new(StatusCode::NOT_FOUND, FORGOTTEN)),
        None => Err(Problem::new(StatusCode::NOT_FOUND, "there is no gateway in this process")),
    }
}

const FORGOTTEN: &str = "no request of this id is remembered here: it may be older than the last \
    `gateway.explain_refused` refused or `gateway.explain_passed` other ones, not be answered to its end \
    yet, or have come to another process or before a restart";

fn view(explanation: Explanation) -> RequestView {
    let steps = explanation.steps.iter().map(|step| StepView {
        step: step.step,
        outcome: step.outcome,
        detail: step.detail.clone(),
    });
    let steps = steps.collect();
    let request = explanation.request.clone();
    // Texts and numbers alone: always serializable.
    let mut summary = serde_json::to_value(&explanation).unwrap_or_default();
    if let Value::Object(members) = &mut summary {
        members.retain(|name, value| name != "steps" && name != "request" && !value.is_null());
    }
    RequestView { request, summary, steps }
}
