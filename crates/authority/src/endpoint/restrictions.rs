//! The restriction log for services that check tokens themselves: what was taken back, as it happens.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use token::restriction::{Effect, LogEntry, Selector};
use token::term::{OAuthErrorCode, scope};
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::form::Form;
use crate::endpoint::token::authenticate;
use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::state::Authority;

/// The position that the caller knows.
const AFTER: &str = "after";
/// How many seconds the answer may wait for something new.
const WAIT: &str = "wait";
/// Proxies give up on silent connections after a minute.
const LONGEST_WAIT_SECS: u64 = 30;
const PAGE: usize = 1000;

/// A part of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page {
    #[schema(inline)]
    restrictions: Vec<Held>,
    lifted: Vec<u64>,
    upto: u64,
    more: bool,
}

/// A restriction without its reason and actor: they are nobody's business here.
#[derive(Serialize, ToSchema)]
struct Held {
    seq: u64,
    #[schema(value_type = Object)]
    selector: Selector,
    #[schema(value_type = String)]
    effect: Effect,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// `POST /restrictions`: what was written after `after`; with `wait`, not before there is something,
/// or the time is over.
pub(crate) async fn restrictions(
    State(authority): State<Authority>,
    caller: Caller,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, OAuthError> {
    let now = authority.now();
    let client = authenticate(&authority, &caller, &headers, &parameters, now).await?;
    if client.is_public() || !client.client().scopes.contains(scope::RESTRICTIONS) {
        let words =
            format!("only a client with a secret and the scope `{}` may ask", scope::RESTRICTIONS);
        return Err(OAuthError::new(OAuthErrorCode::UnauthorizedClient, words)
            .with_status(StatusCode::FORBIDDEN));
    }
    let after = number(&parameters, AFTER)?;
    let wait = number(&parameters, WAIT)?.min(LONGEST_WAIT_SECS);
    authority.news().wait(&authority, after, Duration::from_secs(wait)).await;
    let page = authority.store().restriction_log(after, PAGE, authority.now()).await?;
    let mut answer =
        Page { restrictions: Vec::new(), lifted: Vec::new(), upto: page.upto, more: page.more };
    for entry in page.entries {
        match entry {
            LogEntry::Lift { lifts, .. } => answer.lifted.push(lifts),
            LogEntry::Restrict(row) => answer.restrictions.push(Held {
                seq: row.seq,
                selector: row.selector,
                effect: row.effect,
                from: row.from,
                until: row.until,
            }),
        }
    }
    Ok(answer::json(StatusCode::OK, &answer))
}

fn number(parameters: &Parameters, name: &'static str) -> Result<u64, OAuthError> {
    let Some(text) = parameters.value(name) else { return Ok(0) };
    text.parse()
        .map_err(|_| OAuthError::invalid_request(format!("`{name}` must be a whole number")))
}
