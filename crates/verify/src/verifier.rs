//! Issuer and resource → a check: where keys and restrictions come from, and what holds meanwhile.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gateway::answers::AnswerRules;
use gateway::explain::Kept;
use gateway::guard::{Guard, GuardRule, Passed};
use gateway::inside::{IdentityForm, InternalTokenRule};
use gateway::problem::Kind;
use gateway::request_id::RequestId;
use gateway::{Gateway, RequestLimits, Settings, SettingsError};
use http::request::Parts;
use http::{Extensions, HeaderMap, Response};
use remote::keys::{Freshness, RemoteKeys, keep_fresh};
use remote::{FetchError, Fetcher, Limits, Reach, issuer};
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
use token::status_list::Status;
use token::time::Clock;
use tokio::sync::watch;
use url::Url;

use crate::answer;
use crate::clock::SystemClock;
use crate::feed::{self, Feed, Subscriber};
use crate::layer::RequireToken;
use crate::status::{Found, StatusLists};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const NONCE_LIFE: Duration = Duration::from_mins(5);

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
    places: Option<Arc<dyn Places>>,
    believe_request_ids: bool,
    events: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
}

/// Checks the tokens of one issuer for one resource. All clones are the same one.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    guard: Guard,
    keys: OnceLock<Arc<RemoteKeys>>,
    lists: StatusLists,
    feed: Option<Arc<Feed>>,
    most_silence: Option<Duration>,
    client_address: Option<ClientAddress>,
    ready: watch::Sender<bool>,
    trouble: Mutex<String>,
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
    /// There is nobody to work in the background.
    #[error("a verifier is built inside of a tokio runtime")]
    NoRuntime,
}

/// Why a verifier has nothing to check with yet.
#[derive(Debug, thiserror::Error)]
#[error("not ready: {0}")]
pub struct NotReady(String);

/// Events go nowhere unless somebody wants them.
struct Nowhere;

impl EventSink for Nowhere {
    fn emit(&self, _: Event) {}
}

// === impl Builder ===

impl Builder {
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

    /// Where requests come from, so that blocked networks are refused.
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
            routes: Vec::new(),
            upstreams: Default::default(),
            trusted_proxies: TrustedProxies::default(),
            leeway: self.leeway,
            cache_entries: self.cache_entries,
            forward_token: false,
            identity: IdentityForm::default(),
            internal_token: InternalTokenRule::default(),
            credentials: gateway::Credentials::default(),
            challenge_scopes: false,
            request_limits: RequestLimits::default(),
            shed_after: None,
            inspect_body_limit: 0,
            upstream_timeout: Duration::from_secs(1),
            limits: Vec::new(),
            doubtful: None,
            limit_entries: 0,
            answers: AnswerRules {
                callers_name_requests: self.believe_request_ids,
                ..AnswerRules::default()
            },
            // Nobody asks a layer.
            kept: Kept { refused: 0, passed: 0 },
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

// === impl Verifier ===

impl Verifier {
    /// A verifier for tokens of `issuer` for `resource`, the URL by which clients reach the service:
    /// it is the audience of its tokens, and its origin is what proofs of possession are made for.
    pub fn builder(issuer: impl Into<String>, resource: impl Into<String>) -> Builder {
        Builder {
            issuer: issuer.into(),
            resource: resource.into(),
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
            places: None,
            believe_request_ids: false,
            events: Arc::new(Nowhere),
            clock: Arc::new(SystemClock),
        }
    }

    /// A layer that lets requests through whose token has all of these scopes; none for any good
    /// token.
    ///
    /// # Errors
    /// [`SettingsError::BadScope`] for a text that is not one scope.
    pub fn require<S: AsRef<str>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<RequireToken, SettingsError> {
        Ok(RequireToken::new(self.clone(), self.rule(scopes)?))
    }

    /// The same as a rule for [`Verifier::check`].
    ///
    /// # Errors
    /// [`SettingsError::BadScope`] for a text that is not one scope.
    pub fn rule<S: AsRef<str>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<GuardRule, SettingsError> {
        self.0.guard.rule(scopes)
    }

    /// Decides about one request; for services without tower.
    ///
    /// # Errors
    /// The answer for a request that is refused.
    pub async fn check(
        &self,
        head: &Parts,
        rule: &GuardRule,
    ) -> Result<Passed, Box<Response<String>>> {
        let inner = &self.0;
        if let Some(why) = inner.cannot_check() {
            let id = inner.guard.name(head);
            return Err(Box::new(inner.named(answer::unavailable(why, &id), &id)));
        }
        let ip = inner.client_address.as_ref().and_then(|address| address(&head.extensions));
        let stopped = match inner.guard.check(head, ip, rule) {
            Ok(passed) => return inner.hold_against_list(passed).await,
            Err(stopped) => stopped,
        };
        // A key that is not known yet: the issuer may have begun to use it a moment ago.
        if let (Some(kid), Some(keys)) = (stopped.missing_key(), inner.keys.get()) {
            keys.look_for(kid).await;
            return match inner.guard.check_again(head, ip, rule) {
                Ok(passed) => inner.hold_against_list(passed).await,
                Err(stopped) => Err(Box::new(stopped.into_answer())),
            };
        }
        Err(Box::new(stopped.into_answer()))
    }

    /// Says what a request that was let through is called, in place of whatever stands there.
    pub(crate) fn name(&self, headers: &mut HeaderMap, passed: &Passed) {
        if let Some(field) = self.0.guard.name_field() {
            headers.insert(field, passed.request_id().value().clone());
        }
    }

    /// Waits until there are keys and, for a subscriber, the whole restriction log.
    ///
    /// # Errors
    /// [`NotReady`] with what stood in the way, when `patience` is over.
    pub async fn ready(&self, patience: Duration) -> Result<(), NotReady> {
        let mut ready = self.0.ready.subscribe();
        let waited = tokio::time::timeout(patience, ready.wait_for(|ready| *ready)).await;
        match waited {
            Ok(_) => Ok(()),
            Err(_) => Err(NotReady(self.0.trouble().clone())),
        }
    }

    /// The protected resource metadata (RFC 9728 §2), to be served as JSON at
    /// `/.well-known/oauth-protected-resource`, where challenges point to.
    pub fn metadata(&self) -> Bytes {
        self.0.guard.metadata()
    }
}

// === impl Inner ===

impl Inner {
    fn trouble(&self) -> std::sync::MutexGuard<'_, String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cannot_check(&self) -> Option<&'static str> {
        if !self.guard.has_keys() {
            return Some("the issuer's keys are not known yet");
        }
        let (Some(feed), Some(most)) = (&self.feed, self.most_silence) else { return None };
        match feed.silence() {
            Some(silence) if silence <= most => None,
            _ => Some("it is not known which tokens were taken back"),
        }
    }

    /// The answer with the field that says what the request is called.
    fn named(&self, mut answer: Response<String>, id: &RequestId) -> Response<String> {
        if let Some(field) = self.guard.name_field() {
            answer.headers_mut().insert(field, id.value().clone());
        }
        answer
    }

    async fn hold_against_list(&self, passed: Passed) -> Result<Passed, Box<Response<String>>> {
        let reference =
            passed.token().claims().status.as_ref().and_then(|status| status.status_list.clone());
        let Some(reference) = reference else { return Ok(passed) };
        let id = passed.request_id().clone();
        let answer = match self.lists.status(&reference).await {
            Found::Status(Status::Valid) => return Ok(passed),
            Found::Status(Status::Suspended) => {
                answer::invalid_token(Kind::Blocked, "the token is suspended", &id)
            }
            Found::Status(Status::Invalid | Status::Other(_)) => {
                answer::invalid_token(Kind::Revoked, "the token was revoked", &id)
            }
            Found::Unavailable => {
                answer::unavailable("it is not known whether the token was taken back", &id)
            }
        };
        let answer = self.named(answer, &id);
        passed.answered(answer.status());
        Err(Box::new(answer))
    }
}

/// What is done once in the background: finding the issuer's endpoints and its first keys.
struct Start {
    fetcher: Fetcher,
    issuer: String,
    jwks_uri: Option<Url>,
    keyring: Arc<Keyring>,
}

// === impl Start ===

impl Start {
    async fn run(self, verifier: std::sync::Weak<Inner>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(inner) = verifier.upgrade() else { return };
            match self.find(inner.feed.is_some()).await {
                Ok((keys, log)) => {
                    let _ = inner.keys.set(Arc::clone(&keys));
                    if let (Some(feed), Some(endpoint)) = (&inner.feed, log) {
                        tokio::spawn(Arc::clone(feed).follow(endpoint));
                    }
                    drop(inner);
                    tokio::spawn(keep_fresh(keys));
                    return Self::tell_when_ready(verifier).await;
                }
                Err(trouble) => {
                    tracing::warn!(issuer = self.issuer, trouble, "no keys to check tokens with");
                    *inner.trouble() = trouble;
                }
            }
            drop(inner);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn find(&self, with_log: bool) -> Result<(Arc<RemoteKeys>, Option<Url>), String> {
        let (jwks_uri, log) = match &self.jwks_uri {
            Some(jwks_uri) if !with_log => (jwks_uri.clone(), None),
            known => {
                let found = issuer::discover(&self.fetcher, &self.issuer).await;
                let found = found.map_err(|error| error.to_string())?;
                let log = found.restrictions_endpoint;
                if with_log && log.is_none() {
                    return Err("the issuer has no restriction log to subscribe to".to_owned());
                }
                (known.clone().unwrap_or(found.jwks_uri), log)
            }
        };
        let (fetcher, keyring) = (self.fetcher.clone(), Arc::clone(&self.keyring));
        let keys = RemoteKeys::into_keyring(fetcher, jwks_uri, Freshness::default(), keyring);
        keys.refresh().await.map_err(|error| error.to_string())?;
        Ok((Arc::new(keys), log))
    }

    async fn tell_when_ready(verifier: std::sync::Weak<Inner>) {
        loop {
            let Some(inner) = verifier.upgrade() else { return };
            match inner.cannot_check() {
                None => {
                    inner.ready.send_replace(true);
                    return;
                }
                Some(why) => why.clone_into(&mut inner.trouble()),
            }
            drop(inner);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
