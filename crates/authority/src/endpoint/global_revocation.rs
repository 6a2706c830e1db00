//! One call that ends everything of a person (draft-parecki-oauth-global-token-revocation §3).

use std::sync::Arc;

use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use serde::Deserialize;
use store::User;
use token::term::scope;
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::bearer::{self, BearerRefused, Demand, Presented};
use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::form::JsonBody;
use crate::endpoint::protected::{self, Seen};
use crate::logout;
use crate::oauth_error::OAuthError;
use crate::state::Authority;

const REASON: &str = "global token revocation";

/// §3.1.
#[derive(Deserialize)]
struct Body {
    sub_id: Subject,
}

/// RFC 9493 §3.2.3 and §3.2.4.
#[derive(Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
enum Subject {
    IssSub { iss: String, sub: String },
    Opaque { id: String },
}

/// `POST /global-token-revocation` with a token that has the scope `tokenward:admin`
pub(crate) async fn revoke(
    State(authority): State<Authority>,
    caller: Caller,
    request: Request,
) -> Response {
    let now = authority.now();
    let path = authority.settings().path("/global-token-revocation");
    let method = Method::POST;
    let seen = Seen { caller: &caller, method: &method, path: &path, route: Some(&path), now };
    let presented = bearer::present(request.headers(), request.uri().query(), None);
    let token = match admit(&authority, &caller, presented, now).await {
        Ok(token) => token,
        Err(refused) => {
            protected::observe(&authority, &seen, Err(&refused));
            return protected::refusal(refused);
        }
    };
    let done = take_back(&authority, &caller, request, &token, now).await;
    let status = done.as_ref().map_or_else(|error| error.status, |()| StatusCode::NO_CONTENT);
    protected::observe(&authority, &seen, Ok((&*token, status)));
    match done {
        Ok(()) => answer::empty(StatusCode::NO_CONTENT),
        Err(error) => error.into_response(),
    }
}

async fn admit(
    authority: &Authority,
    caller: &Caller,
    presented: Result<Presented, BearerRefused>,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>, BearerRefused> {
    let audiences = vec![authority.settings().admin_resource.clone()];
    let demand = Demand { audiences, scopes: &[scope::ADMIN], place: None };
    bearer::admit(authority, caller, &presented?, demand, now).await
}

async fn take_back(
    authority: &Authority,
    caller: &Caller,
    request: Request,
    token: &VerifiedAccessToken,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let JsonBody(body) = JsonBody::from_request(request, authority).await?;
    let Body { sub_id } = serde_json::from_slice(&body).map_err(|_| {
        OAuthError::invalid_request(
            "the body must be `{\"sub_id\": …}` with a subject identifier of the format \
             `iss_sub` or `opaque` (RFC 9493)",
        )
    })?;
    let Some(user) = find(authority, sub_id).await? else {
        return Err(OAuthError::invalid_request("there is nobody of this `sub_id` here")
            .with_status(StatusCode::NOT_FOUND));
    };
    let actor = format!("token:{}", token.facts().token);
    logout::everywhere(authority, caller, &user.id, &actor, REASON, now).await?;
    Ok(())
}

async fn find(authority: &Authority, subject: Subject) -> Result<Option<User>, OAuthError> {
    let store = authority.store();
    Ok(match subject {
        Subject::IssSub { iss, sub } if iss == authority.settings().issuer => {
            store.user(&sub.as_str().into()).await?
        }
        Subject::IssSub { .. } => None,
        Subject::Opaque { id } => store.user(&id.as_str().into()).await?,
    })
}
