//! Where the receiver of a stream fetches its security events (RFC 8936).

use axum::extract::{FromRequest as _, Path, Request, State};
use axum::response::Response;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use token::json;

use crate::endpoint::answer;
use crate::endpoint::form::JsonBody;
use crate::endpoint::signal_events::{bearer, refused};
use crate::oauth_error::OAuthError;
use crate::signals::message::{PollAnswer, PollRequest};
use crate::signals::poll::{LONGEST_WAIT, Poll, Polled};
use crate::state::Authority;

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
