//! Whether the person has already decided about what the client asks for, and what they give of it.

use store::{ClaimsRequest, Client, StoreError};
use token::scope::ScopeSet;

use super::demand::Demand;
use super::person::Standing;
use super::return_to::ReturnTo;
use crate::endpoint::visit::Visit;
use crate::rule::claims_request;
use crate::settings::Settings;

/// What a person gives of what a client asks for.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) scopes: ScopeSet,
    pub(crate) claims: ClaimsRequest,
}

/// Looks for earlier decisions about everything asked for. What was refused stays refused as long as the
/// client can do without, so that nobody is asked for it at every sign-in.
pub(super) async fn ask(
    visit: &Visit,
    client: &Client,
    return_to: &ReturnTo,
    demand: &Demand,
    standing: Standing,
) -> Result<Standing, StoreError> {
    let Standing::Unasked(person) = standing else { return Ok(standing) };
    if demand.prompt.consent || !is_who_it_says(client, return_to) {
        return Ok(Standing::Unasked(person));
    }
    // A payment that was agreed to once is not agreed to for ever.
    if !demand.details.is_empty() {
        return Ok(Standing::Unasked(person));
    }
    let settings = visit.authority.settings();
    let decided = visit.authority.store().consent(&person.user().id, &client.id).await?;
    // Who agreed to more has agreed to what it includes.
    let allowed = settings.ladder.reach(&decided.allowed);
    let split = demand.split(client, settings);
    let refused = split.optional.intersection(&decided.refused);
    let given = split.given(&allowed, &settings.ladder);
    let is_decided = allowed.union(&refused).contains_all(&demand.consent);
    // A client that would get nothing of what it wants may ask again.
    let is_something = demand.consent.is_empty() || !given.is_empty();
    if decided.allowed.is_empty() || !is_decided || !is_something {
        return Ok(Standing::Unasked(person));
    }
    Ok(Standing::Agreed(person, Given::of(demand, &given, settings)))
}

/// Any app on a machine can use the name of a client without a secret and listen where that one
/// would: what was agreed with the real one must not be given away unseen (RFC 8252 §8.6).
fn is_who_it_says(client: &Client, return_to: &ReturnTo) -> bool {
    client.secret_hash.is_some() || return_to.uri().starts_with("https://")
}

// === impl Given ===

impl Given {
    /// The part of a demand that these scopes allow: a claim that was asked for by name goes with the scope
    /// that brings it.
    pub(crate) fn of(demand: &Demand, given: &ScopeSet, settings: &Settings) -> Self {
        let (claims, _) = claims_request::allowed(demand.claims.clone(), given, settings);
        Self { scopes: demand.scopes.intersection(given), claims }
    }
}
