//! Where a client that registered itself reads, changes and removes its registration (RFC 7592).

use std::sync::Arc;

use axum::extract::{FromRequest, Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use store::Client;
use token::id::ClientId;
use token::json;
use token::opaque::OpaqueHash;
use token::secret::Secret;
use token::term::{OAuthErrorCode, parameter};

use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::form::JsonBody;
use crate::oauth_error::OAuthError;
use crate::register::policy::Policy;
use crate::register::{self, RegisteredClient, metadata, statement};
use crate::state::Authority;

/// What only we give, and a client must not send back (§2.2).
const OURS: [&str; 4] = [
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
];

/// `GET /register/{client_id}` (§2.1)
pub(crate) async fn show(
    State(authority): State<Authority>,
    Path(id): Path<String>,
    caller: Caller,
    headers: HeaderMap,
) -> Response {
    match admit(&authority, &caller, &id, &headers).await {
        Ok((client, token)) => {
            let client = Client::clone(&client);
            shown(&authority, &RegisteredClient { client, secret: None, registration_token: token })
        }
        Err(refused) => refuse(&refused),
    }
}

/// `PUT /register/{client_id}` (§2.2): the whole registration anew, and nothing that could not be
/// registered.
pub(crate) async fn replace(
    State(authority): State<Authority>,
    Path(id): Path<String>,
    caller: Caller,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let (client, token) = match admit(&authority, &caller, &id, &headers).await {
        Ok(admitted) => admitted,
        Err(refused) => return refuse(&refused),
    };
    match change(&authority, &client, request).await {
        Ok(changed) => {
            shown(&authority, &RegisteredClient { registration_token: token, ..changed })
        }
        Err(error) => error.into_response(),
    }
}

/// `DELETE /register/{client_id}` (§2.3): with its grants and tokens.
pub(crate) async fn remove(
    State(authority): State<Authority>,
    Path(id): Path<String>,
    caller: Caller,
    headers: HeaderMap,
) -> Response {
    let client = match admit(&authority, &caller, &id, &headers).await {
        Ok((client, _)) => client,
        Err(refused) => return refuse(&refused),
    };
    let actor = format!("client:{}", client.id);
    match authority.store().delete_client(&client.id, &actor, authority.now()).await {
        Ok(_) => answer::empty(StatusCode::NO_CONTENT),
        Err(error) => OAuthError::from(error).into_response(),
    }
}

/// §2: the token is the client's own; whether there is such a client is not told otherwise.
async fn admit(
    authority: &Authority,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
) -> Result<(Arc<Client>, Option<Secret>), OAuthError> {
    let refused = || {
        let words = "the registration access token is missing or not the client's";
        OAuthError::new(OAuthErrorCode::InvalidToken, words)
    };
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let field = fields.next().filter(|_| fields.next().is_none());
    let text = field.and_then(|field| field.to_str().ok()).unwrap_or_default();
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = Secret::new(token.ok_or_else(refused)?.1);
    let id = ClientId::from(id);
    let client = authority.store().client(&id).await?;
    // Hashes are compared: where they differ first tells nothing about the token.
    let hash = OpaqueHash::of(token.expose());
    let own = |client: &Arc<Client>| client.registration_token == Some(hash) && !client.disabled;
    if let Some(client) = client.filter(own) {
        return Ok((client, Some(token)));
    }
    let limited = authority.limits().wrong(&id, caller.ip, authority.now());
    limited.map_err(|throttled| OAuthError::throttled(&throttled))?;
    Err(refused())
}

async fn change(
    authority: &Authority,
    client: &Client,
    request: Request,
) -> Result<RegisteredClient, OAuthError> {
    if authority.settings().registration.policy == Policy::Off {
        return Err(register::switched_off());
    }
    let JsonBody(body) = JsonBody::from_request(request, authority).await?;
    let wrong = |words: &str| OAuthError::new(OAuthErrorCode::InvalidClientMetadata, words);
    let mut members = json::parse_object(&body).map_err(|_| wrong("the body is no JSON object"))?;
    if let Some(name) = OURS.into_iter().find(|name| members.contains_key(*name)) {
        return Err(wrong(&format!("`{name}` must not be sent")));
    }
    if members.get(parameter::CLIENT_ID).and_then(Value::as_str) != Some(client.id.as_str()) {
        return Err(wrong("`client_id` must be the client's own"));
    }
    if let Some(secret) = members.get(parameter::CLIENT_SECRET) {
        let same = secret.as_str().map(OpaqueHash::of) == client.secret_hash;
        if !same || client.secret_hash.is_none() {
            return Err(wrong("`client_secret` must be the client's own, or left out"));
        }
    }
    let settings = authority.settings();
    statement::apply(authority, &mut members, authority.now()).await?;
    let draft = metadata::parse(&members, &settings.registration)?;
    let (store, random) = (authority.store(), authority.random());
    Ok(register::replace(store, settings, client, draft, random).await?)
}

fn shown(authority: &Authority, registered: &RegisteredClient) -> Response {
    answer::json(StatusCode::OK, &metadata::response(registered, authority.settings()))
}

fn refuse(error: &OAuthError) -> Response {
    match error.code {
        OAuthErrorCode::InvalidToken => {
            answer::challenged(error, r#"Bearer realm="tokenward", error="invalid_token""#)
        }
        _ => error.clone().into_response(),
    }
}
