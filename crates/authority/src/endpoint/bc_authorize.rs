//! Where a client asks about a person by the back channel (CIBA Core 1.0 §7).

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use store::{User, Waiting, WaitingKind};
use token::id::SubjectId;
use token::opaque::{Family, OpaqueHash};
use token::scope::ScopeSet;
use token::term::{DeliveryMode, GrantType, OAuthErrorCode, parameter, scope};
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::approve;
use crate::backchannel::Notification;
use crate::caller::Caller;
use crate::client_auth::AuthenticatedClient;
use crate::endpoint::answer;
use crate::endpoint::form::Form;
use crate::endpoint::token::authenticate;
use crate::grant::GrantRefused;
use crate::id_token_hint;
use crate::login;
use crate::oauth_error::OAuthError;
use crate::parameters::Parameters;
use crate::polls;
use crate::register::is_visible;
use crate::request_object;
use crate::rule::{authorization_details, resource, scope as scope_rule};
use crate::settings::Settings;
use crate::state::Authority;

const BINDING_MESSAGE: &str = "binding_message";
const NOTIFICATION_TOKEN: &str = "client_notification_token";
const REQUESTED_EXPIRY: &str = "requested_expiry";
const LOGIN_HINT_TOKEN: &str = "login_hint_token";
/// More does not fit beside the question.
const MAX_MESSAGE_CHARS: usize = 64;
/// §7.1: at least 128 bits, at most 1024 characters.
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 22..=1024;
const LONGEST: Duration = Duration::from_mins(10);

/// §7.3.
#[derive(Serialize, ToSchema)]
pub(crate) struct Asked {
    auth_req_id: String,
    expires_in: u64,
    interval: u64,
}

/// `POST /bc-authorize`
pub(crate) async fn ask(
    State(authority): State<Authority>,
    caller: Caller,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, OAuthError> {
    let now = authority.now();
    let client = authenticate(&authority, &caller, &headers, &parameters, now).await?;
    approve::grant_type(&client, GrantType::Ciba)?;
    if client.is_public() {
        return Err(GrantRefused::PublicClient.into());
    }
    // §7.1.1: a signed request takes the place of plain parameters.
    let parameters = match parameters.value(parameter::REQUEST) {
        Some(object) => request_object::open(&authority, client.shared(), object, now).await?,
        None => parameters,
    };
    let person = person(&authority, &client, &parameters, now).await?;
    authority.limits().asked(&person.id, now).map_err(|t| OAuthError::throttled(&t))?;
    let life = life(&parameters)?;
    let auth_req_id = Family::Device.generate(authority.random());
    let notify = notification(&authority, &client, &parameters, auth_req_id.expose())?;
    let settings = authority.settings();
    let scopes = scopes(&client, &parameters, settings)?;
    let resources = parameters.all(parameter::RESOURCE);
    let audiences =
        resource::requested(resources, &scopes, settings).map_err(GrantRefused::from)?;
    let scopes = scope_rule::fitting(&scopes, &audiences, settings).map_err(GrantRefused::from)?;
    let details = authorization_details::requested(
        parameters.value(parameter::AUTHORIZATION_DETAILS),
        &settings.authorization_details,
        &client.client().options.authorization_details_types,
        || settings.audiences(),
    )
    .map_err(GrantRefused::from)?;
    let request = Waiting {
        hash: OpaqueHash::of(auth_req_id.expose()),
        kind: WaitingKind::Backchannel,
        user_code: None,
        client: client.id().clone(),
        subject: Some(person.id),
        scopes,
        audiences,
        details,
        message: message(&parameters)?,
        asked_from: caller.ip.map(|ip| ip.to_string()),
        asked_by: caller.user_agent.clone(),
        asked_at: now,
        expires_at: now.plus(life),
        notify,
    };
    authority.store().save_waiting(&request).await?;
    let asked = Asked {
        auth_req_id: auth_req_id.expose().to_owned(),
        expires_in: life.as_secs(),
        interval: polls::INTERVAL.as_secs(),
    };
    Ok(answer::json(StatusCode::OK, &asked))
}

/// §7.1: exactly one hint.
async fn person(
    authority: &Authority,
    client: &AuthenticatedClient,
    parameters: &Parameters,
    now: Timestamp,
) -> Result<User, OAuthError> {
    if parameters.value(LOGIN_HINT_TOKEN).is_some() {
        let words = "`login_hint_token` is not known here; send `login_hint` or `id_token_hint`";
        return Err(OAuthError::invalid_request(words));
    }
    let unknown = || {
        let words = "there is nobody of this name who could be asked";
        OAuthError::new(OAuthErrorCode::UnknownUserId, words)
    };
    let (name, hint) =
        (parameters.value(parameter::LOGIN_HINT), parameters.value(parameter::ID_TOKEN_HINT));
    let store = authority.store();
    let subject: SubjectId = match (name, hint) {
        (Some(name), None) => {
            let user = store.user_by_name(&login::account_of(store, name).await?).await?;
            user.ok_or_else(unknown)?.id
        }
        (None, Some(hint)) => {
            let hint = id_token_hint::read(authority, hint);
            let hint = hint.filter(|hint| hint.client == *client.id());
            hint.ok_or_else(|| {
                let words = "`id_token_hint` is no ID token that this client got here";
                OAuthError::invalid_request(words)
            })?
            .subject
        }
        _ => {
            let words = "send exactly one of `login_hint` and `id_token_hint`";
            return Err(OAuthError::invalid_request(words));
        }
    };
    approve::active_person(store, &subject, now).await?.ok_or_else(unknown)
}

/// §7.1: `openid` is among them.
fn scopes(
    client: &AuthenticatedClient,
    parameters: &Parameters,
    settings: &Settings,
) -> Result<ScopeSet, OAuthError> {
    let registered = client.client();
    let asked = parameters.required(parameter::SCOPE)?;
    let scopes = scope_rule::requested_of_person(
        Some(asked),
        &registered.scopes,
        &registered.default_scopes,
        &settings.ladder,
    );
    let scopes = scopes.map_err(GrantRefused::from)?;
    if scopes.contains(scope::OPENID) {
        return Ok(scopes);
    }
    Err(OAuthError::new(OAuthErrorCode::InvalidScope, "`scope` must have `openid`"))
}

fn message(parameters: &Parameters) -> Result<Option<String>, OAuthError> {
    let Some(message) = parameters.value(BINDING_MESSAGE) else { return Ok(None) };
    if message.chars().count() > MAX_MESSAGE_CHARS || !is_visible(message) {
        let words = "`binding_message` must be at most 64 characters that can be seen";
        return Err(OAuthError::new(OAuthErrorCode::InvalidBindingMessage, words));
    }
    Ok(Some(message.to_owned()))
}

fn life(parameters: &Parameters) -> Result<Duration, OAuthError> {
    let Some(text) = parameters.value(REQUESTED_EXPIRY) else { return Ok(LONGEST) };
    let seconds = text.parse::<u64>().ok().filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or_else(|| {
        OAuthError::invalid_request("`requested_expiry` must be a positive number of seconds")
    })?;
    Ok(Duration::from_secs(seconds).min(LONGEST))
}

/// §7.1: who wants to be told brings the token to be told with.
fn notification(
    authority: &Authority,
    client: &AuthenticatedClient,
    parameters: &Parameters,
    auth_req_id: &str,
) -> Result<Option<Vec<u8>>, OAuthError> {
    let mode = client.client().options.backchannel_token_delivery_mode;
    if mode != Some(DeliveryMode::Ping) {
        return Ok(None);
    }
    let token = parameters.required(NOTIFICATION_TOKEN)?;
    let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
    if !TOKEN_LENGTHS.contains(&token.len()) || !visible {
        let words = "`client_notification_token` must have 22 to 1024 visible characters";
        return Err(OAuthError::invalid_request(words));
    }
    let (auth_req_id, token) = (auth_req_id.to_owned(), token.to_owned());
    Ok(Some(Notification { auth_req_id, token }.seal(authority)?))
}
