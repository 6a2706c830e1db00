//! What UserInfo and registration share: an endpoint behind one of our own access tokens.

use axum::response::{IntoResponse, Response};
use http::Method;
use token::event::{EventKind, Request, TokenKind, Who};
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::bearer::BearerRefused;
use crate::caller::Caller;
use crate::endpoint::answer;
use crate::oauth_error::OAuthError;
use crate::state::Authority;

/// A request to a protected endpoint, as far as its event needs it.
pub(crate) struct Seen<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) now: Timestamp,
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

/// Tells the watcher about a request and its token.
pub(crate) fn observe(
    authority: &Authority,
    seen: &Seen<'_>,
    admitted: Result<&VerifiedAccessToken, &BearerRefused>,
) {
    let (who, scopes, refused, status) = match admitted {
        Ok(token) => (Who::verified(token.facts()), token.scopes().clone(), None, 200),
        Err(refused) => {
            let Some(reason) = refused.reason() else { return };
            (refused.who(), refused.scopes(), Some(reason), refused.status().as_u16())
        }
    };
    let token_kind = match admitted {
        Err(BearerRefused::NoToken | BearerRefused::Blocked) => TokenKind::None,
        _ => TokenKind::Jwt,
    };
    let path = authority.settings().path(seen.path);
    let request = Request {
        token_kind,
        scopes,
        method: seen.method.to_string(),
        route: Some(path.clone()),
        path,
        status,
        refused,
        ..Request::default()
    };
    authority.emit(seen.caller, who, EventKind::Request(request), seen.now);
}
