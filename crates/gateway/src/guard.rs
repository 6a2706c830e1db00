//! The door without a gateway: the same check inside another service, which answers by itself.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::{Body, SizeHint};
use token::explanation::Explainer;
use token::reason::{Forgery, Refused};
use token::validate::VerifiedAccessToken;

use crate::admit::Admitted;
use crate::body::{RequestBody, ResponseBody, Upload};
use crate::check::{Asked, Onward, Verdict, check};
use crate::core::Core;
use crate::framing::Framing;
use crate::inspection::{Inspected, broken, inspect, inspect_head};
use crate::limit::{Held, Told};
use crate::meters::Outcome;
use crate::observe::{Arrival, Observation};
use crate::present::present;
use crate::refusal::{Fault, Refusal};
use crate::request_id::RequestId;
use crate::resource::publish;
use crate::route::Rules;
use crate::settings::{RouteRule, SettingsError};
use crate::step::{Door, Step};
use crate::streams::{Streams, Watch, Whose};
use crate::target::Target;
use crate::verify::{Known, named_key};

/// Checks requests that somebody else serves. All clones are the same one.
#[derive(Clone)]
pub struct Guard {
    core: Arc<Core>,
    streams: Arc<Streams>,
}

/// What one place of a service demands, or the rules of all of them.
#[derive(Clone)]
pub struct GuardRule(Option<Arc<Rules>>);

/// What is known of a request beside its head.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// The client's address, where it is known.
    pub ip: Option<IpAddr>,
    /// How long its body is, as far as that is known; `None` where the body is not seen here.
    pub body: Option<SizeHint>,
}

/// A request that was let through; its event is emitted when this is dropped.
pub struct Passed {
    admitted: Admitted,
    told: Told,
    upload: Option<Arc<Upload>>,
    streams: Arc<Streams>,
    core: Arc<Core>,
    seen: Box<Observation>,
}

/// Who sent a request that was let through: its token.
#[derive(Clone)]
pub struct Authenticated(Arc<Known>);

/// A request that goes no further, with the answer for it.
pub struct Stopped {
    missing_key: Option<String>,
    answer: Response<String>,
}

// === impl Guard ===

impl Guard {
    pub(crate) fn new(core: Arc<Core>, streams: Arc<Streams>) -> Self {
        Self { core, streams }
    }

    /// The rules of the settings: a request is held against those of its path and method.
    pub fn routes(&self) -> GuardRule {
        GuardRule(None)
    }

    /// One rule for whatever comes to a place that the service finds by itself. Of the rule's path only the
    /// text counts: by it events, and limits of certain routes, call the place.
    ///
    /// # Errors
    /// [`SettingsError`] says what is wrong with the rule.
    pub fn place(&self, rule: &RouteRule) -> Result<GuardRule, SettingsError> {
        Ok(GuardRule(Some(Arc::new(self.core.compiler.place(rule)?))))
    }

    /// Decides about one request. Nobody is asked: a token of another issuer passes by the keys that are there.
    ///
    /// # Errors
    /// [`Stopped`] with the first rule broken, in the order of the gateway's steps.
    pub fn check(
        &self,
        head: &Parts,
        beside: &Beside,
        rule: &GuardRule,
    ) -> Result<Passed, Box<Stopped>> {
        self.judge(head, beside, rule, false)
    }

    /// The same for a request that was stopped for a key that was missing: now it is seen, however it
    /// ends.
    ///
    /// # Errors
    /// [`Stopped`] as [`Guard::check`].
    pub fn check_again(
        &self,
        head: &Parts,
        beside: &Beside,
        rule: &GuardRule,
    ) -> Result<Passed, Box<Stopped>> {
        self.judge(head, beside, rule, true)
    }

    fn judge(
        &self,
        head: &Parts,
        beside: &Beside,
        rule: &GuardRule,
        again: bool,
    ) -> Result<Passed, Box<Stopped>> {
        let core = &self.core;
        let now = core.clock.now();
        let named = core.answers.names_of_callers();
        let arrival = Arrival { door: Door::Layer, ip: beside.ip, ja4: None, at: now, named };
        let mut seen = Observation::start(core, head, arrival);
        let onward = Onward::Inside { framing: beside.framing(), place: rule.0.as_deref() };
        let ip = beside.ip.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        match check(core, Asked { head, ip, now, onward, heard: None }, &mut seen) {
            Ok(Verdict::Forward(mut admitted)) => {
                seen.admitted(admitted.known());
                let Held { places, told } = admitted.take_held();
                seen.hold(places);
                let (streams, core) = (Arc::clone(&self.streams), Arc::clone(core));
                Ok(Passed { admitted, told, upload: None, streams, core, seen })
            }
            Ok(Verdict::Describe(document)) => Err(describe(core, &head.method, &document, seen)),
            // Browsers and their sessions are for the service itself.
            Ok(Verdict::Leave | Verdict::Resolve(..) | Verdict::Serve(..)) => {
                Err(stopped(answer(core, &Fault::UnknownRoute.into(), seen)))
            }
            Err(refusal) => {
                let unknown = refusal.fault().refused() == Refused::Forged(Forgery::UnknownKey);
                let missing_key = if unknown { presented_key(core, head) } else { None };
                // Who will be asked again is seen then.
                if missing_key.is_some() && !again {
                    seen.forget();
                }
                let answer = answer(core, &refusal, seen);
                Err(Box::new(Stopped { missing_key, answer }))
            }
        }
    }

    /// What a request is called of which nothing else is looked at.
    pub fn name(&self, head: &Parts) -> RequestId {
        let answers = &self.core.answers;
        answers.name(&head.headers, answers.names_of_callers(), self.core.clock.now())
    }

    /// The field that names a request, if there is one.
    pub fn name_field(&self) -> Option<&HeaderName> {
        self.core.answers.field()
    }

    /// The protected resource metadata (RFC 9728 §2), JSON.
    pub fn metadata(&self) -> Bytes {
        self.core.resource.document().clone()
    }

    /// Who knows of the last requests why they were answered so.
    pub fn explainer(&self) -> Arc<dyn Explainer> {
        Arc::clone(&self.core.recent) as Arc<dyn Explainer>
    }

    /// Whether keys are there to check with.
    pub fn has_keys(&self) -> bool {
        !self.core.verifier.keyring.current().is_empty()
    }
}

/// The key that the presented token names.
fn presented_key(core: &Core, head: &Parts) -> Option<String> {
    let target = Target::parse(&head.method, &head.uri, &head.headers, head.version).ok()?;
    let presented = present(&head.headers, None, &target, &core.credentials).ok()?;
    named_key(presented.text())
}

fn answer(core: &Core, refusal: &Refusal, mut seen: Box<Observation>) -> Response<String> {
    seen.refused(refusal);
    let mut answer = refusal.answer(&core.resource, seen.id());
    core.answers.write_name(answer.headers_mut(), seen.id());
    seen.answered(answer.status(), Outcome::Answered);
    answer
}

/// The answer with a document of the check's own.
fn describe(
    core: &Core,
    method: &Method,
    document: &Bytes,
    mut seen: Box<Observation>,
) -> Box<Stopped> {
    if method != Method::GET && method != Method::HEAD {
        let allow = HeaderValue::from_static("GET, HEAD");
        return stopped(answer(core, &Fault::Method { allow }.into(), seen));
    }
    seen.answered(StatusCode::OK, Outcome::Answered);
    let mut answer = publish(document.clone());
    core.answers.write_name(answer.headers_mut(), seen.id());
    stopped(answer.map(|document| String::from_utf8_lossy(&document).into_owned()))
}

fn stopped(answer: Response<String>) -> Box<Stopped> {
    Box::new(Stopped { missing_key: None, answer })
}

// === impl Beside ===

impl Beside {
    fn framing(&self) -> Framing {
        match self.body.as_ref().map(SizeHint::exact) {
            None | Some(Some(0)) => Framing::None,
            Some(Some(length)) => Framing::Length(length),
            Some(None) => Framing::Chunked,
        }
    }
}

// === impl Passed ===

impl Passed {
    /// Who sent it, for whoever answers it; nobody where no token is asked for.
    pub fn authenticated(&self) -> Option<Authenticated> {
        self.admitted.known().map(|known| Authenticated(Arc::clone(known)))
    }

    /// What the request is called.
    pub fn request_id(&self) -> &RequestId {
        self.seen.id()
    }

    /// The token, where one is asked for.
    pub fn token(&self) -> Option<&VerifiedAccessToken> {
        self.admitted.known().map(|known| &known.token)
    }

    /// Judges head and body as the rule has it, and gives the body back for the service: it ends early when
    /// the token does, or when it is longer or slower than it may be.
    ///
    /// # Errors
    /// The answer, where what is wrong is refused.
    pub async fn inspect<B>(
        self,
        head: &Parts,
        body: B,
    ) -> Result<(Self, RequestBody<B>), Box<Response<String>>>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
    {
        let Self { admitted, told, streams, core, mut seen, .. } = self;
        match inspect(&core, &streams, admitted, head, body, &mut seen).await {
            Ok(Inspected { admitted, body, upload }) => {
                Ok((Self { admitted, told, upload, streams, core, seen }, body))
            }
            Err(refusal) => Err(Box::new(answer(&core, &refusal, seen))),
        }
    }

    /// Judges the head alone, for whoever keeps the body to himself.
    ///
    /// # Errors
    /// The answer, where what is wrong is refused.
    pub fn inspect_head(mut self, head: &Parts) -> Result<Self, Box<Response<String>>> {
        self.seen.at(Step::Inspect);
        match inspect_head(&self.core, &self.admitted, head, &mut self.seen) {
            Ok(()) => Ok(self),
            Err(refusal) => Err(Box::new(answer(&self.core, &refusal, self.seen))),
        }
    }

    /// What the answer is to say of limits.
    pub fn limits(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        self.told.write(&mut fields);
        fields
    }

    /// The service has answered so, and has sent it all.
    pub fn answered(mut self, status: StatusCode) {
        self.seen.answered(status, Outcome::Forwarded);
    }

    /// The service's answer with what there is to say of the request and its limits. What the request takes up is
    /// free, and its event emitted, when the body has ended; that ends early when the token does.
    ///
    /// # Errors
    /// Another answer, where the request's body was cut off: the service has seen a part of it.
    pub fn respond<B>(
        mut self,
        response: Response<B>,
    ) -> Result<Response<ResponseBody<B>>, Box<Response<String>>>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
    {
        if let Some(upload) = &self.upload {
            if upload.fault().is_some() {
                let refusal = broken(upload, &self.admitted);
                return Err(Box::new(answer(&self.core, &refusal, self.seen)));
            }
            upload.answered();
        }
        self.seen.at(Step::Forward);
        self.seen.answered(response.status(), Outcome::Forwarded);
        let (mut head, body) = response.into_parts();
        self.told.write(&mut head.headers);
        self.core.answers.write_name(&mut head.headers, self.seen.id());
        let whose = Whose { known: self.admitted.known().cloned(), ip: self.admitted.ip() };
        let watch = Watch::new(&self.streams, whose, self.admitted.seen());
        Ok(Response::from_parts(head, ResponseBody::stream(body, watch, self.seen)))
    }
}

// === impl Authenticated ===

impl Authenticated {
    /// The token.
    pub fn token(&self) -> &VerifiedAccessToken {
        &self.0.token
    }
}

// === impl Stopped ===

impl Stopped {
    /// The name of the key that the token was signed with, if that is all that is missing: a newer
    /// key set may have it.
    pub fn missing_key(&self) -> Option<&str> {
        self.missing_key.as_deref()
    }

    /// The answer to send.
    pub fn into_answer(self) -> Response<String> {
        self.answer
    }
}
