//! `ciba`: a client asks whether the person whom it asked has decided (CIBA Core 1.0 §10.1).

use store::WaitingKind;
use token::opaque::OpaqueHash;
use token::term::{GrantType, parameter};

use crate::approve;
use crate::grant::{GrantRefused, Granted, TokenRequest, device_code};
use crate::state::Authority;

/// Judges one poll, and gives the tokens once there was a yes.
pub(crate) async fn decide(
    authority: &Authority,
    request: &TokenRequest<'_>,
) -> Result<Granted, GrantRefused> {
    approve::grant_type(request.client, GrantType::Ciba)?;
    let hash = OpaqueHash::of(request.parameters.required(parameter::AUTH_REQ_ID)?);
    let state = authority.store().waiting(&hash).await?;
    let own = state.filter(|state| {
        let request_of = &state.request;
        request_of.kind == WaitingKind::Backchannel && request_of.client == *request.client.id()
    });
    device_code::settle(authority, request, own.ok_or(GrantRefused::DeviceCodeUnknown)?).await
}
