//! Step 5, second half: policies decide where the lists of a rule are not enough.
//!
//! Who decides is not known here: somebody that answers [`Policies`]. What it makes of a token is kept with
//! the token, so that claims are not read again for each request.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;

use http::Method;
use token::event::TokenKind;
use token::ladder::Ladder;
use token::place::Place;
use token::scope::ScopeSet;
use token::time::Timestamp;
use token::validate::VerifiedAccessToken;

use crate::core::Core;
use crate::observe::Observation;
use crate::permit::{Circumstances, Permitted};
use crate::refusal::{Fault, Refusal};
use crate::target::Target;

/// Decides by policies.
pub trait Policies: Send + Sync + 'static {
    /// Who a token speaks for, as policies see it; `scopes` are those that count, with all that they include.
    fn principal(&self, token: &VerifiedAccessToken, scopes: &ScopeSet) -> Principal;

    /// Decides about one request. What cannot be decided is refused.
    fn decide(&self, asked: &Question<'_>) -> Ruling;
}

/// What [`Policies::principal`] has made, in the form of whoever made it.
pub struct Principal(Box<dyn Any + Send + Sync>);

/// What policies can ask about.
#[derive(Clone, Copy)]
pub struct Question<'r> {
    /// Who asks.
    pub principal: &'r Principal,
    /// What kind of credential came.
    pub kind: TokenKind,
    /// Whether the token is bound to a key or a certificate.
    pub bound: bool,
    /// The method.
    pub method: &'r Method,
    /// The route's template, such as `/orders/{id}`.
    pub route: &'r str,
    /// The template's parameters and their values, as they are in the path.
    pub parameters: &'r [(&'r str, &'r str)],
    /// The path, in its normal form.
    pub path: &'r str,
    /// The host that was asked for.
    pub host: &'r str,
    /// The name of the upstream.
    pub upstream: &'r str,
    /// The client's address.
    pub ip: IpAddr,
    /// Where that is, as far as it is known.
    pub place: Place,
    /// The time.
    pub now: Timestamp,
}

/// What policies have decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// Whether one of them permits it and none forbids it.
    pub allowed: bool,
    /// The names of those that decided: of permits, of forbids, or of those that could not be evaluated. None
    /// where nothing permits it.
    pub policies: Vec<String>,
}

// === impl Principal ===

impl Principal {
    /// Keeps this.
    pub fn new<T: Any + Send + Sync>(made: T) -> Self {
        Self(Box::new(made))
    }

    /// What was kept, for whoever made it.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Principal(..)")
    }
}

/// Asks the policies, where there are some and the rule wants them.
///
/// # Errors
/// [`Refusal`] when nothing permits the request, something forbids it, or a policy cannot be evaluated.
pub(crate) fn decide(
    permitted: Permitted,
    core: &Core,
    target: &Target,
    asked: Circumstances<'_>,
    seen: &mut Observation,
) -> Result<Permitted, Refusal> {
    let rule = permitted.rule();
    let (Some(policies), Some(known)) = (core.policies.as_ref(), permitted.known()) else {
        return Ok(permitted);
    };
    if !rule.decided {
        return Ok(permitted);
    }
    let principal = known.principal(|| make(&**policies, &known.token, &core.ladder));
    let question = Question {
        principal,
        kind: asked.kind,
        bound: known.token.confirmation().is_some(),
        method: asked.method,
        route: &rule.template,
        parameters: &rule.parameters.values(target.path()),
        path: target.path(),
        host: target.host().to_str().unwrap_or_default(),
        upstream: rule.upstream.name(),
        ip: asked.ip.to_canonical(),
        place: core.place(Some(asked.ip)),
        now: asked.now,
    };
    let Ruling { allowed, policies } = policies.decide(&question);
    seen.ruled(policies);
    if allowed {
        return Ok(permitted);
    }
    let (_, known) = permitted.into_parts();
    Err(match known {
        Some(known) => Refusal::of_verified(Fault::Policy, known),
        None => Fault::Policy.into(),
    })
}

fn make(policies: &dyn Policies, token: &VerifiedAccessToken, ladder: &Ladder) -> Principal {
    policies.principal(token, &ladder.reach(token.scopes()))
}
