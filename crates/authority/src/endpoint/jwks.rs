//! The public keys (RFC 7517 §5).

use axum::extract::State;
use axum::response::Response;

use crate::endpoint::answer;
use crate::keys::PUBLISHED_FOR;
use crate::state::Authority;

/// `GET /.well-known/jwks.json`
pub(crate) async fn jwks(State(authority): State<Authority>) -> Response {
    let secs = u32::try_from(PUBLISHED_FOR.as_secs()).unwrap_or_default();
    answer::public_json(authority.keys().jwks(), secs)
}
