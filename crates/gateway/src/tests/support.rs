//! A gateway on loopback, tokens for it, and clients that write bytes as they are told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Response;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use token::client_address::TrustedProxies;
use token::dpop::Nonces;
use token::event::{Event, EventKind, EventSink, Request};
use token::explanation::Explainer;
use token::honeytoken::Honeytokens;
use token::id::TokenId;
use token::index::RestrictionIndex;
use token::jws;
use token::key::PrivateKey;
use token::keyring::Keyring;
use token::ladder::Ladder;
use token::opaque::Family;
use token::personal::PersonalTokens;
use token::place::Places;
use token::random::OsRandom;
use token::reference::{References, Unavailable};
use token::restriction::{Effect, LogEntry, Restriction, Selector};
use token::secret::Secret;
use token::term::AddressField;
use token::time::{Clock, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wire::{BadHead, Incoming};

use crate::answers::AnswerRules;
use crate::browser_app::BrowserApp;
use crate::checker::Checker;
use crate::cors::RouteCors;
use crate::explain::Kept;
use crate::inside::{IdentityForm, InternalKeys, InternalTokenRule};
use crate::policy::Policies;
use crate::route::PathVariants;
use crate::settings::{Access, Further, Inspect, RequestLimits, RouteRule, Settings};
use crate::{ForeignIssuer, Gateway, Parts, Peer, ResponseBody, Worker};

pub(super) mod upstream;

pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const RESOURCE: &str = "https://api.example";
/// Nothing in these tests takes longer, unless it hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Starts at a fixed time and goes on as time does, or faster.
pub(super) struct TestClock {
    began: Instant,
    ahead: AtomicI64,
}

#[derive(Default)]
pub(super) struct Recorder(Mutex<Vec<Event>>);

/// Opaque tokens, and the JWTs that they stand for.
#[derive(Default)]
pub(super) struct Shelf {
    kept: Mutex<HashMap<String, String>>,
    asked: AtomicUsize,
    broken: AtomicBool,
}

pub(super) struct House {
    pub(super) address: SocketAddr,
    pub(super) checker: Checker,
    pub(super) clock: Arc<TestClock>,
    pub(super) events: Arc<Recorder>,
    pub(super) explainer: Arc<dyn Explainer>,
    pub(super) honeytokens: Arc<Honeytokens>,
    pub(super) index: Arc<RestrictionIndex>,
    pub(super) key: PrivateKey,
    pub(super) keyring: Arc<Keyring>,
    pub(super) shelf: Arc<Shelf>,
    gateway: Mutex<Gateway>,
    parts: Parts,
    worker: Arc<ArcSwap<Worker>>,
}

// === impl TestClock ===

impl TestClock {
    fn new() -> Self {
        Self { began: Instant::now(), ahead: AtomicI64::new(0) }
    }

    pub(super) fn advance(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).expect("span");
        self.ahead.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let ahead = u64::try_from(self.ahead.load(Ordering::SeqCst)).expect("forward");
        Timestamp::from_secs(1_790_000_000)
            .plus(self.began.elapsed())
            .plus(Duration::from_millis(ahead))
    }
}

// === impl Recorder ===

impl EventSink for Recorder {
    fn emit(&self, event: Event) {
        self.0.lock().expect("events").push(event);
    }
}

impl Recorder {
    /// The next event, when it has come; it is taken out.
    pub(super) async fn next(&self) -> (Event, Request) {
        let began = Instant::now();
        loop {
            let first = {
                let mut events = self.0.lock().expect("events");
                (!events.is_empty()).then(|| events.remove(0))
            };
            if let Some(event) = first {
                let EventKind::Request(request) = event.kind.clone() else {
                    panic!("no request: {event:?}")
                };
                return (event, request);
            }
            assert!(began.elapsed() < PATIENCE, "no event came");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.lock().expect("events").len()
    }
}

// === impl Shelf ===

impl References for Shelf {
    fn resolve(&self, opaque: &str) -> Result<Option<Secret>, Unavailable> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            return Err(Unavailable);
        }
        Ok(self.kept.lock().expect("shelf").get(opaque).map(Secret::new))
    }
}

impl Shelf {
    /// An opaque token that stands for this JWT.
    pub(super) fn keep(&self, jwt: &str) -> String {
        let opaque = Family::Access.generate(&OsRandom::new()).expose().to_owned();
        self.kept.lock().expect("shelf").insert(opaque.clone(), jwt.to_owned());
        opaque
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Whether it can be asked.
    pub(super) fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }
}

// === impl House ===

/// Settings over one upstream: `/orders…` with scopes, `/open/…` public, `/files/{rest...}`.
pub(super) fn settings(upstream: &str) -> Settings {
    let rule = |path: &str, methods: &[&str], scopes: &[&str]| RouteRule {
        path: path.into(),
        methods: methods.iter().map(|method| method.parse().expect("method")).collect(),
        upstream: "api".into(),
        strip_prefix: String::new(),
        add_prefix: String::new(),
        access: Access::Token {
            scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
            audiences: Vec::new(),
            further: Further::default(),
        },
        networks: Vec::new(),
        places: Vec::new(),
        hours: Vec::new(),
        cost: 1,
        decided: true,
        inspect: Inspect::Off,
        body_bytes: None,
        described: None,
        cors: RouteCors::default(),
        variants: PathVariants::default(),
    };
    let open = RouteRule {
        path: "/open/{id}".into(),
        methods: Vec::new(),
        upstream: "api".into(),
        strip_prefix: String::new(),
        add_prefix: String::new(),
        access: Access::Public,
        networks: Vec::new(),
        places: Vec::new(),
        hours: Vec::new(),
        cost: 1,
        decided: true,
        inspect: Inspect::Off,
        body_bytes: None,
        described: None,
        cors: RouteCors::default(),
        variants: PathVariants::default(),
    };
    let mut ledger = rule("/ledger", &["GET"], &["orders:read"]);
    ledger.access = Access::Token {
        scopes: vec!["orders:read".into()],
        audiences: vec!["https://ledger.example".into()],
        further: Further::default(),
    };
    Settings {
        audiences: Vec::new(),
        resource: RESOURCE.into(),
        issuer: ISSUER.into(),
        authorization_servers: vec![ISSUER.into()],
        ladder: Ladder::default(),
        routes: vec![
            rule("/orders", &["GET", "HEAD"], &["orders:read"]),
            rule("/orders", &["POST"], &["orders:write"]),
            rule("/orders/{id}", &["GET", "HEAD"], &["orders:read"]),
            rule("/orders/{id}", &["PUT", "DELETE"], &["orders:read", "orders:write"]),
            rule("/files/{rest...}", &[], &[]),
            ledger,
            open,
        ],
        upstreams: [("api".to_owned(), upstream.to_owned().into())].into(),
        trusted_proxies: TrustedProxies::default(),
        leeway: Duration::from_secs(0),
        cache_entries: 100,
        forward_token: false,
        identity: IdentityForm::default(),
        internal_token: InternalTokenRule::default(),
        credentials: Default::default(),
        challenge_scopes: false,
        request_limits: RequestLimits::default(),
        shed_after: None,
        inspect_body_limit: 1024 * 1024,
        upstream_timeout: Duration::from_secs(5),
        limits: Vec::new(),
        doubtful: None,
        limit_entries: 10_000,
        answers: AnswerRules::default(),
        kept: Kept::default(),
    }
}

/// Everything on this machine, as proxies that write this field.
pub(super) fn local_proxies(field: AddressField) -> TrustedProxies {
    TrustedProxies::new(&["127.0.0.0/8".parse().expect("net")], field)
}

impl House {
    /// A gateway before `upstream`.
    pub(super) async fn new(upstream: SocketAddr) -> Self {
        Self::with(settings(&format!("http://{upstream}"))).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        Self::build(settings, |gateway| gateway).await
    }

    pub(super) async fn build(settings: Settings, adapt: impl FnOnce(Gateway) -> Gateway) -> Self {
        Self::start(settings, |parts| parts, adapt).await
    }

    /// A gateway before applications in browsers.
    pub(super) async fn with_apps(settings: Settings, apps: Vec<BrowserApp>) -> Self {
        Self::start(settings, |parts| Parts { browser_apps: apps, ..parts }, |gateway| gateway)
            .await
    }

    /// One in which these policies decide.
    pub(super) async fn with_policies(settings: Settings, policies: Arc<dyn Policies>) -> Self {
        let policies = Some(policies);
        Self::start(settings, |parts| Parts { policies, ..parts }, |gateway| gateway).await
    }

    /// One that knows where addresses are.
    pub(super) async fn with_places(settings: Settings, places: impl Places) -> Self {
        let know = |parts| Parts { places: Some(Arc::new(places)), ..parts };
        Self::start(settings, know, |gateway| gateway).await
    }

    /// A gateway that demands nonces in proofs of possession.
    pub(super) async fn with_nonces(settings: Settings, nonces: Arc<Nonces>) -> Self {
        let demand = |parts| Parts { nonces: Some(nonces), ..parts };
        Self::start(settings, demand, |gateway| gateway).await
    }

    /// A gateway that signs tokens of its own for upstreams.
    pub(super) async fn with_keys(settings: Settings, keys: InternalKeys) -> Self {
        let keys = Some(Arc::new(keys));
        let give = |parts| Parts { internal_keys: keys, ..parts };
        Self::start(settings, give, |gateway| gateway).await
    }

    /// A gateway that takes tokens of other issuers.
    pub(super) async fn with_issuers(settings: Settings, issuers: Vec<ForeignIssuer>) -> Self {
        Self::start(settings, |parts| Parts { issuers, ..parts }, |gateway| gateway).await
    }

    /// A gateway that knows personal tokens, and where addresses are.
    pub(super) async fn with_personal(
        settings: Settings,
        tokens: Arc<dyn PersonalTokens>,
        places: impl Places,
    ) -> Self {
        let places = Some(Arc::new(places) as Arc<dyn Places>);
        let know = |parts| Parts { personal: Some(tokens), places, ..parts };
        Self::start(settings, know, |gateway| gateway).await
    }

    async fn start(
        settings: Settings,
        change: impl FnOnce(Parts) -> Parts,
        adapt: impl FnOnce(Gateway) -> Gateway,
    ) -> Self {
        let key = PrivateKey::generate(token::term::Algorithm::Es256).expect("key");
        let keyring = Keyring::new([Arc::clone(key.public())].into_iter().collect());
        let (clock, events) = (Arc::new(TestClock::new()), Arc::new(Recorder::default()));
        let shelf = Arc::new(Shelf::default());
        let references = Some(Arc::clone(&shelf) as Arc<dyn References>);
        let parts = change(Parts { references, ..parts(keyring, &clock, &events) });
        let gateway = adapt(Gateway::new(settings, parts.clone()).expect("gateway"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let checker = gateway.checker();
        let explainer = gateway.explainer();
        tokio::spawn(gateway.watch_servers());
        let worker = Arc::new(ArcSwap::from_pointee(gateway.worker()));
        tokio::spawn(serve(listener, Arc::clone(&worker)));
        let Parts { keyring, index, honeytokens, .. } = parts.clone();
        let gateway = Mutex::new(gateway);
        Self {
            address,
            checker,
            clock,
            events,
            explainer,
            honeytokens,
            index,
            key,
            keyring,
            shelf,
            gateway,
            parts,
            worker,
        }
    }

    /// From now on requests come to the gateway that these settings make after the present one.
    pub(super) fn change(&self, settings: Settings) {
        self.change_with(settings, |parts| parts);
    }

    /// Whether these settings make no gateway.
    pub(super) fn refuses(&self, settings: Settings) -> bool {
        let gateway = self.gateway.lock().expect("gateway");
        gateway.successor(settings, self.parts.clone()).is_err()
    }

    /// The same with other parts.
    pub(super) fn change_with(&self, settings: Settings, change: impl FnOnce(Parts) -> Parts) {
        let mut gateway = self.gateway.lock().expect("gateway");
        let parts = change(self.parts.clone());
        *gateway = gateway.successor(settings, parts).expect("good settings");
        let worker = gateway.worker_after(&self.worker.load());
        self.worker.store(Arc::new(worker));
        tokio::spawn(gateway.watch_servers());
    }

    pub(super) fn claims(&self) -> Value {
        let now = self.clock.now();
        json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "u1", "client_id": "c1",
            "jti": TokenId::generate(now, &OsRandom::new()), "grant_id": "g1", "sid": "s1",
            "iat": now.as_secs(), "exp": now.as_secs() + 300,
            "scope": "orders:read orders:write",
        })
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        jws::sign(&self.key, "at+jwt", claims.to_string().as_bytes()).expect("token")
    }

    /// A good token with these scopes.
    pub(super) fn token(&self, scope: &str) -> String {
        self.token_with("scope", json!(scope))
    }

    /// A good token but for one claim.
    pub(super) fn token_with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.sign(&claims)
    }

    /// Now, in whole seconds.
    pub(super) fn clock_secs(&self) -> i64 {
        self.clock.now().as_secs()
    }

    pub(super) fn restrict(&self, selector: Selector, effect: Effect) -> u64 {
        let now = self.clock.now();
        let seq = self.index.last_seq() + 1;
        self.index.apply(&LogEntry::Restrict(Restriction {
            seq,
            selector,
            effect,
            from: now,
            until: None,
            reason: "test".into(),
            actor: "test".into(),
            at: now,
        }));
        seq
    }

    /// Sends the bytes and reads what comes until the other side closes.
    pub(super) async fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connect");
        stream.write_all(bytes.as_ref()).await.expect("write");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        // A connection that is reset after its answer has answered all the same.
        let _ = read.expect("an answer in time");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A request by its first line and more fields; the rest is as it should be.
    pub(super) async fn ask(&self, line: &str, fields: &str) -> String {
        let request =
            format!("{line} HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n{fields}\r\n");
        self.raw(request).await
    }

    /// A request with a token.
    pub(super) async fn ask_as(&self, token: &str, line: &str, fields: &str) -> String {
        self.ask(line, &format!("Authorization: Bearer {token}\r\n{fields}")).await
    }
}

fn parts(keyring: Keyring, clock: &Arc<TestClock>, events: &Arc<Recorder>) -> Parts {
    Parts {
        keyring: Arc::new(keyring),
        index: Arc::default(),
        honeytokens: Arc::default(),
        events: events.clone(),
        clock: clock.clone(),
        decryption: Vec::new(),
        nonces: None,
        references: None,
        internal_keys: None,
        personal: None,
        issuers: Vec::new(),
        places: None,
        policies: None,
        browser_apps: Vec::new(),
    }
}

/// What a gateway needs at least.
pub(super) fn bare_parts() -> Parts {
    parts(Keyring::default(), &Arc::new(TestClock::new()), &Arc::default())
}

/// A worker without a listener.
pub(super) fn worker(settings: Settings) -> Worker {
    Gateway::new(settings, bare_parts()).expect("gateway").worker()
}

/// As the program does it.
/// A worker, and who asks it.
struct Door {
    worker: Arc<ArcSwap<Worker>>,
    peer: Peer,
}

async fn serve(listener: TcpListener, worker: Arc<ArcSwap<Worker>>) {
    while let Ok((stream, address)) = listener.accept().await {
        let worker = worker.clone();
        tokio::spawn(async move {
            let door = Door { worker, peer: Peer { address, tls: false } };
            let mut first = [0];
            // HTTP/2 begins with `PRI`, and no request of these tests in HTTP/1.1 with that letter and the next.
            let _ = stream.peek(&mut first).await;
            if &first != b"P" || !is_http2(&stream).await {
                let patience = wire::server::Patience { head: PATIENCE, idle: PATIENCE };
                let never = || Box::pin(std::future::pending()) as BoxFuture<'_, ()>;
                let _ = wire::server::serve(stream, Bytes::new(), patience, &never, &door).await;
                return;
            }
            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let answer = wire::server::Service::answer(&door, request.map(Incoming::from));
                async move { Ok::<_, std::convert::Infallible>(answer.await) }
            });
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn is_http2(stream: &TcpStream) -> bool {
    let mut first = [0; 3];
    while stream.peek(&mut first).await.is_ok_and(|count| count < first.len()) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    &first == b"PRI"
}

impl wire::server::Service for Door {
    type Body = ResponseBody;

    fn answer(
        &self,
        request: http::Request<Incoming>,
    ) -> BoxFuture<'static, Response<ResponseBody>> {
        let (worker, peer) = (self.worker.load_full(), self.peer);
        Box::pin(worker.handle(request, peer))
    }

    fn refuse(&self, bad: BadHead, head: Option<http::Request<()>>) -> Response<ResponseBody> {
        self.worker.load().refuse(bad, head, self.peer)
    }
}

/// The status of an answer.
#[track_caller]
pub(super) fn status(answer: &str) -> u16 {
    let code = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    code.and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// The value of a field of a message.
pub(super) fn field<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    let head = message.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The body of a message.
pub(super) fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// The body of an error answer.
#[track_caller]
pub(super) fn error(answer: &str) -> String {
    let value: Value = serde_json::from_str(body(answer)).expect("a JSON error");
    assert!(value["error_description"].is_string());
    assert_eq!(field(answer, "content-type"), Some("application/problem+json"));
    assert_eq!(field(answer, "x-request-id"), value["request_id"].as_str());
    assert_eq!(field(answer, "cache-control"), Some("no-store"));
    value["error"].as_str().expect("error").to_owned()
}

/// Reads until `wanted` has come.
pub(super) async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(wanted) {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await;
        let count = read.expect("in time").expect("readable");
        assert!(count > 0, "closed after {text:?}, before {wanted:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    text
}

/// Reads until the other side closes; whatever came meanwhile.
pub(super) async fn read_to_close(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    let _ = read.expect("closed in time");
    String::from_utf8_lossy(&rest).into_owned()
}
