//! The path of a request: each step takes the proof of the step before.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use token::event::TokenKind;
use token::secret::Secret;
use token::time::Timestamp;

use crate::admit::{Admitted, Cleared, admit, clear};
use crate::ask::Heard;
use crate::bait;
use crate::browser_app::App;
use crate::core::Core;
use crate::cors::Cors;
use crate::framing::{BadFraming, Framing, framing};
use crate::in_force::{InForce, in_force};
use crate::inside::JWKS_PATH;
use crate::observe::Observation;
use crate::permit::{Circumstances, Permitted, permit, permit_public};
use crate::policy::decide;
use crate::present::{Presented, present, present_cookie_alone, present_nothing, present_session};
use crate::refusal::{Fault, Refusal};
use crate::route::{EVERY_METHOD, Found, Rules};
use crate::settings::RequestLimits;
use crate::shed::Rank;
use crate::step::Step;
use crate::target::Target;
use crate::usage;

/// A request as it is judged, whatever the door by which it came.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) head: &'r Parts,
    /// The client's address; unspecified where it is not known, which only a layer lets happen.
    pub(crate) ip: IpAddr,
    pub(crate) now: Timestamp,
    pub(crate) onward: Onward<'r>,
    /// What the token's issuer has said, once it was asked.
    pub(crate) heard: Option<&'r Heard>,
}

/// Who sends it on, if it is not refused.
#[derive(Clone, Copy)]
pub(crate) enum Onward<'r> {
    /// The proxy that asks: it has the body, and settles where it ends. Applications whose credential is
    /// a cookie are not known there.
    Elsewhere,
    /// This gateway.
    Here {
        /// Whether the body has ended already, and its length, as far as the HTTP parser knows.
        ended: bool,
        exact: Option<u64>,
        /// The access token that is kept for the request's cookie, once that was asked for.
        session: Option<&'r Secret>,
    },
    /// The service that this is in: its server has settled where the body ends.
    Inside {
        /// Where its body ends, as far as the server knows.
        framing: Framing,
        /// The rules, where the service itself has found the route.
        place: Option<&'r Rules>,
    },
}

/// What a request comes to when it is not refused.
pub(crate) enum Verdict {
    /// It asks for a document of the gateway's own: its metadata, or its keys.
    Describe(Bytes),
    /// A browser asks for leave to send a request, and gets it (CORS).
    Leave,
    /// It goes on.
    Forward(Admitted),
    /// It is to be decided again, with the access token that is kept for this cookie.
    Resolve(Arc<App>, Secret),
    /// It is for the server of an application in browsers.
    Serve(Arc<App>, Target),
}

/// What is certain of a request before anybody is asked for.
struct Certain {
    cleared: Cleared,
    target: Target,
    framing: Framing,
}

/// Decides about one request.
///
/// # Errors
/// [`Refusal`] with the first rule broken, in the order of the steps.
pub(crate) fn check(
    core: &Core,
    asked: Asked<'_>,
    seen: &mut Observation,
) -> Result<Verdict, Refusal> {
    let Asked { head, ip, now, .. } = asked;
    let certain = certain(core, asked, seen)?;
    seen.at(Step::Route);
    let app = asked.app(core, &certain.target);
    if let Some(verdict) = own(core, asked, app, &certain.target)? {
        return Ok(verdict);
    }
    let found = asked.found(core, &certain.target);
    seen.route(found.as_ref(), &head.method);
    let public = found
        .as_ref()
        .map(|found| permit_public(core, found, &head.method, ip, now))
        .transpose()?;
    seen.at(Step::Present);
    match public.flatten() {
        Some(permitted) => without_token(core, asked, certain, permitted, seen),
        None => with_token(core, asked, certain, app, found, seen),
    }
}

/// The steps that are alike for every request: its network, its target, its body's end.
fn certain(core: &Core, asked: Asked<'_>, seen: &mut Observation) -> Result<Certain, Refusal> {
    let Asked { head, ip, now, .. } = asked;
    seen.at(Step::Clear);
    let cleared = clear(ip, &core.index, now)?;
    seen.at(Step::Target);
    if head.method == Method::CONNECT {
        return Err(Fault::Method { allow: HeaderValue::from_static(EVERY_METHOD) }.into());
    }
    within_fields(&head.headers, &core.request_limits)?;
    let target = Target::parse(&head.method, &head.uri, &head.headers, head.version)?;
    seen.target(&target);
    seen.at(Step::Framing);
    let framing = asked.framing()?;
    Ok(Certain { cleared, target, framing })
}

/// The verdict where the gateway itself has the answer.
fn own(
    core: &Core,
    asked: Asked<'_>,
    app: Option<&Arc<App>>,
    target: &Target,
) -> Result<Option<Verdict>, Refusal> {
    let head = asked.head;
    if asked.place().is_some() {
        return Ok(None);
    }
    if let Some(document) = document(core, target, asked.now)? {
        return Ok(Some(Verdict::Describe(document)));
    }
    if let Some(app) = app.filter(|app| app.serves(target.path())) {
        app.own(&head.method, &head.headers)?;
        return Ok(Some(Verdict::Serve(Arc::clone(app), target.clone())));
    }
    // Alike for every path but those of routes that have a rule of their own, so that nobody learns which others
    // there are.
    let leave = asked.is_here()
        && Cors::is_preflight(head)
        && core.cors(head).is_some_and(|cors| cors.origin(&head.headers).is_some());
    Ok(leave.then_some(Verdict::Leave))
}

fn without_token(
    core: &Core,
    asked: Asked<'_>,
    certain: Certain,
    permitted: Permitted,
    seen: &mut Observation,
) -> Result<Verdict, Refusal> {
    let Certain { cleared, target, framing } = certain;
    present_nothing(&target)
        .map_err(|refusal| refusal.with_bait(bait::in_head(core, asked.head, &target)))?;
    fits(framing, &permitted)?;
    seen.public();
    seen.at(Step::Within);
    core.shedder.admit(Rank::Unknown)?;
    let within = core.limits.within(permitted, asked.ip, asked.now)?;
    seen.at(Step::Admit);
    Ok(Verdict::Forward(admit(cleared, target, framing, within)))
}

fn with_token(
    core: &Core,
    asked: Asked<'_>,
    certain: Certain,
    app: Option<&Arc<App>>,
    found: Option<Found<'_>>,
    seen: &mut Observation,
) -> Result<Verdict, Refusal> {
    let Asked { head, ip, now, .. } = asked;
    let Certain { cleared, target, framing } = certain;
    let wanted = || {
        let rules = found.as_ref().filter(|_| core.challenge_scopes)?.rules;
        rules.rule(&head.method)?.demand.scope_text().cloned()
    };
    let certificate = head.extensions.get();
    let baited = |refusal: Refusal| refusal.with_bait(bait::in_head(core, head, &target));
    let presented = match cookie(core, app, head, &target, seen).map_err(baited)? {
        None => present(&head.headers, certificate, &target, &core.credentials)
            .map_err(|refusal| baited(refusal.with_scope(wanted)))?,
        Some((app, cookie)) => match asked.session() {
            None => return Ok(Verdict::Resolve(app, cookie)),
            Some(token) => present_session(token, certificate),
        },
    };
    let kind = core.verifier.kind(&presented);
    seen.token_presented(kind);
    let circumstances = Circumstances { core, method: &head.method, ip, now, kind };
    let within = check_token(core, &presented, asked.heard, head, &target, now, seen)
        .and_then(|token| {
            seen.at(Step::Permit);
            permit(token, found, circumstances)
        })
        .and_then(|permitted| decide(permitted, core, &target, circumstances, seen))
        .and_then(|permitted| {
            seen.at(Step::Within);
            fits(framing, &permitted)?;
            core.limits.within(permitted, ip, now)
        })
        .map_err(|refusal| refusal.told_by(presented.scheme()))?;
    seen.at(Step::Admit);
    usage::note(core, within.permitted(), ip, now);
    Ok(Verdict::Forward(admit(cleared, target, framing, within)))
}

// === impl Asked ===

impl<'r> Asked<'r> {
    fn framing(&self) -> Result<Framing, BadFraming> {
        match self.onward {
            Onward::Elsewhere => Ok(Framing::None),
            Onward::Here { ended, exact, .. } => {
                framing(self.head.version, &self.head.headers, ended, exact)
            }
            Onward::Inside { framing, .. } => Ok(framing),
        }
    }

    fn place(&self) -> Option<&'r Rules> {
        match self.onward {
            Onward::Inside { place, .. } => place,
            Onward::Elsewhere | Onward::Here { .. } => None,
        }
    }

    /// The rules for this path, or those of the place where the service has brought the request.
    fn found<'f>(&self, core: &'f Core, target: &Target) -> Option<Found<'f>>
    where
        'r: 'f,
    {
        match self.place() {
            Some(rules) => Some(Found { rules, object: None }),
            None => core.routes.find(target.path()),
        }
    }

    fn is_here(&self) -> bool {
        matches!(self.onward, Onward::Here { .. })
    }

    fn app<'c>(&self, core: &'c Core, target: &Target) -> Option<&'c Arc<App>> {
        match self.onward {
            Onward::Elsewhere | Onward::Inside { .. } => None,
            Onward::Here { .. } => core.apps.at(target.host()),
        }
    }

    fn session(&self) -> Option<&'r Secret> {
        match self.onward {
            Onward::Elsewhere | Onward::Inside { .. } => None,
            Onward::Here { session, .. } => session,
        }
    }
}

/// A document of the gateway's own: what it is for, or its keys.
fn document(core: &Core, target: &Target, now: Timestamp) -> Result<Option<Bytes>, Fault> {
    if core.resource.answers(target.path()) {
        return Ok(Some(core.resource.document().clone()));
    }
    let inside = core.inside.as_ref().filter(|_| target.path() == JWKS_PATH);
    inside.map(|inside| inside.jwks(now)).transpose().map_err(|_| Fault::NoInternalKey)
}

/// Whether the header fields are as many and as long as they may be (RFC 6585 §5).
fn within_fields(headers: &HeaderMap, limits: &RequestLimits) -> Result<(), Fault> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let fit = headers.len() <= limits.fields && bytes <= limits.field_bytes;
    if fit { Ok(()) } else { Err(Fault::Fields) }
}

/// Whether a body of known length is as long as its route lets it be; of others the bytes are counted as they
/// come.
fn fits(framing: Framing, permitted: &Permitted) -> Result<(), Refusal> {
    match (framing, permitted.rule().body_bytes) {
        (Framing::Length(length), Some(most)) if length > most => Err(match permitted.known() {
            Some(known) => Refusal::of_verified(Fault::BodyTooLarge, Arc::clone(known)),
            None => Fault::BodyTooLarge.into(),
        }),
        _ => Ok(()),
    }
}

/// The session's cookie where it is the credential: of an application, alone, in a request of its own.
fn cookie(
    core: &Core,
    app: Option<&Arc<App>>,
    head: &Parts,
    target: &Target,
    seen: &mut Observation,
) -> Result<Option<(Arc<App>, Secret)>, Refusal> {
    let Some(app) = app else { return Ok(None) };
    let Some(cookie) = app.cookie(&head.headers)? else { return Ok(None) };
    seen.token_presented(TokenKind::Session);
    present_cookie_alone(&head.headers, target, &core.credentials)?;
    app.own(&head.method, &head.headers)?;
    Ok(Some((Arc::clone(app), cookie)))
}

/// The steps that ask about the token alone.
fn check_token(
    core: &Core,
    presented: &Presented<'_>,
    heard: Option<&Heard>,
    head: &Parts,
    target: &Target,
    now: Timestamp,
    seen: &mut Observation,
) -> Result<InForce, Refusal> {
    let ip = seen.ip();
    seen.at(Step::Verify);
    let doubt = || {
        core.shedder.admit(Rank::Unknown)?;
        core.limits.doubt(ip, now)
    };
    let verified = core.verifier.verify(presented, heard, now, doubt);
    let verified = verified.map_err(|refusal| refusal.or_bait(&core.honeytokens))?;
    seen.at(Step::Bind);
    let bound = core.binder.bind(verified, presented, &head.method, target, now)?;
    seen.at(Step::InForce);
    in_force(bound, core, ip, now)
}
