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
use crate::inspection::inspect_head;
use crate::limit::Told;
use crate::meters::Outcome;
use crate::observe::Observation;
use crate::refusal::{Fault, Refusal};
use crate::verify::Known;

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
    known: Option<Arc<Known>>,
    remove: Vec<HeaderName>,
    told: Told,
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
        let mut seen = Observation::start(core, head, Some(*ip), now);
        let asked = Asked { head, ip: *ip, now, onward: Onward::Elsewhere, heard: None };
        let mut admitted = match settle(core, asked, &mut seen).await {
            Ok(Verdict::Forward(admitted)) => admitted,
            // The proxy is to send these to a listener of the gateway, without asking.
            Ok(Verdict::Describe | Verdict::Resolve(..) | Verdict::Serve(..)) => {
                return Decision::Refused(self.answer(&Fault::UnknownRoute.into(), seen));
            }
            Err(refusal) => return Decision::Refused(self.answer(&refusal, seen)),
        };
        if let Err(refusal) = inspect_head(core, &admitted, head, &mut seen) {
            return Decision::Refused(self.answer(&refusal, seen));
        }
        let told = admitted.take_held().told;
        let known = admitted.into_known();
        seen.admitted(known.as_ref());
        seen.answered(StatusCode::OK, Outcome::Forwarded);
        let mut remove = not_to_forward(&head.headers, core);
        if let Some(known) = &known {
            // Whoever sets a field replaces the client's.
            remove.retain(|name| known.identity.fields().iter().all(|(set, _)| set != name));
        }
        Decision::Allowed(Allowed { known, remove, told })
    }

    /// The answer for a request of which no description came; `asking` is then what is seen of it.
    pub fn refuse(&self, wrong: BadDescription, asking: &Parts) -> Response<String> {
        let ip = described::client(&asking.headers).ok();
        let seen = Observation::start(&self.0, asking, ip, self.0.clock.now());
        self.answer(&Fault::Description(wrong).into(), seen)
    }

    fn answer(&self, refusal: &Refusal, mut seen: Box<Observation>) -> Response<String> {
        seen.refused(refusal);
        let answer = refusal.answer(&self.0.resource);
        seen.answered(answer.status(), Outcome::Answered);
        answer
    }

    /// The protected resource metadata (RFC 9728 §2), JSON, if that is at this path.
    pub fn metadata(&self, path: &str) -> Option<Bytes> {
        let resource = &self.0.resource;
        resource.answers(path).then(|| resource.document().clone())
    }
}

// === impl Allowed ===

impl Allowed {
    /// The identity fields, to be set in place of whatever the client sent; none on a public route.
    pub fn set(&self) -> impl Iterator<Item = (HeaderName, &HeaderValue)> {
        self.known.iter().flat_map(|known| known.identity.fields())
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
