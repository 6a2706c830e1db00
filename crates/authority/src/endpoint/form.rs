//! What handlers take out of a request: its form, its JSON body, and who sent it.

use std::convert::Infallible;

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use token::scope::ScopeSet;

use crate::caller::Caller;
use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::state::Authority;

/// The longest body that is read, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// The parameters of a form body. The URL must have no query: what belongs in a body would be
/// written to logs there.
pub(crate) struct Form(pub(crate) Parameters);

/// The bytes of a JSON body.
pub(crate) struct JsonBody(pub(crate) Bytes);

/// A security event token (RFC 8935 §2.1).
pub(crate) struct EventBody(pub(crate) String);

/// The scopes among those that were offered whose boxes are ticked.
pub(crate) fn ticked(form: &Parameters, offered: &ScopeSet) -> ScopeSet {
    offered.only(|scope| form.value(&format!("scope:{scope}")).is_some())
}

// === impl Form ===

impl FromRequest<Authority> for Form {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &Authority) -> Result<Self, OAuthError> {
        if request.uri().query().is_some_and(|query| !query.is_empty()) {
            let words = "parameters belong in the body, not in the URL's query";
            return Err(OAuthError::invalid_request(words));
        }
        check_media_type(request.headers(), "application/x-www-form-urlencoded")?;
        let body = read(request, state).await?;
        let text = std::str::from_utf8(&body)
            .map_err(|_| OAuthError::invalid_request("the body is not UTF-8"))?;
        Ok(Self(Parameters::parse(text)?))
    }
}

// === impl JsonBody ===

impl FromRequest<Authority> for JsonBody {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &Authority) -> Result<Self, OAuthError> {
        check_media_type(request.headers(), "application/json")?;
        read(request, state).await.map(Self)
    }
}

// === impl EventBody ===

impl FromRequest<Authority> for EventBody {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &Authority) -> Result<Self, OAuthError> {
        check_media_type(request.headers(), "application/secevent+jwt")?;
        let body = read(request, state).await?;
        let text = std::str::from_utf8(&body)
            .map_err(|_| OAuthError::invalid_request("the body is not UTF-8"))?;
        Ok(Self(text.trim().to_owned()))
    }
}

// === impl Caller ===

impl FromRequestParts<Authority> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Authority) -> Result<Self, Infallible> {
        let trusted = &state.settings().trusted_proxies;
        Ok(Self::of(&parts.headers, &parts.extensions, trusted))
    }
}

async fn read(request: Request, state: &Authority) -> Result<Bytes, OAuthError> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let words = format!("the body is larger than {MAX_BODY_BYTES} bytes");
            return OAuthError::invalid_request(words).with_status(StatusCode::PAYLOAD_TOO_LARGE);
        }
        OAuthError::invalid_request("the body could not be read to its end")
    })
}

fn check_media_type(headers: &HeaderMap, expected: &str) -> Result<(), OAuthError> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (values.next(), values.next());
    let essence = first.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    if second.is_none() && essence.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(OAuthError::invalid_request(format!("the body must be sent as `{expected}`")))
}
