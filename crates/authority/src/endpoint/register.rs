//! The client registration endpoint (RFC 7591 §3).

use std::sync::Arc;

use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use token::event::{EventKind, Who};
use token::json;
use token::term::scope;
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;
use url::Url;

use crate::bearer::{self, BearerRefused, Demand, Presented};
use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::form::JsonBody;
use crate::endpoint::protected::{self, Seen};
use crate::oauth_error::OAuthError;
use crate::register::policy::Policy;
use crate::register::{
    self, ANYBODY, RegisteredClient, RegistrationRefused, SELF_REGISTERED, metadata, statement,
};
use crate::state::Authority;

/// `POST /register`, for whom the policy lets
pub(crate) async fn register(
    State(authority): State<Authority>,
    caller: Caller,
    request: Request,
) -> Response {
    match authority.settings().registration.policy {
        Policy::Token => with_token(&authority, &caller, request).await,
        Policy::Open | Policy::Statement => without_token(&authority, &caller, request).await,
        Policy::Off => register::switched_off().into_response(),
    }
}

/// With an initial access token that has the scope `tokenward:register`.
async fn with_token(authority: &Authority, caller: &Caller, request: Request) -> Response {
    let now = authority.now();
    let presented = bearer::present(request.headers(), request.uri().query(), None);
    let admitted = admit(authority, caller, presented, now).await;
    let path = authority.settings().path("/register");
    let method = Method::POST;
    let seen = Seen { caller, method: &method, path: &path, route: Some(&path), now };
    let token = match admitted {
        Ok(token) => token,
        Err(refused) => {
            protected::observe(authority, &seen, Err(&refused));
            return protected::refusal(refused);
        }
    };
    let registered = create(authority, caller, request, Some(&token), now).await;
    let status = registered.as_ref().map_or_else(|error| error.status, |_| StatusCode::CREATED);
    protected::observe(authority, &seen, Ok((&*token, status)));
    answered(authority, caller, Some(&token), registered, now)
}

async fn without_token(authority: &Authority, caller: &Caller, request: Request) -> Response {
    let now = authority.now();
    if let Err(refused) = bearer::check_network(authority, caller, now) {
        return protected::refusal(refused);
    }
    let registered = create(authority, caller, request, None, now).await;
    answered(authority, caller, None, registered, now)
}

async fn admit(
    authority: &Authority,
    caller: &Caller,
    presented: Result<Presented, BearerRefused>,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, BearerRefused> {
    let audiences = vec![authority.settings().admin_resource.clone()];
    let demand = Demand { audiences, scopes: &[scope::REGISTER], place: None };
    bearer::admit(authority, caller, &presented?, demand, now).await
}

async fn create(
    authority: &Authority,
    caller: &Caller,
    request: Request,
    token: Option<&VerifiedAccessToken>,
    now: Timestamp,
) -> Result<RegisteredClient, OAuthError> {
    let limited = authority.limits().registered(caller.ip, now);
    limited.map_err(|throttled| OAuthError::throttled(&throttled))?;
    let JsonBody(body) = JsonBody::from_request(request, authority).await?;
    let (store, settings) = (authority.store(), authority.settings());
    let mut members = json::parse_object(&body).map_err(RegistrationRefused::from)?;
    let publisher = statement::apply(authority, &mut members, now).await?;
    let draft = metadata::parse(&members, &settings.registration)?;
    let by = token.map(|token| token.facts().token.to_string()).or(publisher);
    let created_by = format!("{SELF_REGISTERED}{}", by.as_deref().unwrap_or(ANYBODY));
    let random = authority.random();
    Ok(register::register(store, settings, draft, created_by, random, now).await?)
}

fn answered(
    authority: &Authority,
    caller: &Caller,
    token: Option<&VerifiedAccessToken>,
    registered: Result<RegisteredClient, OAuthError>,
    now: Timestamp,
) -> Response {
    observe(authority, caller, token, &registered, now);
    match registered {
        Ok(registered) => {
            let shown = metadata::response(&registered, authority.settings());
            answer::json(StatusCode::CREATED, &shown)
        }
        Err(error) => error.into_response(),
    }
}

fn observe(
    authority: &Authority,
    caller: &Caller,
    token: Option<&VerifiedAccessToken>,
    registered: &Result<RegisteredClient, OAuthError>,
    now: Timestamp,
) {
    let (result, client, redirect_hosts) = match registered {
        Ok(RegisteredClient { client, .. }) => {
            let host = |uri: &String| Url::parse(uri).ok()?.host_str().map(str::to_owned);
            let hosts = client.redirect_uris.iter().filter_map(host).collect();
            ("ok", Some(client.id.clone()), hosts)
        }
        Err(error) => (error.code.as_str(), None, Vec::new()),
    };
    let token = token.map(|token| token.facts().token.clone());
    let who = Who { token, client, ..Who::default() };
    let kind = EventKind::Register { result: result.to_owned(), redirect_hosts };
    authority.emit(caller, who, kind, now);
}
