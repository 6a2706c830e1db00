//! The description of the endpoints, for people and tools that read OpenAPI.

use axum::extract::State;
use axum::response::Response;

use crate::description;
use crate::endpoint::answer;
use crate::state::Authority;

const MAX_AGE_SECS: u32 = 300;

/// `GET /openapi.json`
pub(crate) async fn document(State(authority): State<Authority>) -> Response {
    let text = description::openapi_json(&authority.settings().issuer);
    answer::public_json(text.into(), MAX_AGE_SECS)
}
