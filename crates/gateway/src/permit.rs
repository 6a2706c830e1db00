//! Step 5, permit: the rule of the route lets this token through.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use token::event::TokenKind;
use token::time::Timestamp;

use crate::core::Core;
use crate::in_force::InForce;
use crate::refusal::{Fault, Refusal};
use crate::route::{Beside, Demand, Found, OneOf, Rule};
use crate::verify::Known;

/// So much may clocks differ: a sign-in further ahead is none.
const CLOCKS: Duration = Duration::from_mins(1);

/// What a rule asks beside the token itself.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'r> {
    pub(crate) core: &'r Core,
    pub(crate) method: &'r Method,
    /// The client's address.
    pub(crate) ip: IpAddr,
    pub(crate) now: Timestamp,
    /// What kind of credential came.
    pub(crate) kind: TokenKind,
}

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
    asked: Circumstances<'_>,
) -> Result<Permitted, Refusal> {
    let known = token.into_known();
    let Some(Found { rules, .. }) = found else {
        return Err(Refusal::of_verified(Fault::UnknownRoute, known));
    };
    if rules.are_in_doubt() {
        return Err(Refusal::of_verified(Fault::PathVariant, known));
    }
    let Some(rule) = rules.rule(asked.method) else {
        let fault = Fault::Method { allow: rules.allow() };
        return Err(Refusal::of_verified(fault, known));
    };
    let circumstantial = closed(rule, asked.core, asked.ip, asked.now);
    match circumstantial.or_else(|| fault(&known, &rule.demand, asked.kind, asked.now)) {
        Some(fault) => Err(Refusal::of_verified(fault, known)),
        None => Ok(Permitted { rule: Arc::clone(rule), known: Some(known) }),
    }
}

fn fault(known: &Known, demand: &Demand, kind: TokenKind, now: Timestamp) -> Option<Fault> {
    let Demand::Token { scopes, audiences, scope_text, further } = demand else { return None };
    let token = &known.token;
    if !audiences.iter().any(|audience| token.audience().contains(audience)) {
        return Some(Fault::Audience);
    }
    if !scopes.iter().all(|scope| scope.is_met_by(token.scopes())) {
        return Some(Fault::Scope(Arc::clone(scope_text)));
    }
    further.as_ref().and_then(|beside| beside_fault(known, beside, kind, now))
}

fn beside_fault(known: &Known, beside: &Beside, kind: TokenKind, now: Timestamp) -> Option<Fault> {
    let token = &known.token;
    let Beside { any, any_text, clients, claims: _, kinds, acr, acr_text, max_age, bound } = beside;
    let holds = |set: &[OneOf]| set.iter().all(|scope| scope.is_met_by(token.scopes()));
    if !any.is_empty() && !any.iter().any(|set| holds(set)) {
        return Some(Fault::Scope(Arc::clone(any_text)));
    }
    if !clients.is_empty() && !clients.iter().any(|client| client == token.facts().client.as_str())
    {
        return Some(Fault::OtherClient);
    }
    if !kinds.is_empty() && !kinds.contains(&kind) {
        return Some(Fault::OtherKind);
    }
    if beside.unmet_claim(token.members()).is_some() {
        return Some(Fault::Claims);
    }
    if !bound.is_met_by(token.confirmation()) {
        return Some(Fault::Bearer(*bound));
    }
    let sure = acr.is_empty() || token.acr().is_some_and(|held| acr.iter().any(|one| one == held));
    let recent = max_age.is_none_or(|max_age| {
        token
            .auth_time()
            .map(Timestamp::from_secs)
            .is_some_and(|at| at <= now.plus(CLOCKS) && now < at.plus(max_age))
    });
    let max_age = max_age.map(|max_age| max_age.as_secs());
    (!sure || !recent).then(|| Fault::StepUp { acr: acr_text.clone(), max_age })
}

/// The way for routes that need no token.
///
/// # Errors
/// [`Refusal`] when the route is not for this network or place, or not open now.
pub(crate) fn permit_public(
    core: &Core,
    found: &Found<'_>,
    method: &Method,
    ip: IpAddr,
    now: Timestamp,
) -> Result<Option<Permitted>, Refusal> {
    let rule = found.rules.rule(method).filter(|rule| matches!(rule.demand, Demand::Public));
    let Some(rule) = rule else { return Ok(None) };
    match closed(rule, core, ip, now) {
        Some(fault) => Err(fault.into()),
        None => Ok(Some(Permitted { rule: Arc::clone(rule), known: None })),
    }
}

/// What keeps everybody out who comes from there, or now.
fn closed(rule: &Rule, core: &Core, ip: IpAddr, now: Timestamp) -> Option<Fault> {
    let Rule { networks, places, hours, .. } = rule;
    if !networks.is_empty() && !networks.iter().any(|net| net.contains(&ip.to_canonical())) {
        return Some(Fault::RouteNetwork);
    }
    if !places.is_empty() {
        let place = core.place(Some(ip));
        if !places.iter().all(|test| test.admits(&place)) {
            return Some(Fault::RoutePlace(place));
        }
    }
    let open = hours.is_empty() || hours.iter().any(|hours| hours.contains(now));
    (!open).then_some(Fault::Closed)
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
