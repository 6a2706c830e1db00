//! The UserInfo endpoint (OpenID Connect Core 1.0 §5.3), protected as RFC 6750 says.

use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use http::{StatusCode, header};
use serde::Serialize;
use store::User;
use token::id::SubjectId;
use token::reason::Reason;
use token::scope::ScopeSet;
use token::term::scope;
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::bearer::{self, BearerRefused, Demand};
use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::form::Form;
use crate::endpoint::protected::{self, Seen};
use crate::possession::Place;
use crate::state::Authority;

/// OpenID Connect Core 1.0 §5.1, as far as the token's scopes go.
#[derive(Serialize)]
struct UserInfo<'a> {
    sub: &'a SubjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// `GET /userinfo`, and `POST /userinfo` with the token in the header or in the body
pub(crate) async fn userinfo(
    State(authority): State<Authority>,
    caller: Caller,
    request: Request,
) -> Response {
    let (now, method) = (authority.now(), request.method().clone());
    let decided = decide(&authority, &caller, request, now).await;
    let path = authority.settings().path("/userinfo");
    let seen = Seen { caller: &caller, method: &method, path: &path, route: Some(&path), now };
    let admitted = decided.as_ref().map(|(token, _)| (token, StatusCode::OK));
    protected::observe(&authority, &seen, admitted);
    match decided {
        Ok((token, user)) => answer::json(StatusCode::OK, &claims(&user, token.scopes())),
        Err(refused) => protected::refusal(refused),
    }
}

async fn decide(
    authority: &Authority,
    caller: &Caller,
    request: Request,
    now: Timestamp,
) -> Result<(VerifiedAccessToken, User), BearerRefused> {
    let headers = request.headers().clone();
    let query = request.uri().query().map(str::to_owned);
    let place =
        Place { method: request.method().clone(), url: authority.settings().url("/userinfo") };
    let form = match headers.get(header::CONTENT_TYPE) {
        Some(_) if request.method() == http::Method::POST => {
            Some(Form::from_request(request, authority).await.map_err(BearerRefused::Form)?.0)
        }
        _ => None,
    };
    let presented = bearer::present(&headers, query.as_deref(), form.as_ref())?;
    let audiences = authority.settings().audiences();
    let demand = Demand { audiences, scopes: &[scope::OPENID], place: Some(place) };
    let token = bearer::admit(authority, caller, &presented, demand, now).await?;
    match authority.store().user(&token.claims().sub).await? {
        Some(user) => Ok((token, user)),
        None => Err(BearerRefused::NotInOrder(Reason::Disabled, Box::new(token))),
    }
}

fn claims<'a>(user: &'a User, scopes: &ScopeSet) -> UserInfo<'a> {
    let profile = scopes.contains(scope::PROFILE);
    let email = user.email.as_deref().filter(|_| scopes.contains(scope::EMAIL));
    UserInfo {
        sub: &user.id,
        name: user.name.as_deref().filter(|_| profile),
        preferred_username: profile.then_some(user.username.as_str()),
        email,
        email_verified: email.map(|_| user.email_verified),
    }
}
