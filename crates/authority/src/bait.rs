//! Bait among what clients show at `/token`: refresh tokens and secrets that nobody was given.

use http::{Method, StatusCode};
use token::event::{EventKind, Request, TokenKind, Who};
use token::reason::Reason;
use token::reference;
use token::time::Timestamp;

use crate::caller::Caller;
use crate::state::Authority;

const PATH: &str = "/token";

/// Tells the watcher when a value is bait. The answer says nothing of it: it is that to any unknown value.
pub(crate) fn look_at(authority: &Authority, caller: &Caller, value: &str, now: Timestamp) {
    let name = reference::name(value);
    if !authority.store().honeytokens().contains(&name) {
        return;
    }
    let who = Who { claimed_token: Some(name.to_string()), ..Who::default() };
    let request = Request {
        token_kind: TokenKind::Opaque,
        method: Method::POST.to_string(),
        path: PATH.to_owned(),
        route: Some(PATH.to_owned()),
        status: StatusCode::BAD_REQUEST.as_u16(),
        refused: Some(Reason::Honeytoken.into()),
        ..Request::default()
    };
    authority.emit(caller, who, EventKind::Request(request), now);
}
