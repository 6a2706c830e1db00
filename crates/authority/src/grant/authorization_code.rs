//! `authorization_code`: a code and its verifier for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5).

use store::{Code, NewRefresh, Redeemed};
use token::opaque::{Family, OpaqueHash};
use token::term::{GrantType, parameter};
use token::time::Timestamp;

use crate::approve::{self, Wanted};
use crate::grant::{GrantRefused, Granted, TokenRequest, check_key};
use crate::issue::{self, OutgoingRefresh};
use crate::parameters::Parameters;
use crate::rule::{pkce, resource};
use crate::settings::Settings;
use crate::state::Authority;

/// Checks everything first and redeems last, so that a refused request leaves the code to the
/// client that can show the verifier.
pub(crate) async fn decide(
    authority: &Authority,
    request: &TokenRequest<'_>,
) -> Result<Granted, GrantRefused> {
    approve::grant_type(request.client, GrantType::AuthorizationCode)?;
    let presented = request.parameters.required(parameter::CODE)?;
    let hash = OpaqueHash::of(presented);
    let state = authority.store().code(&hash).await?.ok_or(GrantRefused::CodeUnknown)?;
    let code = state.code;
    if code.grant.client != *request.client.id() {
        return Err(GrantRefused::WrongClient(code.grant.id));
    }
    if state.redeemed {
        // The act writes the revocation of everything that the code ever gave.
        authority.store().redeem_code(&hash, None, None, request.now).await?;
        return Err(GrantRefused::CodeReplayed(Box::new(code.grant)));
    }
    check(&code, request.parameters, request.now)?;
    check_key(request, &code.grant)?;
    redeem(authority, request, code).await
}

async fn redeem(
    authority: &Authority,
    request: &TokenRequest<'_>,
    code: Code,
) -> Result<Granted, GrantRefused> {
    let now = request.now;
    let resources = request.parameters.all(parameter::RESOURCE);
    let wanted = Wanted {
        scopes: code.grant.scopes.clone(),
        audiences: resource::narrowed(resources, &code.grant.audiences)?,
        nonce: code.nonce.clone(),
    };
    resource::together(&wanted.audiences, authority.settings())?;
    let approved =
        approve::person(authority.store(), request.client, &code.grant, wanted, now).await?;

    let may_refresh = request.client.client().grant_types.contains(&GrantType::RefreshToken);
    let token = may_refresh.then(|| Family::Refresh.generate(authority.random()));
    let expires_at = idle_end(authority.settings(), now, code.grant.expires_at);
    let outgoing = token.as_ref().map(|token| OutgoingRefresh { token, expires_at });
    let refresh = token.as_ref().map(|token| NewRefresh {
        hash: OpaqueHash::of(token.expose()),
        expires_at,
        scopes: code.grant.scopes.clone(),
    });
    let bound = request.jkt.as_ref();
    let answer =
        issue::answer(authority, request.client, &approved, outgoing.as_ref(), bound, now)?;
    // A client with credentials of its own shows those at every refresh; a public one its key.
    let jkt = request.jkt.clone().filter(|_| request.client.is_public());
    match authority.store().redeem_code(&code.hash, refresh, jkt, now).await? {
        Redeemed::Done => {
            let (body, who) = answer.give(authority);
            Ok(Granted { body, who, scopes: code.grant.scopes })
        }
        Redeemed::Replayed { .. } => Err(GrantRefused::CodeReplayed(Box::new(code.grant))),
        Redeemed::Unknown => Err(GrantRefused::CodeUnknown),
    }
}

/// The rules between a code and the request that brings it.
fn check(code: &Code, parameters: &Parameters, now: Timestamp) -> Result<(), GrantRefused> {
    if now >= code.expires_at {
        return Err(GrantRefused::CodeExpired(Box::new(code.grant.clone())));
    }
    // OAuth 2.1 §10.2: PKCE took the place of this parameter, but who sends it is held to it.
    let uri = parameters.value(parameter::REDIRECT_URI);
    if uri.is_some_and(|uri| uri != code.redirect_uri) {
        return Err(GrantRefused::RedirectUriMismatch);
    }
    let verifier = parameters.value(parameter::CODE_VERIFIER);
    pkce::verify(code.challenge.as_deref(), verifier).map_err(|refused| GrantRefused::PkceFailed {
        refused,
        grant: Box::new(code.grant.clone()),
    })
}

/// When a refresh token made now ends unless it is used, never after its grant.
pub(crate) fn idle_end(settings: &Settings, now: Timestamp, grant_end: Timestamp) -> Timestamp {
    now.plus(settings.refresh_idle_life).min(grant_end)
}
