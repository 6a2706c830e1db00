//! `refresh_token`: honest rotation (RFC 6749 §6, RFC 9700 §4.14).
//!
//! A refresh token works once. The same party's repeat within seconds, after a lost answer, gets
//! the very same bytes again; the token in other hands, or later, ends its whole family.

use std::net::IpAddr;

use aws_lc_rs::digest;
use bytes::Bytes;
use store::{Next, RefreshState, Rotate, Rotation};
use token::event::Who;
use token::id::KeyId;
use token::opaque::OpaqueHash;
use token::refresh::RefreshName;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::{GrantType, parameter};
use token::time::Timestamp;

use crate::approve::{self, Wanted};
use crate::grant::first::idle_end;
use crate::grant::{GrantRefused, Granted, TokenRequest, check_refresher};
use crate::issue::{self, Answer, OutgoingRefresh};
use crate::rule::{authorization_details, profile, resource, scope};
use crate::state::Authority;

const SEAL: &str = "refresh answer";

/// A token response that is ready.
struct Prepared {
    answer: Answer,
    scopes: ScopeSet,
}

/// The refresh token that was shown.
struct Presented<'a> {
    text: &'a str,
    name: RefreshName,
}

/// Prepares the answer first, then rotates: only who wins the rotation gives its answer out.
pub(crate) async fn decide(
    authority: &Authority,
    request: &TokenRequest<'_>,
) -> Result<Granted, GrantRefused> {
    approve::grant_type(request.client, GrantType::RefreshToken)?;
    let text = request.parameters.required(parameter::REFRESH_TOKEN)?;
    let presented = &Presented { text, name: authority.refresh_mint().read(text) };
    let state = authority.store().refresh_to_rotate(&presented.name).await?;
    let state = state.ok_or(GrantRefused::RefreshUnknown)?;
    if state.grant.client != *request.client.id() {
        return Err(GrantRefused::WrongClient(state.grant.id));
    }
    check_refresher(request, &state.grant)?;
    if state.rotated_at.is_some() {
        // A used token is judged for its second use alone, whatever else the request says.
        match rotate(authority, request, presented, None).await? {
            Rotation::NextWanted => {}
            other => return settle(other, presented, state),
        }
    }
    let keeps = profile::is_fapi2(authority.settings(), &request.client.client().options);
    if keeps && state.rotated_at.is_none() {
        // FAPI 2.0 Security Profile §5.3.2.1: the client and its key are known, rotation only risks that
        // an answer is lost.
        let (same, end) = (Secret::new(text), state.expires_at);
        let Prepared { answer, scopes } = prepare(authority, request, &state, &same, end).await?;
        let (body, who) = answer.give(authority);
        return Ok(Granted { body, who, scopes });
    }
    let token = authority.refresh_mint().next(&presented.name.family, authority.random());
    let end = idle_end(authority.settings(), request.client, request.now, state.grant.expires_at);
    let Prepared { answer, scopes } = prepare(authority, request, &state, &token, end).await?;
    let sealed = store::seal::seal_to(text, SEAL, &answer.body)?;
    let successor = OpaqueHash::of(token.expose());
    let next = Next { successor, expires_at: end, answer: sealed };
    match rotate(authority, request, presented, Some(next)).await? {
        Rotation::Rotated => {
            let (body, who) = answer.give(authority);
            Ok(Granted { body, who, scopes })
        }
        // Another request with the same token was faster.
        other => settle(other, presented, state),
    }
}

async fn prepare(
    authority: &Authority,
    request: &TokenRequest<'_>,
    state: &RefreshState,
    token: &Secret,
    expires_at: Timestamp,
) -> Result<Prepared, GrantRefused> {
    let (parameters, grant, now) = (request.parameters, &state.grant, request.now);
    if state.ended {
        return Err(GrantRefused::TakenBack);
    }
    if now >= state.expires_at || now >= grant.expires_at {
        return Err(GrantRefused::RefreshExpired(Box::new(grant.clone())));
    }
    let settings = authority.settings();
    let audiences = resource::narrowed(parameters.all(parameter::RESOURCE), &grant.audiences)?;
    let asked = parameters.value(parameter::SCOPE);
    let scopes = scope::narrowed(asked, &state.scopes, &settings.ladder)
        .and_then(|scopes| scope::fitting(&scopes, &audiences, settings))
        .map_err(|refused| GrantRefused::Scope { refused, grant: Some(grant.clone().into()) })?;
    let details = parameters.value(parameter::AUTHORIZATION_DETAILS);
    let details = authorization_details::narrowed(details, &grant.details)?;
    let wanted = Wanted { scopes: scopes.clone(), audiences, details, nonce: None };
    resource::together(&wanted.audiences, settings)?;
    let approved = approve::person(authority.store(), request.client, grant, wanted, now).await?;

    let outgoing = OutgoingRefresh { token, expires_at };
    let bound = request.binding();
    let answer =
        issue::answer(authority, request.client, &approved, Some(&outgoing), bound, now).await?;
    Ok(Prepared { answer, scopes })
}

async fn rotate(
    authority: &Authority,
    request: &TokenRequest<'_>,
    presented: &Presented<'_>,
    next: Option<Next>,
) -> Result<Rotation, GrantRefused> {
    let rotate = Rotate {
        presented: presented.name,
        next,
        party: party(request, presented.text),
        retry_window: authority.settings().refresh_retry_window,
        now: request.now,
    };
    Ok(authority.store().rotate_refresh(rotate).await?)
}

/// What it means not to have been the one who rotated.
fn settle(
    rotation: Rotation,
    presented: &Presented<'_>,
    state: RefreshState,
) -> Result<Granted, GrantRefused> {
    match rotation {
        Rotation::Retry { answer } => {
            let body =
                Bytes::copy_from_slice(&store::seal::open_from(presented.text, SEAL, &answer)?);
            let who = Who {
                subject: Some(state.grant.subject),
                client: Some(state.grant.client),
                grant: Some(state.grant.id),
                session: state.grant.session,
                ..Who::default()
            };
            Ok(Granted { body, who, scopes: state.scopes })
        }
        Rotation::Reused { grant } => Err(GrantRefused::RefreshReused(grant)),
        Rotation::Expired => Err(GrantRefused::RefreshExpired(Box::new(state.grant))),
        Rotation::Unknown => Err(GrantRefused::RefreshUnknown),
        // `Rotated` and `NextWanted` are answered by who rotates.
        Rotation::Ended | Rotation::NextWanted | Rotation::Rotated => Err(GrantRefused::TakenBack),
    }
}

/// Who asks, as far as can be told: client, its way to authenticate, address, user agent and key. With
/// the token, so that who reads the hash alone cannot guess at the others.
fn party(request: &TokenRequest<'_>, presented: &str) -> [u8; 32] {
    let ip = request.caller.ip.as_ref().map(IpAddr::to_string);
    let parts = [
        presented,
        request.client.id().as_str(),
        request.client.method().as_str(),
        ip.as_deref().unwrap_or_default(),
        request.caller.user_agent.as_deref().unwrap_or_default(),
        request.jkt.as_ref().map(KeyId::as_str).unwrap_or_default(),
    ];
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        // With its length, so that no two lists of parts read the same.
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
