//! What a token is still good for that was taken back in part, at our own endpoints and for those who ask about it.

use std::net::IpAddr;

use ipnet::IpNet;
use token::place::{Place, PlaceTest};
use token::reason::Reason;
use token::restriction::{Effect, Proof, Selector};
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::state::Authority;

/// From where a token may be used: from these networks, and where all of these hold; empty for everywhere.
#[derive(Debug, Default)]
pub(crate) struct GoodFrom {
    pub(crate) networks: Vec<IpNet>,
    pub(crate) places: Vec<PlaceTest>,
}

/// What a restriction demands of a token that it does not show.
pub(crate) fn demanded(
    authority: &Authority,
    token: &VerifiedAccessToken,
    now: Timestamp,
) -> Option<Reason> {
    let rows = authority.store().index().partial_on(token.facts(), now);
    rows.iter().find_map(|row| match row.effect {
        Effect::Require(proof) if !proof.is_shown_by(token, row.from) => Some(match proof {
            Proof::Dpop => Reason::DpopMissing,
            Proof::Mtls => Reason::MtlsMissing,
            Proof::StepUp => Reason::StepUp,
        }),
        _ => None,
    })
}

/// Whether a token that is made of this one would be good for more: what is about this one alone would not be about it.
pub(crate) fn would_escape(
    authority: &Authority,
    token: &VerifiedAccessToken,
    now: Timestamp,
) -> bool {
    let rows = authority.store().index().partial_on(token.facts(), now);
    // Scopes that count no more are not passed on.
    let stays = |effect: &Effect| !matches!(effect, Effect::DropScopes(_));
    rows.iter().any(|row| stays(&row.effect) && matches!(row.selector, Selector::Token(_)))
}

/// From where a token may be used, by its own terms and by what was taken back; `None` for from nowhere.
pub(crate) fn good_from(
    authority: &Authority,
    token: &VerifiedAccessToken,
    now: Timestamp,
) -> Option<GoodFrom> {
    let own = token.personal().map(|one| &one.terms);
    let mut from = own.map_or_else(GoodFrom::default, |own| GoodFrom {
        networks: own.networks.clone(),
        places: own.places.clone(),
    });
    for row in authority.store().index().partial_on(token.facts(), now) {
        match &row.effect {
            Effect::Networks(networks) if from.networks.is_empty() => {
                from.networks = networks.to_vec();
            }
            Effect::Networks(networks) => {
                from.networks = common(&from.networks, networks);
                if from.networks.is_empty() {
                    return None;
                }
            }
            Effect::Place(test) => from.places.push(test.clone()),
            _ => {}
        }
    }
    Some(from)
}

/// Of two networks that overlap one is within the other.
fn common(some: &[IpNet], others: &[IpNet]) -> Vec<IpNet> {
    let pairs = some.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    let both = pairs.filter_map(|(one, other)| match (one.contains(other), other.contains(one)) {
        (true, _) => Some(*other),
        (_, true) => Some(*one),
        _ => None,
    });
    both.collect()
}

// === impl GoodFrom ===

impl GoodFrom {
    /// Whether a caller may use it here, where nothing is known of places.
    pub(crate) fn admits(&self, ip: Option<IpAddr>) -> bool {
        let inside = |ip: IpAddr| self.networks.iter().any(|net| net.contains(&ip.to_canonical()));
        (self.networks.is_empty() || ip.is_some_and(inside))
            && self.places.iter().all(|test| test.admits(&Place::default()))
    }
}
