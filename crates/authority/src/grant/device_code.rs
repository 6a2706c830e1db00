//! `device_code`: a device asks whether its person has decided (RFC 8628 §3.4).

use store::{Progress, Redeemed, WaitingKind, WaitingState};
use token::event::EventKind;
use token::opaque::OpaqueHash;
use token::term::{GrantType, parameter};

use crate::approve;
use crate::grant::{GrantRefused, Granted, TokenRequest, first};
use crate::polls::Pace;
use crate::state::Authority;

/// Judges one poll, and gives the tokens once there was a yes.
pub(crate) async fn decide(
    authority: &Authority,
    request: &TokenRequest<'_>,
) -> Result<Granted, GrantRefused> {
    approve::grant_type(request.client, GrantType::DeviceCode)?;
    let hash = OpaqueHash::of(request.parameters.required(parameter::DEVICE_CODE)?);
    let state = authority.store().waiting(&hash).await?;
    let state = state.filter(|state| state.request.kind == WaitingKind::Device);
    let state = state.ok_or(GrantRefused::DeviceCodeUnknown)?;
    // A stranger's guess must not learn that there is such a code.
    if state.request.client != *request.client.id() {
        return Err(GrantRefused::DeviceCodeUnknown);
    }
    let (step, code) = ("polled".to_owned(), Some(authority.hashed_code(&hash)));
    let who = request.client.who();
    authority.emit(request.caller, who, EventKind::Device { step, code }, request.now);
    settle(authority, request, state).await
}

/// What a poll gets, as far as the request has come. The client is known to be its own.
pub(crate) async fn settle(
    authority: &Authority,
    request: &TokenRequest<'_>,
    state: WaitingState,
) -> Result<Granted, GrantRefused> {
    let (store, now, hash) = (authority.store(), request.now, state.request.hash);
    if now >= state.request.expires_at {
        return Err(GrantRefused::DeviceCodeExpired);
    }
    let grant = match state.progress {
        Progress::Waiting => {
            return Err(match authority.polls().asked(&hash, now) {
                Pace::Fine(secs) => GrantRefused::Pending(secs),
                Pace::TooFast(secs) => GrantRefused::SlowDown(secs),
            });
        }
        Progress::Denied => return Err(GrantRefused::Denied),
        Progress::Approved(grant) => *grant,
        Progress::Redeemed(grant) => {
            // The act writes the revocation of everything that the code ever gave.
            store.redeem_waiting(&hash, None, None, now).await?;
            return Err(GrantRefused::DeviceCodeReplayed(grant));
        }
    };
    let first = first::prepare(authority, request, &grant, None).await?;
    match store.redeem_waiting(&hash, first.refresh, first.jkt, now).await? {
        Redeemed::Done => {
            let (body, who) = first.answer.give(authority);
            Ok(Granted { body, who, scopes: first.scopes })
        }
        Redeemed::Replayed { .. } => Err(GrantRefused::DeviceCodeReplayed(Box::new(grant))),
        Redeemed::Unknown => Err(GrantRefused::DeviceCodeExpired),
    }
}
