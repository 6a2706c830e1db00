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
    if let Demand::Token { scopes, audiences, .. } = &rule.demand {
        let claims = known.token.claims();
        if !audiences.iter().any(|audience| claims.aud.contains(audience)) {
            return Err(Refusal::of_verified(Fault::Audience, known));
        }
        if !scopes.iter().all(|scope| claims.scope.contains(scope)) {
            return Err(Refusal::of_verified(Fault::Scope(Arc::clone(rule)), known));
        }
    }
    Ok(Permitted { rule: Arc::clone(rule), known: Some(known) })
}

/// The way for routes that need no token.
pub(crate) fn permit_public(found: &Found<'_>, method: &Method) -> Option<Permitted> {
    let rule = found.rules.rule(method).filter(|rule| matches!(rule.demand, Demand::Public))?;
    Some(Permitted { rule: Arc::clone(rule), known: None })
}

// === impl Permitted ===

impl Permitted {
    pub(crate) fn into_parts(self) -> (Arc<Rule>, Option<Arc<Known>>) {
        (self.rule, self.known)
    }
}
