//! How a verifier is to be, and making one of it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use gateway::answers::AnswerRules;
use gateway::explain::Kept;
use gateway::guard::Guard;
use gateway::inside::{IdentityForm, InternalTokenRule};
use gateway::limit::{Dimension, LimitRule};
use gateway::{Gateway, RequestLimits, RouteRule, Settings, SettingsError};
use http::Extensions;
use remote::{FetchError, Fetcher, Limits, Reach};
use token::client_address::TrustedProxies;
use token::dpop::Nonces;
use token::encryption_key::DecryptionKey;
use token::event::{Event, EventSink};
use token::index::RestrictionIndex;
use token::keyring::Keyring;
use token::ladder::Ladder;
use token::place::Places;
use token::random::OsRandom;
use token::secret::Secret;
use token::time::Clock;
use tokio::sync::watch;
use url::Url;

use crate::clock::SystemClock;
use crate::feed::{self, Feed, Subscriber};
use crate::status::StatusLists;
use crate::verifier::{Inner, Start, Verifier};

const NONCE_LIFE: Duration = Duration::from_mins(5);
/// How many keys are counted at the same time, at some 50 bytes each; as the gateway's default.
const LIMIT_ENTRIES: usize = 1_000_000;
/// What the service is called where the gateway names an upstream; nobody connects to the address, which no name
/// can have (RFC 6761 §6.4).
const SERVICE: &str = "service";
const SERVICE_ADDRESS: &str = "http://service.invalid";

/// Where a request comes from, by what the server has put into its extensions.
pub type ClientAddress = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

/// How a verifier is to be. Made by [`Verifier::builder`].
pub struct Builder {
    issuer: String,
    resource: String,
    audiences: Vec<String>,
    jwks_uri: Option<Url>,
    reach: Reach,
    leeway: Duration,
    cache_entries: usize,
    dpop_nonces: bool,
    decryption: Vec<Arc<DecryptionKey>>,
    ladder: Ladder,
    subscriber: Option<Subscriber>,
    most_silence: Option<Duration>,
    client_address: Option<ClientAddress>,
    routes: Vec<RouteRule>,
    limits: Vec<LimitRule>,
    request_limits: RequestLimits,
    inspect_body_limit: usize,
    kept: Kept,
    places: Option<Arc<dyn Places>>,
    believe_request_ids: bool,
    challenge_scopes: bool,
    events: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
}

/// Why there is no verifier.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The issuer is no URL.
    #[error("issuer `{0}` is not an http or https URL")]
    Issuer(String),
    /// The resource is not usable.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nothing can be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A rule or a limit asks where requests come from.
    #[error("`{0}` asks for the client's address: say with `client_address` where that is found")]
    NoAddress(String),
    /// There is nobody to work in the background.
    #[error("a verifier is built inside of a tokio runtime")]
    NoRuntime,
}

/// Events go nowhere unless somebody wants them.
struct Nowhere;

impl EventSink for Nowhere {
    fn emit(&self, _: Event) {}
}

// === impl Builder ===

impl Builder {
    pub(crate) fn new(issuer: String, resource: String) -> Self {
        Self {
            issuer,
            resource,
            audiences: Vec::new(),
            jwks_uri: None,
            reach: Reach::public(),
            leeway: Duration::from_secs(5),
            cache_entries: 10_000,
            dpop_nonces: false,
            decryption: Vec::new(),
            ladder: Ladder::default(),
            subscriber: None,
            most_silence: Some(Duration::from_mins(1)),
            client_address: None,
            routes: Vec::new(),
            limits: Vec::new(),
            request_limits: RequestLimits::default(),
            inspect_body_limit: 1024 * 1024,
            kept: Kept { refused: 0, passed: 0 },
            places: None,
            believe_request_ids: false,
            challenge_scopes: false,
            events: Arc::new(Nowhere),
            clock: Arc::new(SystemClock),
        }
    }

    /// Another audience that is as good as the resource itself.
    #[must_use]
    pub fn or_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Where the keys are, for an issuer that does not say so itself (no discovery).
    #[must_use]
    pub fn jwks_uri(mut self, jwks_uri: Url) -> Self {
        self.jwks_uri = Some(jwks_uri);
        self
    }

    /// Which addresses may be reached besides the public internet.
    #[must_use]
    pub fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// How far clocks may differ, at most 60 s; five seconds without this.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How many verified tokens are remembered, about 1 KiB each; 10,000 without this.
    #[must_use]
    pub fn cache_entries(mut self, entries: usize) -> Self {
        self.cache_entries = entries;
        self
    }

    /// Demands a nonce of this service in every proof of possession (RFC 9449 §9).
    #[must_use]
    pub fn dpop_nonces(mut self) -> Self {
        self.dpop_nonces = true;
        self
    }

    /// A key that tokens may be encrypted to.
    #[must_use]
    pub fn decryption_key(mut self, key: DecryptionKey) -> Self {
        self.decryption.push(Arc::new(key));
        self
    }

    /// Which scopes include which, as the issuer is configured: a token with one has what it includes.
    /// Without this every scope stands for itself.
    #[must_use]
    pub fn ladder(mut self, ladder: Ladder) -> Self {
        self.ladder = ladder;
        self
    }

    /// Follows the issuer's restriction log as a client that has the scope
    /// `tokenward:restrictions`. Only a Tokenward authority has one.
    #[must_use]
    pub fn subscribe(
        mut self,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        let (client_id, client_secret) = (client_id.into(), Secret::new(client_secret.into()));
        self.subscriber = Some(Subscriber { client_id, client_secret });
        self
    }

    /// For how long the log may be silent before every request is answered with `503`; a minute
    /// without this, for ever with `None`: what was taken back meanwhile is then let through.
    #[must_use]
    pub fn most_silence(mut self, most: Option<Duration>) -> Self {
        self.most_silence = most;
        self
    }

    /// A rule for a path of the service, as the gateway has it; asked by [`Verifier::by_routes`]. The service itself
    /// is the upstream, whatever the rule names.
    #[must_use]
    pub fn route(mut self, rule: RouteRule) -> Self {
        self.routes.push(of_service(rule));
        self
    }

    /// How much is allowed. One that names no routes counts for every layer; one that does names paths of
    /// [`Builder::route`].
    #[must_use]
    pub fn limit(mut self, limit: LimitRule) -> Self {
        self.limits.push(limit);
        self
    }

    /// How large and how slow a request may be; the gateway's defaults without this.
    #[must_use]
    pub fn request_limits(mut self, limits: RequestLimits) -> Self {
        self.request_limits = limits;
        self
    }

    /// How many bytes of a body are inspected, where a rule inspects; 1 MiB without this.
    #[must_use]
    pub fn inspect_body_limit(mut self, bytes: usize) -> Self {
        self.inspect_body_limit = bytes;
        self
    }

    /// How many requests [`Verifier::explainer`] remembers; none without this.
    #[must_use]
    pub fn explain(mut self, kept: Kept) -> Self {
        self.kept = kept;
        self
    }

    /// Where requests come from, for rules and limits that ask about it, and so that blocked networks are refused.
    #[must_use]
    pub fn client_address(
        mut self,
        address: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.client_address = Some(Arc::new(address));
        self
    }

    /// Who knows where those addresses are, so that tokens are refused that were tied to countries or autonomous
    /// systems; without this every place is unknown.
    #[must_use]
    pub fn places(mut self, places: Arc<dyn Places>) -> Self {
        self.places = Some(places);
        self
    }

    /// Whatever is in front of the service sets `X-Request-Id` in every request, so that it can be believed;
    /// without this every request gets a name of its own.
    #[must_use]
    pub fn believe_request_ids(mut self) -> Self {
        self.believe_request_ids = true;
        self
    }

    /// Tells who brings no token which scopes the route demands (RFC 6750 §3); without this only who has a good
    /// token learns which routes there are.
    #[must_use]
    pub fn challenge_scopes(mut self) -> Self {
        self.challenge_scopes = true;
        self
    }

    /// Where one event for each request goes.
    #[must_use]
    pub fn events(mut self, events: Arc<dyn EventSink>) -> Self {
        self.events = events;
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Builds it, and begins to fetch keys in the background: an issuer that is down does not keep
    /// a service from starting. See [`Verifier::ready`].
    ///
    /// # Errors
    /// [`BuildError`] when the issuer or the resource is no URL, or outside of a tokio runtime.
    pub fn build(self) -> Result<Verifier, BuildError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        if !Url::parse(&self.issuer).is_ok_and(|url| url.has_host()) {
            return Err(BuildError::Issuer(self.issuer));
        }
        if let (None, Some(name)) = (&self.client_address, self.asks_for_address()) {
            return Err(BuildError::NoAddress(name.to_owned()));
        }
        let fetcher = Fetcher::new(self.reach.clone(), Limits::default())?;
        let (keyring, index) = (Arc::<Keyring>::default(), Arc::<RestrictionIndex>::default());
        let guard = self.guard(&keyring, &index)?;
        let feed = match self.subscriber {
            Some(subscriber) => {
                let limits = Limits { body: 4 * 1024 * 1024, time: feed::WAIT * 2 };
                let patient = Fetcher::new(self.reach, limits)?;
                let (clock, most) = (Arc::clone(&self.clock), self.most_silence);
                Some(Arc::new(Feed::new(subscriber, patient, index, clock, most)))
            }
            None => None,
        };
        let lists = StatusLists::new(
            fetcher.clone(),
            self.issuer.clone(),
            Arc::clone(&keyring),
            Arc::clone(&self.clock),
        );
        let inner = Arc::new(Inner {
            guard,
            keys: OnceLock::new(),
            lists,
            feed,
            most_silence: self.most_silence,
            client_address: self.client_address,
            ready: watch::channel(false).0,
            trouble: Mutex::new("nothing was fetched yet".to_owned()),
        });
        let start = Start { fetcher, issuer: self.issuer, jwks_uri: self.jwks_uri, keyring };
        runtime.spawn(start.run(Arc::downgrade(&inner)));
        Ok(Verifier(inner))
    }

    /// The first rule or limit that means nothing without the client's address.
    fn asks_for_address(&self) -> Option<&str> {
        let asks = |rule: &&RouteRule| !rule.networks.is_empty() || !rule.places.is_empty();
        let rule = self.routes.iter().find(asks).map(|rule| rule.path.as_str());
        let by_network = |limit: &&LimitRule| limit.by.contains(&Dimension::Network);
        rule.or_else(|| self.limits.iter().find(by_network).map(|limit| limit.name.as_str()))
    }

    fn guard(
        &self,
        keyring: &Arc<Keyring>,
        index: &Arc<RestrictionIndex>,
    ) -> Result<Guard, SettingsError> {
        let settings = Settings {
            resource: self.resource.clone(),
            issuer: self.issuer.clone(),
            authorization_servers: vec![self.issuer.clone()],
            audiences: self.audiences.clone(),
            ladder: self.ladder.clone(),
            routes: self.routes.clone(),
            upstreams: [(SERVICE.to_owned(), SERVICE_ADDRESS.to_owned().into())].into(),
            trusted_proxies: TrustedProxies::default(),
            leeway: self.leeway,
            cache_entries: self.cache_entries,
            forward_token: false,
            identity: IdentityForm::default(),
            internal_token: InternalTokenRule::default(),
            credentials: gateway::Credentials::default(),
            challenge_scopes: self.challenge_scopes,
            request_limits: self.request_limits,
            shed_after: None,
            inspect_body_limit: self.inspect_body_limit,
            upstream_timeout: Duration::from_secs(1),
            limits: self.limits.clone(),
            doubtful: None,
            limit_entries: LIMIT_ENTRIES,
            answers: AnswerRules {
                callers_name_requests: self.believe_request_ids,
                ..AnswerRules::default()
            },
            kept: self.kept,
        };
        let nonces = || Arc::new(Nonces::of_this_process(&OsRandom::new(), NONCE_LIFE));
        let parts = gateway::Parts {
            keyring: Arc::clone(keyring),
            index: Arc::clone(index),
            honeytokens: Arc::default(),
            events: Arc::clone(&self.events),
            clock: Arc::clone(&self.clock),
            decryption: self.decryption.clone(),
            nonces: self.dpop_nonces.then(nonces),
            references: None,
            internal_keys: None,
            // Whoever has the record of one can say what it is; a layer has to ask (introspection).
            personal: None,
            issuers: Vec::new(),
            places: self.places.clone(),
            policies: None,
            browser_apps: Vec::new(),
        };
        Gateway::new(settings, parts).map(|gateway| gateway.guard())
    }
}

/// The rule with the service itself as its upstream.
pub(crate) fn of_service(rule: RouteRule) -> RouteRule {
    RouteRule { upstream: SERVICE.to_owned(), ..rule }
}
