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
use crate::shed::Rank;
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
    if let Some(row) = index.on_token(facts, now) {
        let fault = if row.effect == Effect::Revoke { Fault::Revoked } else { Fault::Suspended };
        return Err(Refusal::of_verified(fault, known).by(&row));
    }
    if known.token.personal().is_some_and(|personal| !personal.may_come_from(ip)) {
        return Err(Refusal::of_verified(Fault::Elsewhere, known));
    }
    if let Some(personal) = known.token.personal().filter(|one| !one.terms.places.is_empty()) {
        let place = core.place(ip);
        if !personal.may_be_at(&place) {
            return Err(Refusal::of_verified(Fault::Away(place), known));
        }
    }
    let rows = index.partial_on(facts, now);
    let rank = if rows.is_empty() { Rank::Known } else { Rank::Restricted };
    if let Err(fault) = core.shedder.admit(rank) {
        return Err(Refusal::of_verified(fault, known));
    }
    match rows {
        rows if rows.is_empty() => Ok(InForce(known)),
        rows => restrained(known, &rows, core, ip, now).map(InForce),
    }
}

// === impl InForce ===

impl InForce {
    pub(crate) fn into_known(self) -> Arc<Known> {
        self.0
    }
}
