//! What there is to know for those who get security events (Shared Signals Framework 1.0 §7).

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use token::term::OAuthErrorCode;

use crate::endpoint::answer;
use crate::oauth_error::OAuthError;
use crate::state::Authority;

const MAX_AGE_SECS: u32 = 300;
/// By requests to the receiver.
const PUSH: &str = "urn:ietf:rfc:8935";
/// By requests of the receiver.
const POLL: &str = "urn:ietf:rfc:8936";

/// `GET /.well-known/ssf-configuration` (§7.1). Streams are made by the configuration alone, so that there are
/// no endpoints to manage them.
pub(crate) async fn metadata(State(authority): State<Authority>) -> Result<Response, OAuthError> {
    let settings = authority.settings();
    if settings.streams.is_empty() {
        let words = "nobody gets security events from here: no `notify.signals` is configured";
        return Err(OAuthError::new(OAuthErrorCode::InvalidRequest, words)
            .with_status(StatusCode::NOT_FOUND));
    }
    let document = json!({
        "spec_version": "1_0",
        "issuer": settings.issuer,
        "jwks_uri": settings.url("/.well-known/jwks.json"),
        "delivery_methods_supported": [PUSH, POLL],
        "default_subjects": "ALL",
    });
    Ok(answer::public_json(Bytes::from(document.to_string()), MAX_AGE_SECS))
}
