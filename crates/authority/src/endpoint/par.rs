//! The pushed authorization request endpoint (RFC 9126).

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use token::term::{OAuthErrorCode, parameter};
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::authorize;
use crate::endpoint::form::Form;
use crate::endpoint::token::authenticate;
use crate::oauth_error::OAuthError;
use crate::possession::{Place, Shown};
use crate::pushed;
use crate::request_object;
use crate::rule::profile;
use crate::state::Authority;

/// What authenticates the client is no part of the request that is kept.
const CREDENTIALS: [&str; 3] =
    [parameter::CLIENT_SECRET, parameter::CLIENT_ASSERTION, parameter::CLIENT_ASSERTION_TYPE];

/// RFC 9126 §2.2.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pushed {
    request_uri: String,
    expires_in: u64,
}

/// `POST /par`: the request is judged now as it will be when its person comes.
pub(crate) async fn par(
    State(authority): State<Authority>,
    caller: Caller,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, OAuthError> {
    let now = authority.now();
    let client = authenticate(&authority, &caller, &headers, &parameters, now).await?;
    if client.is_public() {
        authority.limits().kept(caller.ip, now).map_err(|t| OAuthError::throttled(&t))?;
    }
    if parameters.value(parameter::REQUEST_URI).is_some() {
        return Err(OAuthError::invalid_request("`request_uri` cannot be pushed"));
    }
    let mut parameters = match parameters.value(parameter::REQUEST) {
        Some(object) => request_object::open(&authority, client.shared(), object, now).await?,
        None if client.client().options.require_signed_request_object => {
            let words = "this client must sign its requests; send a request object in `request`";
            return Err(OAuthError::invalid_request(words));
        }
        None => parameters.without(&CREDENTIALS),
    };
    parameters.set(parameter::CLIENT_ID, client.id().as_str());
    let place = Place { method: Method::POST, url: authority.settings().url("/par") };
    if let Some(proof) = Shown::of(&headers).take(&authority, &place, None, now)? {
        // RFC 9449 §10.1: a proof here says which key the code is for.
        let jkt = proof.jkt().as_str();
        if parameters.value(parameter::DPOP_JKT).is_some_and(|named| named != jkt) {
            let words = "`dpop_jkt` names another key than the proof of possession is made with";
            return Err(OAuthError::new(OAuthErrorCode::InvalidDpopProof, words));
        }
        parameters.set(parameter::DPOP_JKT, jkt);
    } else if let Some(instance) = client.instance()
        && parameters.value(parameter::DPOP_JKT).is_none()
    {
        // The code is for the instance that asks (draft-ietf-oauth-attestation-based-client-auth-10 §9.4).
        parameters.set(parameter::DPOP_JKT, instance.as_str());
    }
    let fapi2 = profile::is_fapi2(authority.settings(), &client.client().options);
    if fapi2 && parameters.value(parameter::REDIRECT_URI).is_none() {
        // FAPI 2.0 Security Profile §5.3.2.2.
        return Err(OAuthError::invalid_request("the parameter `redirect_uri` is missing"));
    }
    authorize::judge(&authority, client.client(), &parameters)?;
    let (text, random) = (parameters.to_query(), authority.random());
    let kept = pushed::push(authority.store(), client.id(), text, now, random).await?;
    let request_uri = kept.ok_or_else(|| {
        let words = "too many requests are waiting for their people; try again shortly";
        OAuthError::new(OAuthErrorCode::TemporarilyUnavailable, words)
    })?;
    let answer = Pushed { request_uri, expires_in: pushed::LIFE.as_secs() };
    Ok(answer::json(StatusCode::CREATED, &answer))
}
