//! Token Status Lists for checkers elsewhere (draft-ietf-oauth-status-list-21 §8 and §9).

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use token::id::StatusListId;
use token::term::OAuthErrorCode;
use utoipa::ToSchema;

use crate::endpoint::answer;
use crate::oauth_error::OAuthError;
use crate::state::Authority;
use crate::status_lists::published::{PublishError, TTL, uri};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/statuslist+jwt");
/// The only form there is, from the narrowest range that means it (RFC 9110 §12.5.1).
const RANGES: [&str; 3] = ["application/statuslist+jwt", "application/*", "*/*"];
const GZIP: [&str; 3] = ["gzip", "x-gzip", "*"];
/// Caches keep it and ask whether it is still the newest: a revocation is in the next list that is fetched.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("public, no-cache");
const VARY: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding");

/// §9.3.
#[derive(Serialize, ToSchema)]
pub(crate) struct Aggregation {
    status_lists: Vec<String>,
}

/// `GET /status`: every list.
pub(crate) async fn lists(State(authority): State<Authority>) -> Result<Response, OAuthError> {
    let lists = authority.store().status_lists().await?;
    let status_lists = lists.iter().map(|id| uri(&authority, id)).collect();
    let body = serde_json::to_vec(&Aggregation { status_lists });
    let body = body.map_err(|error| OAuthError::internal(&error))?;
    Ok(answer::public_json(body.into(), u32::try_from(TTL.as_secs()).unwrap_or_default()))
}

/// `GET /status/{list}`
pub(crate) async fn list(
    State(authority): State<Authority>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, OAuthError> {
    let refuse = |status, words| {
        Err(OAuthError::new(OAuthErrorCode::InvalidRequest, words).with_status(status))
    };
    let query = query.unwrap_or_default();
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "time") {
        // §8.4: whoever asks about the past must not take the present for it.
        return refuse(StatusCode::NOT_IMPLEMENTED, "only the present status can be asked for");
    }
    if takes(&headers, &header::ACCEPT, &RANGES) == Some(false) {
        let words = "a status list is only to be had as `application/statuslist+jwt`";
        return refuse(StatusCode::NOT_ACCEPTABLE, words);
    }
    let id = StatusListId::from(id);
    let lists = authority.status_lists().published();
    let Some(ready) = lists.list(&authority, &id, authority.now()).await? else {
        let words = "there is no such status list, or its last token has expired";
        return refuse(StatusCode::NOT_FOUND, words);
    };
    let mut response = Response::new(Body::empty());
    if has(&headers, &ready.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else if takes(&headers, &header::ACCEPT_ENCODING, &GZIP) == Some(true) {
        *response.body_mut() = Body::from(ready.gzip.clone());
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    } else {
        *response.body_mut() = Body::from(ready.token.clone());
    }
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, MEDIA_TYPE);
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(header::CACHE_CONTROL, ASK_AGAIN);
    fields.insert(header::VARY, VARY);
    if let Ok(etag) = HeaderValue::from_str(&ready.etag) {
        fields.insert(header::ETAG, etag);
    }
    Ok(response)
}

/// Whether one of these is taken, by the first of them that the field names; `None` without the field.
fn takes(headers: &HeaderMap, field: &HeaderName, offers: &[&str]) -> Option<bool> {
    let fields = headers.get_all(field).iter().filter_map(|value| value.to_str().ok());
    let items: Vec<(&str, bool)> = fields.flat_map(|list| list.split(',')).map(weighed).collect();
    if items.is_empty() {
        return None;
    }
    let named = |offer: &&str| items.iter().find(|(name, _)| name.eq_ignore_ascii_case(offer));
    Some(offers.iter().find_map(named).is_some_and(|(_, taken)| *taken))
}

/// A name, and whether its weight is more than nothing (RFC 9110 §12.4.2).
fn weighed(item: &str) -> (&str, bool) {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    let taken = weight.is_none_or(|text| text.parse::<f32>().is_ok_and(|weight| weight > 0.0));
    (name, taken)
}

/// Whether the caller has this one already (RFC 9110 §13.1.2).
fn has(headers: &HeaderMap, etag: &str) -> bool {
    let fields = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut known = fields.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    known.any(|known| matches!(known.trim(), "*") || known.trim() == etag)
}

impl From<PublishError> for OAuthError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Store(error) => error.into(),
            PublishError::BrokenOff | PublishError::List(_) | PublishError::Signing(_) => {
                Self::internal(&error)
            }
        }
    }
}
