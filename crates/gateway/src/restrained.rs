//! What a token is still good for that was taken back in part.

use std::net::IpAddr;
use std::sync::Arc;

use token::restriction::{Effect, Proof, Restriction};
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::core::Core;
use crate::refusal::{Fault, Refusal};
use crate::verify::Known;

/// The token with what `rows` leave of it.
///
/// # Errors
/// [`Refusal`] when one of them refuses this request.
pub(crate) fn restrained(
    known: Arc<Known>,
    rows: &[Arc<Restriction>],
    core: &Core,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<Arc<Known>, Refusal> {
    let mut dropped = ScopeSet::default();
    for row in rows {
        let fault = match &row.effect {
            Effect::DropScopes(scopes) => {
                dropped = dropped.union(scopes);
                None
            }
            Effect::Limit(allowance) => core.limits.restricted(row.seq, *allowance, now).err(),
            Effect::Networks(networks) => {
                let inside = |ip: IpAddr| networks.iter().any(|net| net.contains(&ip));
                let elsewhere = !ip.is_some_and(|ip| inside(ip.to_canonical()));
                elsewhere.then_some(Fault::Elsewhere)
            }
            Effect::Place(test) => {
                let place = core.place(ip);
                (!test.admits(&place)).then_some(Fault::Away(place))
            }
            Effect::Require(proof) => demanded(*proof, &known, row.from, now),
            // Judged before, as a whole.
            Effect::Revoke | Effect::Suspend => None,
        };
        if let Some(fault) = fault {
            return Err(Refusal::of_verified(fault, known).by(row));
        }
    }
    if dropped.is_empty() {
        return Ok(known);
    }
    Ok(Arc::new(known.without(&dropped)))
}

fn demanded(proof: Proof, known: &Known, from: Timestamp, now: Timestamp) -> Option<Fault> {
    match proof {
        _ if proof.is_shown_by(&known.token, from) => None,
        Proof::StepUp => {
            Some(Fault::StepUp { acr: None, max_age: Some(now.since(from).as_secs()) })
        }
        Proof::Dpop | Proof::Mtls => Some(Fault::Demanded(proof)),
    }
}

/// Whether an open stream of a token ends when this is written: whoever opens it again is judged anew.
pub(crate) fn ends_streams(row: &Restriction) -> bool {
    !matches!(row.effect, Effect::Limit(_))
}
