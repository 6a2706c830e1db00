//! Where others push their security events (RFC 8935).

use axum::extract::{FromRequest as _, Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_LANGUAGE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::form::EventBody;
use crate::oauth_error::OAuthError;
use crate::signals::received::NotTaken;
use crate::state::Authority;

/// Why an event is not taken (§2.3).
#[derive(Serialize, ToSchema)]
pub(crate) struct EventRefused {
    /// `authentication_failed`, `invalid_audience`, `invalid_issuer`, `invalid_key`, `invalid_request`; with a status
    /// of 503 `unavailable`, and the event is to be sent again.
    err: &'static str,
    /// For whoever has sent it.
    description: String,
}

/// `POST /ssf/events`
pub(crate) async fn push(
    State(authority): State<Authority>,
    caller: Caller,
    request: Request,
) -> Response {
    let Some(transmitter) = bearer(request.headers()).and_then(|one| authority.transmitter(one))
    else {
        let words = "no transmitter that is known here has this bearer token";
        let mut answer = refused(StatusCode::UNAUTHORIZED, "authentication_failed", words);
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return answer;
    };
    let (name, now) = (transmitter.name.clone(), authority.now());
    let transmitter = transmitter.clone();
    let EventBody(text) = match EventBody::from_request(request, &authority).await {
        Ok(body) => body,
        Err(OAuthError { description, status, .. }) => {
            return refused(status, "invalid_request", description);
        }
    };
    let taken = authority.receive(&transmitter, &text, &caller, now).await;
    let Err(cause) = taken else { return answer::empty(StatusCode::ACCEPTED) };
    tracing::warn!(transmitter = name, %cause, "a security event is not taken");
    match (cause.code(), &cause) {
        (Some(err), _) => refused(StatusCode::BAD_REQUEST, err, cause.to_string()),
        (None, NotTaken::Store(_)) => {
            let words = "state cannot be written now";
            refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable", words)
        }
        (None, _) => refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable", cause.to_string()),
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let only = fields.next().filter(|_| fields.next().is_none())?;
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

pub(super) fn refused(status: StatusCode, err: &'static str, words: impl Into<String>) -> Response {
    let mut answer = answer::json(status, &EventRefused { err, description: words.into() });
    // RFC 8935 §2.3 demands it.
    answer.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    answer
}
