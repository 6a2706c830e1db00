//! The public keys (RFC 7517 §5).

use axum::extract::State;
use axum::response::Response;

use crate::endpoint::answer;
use crate::state::Authority;

/// Less than the time that a key is published before it is used.
const MAX_AGE_SECS: u32 = 300;

/// `GET /.well-known/jwks.json`
pub(crate) async fn jwks(State(authority): State<Authority>) -> Response {
    answer::public_json(authority.keys().jwks(), MAX_AGE_SECS)
}
