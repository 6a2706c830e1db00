//! `client_credentials`: a client that acts for itself (RFC 6749 §4.4).

use token::term::{GrantType, parameter};

use crate::approve::{self, Wanted};
use crate::grant::{GrantRefused, Granted, TokenRequest};
use crate::issue;
use crate::rule::{authorization_details, resource, scope};
use crate::state::Authority;

/// The client is its own subject; there is no refresh token and no ID token.
pub(crate) async fn decide(
    authority: &Authority,
    request: &TokenRequest<'_>,
) -> Result<Granted, GrantRefused> {
    approve::grant_type(request.client, GrantType::ClientCredentials)?;
    give(authority, request).await
}

/// Tokens for a client that acts for itself, however it has shown who it is.
pub(crate) async fn give(
    authority: &Authority,
    request: &TokenRequest<'_>,
) -> Result<Granted, GrantRefused> {
    let (client, parameters) = (request.client.client(), request.parameters);
    let (settings, asked) = (authority.settings(), parameters.value(parameter::SCOPE));
    let (may, usual) = (&client.scopes, &client.default_scopes);
    let scopes = scope::requested_by_machine(asked, may, usual, &settings.ladder)?;
    let resources = parameters.all(parameter::RESOURCE);
    let audiences = resource::requested(resources, &scopes, settings)?;
    resource::together(&audiences, settings)?;
    let scopes = scope::fitting(&scopes, &audiences, settings)?;
    let details = authorization_details::requested(
        parameters.value(parameter::AUTHORIZATION_DETAILS),
        &settings.authorization_details,
        &client.options.authorization_details_types,
        || settings.audiences(),
    )?;
    let wanted = Wanted { scopes: scopes.clone(), audiences, details, nonce: None };
    let approved = approve::machine(authority.store(), request.client, wanted, request.now)?;
    let bound = request.binding();
    let answer =
        issue::answer(authority, request.client, &approved, None, bound, request.now).await?;
    let (body, who) = answer.give(authority);
    Ok(Granted { body, who, scopes })
}
