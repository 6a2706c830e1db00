//! Step 4, in force: the token is no bait, and nobody has taken it back; what was taken back in part is
//! good for less from here on.
//!
//! It comes before the route's rule, so that bait is noticed wherever it is tried.

use std::net::IpAddr;
use std::sync::Arc;

use token::restriction::Effect;
use token::time::Timestamp;

use crate::bind::Bound;
use crate::core::Core;
use crate::refusal::{Fault, Refusal};
use crate::restrained::restrained;
use crate::verify::Known;

/// A bound token that is in force.
pub struct InForce(Arc<Known>);

/// Asks the honeytokens and the restriction log.
///
/// # Errors
/// [`Refusal`] when the token is bait, revoked or suspended, or not good for this request any more.
pub(crate) fn in_force(
    bound: Bound,
    core: &Core,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<InForce, Refusal> {
    let (honeytokens, index) = (&core.honeytokens, &core.index);
    let known = bound.into_known();
    let facts = known.token.facts();
    if honeytokens.contains(&facts.token) {
        return Err(Refusal::of_verified(Fault::Honeytoken, known));
    }
    match index.on_token(facts, now).as_ref().map(|restriction| &restriction.effect) {
        None => {}
        Some(Effect::Revoke) => return Err(Refusal::of_verified(Fault::Revoked, known)),
        Some(_) => return Err(Refusal::of_verified(Fault::Suspended, known)),
    }
    if known.token.personal().is_some_and(|personal| !personal.may_come_from(ip)) {
        return Err(Refusal::of_verified(Fault::Elsewhere, known));
    }
    match index.partial_on(facts, now) {
        rows if rows.is_empty() => Ok(InForce(known)),
        rows => restrained(known, &rows, &core.limits, ip, now).map(InForce),
    }
}

// === impl InForce ===

impl InForce {
    pub(crate) fn into_known(self) -> Arc<Known> {
        self.0
    }
}
