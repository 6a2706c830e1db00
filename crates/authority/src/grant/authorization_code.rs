//! `authorization_code`: a code and its verifier for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5).

use store::{Code, Redeemed};
use token::opaque::OpaqueHash;
use token::term::{GrantType, parameter};
use token::time::Timestamp;

use crate::approve;
use crate::grant::{GrantRefused, Granted, TokenRequest, check_key, first};
use crate::parameters::Parameters;
use crate::rule::pkce;
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
    let first = first::prepare(authority, request, &code.grant, code.nonce.clone()).await?;
    match authority.store().redeem_code(&code.hash, first.refresh, first.jkt, request.now).await? {
        Redeemed::Done => {
            let (body, who) = first.answer.give(authority);
            Ok(Granted { body, who, scopes: first.scopes })
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
    // OAuth 2.1 §10.2: PKCE took the place of this parameter, but who sends it is held to it, and who
    // has left PKCE out has to send it (RFC 6749 §4.1.3).
    let uri = parameters.value(parameter::REDIRECT_URI);
    let needed = code.challenge.is_none() && code.redirect_uri_sent;
    if uri.map_or(needed, |uri| uri != code.redirect_uri) {
        return Err(GrantRefused::RedirectUriMismatch);
    }
    let verifier = parameters.value(parameter::CODE_VERIFIER);
    pkce::verify(code.challenge.as_deref(), verifier).map_err(|refused| GrantRefused::PkceFailed {
        refused,
        grant: Box::new(code.grant.clone()),
    })
}
