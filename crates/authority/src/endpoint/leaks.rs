//! Where leaked tokens are reported: GitHub's secret scanning for partners.

use axum::extract::{FromRequest as _, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use token::term::OAuthErrorCode;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::endpoint::answer;
use crate::endpoint::form::JsonBody;
use crate::leak::Reported;
use crate::oauth_error::OAuthError;
use crate::state::Authority;

const KEY_NAME: &str = "github-public-key-identifier";
const SIGNATURE: &str = "github-public-key-signature";
const MOST: usize = 200;

/// What became of one reported token.
#[derive(Serialize, ToSchema)]
pub(crate) struct Label {
    /// The token as it was reported.
    token_raw: String,
    /// Its kind as it was reported.
    token_type: String,
    /// `true_positive`: it is, or was, one of ours, and is taken back; `false_positive`: it is nobody's.
    label: &'static str,
}

/// `POST /leaks/github`
pub(crate) async fn github(
    State(authority): State<Authority>,
    caller: Caller,
    request: Request,
) -> Result<Response, OAuthError> {
    let now = authority.now();
    let keys = &authority.settings().leak_keys;
    if keys.is_empty() {
        let words = "no leak reports are taken here: no keys of reporters are configured";
        return Err(OAuthError::invalid_request(words).with_status(StatusCode::NOT_FOUND));
    }
    let name = field(request.headers(), KEY_NAME)?;
    let signature = field(request.headers(), SIGNATURE)?;
    let JsonBody(body) = JsonBody::from_request(request, &authority).await?;
    keys.check(&name, &signature, &body)
        .map_err(|refused| OAuthError::new(OAuthErrorCode::InvalidClient, refused.to_string()))?;
    let reported: Vec<Reported> = serde_json::from_slice(&body).map_err(|_| {
        OAuthError::invalid_request("the body must be a list of objects with `token` and `type`")
    })?;
    if reported.len() > MOST {
        return Err(OAuthError::invalid_request("more than 200 tokens in one report"));
    }
    let mut labels = Vec::with_capacity(reported.len());
    for one in reported {
        let ours = authority.leaked(&one, "github", &caller, now).await?;
        let label = if ours { "true_positive" } else { "false_positive" };
        labels.push(Label { token_raw: one.token, token_type: one.kind, label });
    }
    Ok(answer::json(StatusCode::OK, &labels))
}

/// A field that is there once.
fn field(headers: &HeaderMap, name: &str) -> Result<String, OAuthError> {
    let mut fields = headers.get_all(name).iter();
    let only = fields.next().filter(|_| fields.next().is_none());
    let only = only.and_then(|field| field.to_str().ok()).map(str::to_owned);
    only.ok_or_else(|| {
        OAuthError::invalid_request(format!("the field `{name}` must be there once"))
    })
}
