//! `/users/{id}/identities`: accounts at identity providers that open a person's account. Here they are seen and
//! taken away, and tokens that are kept with them are read; only their person connects them.

use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use store::Identity;
use token::id::SubjectId;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::Answer;
use crate::change::{Change, Recorded};
use crate::endpoint::users;
use crate::input::{Segment, TwoSegments};
use crate::problem::Problem;

/// What a person has elsewhere.
#[derive(Serialize, ToSchema)]
pub(crate) struct IdentitiesView {
    /// The oldest first.
    items: Vec<IdentityView>,
}

/// One account at an identity provider.
#[derive(Serialize, ToSchema)]
pub(crate) struct IdentityView {
    /// Its name here.
    id: String,
    /// The provider's name here.
    provider: String,
    /// The provider's own identifier.
    issuer: String,
    /// Who it is there: `sub` of the provider's tokens.
    provider_subject: String,
    /// The address or name that the provider last gave.
    label: String,
    /// Whether tokens of the provider are kept with it.
    has_tokens: bool,
    /// When it was connected.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When somebody last signed in with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// Tokens of a provider, as they came with the last sign-in.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokensView {
    /// The access token.
    access_token: String,
    /// The refresh token, where the provider gave one.
    refresh_token: Option<String>,
    /// When the access token ends, in seconds since the epoch, where the provider said so.
    expires_at: Option<i64>,
    /// What it allows, where the provider said so.
    scope: Option<String>,
}

/// Show the accounts at identity providers that open a person's account.
#[utoipa::path(get, path = "/users/{id}/identities", tag = "users",
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens")),
    responses((status = 200, description = "Their accounts elsewhere", body = IdentitiesView),
        (status = 404, description = "Nobody of this id", body = Problem)))]
pub(crate) async fn show_identities(
    State(console): State<Console>,
    _: Reader,
    Segment(id): Segment,
) -> Result<Answer<IdentitiesView>, Problem> {
    let id = users::find(&console, &SubjectId::from(id)).await?.id;
    let items = console.store().identities_of(&id).await?;
    Ok(Answer(IdentitiesView { items: items.into_iter().map(view).collect() }))
}

/// Take an account elsewhere from a person, also the last thing that they sign in with. Sessions that stand on it
/// end, and their tokens are revoked.
#[utoipa::path(delete, path = "/users/{id}/identities/{identity}", tag = "users",
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens"),
        ("identity" = String, Path, description = "The id of the account elsewhere")),
    responses((status = 204, description = "It is taken away"),
        (status = 404, description = "Nobody of this id, or no such account of theirs", body = Problem)))]
pub(crate) async fn remove_identity(
    State(console): State<Console>,
    administrator: Administrator,
    TwoSegments(id, identity): TwoSegments,
) -> Result<Recorded, Problem> {
    let (id, now) = (SubjectId::from(id), console.authority.now());
    let actor = administrator.actor();
    if !console.authority.remove_identity(&id, &identity, actor, now).await? {
        return Err(Problem::unknown("identity"));
    }
    let change = Change { action: "user.identity.remove", target: &identity, at: now };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

/// Read the provider's tokens that are kept with an account elsewhere (`keep_tokens`). That they were read is
/// written to the audit log.
#[utoipa::path(post, path = "/users/{id}/identities/{identity}/tokens", tag = "users",
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens"),
        ("identity" = String, Path, description = "The id of the account elsewhere")),
    responses((status = 200, description = "The tokens", body = TokensView),
        (status = 404, description = "Nobody of this id, no such account of theirs, or no tokens are kept",
            body = Problem)))]
pub(crate) async fn read_identity_tokens(
    State(console): State<Console>,
    administrator: Administrator,
    TwoSegments(id, identity): TwoSegments,
) -> Result<Recorded, Problem> {
    let (id, now) = (SubjectId::from(id), console.authority.now());
    let kept = console.store().identity_tokens(&id, &identity).await?;
    let kept = kept.ok_or_else(|| Problem::unknown("identity"))?;
    let kept: Value = serde_json::from_slice(&kept).map_err(|error| Problem::internal(&error))?;
    let text = |name: &str| kept[name].as_str().map(str::to_owned);
    let view = TokensView {
        access_token: text("access_token").unwrap_or_default(),
        refresh_token: text("refresh_token"),
        expires_at: kept["expires_at"].as_i64(),
        scope: text("scope"),
    };
    let change = Change { action: "identity.tokens", target: &identity, at: now };
    console.record(&administrator, change, Answer(view).into_response()).await
}

fn view(identity: Identity) -> IdentityView {
    let Identity { id, provider, issuer, provider_subject, label, has_tokens, .. } = identity;
    let Identity { created_at, last_used_at, .. } = identity;
    IdentityView {
        id,
        provider,
        issuer,
        provider_subject,
        label,
        has_tokens,
        created_at,
        last_used_at,
    }
}
