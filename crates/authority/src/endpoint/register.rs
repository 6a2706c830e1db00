//! The client registration endpoint (RFC 7591 §3).

use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use token::event::{EventKind, Who};
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
use crate::register::{self, RegisteredClient, SELF_REGISTERED, metadata};
use crate::state::Authority;

/// `POST /register` with an initial access token that has the scope `tokenward:register`
pub(crate) async fn register(
    State(authority): State<Authority>,
    caller: Caller,
    request: Request,
) -> Response {
    let now = authority.now();
    let presented = bearer::present(request.headers(), request.uri().query(), None);
    let admitted = admit(&authority, &caller, presented, now).await;
    let path = authority.settings().path("/register");
    let method = Method::POST;
    let seen = Seen { caller: &caller, method: &method, path: &path, route: Some(&path), now };
    let token = match admitted {
        Ok(token) => token,
        Err(refused) => {
            protected::observe(&authority, &seen, Err(&refused));
            return protected::refusal(refused);
        }
    };
    let registered = match authority.limits().registered(caller.ip, now) {
        Ok(()) => create(&authority, request, &token, now).await,
        Err(throttled) => Err(OAuthError::throttled(&throttled)),
    };
    let status = registered.as_ref().map_or_else(|error| error.status, |_| StatusCode::CREATED);
    protected::observe(&authority, &seen, Ok((&token, status)));
    observe(&authority, &caller, &token, &registered, now);
    match registered {
        Ok(registered) => {
            let shown = metadata::response(&registered, authority.settings());
            answer::json(StatusCode::CREATED, &shown)
        }
        Err(error) => error.into_response(),
    }
}

async fn admit(
    authority: &Authority,
    caller: &Caller,
    presented: Result<Presented, BearerRefused>,
    now: Timestamp,
) -> Result<VerifiedAccessToken, BearerRefused> {
    let audiences = vec![authority.settings().admin_resource.clone()];
    let demand = Demand { audiences, scopes: &[scope::REGISTER], place: None };
    bearer::admit(authority, caller, &presented?, demand, now).await
}

async fn create(
    authority: &Authority,
    request: Request,
    token: &VerifiedAccessToken,
    now: Timestamp,
) -> Result<RegisteredClient, OAuthError> {
    let JsonBody(body) = JsonBody::from_request(request, authority).await?;
    let (store, settings) = (authority.store(), authority.settings());
    let draft = metadata::parse(&body, &settings.registration_scopes)?;
    let created_by = format!("{SELF_REGISTERED}{}", token.facts().token);
    let random = authority.random();
    Ok(register::register(store, settings, draft, created_by, random, now).await?)
}

fn observe(
    authority: &Authority,
    caller: &Caller,
    token: &VerifiedAccessToken,
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
    let who = Who { token: Some(token.facts().token.clone()), client, ..Who::default() };
    let kind = EventKind::Register { result: result.to_owned(), redirect_hosts };
    authority.emit(caller, who, kind, now);
}
