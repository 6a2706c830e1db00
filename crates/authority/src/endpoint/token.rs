//! The token endpoint (RFC 6749 §3.2).

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};
use token::event::{EventKind, Who};
use token::scope::ScopeSet;
use token::term::{GrantType, parameter};
use token::time::Timestamp;

use crate::bait::{self, Asking};
use crate::caller::Caller;
use crate::client_auth::{self, AuthenticatedClient, ClientAuthRefused};
use crate::endpoint::answer;
use crate::endpoint::form::Form;
use crate::grant::{self, GrantRefused, Granted, TokenRequest};
use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::possession::{Place, Shown};
use crate::rule::profile;
use crate::state::Authority;

/// `POST /token`
pub(crate) async fn token(
    State(authority): State<Authority>,
    caller: Caller,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, OAuthError> {
    let now = authority.now();
    // Before anybody is believed: who has found a token has not found out whose it is.
    if let Some(refresh) = parameters.value(parameter::REFRESH_TOKEN) {
        bait::TOKEN.look_at(&authority, &caller, &headers, refresh, now);
    }
    let client = match workload(&headers, &parameters) {
        Some(assertion) => {
            let known = client_auth::by_workload(&authority, assertion, now).await;
            if known.is_err() {
                authority
                    .limits()
                    .wrong(&"".into(), caller.ip, now)
                    .map_err(ClientAuthRefused::from)?;
            }
            known?
        }
        None => authenticate(&authority, &caller, &headers, &parameters, now).await?,
    };
    let (parameters, caller) = (&parameters, &caller);
    for traded in [parameter::SUBJECT_TOKEN, parameter::ACTOR_TOKEN] {
        if let Some(token) = parameters.value(traded) {
            let asking = match client.is_public() {
                true => Asking::Anybody,
                false => Asking::Client(client.id()),
            };
            bait::TOKEN.look_at_from(asking, &authority, caller, &headers, token, now);
        }
    }
    let mut request = TokenRequest { client: &client, parameters, caller, jkt: None, now };
    let decided = decide(&authority, &mut request, &Shown::of(&headers)).await;
    observe(&authority, &request, &decided);
    if decided.as_ref().is_err_and(GrantRefused::is_guess) {
        authority
            .limits()
            .wrong(client.id(), caller.ip, now)
            .map_err(|t| OAuthError::throttled(&t))?;
    }
    Ok(answer::json_bytes(StatusCode::OK, decided?.body))
}

/// RFC 7521 §4.1: an assertion of a workload says by itself whose it is.
fn workload<'a>(headers: &HeaderMap, parameters: &'a Parameters) -> Option<&'a str> {
    let names = [parameter::CLIENT_ID, parameter::CLIENT_SECRET, parameter::CLIENT_ASSERTION];
    let named = names.iter().any(|name| parameters.value(name).is_some());
    let is_bearer = parameters.value(parameter::GRANT_TYPE) == Some(GrantType::JwtBearer.as_str());
    if !is_bearer || named || headers.contains_key(header::AUTHORIZATION) {
        return None;
    }
    parameters.value(parameter::ASSERTION)
}

async fn decide(
    authority: &Authority,
    request: &mut TokenRequest<'_>,
    shown: &Shown,
) -> Result<Granted, GrantRefused> {
    let place = Place { method: Method::POST, url: authority.settings().url("/token") };
    let proof = shown.take(authority, &place, None, request.now)?;
    request.jkt = proof.map(|proof| proof.jkt().clone());
    let options = &request.client.client().options;
    let bound =
        options.dpop_bound_access_tokens || profile::is_fapi2(authority.settings(), options);
    let by_certificate = options.tls_client_certificate_bound_access_tokens;
    if by_certificate && request.caller.certificate.is_none() {
        return Err(GrantRefused::CertificateMissing);
    }
    let bound = options.dpop_bound_access_tokens || (bound && !by_certificate);
    if request.jkt.is_none() && bound {
        return Err(GrantRefused::ProofMissing);
    }
    let grant_type = grant::grant_type(request.parameters)?;
    grant::decide(authority, request, grant_type).await
}

/// Authenticates the client of a form request, and tells the watcher.
///
/// # Errors
/// [`ClientAuthRefused`] when the client is not believed.
pub(crate) async fn authenticate(
    authority: &Authority,
    caller: &Caller,
    headers: &HeaderMap,
    parameters: &Parameters,
    now: Timestamp,
) -> Result<AuthenticatedClient, ClientAuthRefused> {
    let presented = client_auth::present(headers, parameters)?;
    let presented = presented.with_certificate(caller.certificate.clone());
    if let Some(secret) = presented.secret() {
        bait::TOKEN.look_at(authority, caller, headers, secret.expose(), now);
    }
    let outcome = client_auth::authenticate(authority, &presented, now).await;
    let result = match &outcome {
        Ok(_) => Some("ok"),
        Err(refused) => refused.event_result(),
    };
    if let Some(result) = result {
        let name = presented.claimed.as_str().chars().filter(|c| !c.is_control());
        let client = name.take(128).collect::<String>().into();
        let who = Who { client: Some(client), ..Who::default() };
        let method = outcome.as_ref().map_or(presented.method, AuthenticatedClient::method);
        let (method, result) = (method.to_string(), result.to_owned());
        authority.emit(caller, who, EventKind::ClientAuth { method, result }, now);
    }
    if outcome.as_ref().is_err_and(|refused| refused.event_result().is_some()) {
        authority.limits().wrong(&presented.claimed, caller.ip, now)?;
    }
    outcome
}

/// Tells the watcher what came of a token request.
pub(crate) fn observe(
    authority: &Authority,
    request: &TokenRequest<'_>,
    decided: &Result<Granted, GrantRefused>,
) {
    let asked = |name| request.parameters.value(name).unwrap_or_default();
    let (who, scopes, result, cause) = match decided {
        Ok(granted) => (granted.who.clone(), granted.scopes.clone(), "ok", None),
        Err(refused) => {
            let scopes = ScopeSet::parse(asked(parameter::SCOPE)).unwrap_or_default();
            (refused.who(request.client), scopes, refused.code().as_str(), refused.cause())
        }
    };
    let grant_type = asked(parameter::GRANT_TYPE).chars().filter(|c| !c.is_control()).take(64);
    let (grant_type, result) = (grant_type.collect(), result.to_owned());
    let kind = EventKind::Grant { grant_type, scopes, result, cause };
    authority.emit(request.caller, who, kind, request.now);
}
