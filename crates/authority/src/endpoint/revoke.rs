//! The revocation endpoint (RFC 7009).

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use token::event::{EventKind, Who};
use token::term::parameter;

use crate::bait::{self, Asking};
use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::form::Form;
use crate::endpoint::token::authenticate;
use crate::oauth_error::OAuthError;
use crate::presented_token;
use crate::state::Authority;

/// `POST /revoke`: what is taken back is refused everywhere in this node before the answer goes
/// out. A token that is unknown, foreign, or expired gets the same answer (RFC 7009 §2.2).
pub(crate) async fn revoke(
    State(authority): State<Authority>,
    caller: Caller,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, OAuthError> {
    let now = authority.now();
    let client = authenticate(&authority, &caller, &headers, &parameters, now).await;
    if let Some(shown) = parameters.value(parameter::TOKEN) {
        let asking = Asking::of(&client);
        bait::REVOKE.look_at_from(asking, &authority, &caller, &headers, shown, now);
    }
    let client = client?;
    let text = parameters.required(parameter::TOKEN)?;
    let taken_back = presented_token::take_back(&authority, &client, text, now).await?;
    let who = taken_back.who.unwrap_or(Who { client: Some(client.id().clone()), ..Who::default() });
    let kind = EventKind::Revoke {
        result: "ok".to_owned(),
        selector: taken_back.selector.map(|selector| selector.to_string()),
        actor: Some(format!("client:{}", client.id())),
        reason: Some(presented_token::REVOKED_BY_CLIENT.to_owned()),
    };
    authority.emit(&caller, who, kind, now);
    Ok(answer::empty(StatusCode::OK))
}
