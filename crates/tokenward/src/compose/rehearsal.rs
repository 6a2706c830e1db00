//! A gateway in memory, as configured, for requests that nobody has sent: its keys are made for it alone, so that
//! it can be shown any token, and it opens no socket and no store.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gateway::described::{Described, Told};
use gateway::explain::Kept;
use gateway::inside::InternalKeys;
use gateway::policy::Policies;
use gateway::{Answering, ForeignIssuer, Gateway, IssuerServer, Prospect};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use token::event::{Event, EventKind, EventSink};
use token::explanation::Outcome;
use token::key::PrivateKey;
use token::keyring::Keyring;
use token::place::Places;
use token::random::{OsRandom, Random as _};
use token::reason::Refused;
use token::reference::{References, Unavailable};
use token::secret::Secret;
use token::time::{Clock, Timestamp};
use zeroize::Zeroizing;

use super::{gateway_parts, issuers, longest_token_life, places, policies};
use crate::clock::SystemClock;
use crate::command::Failure;
use crate::config::Config;
use crate::config::check;

mod mint;

use mint::Mint;
pub(crate) use mint::Token;

/// A gateway that answers cases.
pub(crate) struct Rehearsal {
    gateway: Gateway,
    mint: Mint,
    host: String,
    shared: Arc<Shared>,
}

/// What a case is about.
pub(crate) struct Request<'c> {
    pub(crate) method: &'c str,
    /// The path, perhaps with a query.
    pub(crate) path: &'c str,
    /// Without it, that of the gateway's resource.
    pub(crate) host: Option<&'c str>,
    /// The client's address.
    pub(crate) ip: IpAddr,
    /// Without it, now.
    pub(crate) time: Option<Timestamp>,
    pub(crate) token: Option<Token<'c>>,
}

/// What kind of token it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A JWT.
    #[default]
    Jwt,
    /// A value that stands for one.
    Opaque,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    /// Why it was refused; `None` when it was allowed.
    pub(crate) refused: Option<Refused>,
    /// What was demanded, and what was there instead.
    pub(crate) why: Option<String>,
    /// The template of the route.
    pub(crate) route: Option<String>,
    /// The policies that decided.
    pub(crate) policies: Vec<String>,
}

/// The time, the events and the opaque token of the case that is under way.
struct Shared {
    now: AtomicI64,
    event: Mutex<Option<Event>>,
    jwt: Mutex<Option<Secret>>,
}

/// There is nobody to ask here.
struct Nobody;

// === impl Rehearsal ===

impl Rehearsal {
    /// A gateway as configured, without its limits.
    ///
    /// # Errors
    /// [`Failure`] when there is none, or a part of it is wrong.
    pub(crate) fn new(config: &Config) -> Result<Self, Failure> {
        let part = config.gateway.as_ref().ok_or_else(|| {
            Failure::new("the configuration has no `[gateway]`: there is nothing to try")
        })?;
        let (issuer, resource) = (check::own_issuer(&config.authority), check::own_resource(part));
        let host = url::Url::parse(&resource).map_err(Failure::new)?;
        let host = host[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let mut settings = gateway_parts::settings(part, issuer.clone(), resource.clone(), config)?;
        // How often something comes says nothing about whether it may.
        settings.limits.clear();
        settings.doubtful = None;
        settings.kept = Kept { refused: 1, passed: 0 };
        let rules = part
            .issuers
            .iter()
            .map(|issuer| issuers::rules(issuer, &settings, longest_token_life(config)));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        let mint = Mint::new(issuer, resource, &rules)?;
        let shared = Arc::new(Shared {
            now: AtomicI64::new(0),
            event: Mutex::default(),
            jwt: Mutex::default(),
        });
        let foreign = rules.into_iter().zip(mint.foreign_keyrings());
        let foreign = foreign.map(|(rules, keyring)| ForeignIssuer {
            rules,
            keyring: Some(keyring),
            introspection: None,
            server: Arc::new(Nobody),
        });
        let parts = gateway::Parts {
            keyring: Arc::new(Keyring::new(mint.keys())),
            index: Arc::default(),
            honeytokens: Arc::default(),
            events: Arc::clone(&shared) as Arc<dyn EventSink>,
            clock: Arc::clone(&shared) as Arc<dyn Clock>,
            decryption: Vec::new(),
            nonces: None,
            references: Some(Arc::clone(&shared) as Arc<dyn References>),
            personal: None,
            internal_keys: Some(Arc::new(passing_keys()?)),
            issuers: foreign.collect(),
            places: places::open(&config.geo)?.map(|geo| geo as Arc<dyn Places>),
            policies: policies::shared(part)?.map(|engine| engine as Arc<dyn Policies>),
            browser_apps: Vec::new(),
        };
        let gateway = Gateway::new(settings, parts).map_err(Failure::new)?;
        Ok(Self { gateway, mint, host, shared })
    }

    /// Decides about one request, by the steps of the gateway's door for other proxies.
    ///
    /// # Errors
    /// [`Failure`] when it is no request, or no such token can be made.
    pub(crate) async fn decide(&self, asked: &Request<'_>) -> Result<Decided, Failure> {
        let now = asked.time.unwrap_or_else(|| SystemClock.now());
        self.shared.now.store(now.as_millis(), Ordering::SeqCst);
        let host = asked.host.unwrap_or(&self.host);
        let told = Told::new(asked.method.as_bytes(), asked.path, host.as_bytes(), asked.ip);
        let told = told.map_err(Failure::new)?;
        let mut headers = HeaderMap::new();
        let mut certificate = None;
        if let Some(token) = &asked.token {
            let made = self.mint.make(token, now)?;
            certificate = made.certificate;
            let shown = made.opaque.unwrap_or_else(|| made.jwt.clone());
            *lock(&self.shared.jwt) = Some(Secret::new(made.jwt));
            let field = format!("Bearer {shown}");
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&field).map_err(Failure::new)?);
        }
        Ok(self.ask(&Described::new(told, headers, certificate)).await)
    }

    async fn ask(&self, described: &Described) -> Decided {
        self.gateway.checker().decide(described).await;
        let mut decided = Decided::default();
        let event = lock(&self.shared.event).take();
        if let Some(EventKind::Request(request)) = event.map(|event| event.kind) {
            decided.why = request.request.as_deref().and_then(|name| self.why(name));
            decided.refused = request.refused;
            decided.route = request.route;
            decided.policies = request.policy;
        }
        decided
    }

    /// What is said of the step at which a request ended.
    fn why(&self, name: &str) -> Option<String> {
        let told = self.gateway.explainer().explain(name)?;
        told.steps.into_iter().find(|step| step.outcome == Outcome::Failed)?.detail
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Shared ===

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }
}

impl EventSink for Shared {
    fn emit(&self, event: Event) {
        *lock(&self.event) = Some(event);
    }
}

impl References for Shared {
    fn resolve(&self, _opaque: &str) -> Result<Option<Secret>, Unavailable> {
        Ok(lock(&self.jwt).as_ref().map(|jwt| Secret::new(jwt.expose())))
    }
}

// === impl Nobody ===

impl IssuerServer for Nobody {
    fn prospect(&self, _kid: &str) -> Prospect {
        Prospect::Absent
    }

    fn look_for<'a>(&'a self, _kid: &'a str) -> Answering<'a, Result<(), Unavailable>> {
        Box::pin(async { Err(Unavailable) })
    }

    fn introspect<'a>(
        &'a self,
        _token: &'a str,
    ) -> Answering<'a, Result<bytes::Bytes, Unavailable>> {
        Box::pin(async { Err(Unavailable) })
    }
}

/// Claims of a case, put over those that every token has.
type Claims = Map<String, Value>;

/// What upstreams would be told is signed by a key that nobody keeps.
fn passing_keys() -> Result<InternalKeys, Failure> {
    let mut seed = Zeroizing::new([0u8; 32]);
    OsRandom::new().fill(seed.as_mut_slice());
    PrivateKey::ed25519_of_seed(&seed).map(InternalKeys::fixed).map_err(Failure::new)
}
