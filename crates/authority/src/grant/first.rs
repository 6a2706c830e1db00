//! The first tokens of a grant: what every way to begin one ends with.

use store::{Grant, NewRefresh};
use token::id::KeyId;
use token::scope::ScopeSet;
use token::term::{GrantType, parameter};
use token::time::Timestamp;

use crate::approve::{self, Wanted};
use crate::client_auth::AuthenticatedClient;
use crate::grant::{GrantRefused, TokenRequest};
use crate::issue::{self, Answer, OutgoingRefresh};
use crate::rule::{authorization_details, profile, resource, scope};
use crate::settings::Settings;
use crate::state::Authority;

/// The first tokens, made and not given out yet.
pub(crate) struct First {
    pub(crate) answer: Answer,
    /// What their access token allows.
    pub(crate) scopes: ScopeSet,
    pub(crate) refresh: Option<NewRefresh>,
    /// The key that the refresh token is bound to.
    pub(crate) jkt: Option<KeyId>,
}

/// Makes them, for as much of the grant as the request asks for.
pub(crate) async fn prepare(
    authority: &Authority,
    request: &TokenRequest<'_>,
    grant: &Grant,
    nonce: Option<String>,
) -> Result<First, GrantRefused> {
    let now = request.now;
    let resources = request.parameters.all(parameter::RESOURCE);
    let audiences = resource::narrowed(resources, &grant.audiences)?;
    resource::together(&audiences, authority.settings())?;
    let details = request.parameters.value(parameter::AUTHORIZATION_DETAILS);
    let details = authorization_details::narrowed(details, &grant.details)?;
    let scopes = scope::fitting(&grant.scopes, &audiences, authority.settings())
        .map_err(|refused| GrantRefused::Scope { refused, grant: Some(grant.clone().into()) })?;
    let wanted = Wanted { scopes: scopes.clone(), audiences, details, nonce };
    let approved = approve::person(authority.store(), request.client, grant, wanted, now).await?;

    let may_refresh = request.client.client().grant_types.contains(&GrantType::RefreshToken);
    let mint = authority.refresh_mint();
    let token = may_refresh.then(|| mint.first(authority.random()));
    let expires_at = idle_end(authority.settings(), request.client, now, grant.expires_at);
    let outgoing = token.as_ref().map(|token| OutgoingRefresh { token, expires_at });
    let refresh = token.as_ref().map(|token| NewRefresh {
        name: mint.read(token.expose()),
        expires_at,
        scopes: grant.scopes.clone(),
    });
    let bound = request.binding();
    let answer =
        issue::answer(authority, request.client, &approved, outgoing.as_ref(), bound, now).await?;
    // A client with credentials of its own shows those at every refresh; a public one its key, and of
    // an attested one that instance alone.
    let of_public = request.jkt.as_ref().filter(|_| request.client.is_public());
    let jkt = request.client.instance().or(of_public).cloned();
    Ok(First { answer, scopes, refresh, jkt })
}

/// When a refresh token made now ends unless it is used, never after its grant.
pub(crate) fn idle_end(
    settings: &Settings,
    client: &AuthenticatedClient,
    now: Timestamp,
    grant_end: Timestamp,
) -> Timestamp {
    let options = &client.client().options;
    // One that is never replaced does not lie idle: it lives as long as its grant.
    if profile::is_fapi2(settings, options) {
        return grant_end;
    }
    let own = options.refresh_idle_life;
    now.plus(profile::shorter(settings.refresh_idle_life, own)).min(grant_end)
}
