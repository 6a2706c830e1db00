//! How answers look: JSON, never cached, and refusals as RFC 6749 §5.2 has them.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use token::term::OAuthErrorCode;
use utoipa::ToSchema;

use crate::oauth_error::OAuthError;

/// RFC 9449 §8.1.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// draft-ietf-oauth-attestation-based-client-auth-10 §6.2.
const ATTESTATION_CHALLENGE: HeaderName =
    HeaderName::from_static("oauth-client-attestation-challenge");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const BASIC: HeaderValue = HeaderValue::from_static(r#"Basic realm="tokenward", charset="UTF-8""#);

/// RFC 6749 §5.2.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody<'a> {
    #[schema(value_type = String)]
    error: OAuthErrorCode,
    error_description: &'a str,
}

/// JSON bytes that no cache may keep, not even one that knows HTTP/1.0 alone (RFC 6749 §5.1).
pub(crate) fn json_bytes(status: StatusCode, body: Bytes) -> Response {
    let headers = [(header::CACHE_CONTROL, NO_STORE), (header::PRAGMA, NO_CACHE)];
    with_headers(status, body, &headers)
}

/// A token as an answer of its own, which no cache may keep.
pub(crate) fn jwt(media_type: &'static str, token: String) -> Response {
    let kind = HeaderValue::from_static(media_type);
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, NO_STORE)];
    with_headers(StatusCode::OK, token.into(), &headers)
}

/// A value as JSON that no cache may keep.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => json_bytes(status, body.into()),
        Err(error) => OAuthError::internal(&error).into_response(),
    }
}

/// JSON bytes that caches may keep for this many seconds.
pub(crate) fn public_json(body: Bytes, max_age_secs: u32) -> Response {
    let value = HeaderValue::from_str(&format!("public, max-age={max_age_secs}"));
    let cache = value.unwrap_or(NO_STORE);
    with_headers(StatusCode::OK, body, &[(header::CACHE_CONTROL, cache)])
}

/// Nothing but a status that no cache may keep.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    response
}

/// A refusal with a challenge of its own.
pub(crate) fn challenged(error: &OAuthError, challenge: &str) -> Response {
    let mut response = refusal(error);
    if let Ok(value) = HeaderValue::from_str(challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let mut response = refusal(&self);
        // RFC 9110 §15.5.2: every 401 says how to authenticate.
        if self.code == OAuthErrorCode::InvalidClient {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, BASIC);
        }
        response
    }
}

fn refusal(error: &OAuthError) -> Response {
    let body = ErrorBody { error: error.code, error_description: &error.description };
    let bytes = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = json_bytes(error.status, bytes.into());
    if let Some(nonce) = error.dpop_nonce.as_deref().and_then(|text| text.parse().ok()) {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    if let Some(challenge) =
        error.attestation_challenge.as_deref().and_then(|text| text.parse().ok())
    {
        response.headers_mut().insert(ATTESTATION_CHALLENGE, challenge);
    }
    let busy = (error.status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
    if let Some(secs) = error.retry_after.or(busy) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

fn with_headers(
    status: StatusCode,
    body: Bytes,
    headers: &[(HeaderName, HeaderValue)],
) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    // Those below, and what the server adds: one allocation.
    fields.reserve(8);
    fields.insert(header::CONTENT_TYPE, JSON);
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    for (name, value) in headers {
        fields.insert(name, value.clone());
    }
    response
}
