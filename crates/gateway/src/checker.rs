//! The door for other people's proxies: they describe a request, are told, and forward it themselves.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::ask::settle;
use crate::check::{Asked, Onward, Verdict};
use crate::core::Core;
use crate::described::{self, BadDescription, Described};
use crate::headers::not_to_forward;
use crate::identity::identify;
use crate::inspection::inspect_head;
use crate::limit::Told;
use crate::meters::Outcome;
use crate::observe::{Arrival, Observation};
use crate::refusal::{Fault, Refusal};
use crate::request_id::RequestId;
use crate::step::{Door, Step};

/// Decides about requests that proxies describe. All clones are the same one.
#[derive(Clone)]
pub struct Checker(Arc<Core>);

/// What a proxy is to do with a request.
pub enum Decision {
    /// Forward it, changed so.
    Allowed(Allowed),
    /// Answer it so.
    Refused(Response<String>),
}

/// How a request is to be changed that is forwarded.
pub struct Allowed {
    set: HeaderMap,
    remove: Vec<HeaderName>,
    told: Told,
    name: Option<(HeaderName, HeaderValue)>,
}

// === impl Checker ===

impl Checker {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self(core)
    }

    /// Decides about one request, by the steps of the gateway's own door. Its event is emitted before this
    /// returns.
    pub async fn decide(&self, described: &Described) -> Decision {
        let core = &self.0;
        let now = core.clock.now();
        let Described { head, ip } = described;
        let arrival = Arrival {
            door: Door::Auth,
            ip: Some(*ip),
            ja4: None,
            at: now,
            named: core.answers.names_of_callers(),
        };
        let mut seen = Observation::start(core, head, arrival);
        let asked = Asked { head, ip: *ip, now, onward: Onward::Elsewhere, heard: None };
        let mut admitted = match settle(core, asked, &mut seen).await {
            Ok(Verdict::Forward(admitted)) => admitted,
            // The proxy is to send these to a listener of the gateway, without asking.
            Ok(
                Verdict::Describe(_) | Verdict::Leave | Verdict::Resolve(..) | Verdict::Serve(..),
            ) => {
                seen.at(Step::Route);
                return Decision::Refused(self.answer(&Fault::UnknownRoute.into(), seen));
            }
            Err(refusal) => return Decision::Refused(self.answer(&refusal, seen)),
        };
        seen.at(Step::Inspect);
        if let Err(refusal) = inspect_head(core, &admitted, head, &mut seen) {
            return Decision::Refused(self.answer(&refusal, seen));
        }
        let told = admitted.take_held().told;
        let mut set = HeaderMap::new();
        if let Err(fault) = identify(&mut set, core, &admitted, now) {
            return Decision::Refused(self.answer(&fault.into(), seen));
        }
        seen.admitted(admitted.known());
        seen.answered(StatusCode::OK, Outcome::Forwarded);
        let mut remove = not_to_forward(&head.headers, core);
        let name = core.answers.named(seen.id());
        // Whoever sets a field replaces the client's.
        remove.retain(|doomed| {
            !set.contains_key(doomed) && name.as_ref().is_none_or(|(set, _)| set != doomed)
        });
        Decision::Allowed(Allowed { set, remove, told, name })
    }

    /// The answer for a request of which no description came; `asking` is then what is seen of it.
    pub fn refuse(&self, wrong: BadDescription, asking: &Parts) -> Response<String> {
        let ip = described::client(&asking.headers).ok();
        let named = self.0.answers.names_of_callers();
        let seen = Observation::start(
            &self.0,
            asking,
            Arrival { door: Door::Auth, ip, ja4: None, at: self.0.clock.now(), named },
        );
        self.answer(&Fault::Description(wrong).into(), seen)
    }

    fn answer(&self, refusal: &Refusal, mut seen: Box<Observation>) -> Response<String> {
        seen.refused(refusal);
        let mut answer = refusal.answer(&self.0.resource, seen.id());
        self.0.answers.write_name(answer.headers_mut(), seen.id());
        seen.answered(answer.status(), Outcome::Answered);
        answer
    }

    /// For an answer to whom no request was described.
    pub(crate) fn new_id(&self) -> RequestId {
        RequestId::new(self.0.clock.now())
    }

    /// The protected resource metadata (RFC 9728 §2), JSON, if that is at this path.
    pub fn metadata(&self, path: &str) -> Option<Bytes> {
        let resource = &self.0.resource;
        resource.answers(path).then(|| resource.document().clone())
    }
}

// === impl Allowed ===

impl Allowed {
    /// The identity fields, none on a public route, and what the request is called: to be set in place of
    /// whatever the client sent.
    pub fn set(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.set.iter().chain(self.name())
    }

    /// What the request is called, to be set in the answer too.
    pub fn name(&self) -> Option<(&HeaderName, &HeaderValue)> {
        self.name.as_ref().map(|(name, value)| (name, value))
    }

    /// What the answer is to say of limits.
    pub fn limits(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        self.told.write(&mut fields);
        fields
    }

    /// The client's fields to be taken out.
    pub fn remove(&self) -> &[HeaderName] {
        &self.remove
    }
}
