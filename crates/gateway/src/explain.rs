//! The last requests, kept in memory so that it can be said why each was answered as it was.
//!
//! What a request leaves behind is what its event has, and how far it came; the words are made when
//! somebody asks.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Method};
use token::event::{Event, EventKind, Request, TokenKind};
use token::explanation::{Explainer, Explanation, Outcome, Step as Told};
use token::place::Places;
use token::reason::Refused;
use token::time::Timestamp;

use crate::observe::Named;
use crate::recent::Recent;
use crate::request_id::RequestId;
use crate::route::{Demand, Rule};
use crate::settings::Inspect;
use crate::step::{Door, Failed, Step};

/// A longer path is kept by its beginning.
const LONGEST_PATH: usize = 256;

/// How many requests are remembered, at some 500 bytes each beside the claims of their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Those that were refused, or that the API behind the gateway failed.
    pub refused: usize,
    /// Those that were let through.
    pub passed: usize,
}

/// How far a request came.
pub(crate) struct Course {
    pub(crate) door: Door,
    pub(crate) method: Method,
    pub(crate) who: Named,
    /// The step that it was at last.
    pub(crate) reached: Step,
    /// The gateway itself had the answer: nothing was to come after that step.
    pub(crate) answered: bool,
    /// No token was asked for.
    pub(crate) public: bool,
    pub(crate) failed: Option<Failed>,
    pub(crate) rule: Option<Arc<Rule>>,
    /// The server that it was sent to, and how long that took to begin its answer.
    pub(crate) server: Option<HeaderValue>,
    pub(crate) waited_us: Option<u64>,
}

struct Record {
    id: RequestId,
    at: Timestamp,
    ip: Option<IpAddr>,
    path: Box<str>,
    token: TokenKind,
    status: u16,
    refused: Option<Refused>,
    would_refuse: Option<Refused>,
    would_refuse_detail: Option<Box<str>>,
    latency_us: u64,
    course: Course,
}

/// The requests that are remembered. Refused ones have a place of their own: however many are let through
/// meanwhile, a refusal can be asked about.
pub(crate) struct Requests {
    refused: Recent<Record>,
    passed: Recent<Record>,
    places: Option<Arc<dyn Places>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { refused: 10_000, passed: 2_000 }
    }
}

// === impl Requests ===

impl Requests {
    pub(crate) fn new(kept: Kept, places: Option<Arc<dyn Places>>) -> Self {
        let (refused, passed) = (Recent::new(kept.refused), Recent::new(kept.passed));
        Self { refused, passed, places }
    }

    /// Remembers a request that has ended, by its event.
    pub(crate) fn remember(&self, id: &RequestId, event: &Event, course: Course) {
        let kept = if course.failed.is_some() { &self.refused } else { &self.passed };
        let EventKind::Request(request) = &event.kind else { return };
        if kept.is_on() {
            kept.put(Record::new(id, event, request, course));
        }
    }
}

impl Explainer for Requests {
    fn explain(&self, request: &str) -> Option<Explanation> {
        let look = |record: &Record| {
            (record.id.as_str() == request).then(|| record.explain(self.places.as_deref()))
        };
        self.refused.find(look).or_else(|| self.passed.find(look))
    }
}

// === impl Record ===

impl Record {
    fn new(id: &RequestId, event: &Event, request: &Request, course: Course) -> Self {
        Self {
            id: id.clone(),
            at: event.ts,
            ip: event.ip,
            path: beginning(&request.path).into(),
            token: request.token_kind,
            status: request.status,
            refused: request.refused.clone(),
            would_refuse: request.would_refuse.clone(),
            would_refuse_detail: request.would_refuse_detail.clone(),
            latency_us: request.latency_us,
            course,
        }
    }

    fn explain(&self, places: Option<&dyn Places>) -> Explanation {
        let course = &self.course;
        let rule = course.rule.as_deref();
        Explanation {
            request: self.id.as_str().to_owned(),
            at: self.at,
            door: course.door.name(),
            ip: self.ip,
            method: course.method.as_str().chars().take(LONGEST_PATH).collect(),
            path: self.path.as_ref().to_owned(),
            route: rule.map(|rule| rule.template.as_ref().to_owned()),
            token_kind: self.token,
            who: course.who.who(),
            status: self.status,
            refused: self.refused.clone(),
            would_refuse: self.would_refuse.clone(),
            upstream: self.upstream(),
            upstream_us: course.waited_us,
            latency_us: self.latency_us,
            steps: Step::ALL.iter().map(|step| self.step(*step, places)).collect(),
        }
    }

    fn upstream(&self) -> Option<String> {
        let server = self.course.server.as_ref()?.to_str().ok()?;
        let name = self.course.rule.as_ref().map(|rule| rule.upstream.name());
        Some(format!("{} ({server})", name.unwrap_or_default()))
    }

    fn step(&self, step: Step, places: Option<&dyn Places>) -> Told {
        let course = &self.course;
        let failed = course.failed.as_ref().filter(|failed| failed.step == step);
        let outcome = if failed.is_some() {
            Outcome::Failed
        } else if course.door.leaves_out(step) || (course.public && step.is_about_token()) {
            Outcome::NotNeeded
        } else if step <= course.reached {
            Outcome::Passed
        } else if course.answered && course.failed.is_none() {
            Outcome::NotNeeded
        } else {
            Outcome::NotReached
        };
        let detail = match (outcome, failed) {
            (_, Some(failed)) => Some(failed.detail.as_ref().to_owned()),
            (Outcome::Passed, None) => self.checked(step, places),
            _ => None,
        };
        Told { step: step.name(), outcome, detail }
    }

    fn inspected(&self, rule: &Rule) -> String {
        let judged = judged(rule);
        match (&self.would_refuse, &self.would_refuse_detail) {
            (Some(refused), Some(detail)) => format!("{judged}; would refuse {refused}: {detail}"),
            _ => judged.to_owned(),
        }
    }

    /// What a step that let the request through has looked at.
    fn checked(&self, step: Step, places: Option<&dyn Places>) -> Option<String> {
        let rule = self.course.rule.as_deref();
        match step {
            Step::Clear => self.ip.map(|ip| match places {
                Some(places) => format!("{ip} ({}) is not blocked", places.place(ip)),
                None => format!("{ip} is not blocked"),
            }),
            Step::Target => Some(self.path.as_ref().to_owned()),
            Step::Route => {
                rule.map(|rule| format!("{} to {}", rule.template, rule.upstream.name()))
            }
            Step::Present => Some(kind(self.token).to_owned()),
            Step::Verify => {
                self.course.who.who().token.map(|token| format!("the token is {token}"))
            }
            Step::Permit => rule.map(demands),
            Step::Within => rule.map(|rule| match rule.limits.len() {
                0 => "no limit asked".to_owned(),
                count => format!("{count} limits asked, at a cost of {}", rule.cost),
            }),
            Step::Inspect => rule.map(|rule| self.inspected(rule)),
            Step::Forward => self.course.waited_us.map(|us| {
                let server = self.upstream().unwrap_or_default();
                format!("{server} began its answer after {us} µs")
            }),
            Step::Framing | Step::Bind | Step::InForce | Step::Admit => None,
        }
    }
}

/// The parts of a request that a rule has judged.
fn judged(rule: &Rule) -> &'static str {
    let described = rule.described.as_ref().map(|described| described.enforce);
    match (described, rule.inspect) {
        (None, Inspect::Off) => "off",
        (None, Inspect::Enforce) => "injections refused",
        (None, Inspect::Observe) => "injections observed",
        (Some(true), Inspect::Off) => "description enforced",
        (Some(true), Inspect::Enforce) => "description enforced, injections refused",
        (Some(true), Inspect::Observe) => "description enforced, injections observed",
        (Some(false), Inspect::Off) => "description observed",
        (Some(false), Inspect::Enforce) => "description observed, injections refused",
        (Some(false), Inspect::Observe) => "description observed, injections observed",
    }
}

fn demands(rule: &Rule) -> String {
    let mut words = match (&rule.demand, rule.demand.scopes_in_words()) {
        (Demand::Public, _) => "public".to_owned(),
        (Demand::Token { .. }, None) => "any good token".to_owned(),
        (Demand::Token { .. }, Some(scopes)) => format!("demands {scopes}, which the token has"),
    };
    for place in &rule.places {
        words.push_str(&format!("; for {place}"));
    }
    words
}

fn kind(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::ApiKey => "an API key",
        TokenKind::Jwt => "a JWT",
        TokenKind::None => "no token",
        TokenKind::Opaque => "an opaque token",
        TokenKind::Pat => "a personal token",
        TokenKind::Session => "a session's cookie",
    }
}

fn beginning(path: &str) -> &str {
    path.get(..LONGEST_PATH).unwrap_or_else(|| {
        let cut = path.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST_PATH).last();
        if path.len() > LONGEST_PATH { &path[..cut.unwrap_or(0)] } else { path }
    })
}
