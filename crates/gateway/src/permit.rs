//! Step 5, permit: the rule of the route lets this token through.

use std::net::IpAddr;
use std::sync::Arc;

use http::Method;
use token::restriction::Proof;
use token::time::Timestamp;

use crate::in_force::InForce;
use crate::refusal::{Fault, Refusal};
use crate::route::{Beside, Demand, Found, OneOf, Rule};
use crate::verify::Known;

/// A request that the rule of its route lets through.
pub struct Permitted {
    rule: Arc<Rule>,
    known: Option<Arc<Known>>,
}

/// Asks the route's rule. Only who has a good token learns which routes there are.
///
/// # Errors
/// [`Refusal`] when no rule knows path and method, or the token lacks what it demands.
pub(crate) fn permit(
    token: InForce,
    found: Option<Found<'_>>,
    method: &Method,
    ip: IpAddr,
    now: Timestamp,
) -> Result<Permitted, Refusal> {
    let known = token.into_known();
    let Some(Found { rules, .. }) = found else {
        return Err(Refusal::of_verified(Fault::UnknownRoute, known));
    };
    let Some(rule) = rules.rule(method) else {
        let fault = Fault::Method { allow: rules.allow() };
        return Err(Refusal::of_verified(fault, known));
    };
    if !is_for(rule, ip) {
        return Err(Refusal::of_verified(Fault::RouteNetwork, known));
    }
    match fault(&known, &rule.demand, now) {
        Some(fault) => Err(Refusal::of_verified(fault, known)),
        None => Ok(Permitted { rule: Arc::clone(rule), known: Some(known) }),
    }
}

/// Asks one demand, where somebody else has found the route.
///
/// # Errors
/// [`Refusal`] when the token lacks audience or scope.
pub(crate) fn allows(
    token: InForce,
    demand: &Demand,
    now: Timestamp,
) -> Result<Arc<Known>, Refusal> {
    let known = token.into_known();
    match fault(&known, demand, now) {
        Some(fault) => Err(Refusal::of_verified(fault, known)),
        None => Ok(known),
    }
}

fn fault(known: &Known, demand: &Demand, now: Timestamp) -> Option<Fault> {
    let Demand::Token { scopes, audiences, scope_text, further } = demand else { return None };
    let claims = known.token.claims();
    if !audiences.iter().any(|audience| claims.aud.contains(audience)) {
        return Some(Fault::Audience);
    }
    if !scopes.iter().all(|scope| scope.is_met_by(&claims.scope)) {
        return Some(Fault::Scope(Arc::clone(scope_text)));
    }
    further.as_ref().and_then(|beside| beside_fault(known, beside, now))
}

fn beside_fault(known: &Known, beside: &Beside, now: Timestamp) -> Option<Fault> {
    let claims = known.token.claims();
    let Beside { any, any_text, clients, acr, acr_text, max_age, bound } = beside;
    let holds = |set: &[OneOf]| set.iter().all(|scope| scope.is_met_by(&claims.scope));
    if !any.is_empty() && !any.iter().any(|set| holds(set)) {
        return Some(Fault::Scope(Arc::clone(any_text)));
    }
    if !clients.is_empty() && !clients.iter().any(|client| client == claims.client_id.as_str()) {
        return Some(Fault::OtherClient);
    }
    if *bound && known.token.confirmation().is_none() {
        return Some(Fault::Demanded(Proof::Dpop));
    }
    let sure = acr.is_empty() || claims.acr.as_ref().is_some_and(|held| acr.contains(held));
    let recent = max_age.is_none_or(|max_age| {
        claims.auth_time.is_some_and(|at| now < Timestamp::from_secs(at).plus(max_age))
    });
    let max_age = max_age.map(|max_age| max_age.as_secs());
    (!sure || !recent).then(|| Fault::StepUp { acr: acr_text.clone(), max_age })
}

/// The way for routes that need no token.
///
/// # Errors
/// [`Refusal`] when the route is not for this network.
pub(crate) fn permit_public(
    found: &Found<'_>,
    method: &Method,
    ip: IpAddr,
) -> Result<Option<Permitted>, Refusal> {
    let rule = found.rules.rule(method).filter(|rule| matches!(rule.demand, Demand::Public));
    match rule {
        None => Ok(None),
        Some(rule) if !is_for(rule, ip) => Err(Fault::RouteNetwork.into()),
        Some(rule) => Ok(Some(Permitted { rule: Arc::clone(rule), known: None })),
    }
}

fn is_for(rule: &Rule, ip: IpAddr) -> bool {
    rule.networks.is_empty() || rule.networks.iter().any(|net| net.contains(&ip.to_canonical()))
}

// === impl Permitted ===

impl Permitted {
    pub(crate) fn rule(&self) -> &Rule {
        &self.rule
    }

    pub(crate) fn known(&self) -> Option<&Arc<Known>> {
        self.known.as_ref()
    }

    pub(crate) fn into_parts(self) -> (Arc<Rule>, Option<Arc<Known>>) {
        (self.rule, self.known)
    }
}
