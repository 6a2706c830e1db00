//! The path of a request, on one screen: each step takes the proof of the step before.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderValue, Method};
use hyper::body::{Body as _, Incoming};
use token::time::Timestamp;

use crate::admit::{Admitted, admit, clear};
use crate::core::Core;
use crate::framing::framing;
use crate::in_force::{InForce, in_force};
use crate::observe::Observation;
use crate::permit::{permit, permit_public};
use crate::present::{Presented, present, present_nothing};
use crate::refusal::{Fault, Refusal};
use crate::route::EVERY_METHOD;
use crate::target::Target;

/// What a request comes to when it is not refused.
pub(crate) enum Verdict {
    /// It asks for the protected resource metadata, which the gateway itself has.
    Describe,
    /// It goes on.
    Forward(Admitted),
}

/// Decides about one request.
///
/// # Errors
/// [`Refusal`] with the first rule broken, in the order of the steps.
pub(crate) fn check(
    core: &Core,
    head: &Parts,
    body: &Incoming,
    ip: IpAddr,
    now: Timestamp,
    seen: &mut Observation,
) -> Result<Verdict, Refusal> {
    let cleared = clear(ip, &core.index, now)?;
    if head.method == Method::CONNECT {
        return Err(Fault::Method { allow: HeaderValue::from_static(EVERY_METHOD) }.into());
    }
    let target = Target::parse(&head.method, &head.uri, &head.headers, head.version)?;
    seen.target(&target);
    let exact = body.size_hint().exact();
    let framing = framing(head.version, &head.headers, body.is_end_stream(), exact)?;
    if core.resource.answers(target.path()) {
        return Ok(Verdict::Describe);
    }
    let found = core.routes.find(target.path());
    seen.route(found.as_ref(), &head.method);
    if let Some(permitted) = found.as_ref().and_then(|found| permit_public(found, &head.method)) {
        present_nothing(&target)?;
        return Ok(Verdict::Forward(admit(cleared, target, framing, permitted)));
    }
    let wanted = || {
        let rules = found.as_ref().filter(|_| core.challenge_scopes)?.rules;
        rules.rule(&head.method)?.demand.scope_text().cloned()
    };
    let presented = present(&head.headers, head.extensions.get(), &target)
        .map_err(|refusal| refusal.with_scope(wanted))?;
    seen.token_presented(presented.kind());
    let permitted = check_token(core, &presented, &head.method, &target, now)
        .and_then(|token| permit(token, found, &head.method))
        .map_err(|refusal| refusal.told_by(presented.scheme()))?;
    Ok(Verdict::Forward(admit(cleared, target, framing, permitted)))
}

/// The steps that ask about the token alone.
pub(crate) fn check_token(
    core: &Core,
    presented: &Presented<'_>,
    method: &Method,
    target: &Target,
    now: Timestamp,
) -> Result<InForce, Refusal> {
    let verified = core.verifier.verify(presented, now);
    let verified = verified.map_err(|refusal| refusal.or_bait(&core.honeytokens))?;
    let bound = core.binder.bind(verified, presented, method, target, now)?;
    in_force(bound, &core.honeytokens, &core.index, now)
}
