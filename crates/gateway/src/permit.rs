//! Step 5, permit: the rule of the route lets this token through.

use std::sync::Arc;

use http::Method;

use crate::in_force::InForce;
use crate::refusal::{Fault, Refusal};
use crate::route::{Demand, Found, Rule};
use crate::verify::Known;

/// A request that the rule of its route lets through.
pub struct Permitted {
    rule: Arc<Rule>,
    known: Option<Arc<Known>>,
}

/// Asks the route's rule. Only who has a good token learns which routes there are.
///
/// # Errors
/// [`Refusal`] when no rule knows path and method, or the token lacks audience or scope.
pub(crate) fn permit(
    token: InForce,
    found: Option<Found<'_>>,
    method: &Method,
) -> Result<Permitted, Refusal> {
    let known = token.into_known();
    let Some(Found { rules, .. }) = found else {
        return Err(Refusal::of_verified(Fault::UnknownRoute, known));
    };
    let Some(rule) = rules.rule(method) else {
        let fault = Fault::Method { allow: rules.allow() };
        return Err(Refusal::of_verified(fault, known));
    };
    match fault(&known, &rule.demand) {
        Some(fault) => Err(Refusal::of_verified(fault, known)),
        None => Ok(Permitted { rule: Arc::clone(rule), known: Some(known) }),
    }
}

/// Asks one demand, where somebody else has found the route.
///
/// # Errors
/// [`Refusal`] when the token lacks audience or scope.
pub(crate) fn allows(token: InForce, demand: &Demand) -> Result<Arc<Known>, Refusal> {
    let known = token.into_known();
    match fault(&known, demand) {
        Some(fault) => Err(Refusal::of_verified(fault, known)),
        None => Ok(known),
    }
}

fn fault(known: &Known, demand: &Demand) -> Option<Fault> {
    let Demand::Token { scopes, audiences, scope_text } = demand else { return None };
    let claims = known.token.claims();
    if !audiences.iter().any(|audience| claims.aud.contains(audience)) {
        return Some(Fault::Audience);
    }
    let lacks = !scopes.iter().all(|scope| scope.is_met_by(&claims.scope));
    lacks.then(|| Fault::Scope(Arc::clone(scope_text)))
}

/// The way for routes that need no token.
pub(crate) fn permit_public(found: &Found<'_>, method: &Method) -> Option<Permitted> {
    let rule = found.rules.rule(method).filter(|rule| matches!(rule.demand, Demand::Public))?;
    Some(Permitted { rule: Arc::clone(rule), known: None })
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
