//! The last step, observe: one event for each request, when its answer has ended.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use http::header::{HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Uri};
use token::event::{Event, EventKind, Origin, Request, TokenKind, Who};
use token::ja4::Ja4;
use token::personal::Owner;
use token::reason::Refused;
use token::time::Timestamp;
use token::validate::{Claimed, TokenRefused};

use crate::body::Upload;
use crate::core::Core;
use crate::durations;
use crate::explain::Course;
use crate::limit::InFlight;
use crate::meters::Outcome;
use crate::problem::Form;
use crate::refusal::{Fault, Refusal, Whose};
use crate::request_id::RequestId;
use crate::route::{Found, Rule};
use crate::step::{Door, Failed, Step};
use crate::target::Target;
use crate::upstream::server::Place;
use crate::verify::Known;

/// What the client gets when it does not wait for the answer: nothing; events need a number.
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// Attacker's text goes into events: bounded.
const LONGEST_TEXT: usize = 2048;

/// How a request came.
pub(crate) struct Arrival {
    pub(crate) door: Door,
    /// The client's address, where it is known.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) at: Timestamp,
    /// The client's TLS fingerprint, where its TLS ends here.
    pub(crate) ja4: Option<Ja4>,
    /// Whether what it is called by whoever sends it is taken over.
    pub(crate) named: bool,
}

/// What is known of a request so far. Dropped with the answer's body, it emits the event.
pub(crate) struct Observation {
    core: Arc<Core>,
    id: RequestId,
    began: Instant,
    at: Timestamp,
    ip: Option<IpAddr>,
    ja4: Option<Ja4>,
    form: Form,
    method: Method,
    uri: Uri,
    target: Option<Target>,
    host: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    rule: Option<Arc<Rule>>,
    object: Option<Range<usize>>,
    token: TokenKind,
    who: Named,
    status: u16,
    refused: Option<Refused>,
    /// Who has passed on what is shown.
    passed_on_by: Option<&'static str>,
    /// The policies that decided.
    ruled: Vec<String>,
    /// What was found in a request that is forwarded all the same.
    noticed: Option<Noticed>,
    outcome: Outcome,
    upload: Option<Arc<Upload>>,
    bytes_in: u64,
    bytes_out: u64,
    forgotten: bool,
    /// Places that it takes up; free when the answer has ended.
    places: Vec<InFlight>,
    /// The same at a server.
    server: Option<Place>,
    door: Door,
    /// The step that is under way.
    step: Step,
    public: bool,
    failed: Option<Failed>,
    /// The server that it was sent to.
    sent_to: Option<HeaderValue>,
    waited_us: Option<u64>,
}

/// What a rule that only observes has to say.
struct Noticed {
    refused: Refused,
    detail: Box<str>,
}

/// Whose request it is.
pub(crate) enum Named {
    Nobody,
    Known(Arc<Known>),
    ClaimedByKnown(Arc<Known>),
    Claimed(Arc<TokenRefused>),
}

// === impl Named ===

impl Named {
    /// As events have it.
    pub(crate) fn who(&self) -> Who {
        match self {
            Self::Nobody => Who::default(),
            Self::Known(known) => Who::verified(known.token.facts()),
            Self::ClaimedByKnown(known) => Who::claimed(&claims_of(known)),
            Self::Claimed(refused) => Who::claimed(&refused.claimed),
        }
    }
}

// === impl Observation ===

impl Observation {
    pub(crate) fn start(core: &Arc<Core>, head: &Parts, arrival: Arrival) -> Box<Self> {
        let Arrival { door, ip, ja4, at, named } = arrival;
        Box::new(Self {
            core: Arc::clone(core),
            id: core.answers.name(&head.headers, named, at),
            began: Instant::now(),
            at,
            ip,
            ja4,
            form: Form::of(&head.headers),
            method: head.method.clone(),
            uri: head.uri.clone(),
            target: None,
            host: head.headers.get(HOST).cloned(),
            user_agent: head.headers.get(USER_AGENT).cloned(),
            rule: None,
            object: None,
            token: TokenKind::None,
            who: Named::Nobody,
            status: CLIENT_CLOSED_REQUEST,
            refused: None,
            passed_on_by: None,
            ruled: Vec::new(),
            noticed: None,
            outcome: Outcome::Abandoned,
            upload: None,
            bytes_in: 0,
            bytes_out: 0,
            forgotten: false,
            places: Vec::new(),
            server: None,
            door,
            step: Step::Clear,
            public: false,
            failed: None,
            sent_to: None,
            waited_us: None,
        })
    }

    /// The client's address, where it is known.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// What the request is called.
    pub(crate) fn id(&self) -> &RequestId {
        &self.id
    }

    /// In which form its client reads what the gateway itself answers.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// It is at this step now.
    pub(crate) fn at(&mut self, step: Step) {
        self.step = step;
    }

    /// Nobody asks for a token.
    pub(crate) fn public(&mut self) {
        self.public = true;
    }

    /// It is sent to this server.
    pub(crate) fn sent_to(&mut self, server: &HeaderValue) {
        self.sent_to = Some(server.clone());
    }

    /// The API behind the gateway did not do its part.
    pub(crate) fn upstream_failed(&mut self, words: &str) {
        self.failed = Some(Failed { step: self.step, detail: words.into() });
    }

    /// The target has one meaning.
    pub(crate) fn target(&mut self, target: &Target) {
        self.target = Some(target.clone());
    }

    /// Which rule it would be.
    pub(crate) fn route(&mut self, found: Option<&Found<'_>>, method: &Method) {
        if let Some(found) = found {
            self.rule = found.rules.rule(method).cloned();
            self.object = found.object.clone();
        }
    }

    /// A credential of this kind came.
    pub(crate) fn token_presented(&mut self, kind: TokenKind) {
        self.token = kind;
    }

    /// Whose request is let through.
    pub(crate) fn admitted(&mut self, known: Option<&Arc<Known>>) {
        if let Some(known) = known {
            self.who = Named::Known(Arc::clone(known));
        }
    }

    /// These policies have decided about it.
    pub(crate) fn ruled(&mut self, policies: Vec<String>) {
        self.ruled = policies;
    }

    /// It is refused.
    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.refused = Some(refusal.fault().refused());
        let detail = refusal.explained(self.rule.as_deref(), self.at).into();
        self.failed = Some(Failed { step: self.step, detail });
        self.who = match (refusal.whose(), refusal.fault()) {
            (Whose::Verified(known), _) => Named::Known(Arc::clone(known)),
            (Whose::Claimed(known), _) => Named::ClaimedByKnown(Arc::clone(known)),
            (Whose::Nobody, Fault::Token(refused)) => Named::Claimed(Arc::clone(refused)),
            (Whose::Nobody, _) => Named::Nobody,
        };
        // Whoever shows bait is told to the watcher for that, whatever else is wrong.
        if let Some(bait) = refusal.bait() {
            self.refused = Some(bait.refused.refused.clone());
            self.who = Named::Claimed(Arc::clone(&bait.refused));
            self.passed_on_by = bait.passed_on_by;
        }
    }

    /// It is forwarded, though it breaks a rule that is only observed. The first one counts, but an injection
    /// before all others: the watcher goes by it.
    pub(crate) fn noticed(&mut self, fault: &Fault) {
        let is_injection = matches!(fault, Fault::Injection(_));
        let outweighs =
            |before: &Noticed| is_injection && !matches!(before.refused, Refused::Injection(_));
        if self.noticed.as_ref().is_none_or(outweighs) {
            let detail = fault.for_operators(self.rule.as_deref()).into();
            self.noticed = Some(Noticed { refused: fault.refused(), detail });
        }
    }

    /// It is decided on again, and seen then.
    pub(crate) fn forget(&mut self) {
        self.forgotten = true;
    }

    /// These places are taken until the answer has ended.
    pub(crate) fn hold(&mut self, places: Vec<InFlight>) {
        self.places = places;
    }

    /// This place at a server is taken until the answer has ended.
    pub(crate) fn hold_server(&mut self, place: Place) {
        self.waited_us = u64::try_from(self.began.elapsed().as_micros()).ok();
        self.sent_to = Some(place.server().address.host().clone());
        self.server = Some(place);
    }

    /// Its body is counted here.
    pub(crate) fn upload(&mut self, upload: &Arc<Upload>) {
        self.upload = Some(Arc::clone(upload));
    }

    /// What is answered.
    pub(crate) fn answered(&mut self, status: StatusCode, outcome: Outcome) {
        self.status = status.as_u16();
        self.outcome = outcome;
    }

    /// So much more of the answer was sent.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes_out = self.bytes_out.saturating_add(bytes as u64);
    }

    /// So much went through a tunnel.
    pub(crate) fn tunnelled(&mut self, bytes_in: u64, bytes_out: u64) {
        self.bytes_in = bytes_in;
        self.bytes_out = bytes_out;
    }

    fn course(&mut self) -> Course {
        if self.outcome == Outcome::Abandoned && self.failed.is_none() {
            let detail = "the client went away before the answer".into();
            self.failed = Some(Failed { step: self.step, detail });
        }
        Course {
            door: self.door,
            method: self.method.clone(),
            who: std::mem::replace(&mut self.who, Named::Nobody),
            reached: self.step,
            answered: self.outcome == Outcome::Answered,
            public: self.public,
            failed: self.failed.take(),
            rule: self.rule.take(),
            server: self.sent_to.take(),
            waited_us: self.waited_us,
        }
    }

    /// What the credential was: whose a personal token is, only its record can say.
    fn kind(&self) -> TokenKind {
        let (Named::Known(known) | Named::ClaimedByKnown(known)) = &self.who else {
            return self.token;
        };
        match known.token.personal().map(|personal| &personal.terms.owner) {
            Some(Owner::Service(_)) => TokenKind::ApiKey,
            _ => self.token,
        }
    }

    fn event(&mut self, latency_us: u64) -> Event {
        let path = self.target.as_ref().map_or_else(|| self.uri.path(), |target| target.path());
        let object = self.object.clone().and_then(|range| path.get(range));
        let scopes = match &self.who {
            Named::Known(known) => Some(known.token.scopes().clone()),
            Named::Nobody | Named::ClaimedByKnown(_) | Named::Claimed(_) => None,
        };
        let uploaded = self.upload.as_ref().map(|upload| upload.bytes.load(Ordering::Relaxed));
        let host = match (&self.target, &self.host) {
            (Some(target), _) => text(target.host()),
            (None, Some(host)) => text(host),
            (None, None) => self.uri.authority().map(|authority| bounded(authority.as_str())),
        };
        let noticed = self.noticed.take().map(|noticed| (noticed.refused, noticed.detail));
        let (would_refuse, would_refuse_detail) = noticed.unzip();
        let request = Request {
            request: Some(self.id.as_str().to_owned()),
            token_kind: self.kind(),
            scopes: scopes.unwrap_or_default(),
            method: bounded(self.method.as_str()),
            host,
            path: bounded(path),
            route: self.rule.as_ref().map(|rule| rule.template.as_ref().to_owned()),
            object: object.map(bounded),
            status: self.status,
            refused: self.refused.take(),
            passed_on_by: self.passed_on_by.map(Into::into),
            would_refuse,
            would_refuse_detail,
            policy: std::mem::take(&mut self.ruled),
            // The watcher remembers.
            moved: None,
            bytes_in: uploaded.unwrap_or(self.bytes_in),
            bytes_out: self.bytes_out,
            // To count them, every answer would have to be parsed.
            records_out: None,
            latency_us,
        };
        let ua = self.user_agent.as_ref().and_then(text);
        // What else is known of it is added by the watcher, for whom nobody waits.
        let ja4 = self.ja4.as_ref().map(|ja4| ja4.as_str().to_owned());
        let (who, origin) = (self.who.who(), Origin { ja4, ..Origin::default() });
        Event { ts: self.at, ip: self.ip, who, ua, origin, kind: EventKind::Request(request) }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        if self.forgotten {
            return;
        }
        let took = self.began.elapsed();
        let meters = &self.core.requests;
        match &self.refused {
            Some(refused) => meters.refused(refused),
            None => meters.outcome(self.outcome),
        }
        durations::requests().record(took);
        let event = self.event(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        let course = self.course();
        self.core.recent.remember(&self.id, &event, course);
        self.core.events.emit(event);
    }
}

fn claims_of(known: &Known) -> Claimed {
    let facts = known.token.facts();
    Claimed {
        subject: Some(facts.subject.to_string()),
        client: Some(facts.client.to_string()),
        token: Some(facts.token.to_string()),
    }
}

fn text(value: &HeaderValue) -> Option<String> {
    match value.to_str() {
        Ok(text) => Some(bounded(text)),
        // Not ASCII: shown as far as it is text.
        Err(_) => Some(bounded(&String::from_utf8_lossy(value.as_bytes()))),
    }
}

fn bounded(text: &str) -> String {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
