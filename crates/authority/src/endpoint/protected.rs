//! What UserInfo, registration and the admin API share: an endpoint behind one of our own access
//! tokens.

use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use token::event::{EventKind, Request, TokenKind, Who};
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::bearer::BearerRefused;
use crate::caller::Caller;
use crate::endpoint::answer;
use crate::oauth_error::OAuthError;
use crate::state::Authority;

/// A request to a protected endpoint, as far as its event needs it.
pub struct Seen<'a> {
    /// Where it comes from.
    pub caller: &'a Caller,
    /// Its method.
    pub method: &'a Method,
    /// Its path.
    pub path: &'a str,
    /// The template that the path fits.
    pub route: Option<&'a str>,
    /// When it came.
    pub now: Timestamp,
}

/// The answer to a request that is refused.
pub(crate) fn refusal(refused: BearerRefused) -> Response {
    let challenge = refused.challenge();
    let error = OAuthError::from(refused);
    match challenge {
        Some(challenge) => answer::challenged(&error, &challenge),
        None => error.into_response(),
    }
}

/// Tells the watcher about a request: its token and the status of the answer, or the refusal, which
/// has its own.
pub fn observe(
    authority: &Authority,
    seen: &Seen<'_>,
    admitted: Result<(&VerifiedAccessToken, StatusCode), &BearerRefused>,
) {
    let (who, scopes, refused, status) = match admitted {
        Ok((token, status)) => (Who::verified(token.facts()), token.scopes().clone(), None, status),
        Err(refused) => {
            let Some(reason) = refused.reason() else { return };
            (refused.who(), refused.scopes(), Some(reason), refused.status())
        }
    };
    let token_kind = match admitted {
        Err(BearerRefused::NoToken | BearerRefused::Blocked) => TokenKind::None,
        _ => TokenKind::Jwt,
    };
    let request = Request {
        token_kind,
        scopes,
        method: seen.method.to_string(),
        route: seen.route.map(str::to_owned),
        path: seen.path.to_owned(),
        status: status.as_u16(),
        refused,
        ..Request::default()
    };
    authority.emit(seen.caller, who, EventKind::Request(request), seen.now);
}
