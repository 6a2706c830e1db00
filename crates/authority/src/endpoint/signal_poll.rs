//! Where the receiver of a stream fetches its security events (RFC 8936).

use std::collections::BTreeMap;

use axum::extract::{FromRequest as _, Path, Request, State};
use axum::response::Response;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use token::json;
use utoipa::ToSchema;

use crate::endpoint::answer;
use crate::endpoint::form::JsonBody;
use crate::endpoint::signal_events::{bearer, refused};
use crate::oauth_error::OAuthError;
use crate::signals::poll::{LONGEST_WAIT, Poll, Polled};
use crate::state::Authority;

/// What a receiver asks for (§2.2).
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PollRequest {
    /// So many events at most; 0: none, only `ack` and `setErrs` are noted. Absent, or more than 100: 100.
    max_events: Option<u32>,
    /// Whether to answer at once where there is no event; else the answer waits for one, 30 seconds at most.
    return_immediately: bool,
    /// Events that were taken, by their `jti`: they do not come again.
    ack: Vec<String>,
    /// Events that are refused, by their `jti`: they do not come again either.
    set_errs: BTreeMap<String, EventError>,
}

/// Why a receiver refuses an event (RFC 8936 §2.6, with the codes of RFC 8935 §2.4).
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct EventError {
    /// Such as `invalid_key`.
    err: String,
    /// In words.
    description: String,
}

/// Events that wait (§2.3).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PollAnswer {
    /// Security event tokens by their `jti`.
    sets: BTreeMap<String, String>,
    /// Whether more wait.
    more_available: bool,
}

/// `POST /ssf/poll/{stream}`
pub(crate) async fn poll(
    State(authority): State<Authority>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let known = bearer(request.headers()).and_then(|token| authority.fetched_stream(&name, token));
    let Some(stream) = known.cloned() else {
        let words = "no stream of this name is fetched with this bearer token";
        let mut answer = refused(StatusCode::UNAUTHORIZED, "authentication_failed", words);
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return answer;
    };
    let asked = match JsonBody::from_request(request, &authority).await {
        Ok(JsonBody(bytes)) => json::parse::<PollRequest>(&bytes),
        Err(OAuthError { description, status, .. }) => {
            return refused(status, "invalid_request", description);
        }
    };
    let asked = match asked {
        Ok(asked) => Poll::from(asked),
        Err(error) => {
            let words = format!("the body is {error}");
            return refused(StatusCode::BAD_REQUEST, "invalid_request", words);
        }
    };
    match authority.poll(&stream, asked, LONGEST_WAIT).await {
        Ok(polled) => answer::json(StatusCode::OK, &PollAnswer::from(polled)),
        Err(error) => {
            tracing::error!(stream = stream.name, %error, "security events cannot be fetched");
            let words = "state cannot be read or written now";
            refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable", words)
        }
    }
}

// === impl Poll ===

impl From<PollRequest> for Poll {
    fn from(asked: PollRequest) -> Self {
        let refused = asked.set_errs.into_iter();
        Self {
            most: asked.max_events.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            immediately: asked.return_immediately,
            taken: asked.ack,
            refused: refused
                .map(|(jti, why)| (jti, format!("{} {}", why.err, why.description)))
                .collect(),
        }
    }
}

// === impl PollAnswer ===

impl From<Polled> for PollAnswer {
    fn from(polled: Polled) -> Self {
        let sets = polled.events.into_iter().map(|(jti, token)| (jti.to_string(), token));
        Self { sets: sets.collect(), more_available: polled.more }
    }
}
