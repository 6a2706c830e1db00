//! Step 4, in force: the token is no bait, and nobody has taken it back.
//!
//! It comes before the route's rule, so that bait is noticed wherever it is tried.

use std::sync::Arc;

use token::honeytoken::Honeytokens;
use token::index::RestrictionIndex;
use token::restriction::Effect;
use token::time::Timestamp;

use crate::bind::Bound;
use crate::refusal::{Fault, Refusal};
use crate::verify::Known;

/// A bound token that is in force.
pub struct InForce(Arc<Known>);

/// Asks the honeytokens and the restriction log.
///
/// # Errors
/// [`Refusal`] when the token is bait, revoked or suspended.
pub(crate) fn in_force(
    bound: Bound,
    honeytokens: &Honeytokens,
    index: &RestrictionIndex,
    now: Timestamp,
) -> Result<InForce, Refusal> {
    let known = bound.into_known();
    let facts = known.token.facts();
    if honeytokens.contains(&facts.token) {
        return Err(Refusal::of_verified(Fault::Honeytoken, known));
    }
    match index.on_token(facts, now).map(|restriction| restriction.effect) {
        None => Ok(InForce(known)),
        Some(Effect::Revoke) => Err(Refusal::of_verified(Fault::Revoked, known)),
        Some(Effect::Suspend) => Err(Refusal::of_verified(Fault::Suspended, known)),
    }
}

// === impl InForce ===

impl InForce {
    pub(crate) fn into_known(self) -> Arc<Known> {
        self.0
    }
}
