//! A gateway with all of its doors over one check, and tokens for it.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use extauthz::ExtAuthz;
use gateway::answers::AnswerRules;
use gateway::explain::Kept;
use gateway::forward_auth::ForwardAuth;
use gateway::guard::Guard;
use gateway::inside::{IdentityForm, InternalTokenRule};
use gateway::limit::{Amount, Dimension, LimitRule};
use gateway::{
    Access, ClaimRule, Further, Gateway, Inspect, Parts, Peer, RequestLimits, RouteRule, Settings,
};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};
use token::base64url;
use token::client_address::TrustedProxies;
use token::dpop::token_hash;
use token::event::{Event, EventKind, EventSink, Request, TokenKind};
use token::id::TokenId;
use token::index::RestrictionIndex;
use token::jws;
use token::key::PrivateKey;
use token::keyring::Keyring;
use token::ladder::Ladder;
use token::place::{Place, PlaceTest};
use token::random::OsRandom;
use token::restriction::{Effect, LogEntry, Restriction, Selector};
use token::term::Algorithm;
use token::time::{Clock, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const RESOURCE: &str = "https://api.example";

/// As time goes, from a fixed start.
struct TestClock(Instant);

#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

/// The check over HTTP.
pub(crate) struct OverHttp(ForwardAuth);

pub(crate) struct House {
    pub(crate) proxy: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: OverHttp,
    pub(crate) guard: Guard,
    clock: Arc<TestClock>,
    events: Arc<Recorder>,
    index: Arc<RestrictionIndex>,
    key: PrivateKey,
    sender: PrivateKey,
    proofs: Mutex<u32>,
}

// === impl TestClock ===

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_790_000_000).plus(self.0.elapsed())
    }
}

// === impl Recorder ===

impl EventSink for Recorder {
    fn emit(&self, event: Event) {
        self.0.lock().expect("events").push(event);
    }
}

// === impl OverHttp ===

impl OverHttp {
    /// The answer, which waits for nobody: no other issuer is configured.
    pub(crate) fn answer(&self, head: http::request::Parts) -> http::Response<bytes::Bytes> {
        let answering = pin!(self.0.answer(head));
        match answering.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("the check waits"),
        }
    }
}

// === impl House ===

impl House {
    pub(crate) async fn start() -> Self {
        let key = PrivateKey::generate(Algorithm::Es256).expect("key");
        let keyring = Keyring::new([Arc::clone(key.public())].into_iter().collect());
        let (clock, events) = (Arc::new(TestClock(Instant::now())), Arc::new(Recorder::default()));
        let index = Arc::<RestrictionIndex>::default();
        let parts = Parts {
            keyring: Arc::new(keyring),
            index: Arc::clone(&index),
            honeytokens: Arc::default(),
            events: Arc::clone(&events) as Arc<dyn EventSink>,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            decryption: Vec::new(),
            nonces: None,
            references: None,
            internal_keys: None,
            personal: None,
            issuers: Vec::new(),
            places: Some(Arc::new(norway)),
            policies: None,
            browser_apps: Vec::new(),
        };
        let gateway = Gateway::new(settings(api().await), parts).expect("gateway");
        let worker = Arc::new(gateway.worker());
        let proxy = serve(move |request, address| {
            let worker = Arc::clone(&worker);
            async move { worker.handle(request.map(Into::into), Peer { address, tls: false }).await }
        });
        let service = ExtAuthz::new(gateway.checker());
        let grpc = serve(move |request, _| {
            let service = service.clone();
            async move { service.answer(request.map(Into::into)).await }
        });
        Self {
            proxy: proxy.await,
            grpc: grpc.await,
            http: OverHttp(ForwardAuth::new(gateway.checker())),
            guard: gateway.guard(),
            clock,
            events,
            index,
            key,
            sender: PrivateKey::generate(Algorithm::Es256).expect("key"),
            proofs: Mutex::default(),
        }
    }

    /// The claims of a good token, but for one.
    pub(crate) fn claims(&self, name: &str, value: Value) -> Value {
        let now = self.clock.now();
        let mut claims = json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "u1", "client_id": "c1",
            "jti": TokenId::generate(now, &OsRandom::new()), "grant_id": "g1",
            "iat": now.as_secs(), "exp": now.as_secs() + 300, "scope": "orders:read",
        });
        claims[name] = value;
        claims
    }

    pub(crate) fn token(&self, name: &str, value: Value) -> String {
        let claims = self.claims(name, value).to_string();
        jws::sign(&self.key, "at+jwt", claims.as_bytes()).expect("token")
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_secs()
    }

    /// A token that is bound to the sender's key.
    pub(crate) fn bound_token(&self) -> String {
        self.token("cnf", json!({ "jkt": self.sender.public().jwk().thumbprint() }))
    }

    /// The sender's proof for `GET /orders/7` with this token.
    pub(crate) fn proof(&self, token: &str) -> String {
        let mut proofs = self.proofs.lock().expect("proofs");
        *proofs += 1;
        let claims = json!({
            "jti": format!("proof-{proofs}"), "htm": "GET", "htu": format!("{RESOURCE}/orders/7"),
            "iat": self.now(), "ath": token_hash(token),
        });
        let public = self.sender.public();
        let jwk = serde_json::to_value(public.jwk()).expect("JWK");
        let header = json!({ "typ": "dpop+jwt", "alg": public.algorithm(), "jwk": jwk });
        let input = [header, claims].map(|part| base64url::encode(part.to_string())).join(".");
        let signature = self.sender.sign(input.as_bytes()).expect("signature");
        format!("{input}.{}", base64url::encode(signature))
    }

    pub(crate) fn restrict(&self, selector: Selector, effect: Effect) {
        let now = self.clock.now();
        self.index.apply(&LogEntry::Restrict(Restriction {
            seq: self.index.last_seq() + 1,
            selector,
            effect,
            from: now,
            until: None,
            reason: "test".into(),
            actor: "test".into(),
            at: now,
        }));
    }

    /// The only event since the last one was asked for.
    pub(crate) async fn event(&self) -> (Event, Request) {
        let began = Instant::now();
        while self.events.0.lock().expect("events").is_empty() {
            assert!(began.elapsed() < Duration::from_secs(10), "no event came");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // A second one would come at once.
        tokio::task::yield_now().await;
        let mut events = std::mem::take(&mut *self.events.0.lock().expect("events"));
        assert_eq!(events.len(), 1, "one decision, one event: {events:#?}");
        let event = events.remove(0);
        let EventKind::Request(request) = event.kind.clone() else { panic!("{event:?}") };
        (event, request)
    }
}

/// Everybody is in Norway.
fn norway(_: IpAddr) -> Place {
    Place { country: "NO".parse().ok(), asn: Some(64_496), ..Place::default() }
}

fn rule(path: &str, methods: &[&str], access: Access) -> RouteRule {
    RouteRule {
        path: path.into(),
        methods: methods.iter().map(|method| method.parse().expect("method")).collect(),
        upstream: "api".into(),
        strip_prefix: String::new(),
        add_prefix: String::new(),
        access,
        networks: Vec::new(),
        places: Vec::new(),
        hours: Vec::new(),
        cost: 1,
        decided: true,
        inspect: Inspect::Off,
        body_bytes: None,
        described: None,
        cors: gateway::cors::RouteCors::default(),
        variants: gateway::route::PathVariants::default(),
    }
}

fn settings(upstream: SocketAddr) -> Settings {
    let token = |scopes: &[&str]| Access::Token {
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        audiences: Vec::new(),
        further: Further::default(),
    };
    let further = |further| Access::Token { scopes: Vec::new(), audiences: Vec::new(), further };
    Settings {
        audiences: Vec::new(),
        resource: RESOURCE.into(),
        issuer: ISSUER.into(),
        authorization_servers: vec![ISSUER.into()],
        ladder: Ladder::default(),
        routes: vec![
            RouteRule {
                inspect: Inspect::Enforce,
                ..rule("/orders/{id}", &["GET"], token(&["orders:read"]))
            },
            rule("/orders/{id}", &["PUT"], token(&["orders:read", "orders:write"])),
            rule("/open/{rest...}", &[], Access::Public),
            RouteRule {
                networks: vec!["192.0.2.0/24".parse().expect("network")],
                ..rule("/inside", &["GET"], token(&[]))
            },
            rule("/paced/{id}", &["GET"], token(&["orders:read"])),
            rule(
                "/theirs",
                &["GET"],
                further(Further { clients: vec!["c2".into()], ..Further::default() }),
            ),
            rule(
                "/opaque",
                &["GET"],
                further(Further { kinds: vec![TokenKind::Opaque], ..Further::default() }),
            ),
            rule(
                "/staff",
                &["GET"],
                further(Further {
                    claims: vec![ClaimRule::new("groups", ["staff"]).expect("claim")],
                    ..Further::default()
                }),
            ),
            rule(
                "/strong",
                &["GET"],
                further(Further {
                    acr: vec!["gold".into()],
                    max_age: Some(Duration::from_mins(5)),
                    ..Further::default()
                }),
            ),
            RouteRule {
                places: vec![PlaceTest::Countries(["SE".parse().expect("country")].into())],
                ..rule("/sweden", &["GET"], token(&[]))
            },
        ],
        upstreams: [("api".to_owned(), format!("http://{upstream}").into())].into(),
        trusted_proxies: TrustedProxies::default(),
        leeway: Duration::ZERO,
        cache_entries: 100,
        credentials: gateway::Credentials::default(),
        forward_token: false,
        identity: IdentityForm::default(),
        internal_token: InternalTokenRule::default(),
        challenge_scopes: true,
        request_limits: RequestLimits::default(),
        shed_after: None,
        upstream_timeout: Duration::from_secs(5),
        inspect_body_limit: 1024,
        limits: vec![LimitRule {
            name: "hourly".into(),
            by: vec![Dimension::Subject],
            amount: Amount::Rate { pace: "1/h".parse().expect("allowance"), burst: None },
            classes: Vec::new(),
            routes: vec!["/paced/{id}".into()],
        }],
        doubtful: None,
        limit_entries: 10_000,
        answers: AnswerRules::default(),
        kept: Kept::default(),
    }
}

/// An API that answers everything with 200.
async fn api() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while matches!(stream.read(&mut buffer).await, Ok(1..)) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
                }
            });
        }
    });
    address
}

/// As the program does it.
async fn serve<F, B>(
    handle: impl Fn(http::Request<hyper::body::Incoming>, SocketAddr) -> F + Clone + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = http::Response<B>> + Send + 'static,
    B: hyper::body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let handle = handle.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let answer = handle(request, peer);
                    async move { Ok::<_, std::convert::Infallible>(answer.await) }
                });
                let builder = Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// Sends the bytes and reads what comes until the other side closes.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.write_all(bytes).await.expect("write");
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(10), read).await;
    let _ = read.expect("an answer in time");
    String::from_utf8_lossy(&answer).into_owned()
}
