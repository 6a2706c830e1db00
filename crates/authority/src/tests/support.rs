//! A whole authority with a store of its own, a clock that stands still, and recorded events.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::{Router, http};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use mail::Outbox;
use remote::{Fetcher, Limits, Reach};
use serde_json::Value;
use store::{Client, Code, Grant, MasterKey, Store, User};
use tempfile::TempDir;
use token::client_address::TrustedProxies;
use token::client_certificate::ClientCertificate;
use token::dpop::Nonces;
use token::event::{Event, EventSink};
use token::id::{GrantId, KeyId, SessionId};
use token::opaque::{Family, OpaqueHash};
use token::random::OsRandom;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::{AddressField, Algorithm, ClientAuthMethod, GrantType};
use token::time::{Clock, Timestamp};
use tower::ServiceExt as _;

use crate::client_auth::certificate::CertificateTrust;
use crate::issue::{AccessTokenOrder, IssuedAccessToken, mint};
use crate::keys::{KeySchedule, SigningKeys};
use crate::peer::PeerAddress;
use crate::register::policy::{Policy, Registration};
use crate::rule::mfa::MfaPolicy;
use crate::settings::{ResourceDefinition, ScopeDefinition, Settings};
use crate::state::{Authority, Parts};

pub(crate) const ISSUER: &str = "http://127.0.0.1:8080";
pub(crate) const API: &str = "http://127.0.0.1:8081";
pub(crate) const REDIRECT: &str = "https://app.example/callback";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const START: i64 = 1_790_000_000_123;

pub(crate) fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).expect("scopes")
}

pub(crate) fn settings() -> Settings {
    let scope = |name: &str| ScopeDefinition::new(name, format!("Use {name}"));
    Settings {
        issuer: ISSUER.to_owned(),
        admin_resource: ISSUER.to_owned(),
        resources: [API, "http://127.0.0.1:9000"].map(ResourceDefinition::new).into(),
        scopes: vec![scope("orders:read"), scope("orders:write")],
        ladder: Default::default(),
        profile: None,
        require_pkce: true,
        authorization_details: Vec::new(),
        access_token_life: Duration::from_secs(600),
        id_token_life: Duration::from_secs(600),
        code_life: Duration::from_secs(60),
        device_code_life: Duration::from_secs(600),
        refresh_idle_life: Duration::from_secs(3600),
        refresh_absolute_life: Duration::from_secs(4 * 3600),
        refresh_retry_window: Duration::from_secs(10),
        session_life: Duration::from_secs(3600),
        session_idle: Duration::from_secs(3600),
        trusted_proxies: TrustedProxies::new(
            &["10.0.0.0/8".parse().expect("network")],
            AddressField::XForwardedFor,
        ),
        registration: Registration::new(
            Policy::Token,
            scopes("openid profile email offline_access orders:read"),
        ),
        personal_tokens: Default::default(),
        leak_keys: Default::default(),
        signing_algs: vec![Algorithm::Es256],
        client_id_metadata_documents: true,
        mutual_tls: true,
        trusted_issuers: Vec::new(),
        software_publishers: Vec::new(),
        attesters: Vec::new(),
        attestation_challenge: false,
        password_threads: 1,
        puzzle_after: 20,
        places: Default::default(),
        passwords: Default::default(),
        mfa: MfaPolicy::USUAL,
        sign_up: Default::default(),
        notices: Default::default(),
        catalogue: Default::default(),
        branding: Default::default(),
        providers: Vec::new(),
        streams: Vec::new(),
        transmitters: Vec::new(),
    }
}

/// An authority, what it works with, and two clients and a person that it knows.
pub(crate) struct Harness {
    pub(crate) authority: Authority,
    pub(crate) store: Store,
    pub(crate) events: Arc<Recorder>,
    pub(crate) clock: Arc<StandingClock>,
    pub(crate) confidential: TestClient,
    pub(crate) public: TestClient,
    pub(crate) user: User,
    router: Router,
    _folder: TempDir,
}

#[derive(Clone)]
pub(crate) struct TestClient {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Remembers events.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Event>>);

/// Moves only when told to.
pub(crate) struct StandingClock(AtomicI64);

// === impl Harness ===

impl Harness {
    pub(crate) async fn new() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::start(settings, None).await
    }

    /// One that demands nonces in proofs of possession.
    pub(crate) async fn with_nonces() -> Self {
        let nonces = Nonces::new(&[9; 32], Duration::from_secs(300));
        Self::start(settings(), Some(Arc::new(nonces))).await
    }

    async fn start(settings: Settings, nonces: Option<Arc<Nonces>>) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(StandingClock(AtomicI64::new(START)));
        let events = Arc::new(Recorder::default());
        let store = open_store(&folder, clock.now());
        let authority = serve(settings, &store, &clock, &events, nonces).await;
        let user = person("alice");
        store.create_user(&user).await.expect("user");
        let confidential = add_client(&store, "conf", ClientAuthMethod::ClientSecretBasic).await;
        let public = add_client(&store, "pub", ClientAuthMethod::None).await;
        let router = authority.router();
        Self {
            authority,
            store,
            events,
            clock,
            confidential,
            public,
            user,
            router,
            _folder: folder,
        }
    }

    /// A new authority on the same store, which knows nothing but what is in that.
    pub(crate) async fn restart(self) -> Self {
        let settings = self.authority.settings().clone();
        let authority = serve(settings, &self.store, &self.clock, &self.events, None).await;
        let router = authority.router();
        Self { authority, router, ..self }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from("192.0.2.7:4711", request).await
    }

    pub(crate) async fn send_from(&self, peer: &str, request: Request<Body>) -> Answer {
        let mut request = request;
        request.extensions_mut().insert(PeerAddress(peer.parse().expect("address")));
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.expect("body").to_bytes();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("request")).await
    }

    /// A form, with the client's credentials in the Authorization field.
    pub(crate) async fn post(
        &self,
        path: &str,
        client: &TestClient,
        form: &[(&str, &str)],
    ) -> Answer {
        self.post_with(path, client, form, &[]).await
    }

    /// The same with other fields in the request's head.
    pub(crate) async fn post_with(
        &self,
        path: &str,
        client: &TestClient,
        form: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Answer {
        let mut request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        match &client.secret {
            Some(secret) => request = request.header("authorization", basic(&client.id, secret)),
            None => {
                body.append_pair("client_id", &client.id);
            }
        }
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.finish())).expect("request")).await
    }

    /// A form without any credentials but those in it.
    pub(crate) async fn post_bare(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()));
        self.send(request.expect("request")).await
    }

    /// An authorization code for Alice, as the consent page would have made it.
    pub(crate) async fn code(&self, client: &TestClient, scopes_text: &str) -> Secret {
        self.code_for_key(client, scopes_text, None).await
    }

    /// The same, bound to a key by the authorization request.
    pub(crate) async fn code_for_key(
        &self,
        client: &TestClient,
        scopes_text: &str,
        jkt: Option<KeyId>,
    ) -> Secret {
        let code = Family::Code.generate(self.authority.random());
        let grant = Grant {
            id: GrantId::generate(self.authority.random()),
            client: client.id.as_str().into(),
            subject: self.user.id.clone(),
            session: Some(SessionId::from("session-1")),
            scopes: scopes(scopes_text),
            audiences: vec![API.to_owned()],
            auth_time: self.now(),
            amr: vec!["pwd".to_owned()],
            details: Vec::new(),
            claims: Default::default(),
            jkt,
            created_at: self.now(),
            expires_at: self.now().plus(self.authority.settings().refresh_absolute_life),
        };
        let row = Code {
            hash: OpaqueHash::of(code.expose()),
            grant,
            redirect_uri: REDIRECT.to_owned(),
            redirect_uri_sent: true,
            challenge: Some(CHALLENGE.to_owned()),
            nonce: Some("n-1".to_owned()),
            expires_at: self.now().plus(self.authority.settings().code_life),
        };
        self.store.save_code(&row).await.expect("code");
        code
    }

    /// Redeems a code, with all that the request needs.
    pub(crate) async fn redeem(&self, client: &TestClient, code: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.post("/token", client, &form).await
    }

    /// The token response to a new code.
    pub(crate) async fn signed_in(&self, client: &TestClient, scopes_text: &str) -> Value {
        let code = self.code(client, scopes_text).await;
        let answer = self.redeem(client, code.expose()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn refresh(&self, client: &TestClient, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("/token", client, &form).await
    }

    /// A token without a grant, as the administrator's.
    pub(crate) fn mint(&self, scopes_text: &str, audience: &str) -> IssuedAccessToken {
        let order = AccessTokenOrder {
            subject: "admin".into(),
            client: self.confidential.id.as_str().into(),
            scopes: scopes(scopes_text),
            audiences: vec![audience.to_owned()],
            life: Duration::from_secs(600),
            grant: None,
            session: None,
            auth_time: None,
            acr: None,
            details: Vec::new(),
            cnf: None,
            act: None,
            may_act: None,
        };
        let keys = self.authority.keys();
        mint(order, ISSUER, keys, &self.store, self.now(), &OsRandom::new()).expect("token")
    }
}

// === impl TestClient ===

impl TestClient {
    pub(crate) fn named(id: &str, secret: &str) -> Self {
        Self { id: id.to_owned(), secret: Some(secret.to_owned()) }
    }
}

// === impl Answer ===

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn member(&self, name: &str) -> String {
        let value = self.json()[name].clone();
        value.as_str().unwrap_or_else(|| panic!("no `{name}` in {}", self.text)).to_owned()
    }

    /// Checks that the answer is this refusal, as RFC 6749 §5.2 wants it.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.member("error").as_str()), (status, code), "{}", self.text);
        assert!(!self.member("error_description").is_empty());
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

// === impl Recorder ===

impl EventSink for Recorder {
    fn emit(&self, event: Event) {
        self.0.lock().expect("lock").push(event);
    }
}

impl Recorder {
    /// The newest event of a kind, as its public JSON.
    #[track_caller]
    pub(crate) fn last(&self, kind: &str) -> Value {
        let events = self.0.lock().expect("lock");
        let mut newest =
            events.iter().rev().map(|event| serde_json::to_value(event).expect("json"));
        newest.find(|event| event["kind"] == kind).unwrap_or_else(|| panic!("no event {kind}"))
    }

    pub(crate) fn all(&self) -> String {
        let events = self.0.lock().expect("lock");
        events.iter().map(|event| serde_json::to_string(event).expect("json")).collect()
    }
}

// === impl StandingClock ===

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl StandingClock {
    pub(crate) fn pass(&self, secs: i64) {
        self.0.fetch_add(secs * 1000, Ordering::SeqCst);
    }
}

/// Trusts whoever issued a certificate; the real check is the program's.
struct AnyAuthority;

impl CertificateTrust for AnyAuthority {
    fn vouches_for(&self, _: &ClientCertificate, _: Timestamp) -> bool {
        true
    }
}

async fn serve(
    settings: Settings,
    store: &Store,
    clock: &Arc<StandingClock>,
    events: &Arc<Recorder>,
    nonces: Option<Arc<Nonces>>,
) -> Authority {
    let schedule = KeySchedule {
        rotate_every: None,
        overlap: Duration::from_secs(600),
        retire_after: Duration::from_secs(3600),
    };
    let keys = SigningKeys::load_or_create(store, &settings.signing_algs, schedule, clock.now());
    let parts = Parts {
        store: store.clone(),
        keys: Arc::new(keys.await.expect("keys")),
        events: Arc::clone(events) as Arc<dyn EventSink>,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        random: Arc::new(OsRandom::new()),
        fetcher: loopback(),
        certificate_trust: Some(Arc::new(AnyAuthority)),
        nonces,
        outbox: Outbox::mailbox(),
    };
    let authority = Authority::new(settings, parts).expect("authority");
    authority.resume().await.expect("resumed");
    authority
}

/// Fetches from this machine alone.
fn loopback() -> Option<Fetcher> {
    Fetcher::new(Reach::public().and_loopback(), Limits::default()).ok()
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", part(id), part(secret))))
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a signed token.
pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("part");
    let bytes = token::base64url::decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

pub(crate) fn open_store(folder: &TempDir, now: Timestamp) -> Store {
    let settings = store::Settings {
        path: folder.path().join("data").join("tokenward.db"),
        longest_token_life: Duration::from_secs(5 * 3600),
    };
    let master = MasterKey::generate(&OsRandom::new());
    Store::open(settings, master, now).expect("store")
}

pub(crate) fn person(username: &str) -> User {
    User {
        id: format!("{username}-id").into(),
        username: username.to_owned(),
        password_hash: None,
        name: Some("Alice Liddell".to_owned()),
        email: Some("alice@example.com".to_owned()),
        email_verified: true,
        claims: Default::default(),
        disabled: false,
        require_mfa: false,
        created_at: Timestamp::from_millis(START),
    }
}

async fn add_client(store: &Store, id: &str, auth_method: ClientAuthMethod) -> TestClient {
    let secret = match auth_method {
        ClientAuthMethod::None => None,
        _ => Some(Family::ClientSecret.generate(&OsRandom::new()).expose().to_owned()),
    };
    let mut grant_types =
        vec![GrantType::AuthorizationCode, GrantType::DeviceCode, GrantType::RefreshToken];
    if secret.is_some() {
        grant_types.push(GrantType::ClientCredentials);
    }
    let client = Client {
        id: id.into(),
        name: format!("The {id} client"),
        secret_hash: secret.as_deref().map(OpaqueHash::of),
        auth_method,
        grant_types,
        redirect_uris: vec![REDIRECT.to_owned()],
        scopes: scopes("openid profile email offline_access orders:read orders:write"),
        default_scopes: scopes("openid orders:read"),
        created_by: "authority".to_owned(),
        created_at: Timestamp::from_millis(START),
        disabled: false,
        options: Default::default(),
        registration_token: None,
        metadata: "{}".to_owned(),
    };
    store.create_client(&client).await.expect("client");
    TestClient { id: id.to_owned(), secret }
}
