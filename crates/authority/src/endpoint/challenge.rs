//! Challenges for proofs of attested keys (draft-ietf-oauth-attestation-based-client-auth-10 §6.1).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::endpoint::answer;
use crate::endpoint::discovery::unknown_path;
use crate::state::Authority;

/// What a proof has to bring back.
#[derive(Serialize, ToSchema)]
pub(crate) struct Challenge {
    attestation_challenge: String,
}

/// `POST /challenge`, where challenges are demanded
pub(crate) async fn challenge(State(authority): State<Authority>) -> Response {
    match authority.challenges() {
        Some(challenges) => {
            let attestation_challenge = challenges.issue(authority.now());
            answer::json(StatusCode::OK, &Challenge { attestation_challenge })
        }
        None => unknown_path().await.into_response(),
    }
}
