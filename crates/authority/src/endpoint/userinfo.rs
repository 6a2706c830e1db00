//! The UserInfo endpoint (OpenID Connect Core 1.0 §5.3), protected as RFC 6750 says.

use std::sync::Arc;

use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;
use store::User;
use token::reason::Reason;
use token::term::{scope, token_type};
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::bearer::{self, BearerRefused, Demand};
use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::form::Form;
use crate::endpoint::protected::{self, Seen};
use crate::oauth_error::OAuthError;
use crate::person_claims;
use crate::possession::Place;
use crate::presented_token;
use crate::signed_answer;
use crate::state::Authority;

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
    let admitted = decided.as_ref().map(|(token, _)| (&**token, StatusCode::OK));
    protected::observe(&authority, &seen, admitted);
    match decided {
        Ok((token, user)) => {
            tell(&authority, &token, &user).await.unwrap_or_else(IntoResponse::into_response)
        }
        Err(refused) => protected::refusal(refused),
    }
}

async fn decide(
    authority: &Authority,
    caller: &Caller,
    request: Request,
    now: Timestamp,
) -> Result<(Arc<VerifiedAccessToken>, User), BearerRefused> {
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
    match authority.store().user(&token.facts().subject).await? {
        Some(user) => Ok((token, user)),
        None => Err(BearerRefused::NotInOrder(Reason::Disabled, token)),
    }
}

/// As JSON, or signed for the client, and encrypted to it, where it registered so (§5.3.2).
async fn tell(
    authority: &Authority,
    token: &VerifiedAccessToken,
    user: &User,
) -> Result<Response, OAuthError> {
    let store = authority.store();
    let named = match &token.facts().grant {
        Some(grant) => store.claims_of(grant).await?,
        None => None,
    };
    let named = named.as_ref().map(|named| named.userinfo.as_slice()).unwrap_or_default();
    let settings = authority.settings();
    let scopes = presented_token::scopes_left(authority, token, authority.now());
    let mut claims = person_claims::told(user, settings, &scopes, named);
    claims.insert("sub".to_owned(), json!(user.id));
    let client = store.client(&token.facts().client).await?;
    let options = client.map(|client| client.options.clone()).unwrap_or_default();
    let how = options.userinfo_encrypted_response_alg;
    let answer = match (options.userinfo_signed_response_alg, how) {
        (None, None) => return Ok(answer::json(StatusCode::OK, &claims)),
        (None, Some(how)) => signed_answer::encrypt_claims(&options, how, &claims)?,
        (wanted, how) => {
            claims.insert("iss".to_owned(), json!(settings.issuer));
            claims.insert("aud".to_owned(), json!(token.facts().client));
            let kind = token_type::ID_TOKEN;
            let signed = signed_answer::sign(authority, &options, wanted, kind, &claims)?;
            signed_answer::encrypt(&options, how, signed)?
        }
    };
    Ok(answer::jwt("application/jwt", answer))
}
