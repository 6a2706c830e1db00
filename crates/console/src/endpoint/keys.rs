//! `/keys`: the keys that sign tokens.

use authority::keys::{KeysError, PUBLISHED_FOR, Rotation};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::StoredKey;
use token::id::KeyId;
use token::jwk::PublicJwk;
use token::term::Algorithm;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{After, Body, Query};
use crate::problem::Problem;

/// A signing key; never its private part.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// Its name (`kid`).
    #[schema(value_type = String)]
    kid: KeyId,
    /// Its one algorithm.
    #[schema(value_type = String)]
    alg: Algorithm,
    /// `pending` (published, not used yet), `active` (signs), `retiring` (only verifies), `gone`.
    #[schema(value_type = String)]
    state: &'static str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it began to sign.
    #[schema(value_type = Option<String>, format = DateTime)]
    activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
}

/// How to rotate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateBody {
    /// Sign with the new key from now on; what older ones signed stays good. Otherwise it is published
    /// now and signs once checkers have had time to fetch it.
    #[serde(default)]
    at_once: bool,
    /// Others may know the key: a new one signs from now on and every older one is gone, with all that
    /// they signed. Every access token is refused, the administrator's too (`tokenward admin-token`
    /// makes another); refresh tokens go on.
    #[serde(default)]
    compromised: bool,
}

/// The new key, and when the old ones can do no harm any more.
#[derive(Serialize, ToSchema)]
pub(crate) struct RotatedView {
    #[serde(flatten)]
    key: KeyView,
    /// When the last checker elsewhere has fetched the keys again, if it heeds how long they may be
    /// kept. Gateways of this server know at once.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    safe_at: Option<Timestamp>,
}

/// List keys, oldest first.
#[utoipa::path(get, path = "/keys", tag = "keys", params(After),
    responses((status = 200, description = "A page of keys", body = Page<KeyView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(page): Query<After>,
) -> Result<Answer<Page<KeyView>>, Problem> {
    let keys = views(&console).await?;
    let start = match &page.after {
        None => 0,
        Some(after) => {
            let position = keys.iter().position(|key| key.kid.as_str() == after);
            position.map_or(keys.len(), |position| position + 1)
        }
    };
    let limit = page.limit.rows();
    let rows: Vec<KeyView> = keys.into_iter().skip(start).take(limit).collect();
    Ok(Answer(Page::of(rows, limit, |key| key.kid.to_string(), |key| key)))
}

/// Bring in a new key.
#[utoipa::path(post, path = "/keys/rotate", tag = "keys", request_body = RotateBody,
    responses((status = 200, description = "The new key", body = RotatedView)))]
pub(crate) async fn rotate(
    State(console): State<Console>,
    administrator: Administrator,
    Body(body): Body<RotateBody>,
) -> Result<Recorded, Problem> {
    let now = console.authority.now();
    let how = match (body.compromised, body.at_once) {
        (true, _) => Rotation::Compromised,
        (false, true) => Rotation::AtOnce,
        (false, false) => Rotation::Scheduled,
    };
    let kid = console.authority.keys().rotate(how, now).await?;
    let keys = views(&console).await?;
    let key = keys.into_iter().find(|key| key.kid == kid);
    let key = key.ok_or_else(|| Problem::internal(&"the new key is not in the store"))?;
    let action = if body.compromised { "key.compromised" } else { "key.rotate" };
    let change = Change { action, target: kid.as_str(), at: now };
    let safe_at = body.compromised.then(|| now.plus(PUBLISHED_FOR));
    let shown = answer::json(StatusCode::OK, &RotatedView { key, safe_at });
    console.record(&administrator, change, shown).await
}

async fn views(console: &Console) -> Result<Vec<KeyView>, Problem> {
    console.store().keys().await?.into_iter().map(view).collect()
}

fn view(key: StoredKey) -> Result<KeyView, Problem> {
    let jwk = PublicJwk::parse(key.public_jwk.as_bytes()).map_err(|e| Problem::internal(&e))?;
    Ok(KeyView {
        kid: key.kid,
        alg: jwk.alg,
        state: key.state.as_str(),
        created_at: key.created_at,
        activated_at: key.activated_at,
        retired_at: key.retired_at,
    })
}

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}
