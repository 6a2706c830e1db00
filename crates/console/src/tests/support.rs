//! An admin API over a store of its own, with tokens of every kind.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authority::issue::{AccessTokenOrder, mint};
use authority::keys::{KeySchedule, SigningKeys};
use authority::peer::PeerAddress;
use authority::register::policy::{Policy, Registration};
use authority::{Authority, ScopeDefinition, Settings};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use mail::Outbox;
use notify::filter::Filter;
use notify::notifier::Notifier;
use notify::outlet::{Outlet, Way};
use notify::syslog::transport::Transport;
use notify::syslog::{Format, Syslog};
use serde_json::Value;
use store::{MasterKey, Store};
use tempfile::TempDir;
use token::client_address::TrustedProxies;
use token::event::{Event, EventKind, EventSink, TokenKind, Who};
use token::explanation::{Explainer, Explanation, Outcome, Step};
use token::id::{ClientId, SubjectId};
use token::random::OsRandom;
use token::reason::Reason;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::Algorithm;
use token::time::{Clock, Timestamp};
use tower::ServiceExt as _;

use crate::configuration::{
    Applied, Configuration, Mistake, NotApplied, Refused, Reloading, Status,
};
use crate::{Parts, router};

pub(crate) const ISSUER: &str = "http://127.0.0.1:8080";
pub(crate) const API: &str = "http://127.0.0.1:8081";
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);

/// A gateway that remembers one request.
struct OneRequest;

impl Explainer for OneRequest {
    fn explain(&self, request: &str) -> Option<Explanation> {
        let step = |step, outcome| Step { step, outcome, detail: None };
        (request == "known").then(|| Explanation {
            request: request.to_owned(),
            at: Timestamp::from_secs(1_790_000_000),
            door: "gateway",
            ip: None,
            method: "GET".to_owned(),
            path: "/orders".to_owned(),
            route: None,
            token_kind: TokenKind::None,
            who: Who::default(),
            status: 401,
            refused: Some(Reason::NoToken.into()),
            would_refuse: None,
            upstream: None,
            upstream_us: None,
            latency_us: 5,
            steps: vec![step("route", Outcome::Passed), step("present", Outcome::Failed)],
        })
    }
}

/// A configuration file: good the first time, wrong the second, gone then.
#[derive(Default)]
struct OneFile(AtomicU64);

impl Configuration for OneFile {
    fn status(&self) -> Status {
        let refused = Refused { at: NOW, mistakes: vec![mistake()] };
        let refused = (self.0.load(Ordering::SeqCst) > 1).then_some(refused);
        Status { file: Some("t.toml".to_owned()), version: 1, since: NOW, refused }
    }

    fn reload(&self) -> Reloading<'_> {
        let reloaded = match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(Applied { version: 2, changed: vec!["gateway.route".to_owned()] }),
            1 => {
                let words = "t.toml:3: gateway.route[0].path: wrong".to_owned();
                Err(NotApplied::Refused { mistakes: vec![mistake()], words })
            }
            _ => Err(NotApplied::NoFile),
        };
        Box::pin(async { reloaded })
    }
}

/// One outlet that leads to nobody.
fn closed_outlet(store: &Store) -> Notifier {
    let transport = Transport::tcp("127.0.0.1", 1);
    let way = Way::Syslog(Syslog::new("auth.example", Format::Ocsf, transport));
    let outlet = Outlet { name: "closed".to_owned(), filter: Filter::default(), way };
    let random = Arc::new(OsRandom::new());
    Notifier::new(vec![outlet], store.clone(), Arc::new(StandingClock), random)
}

fn mistake() -> Mistake {
    Mistake {
        file: "t.toml".to_owned(),
        line: Some(3),
        column: Some(1),
        key: Some("gateway.route[0].path".to_owned()),
        reason: "wrong".to_owned(),
    }
}

/// An admin API and what it stands on.
pub(crate) struct Harness {
    pub(crate) authority: Authority,
    pub(crate) admin: String,
    events: Arc<Recorder>,
    router: Router,
    _folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

struct StandingClock;

// === impl Harness ===

impl Harness {
    pub(crate) async fn new() -> Self {
        Self::with(settings()).await
    }

    /// With these settings of the authority.
    pub(crate) async fn with(authority_settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let settings = store::Settings {
            path: folder.path().join("tokenward.db"),
            longest_token_life: Duration::from_secs(3600),
        };
        let master = MasterKey::from_hex(&"2a".repeat(32)).expect("master key");
        let store = Store::open(settings, master, NOW).expect("store");
        let schedule = KeySchedule {
            rotate_every: None,
            overlap: Duration::from_secs(600),
            retire_after: Duration::from_secs(3600),
        };
        let keys = SigningKeys::load_or_create(&store, &[Algorithm::Es256], schedule, NOW)
            .await
            .expect("keys");
        let events = Arc::new(Recorder::default());
        let parts = authority::Parts {
            store,
            keys: Arc::new(keys),
            events: Arc::clone(&events) as Arc<dyn EventSink>,
            clock: Arc::new(StandingClock),
            random: Arc::new(OsRandom::new()),
            fetcher: None,
            certificate_trust: None,
            nonces: None,
            outbox: Outbox::mailbox(),
        };
        let authority = Authority::new(authority_settings, parts).expect("authority");
        let requests = Some(Arc::new(OneRequest) as Arc<dyn Explainer>);
        let configuration = Some(Arc::new(OneFile::default()) as Arc<dyn Configuration>);
        let notifier = closed_outlet(authority.store());
        let parts = Parts { authority: authority.clone(), requests, configuration, notifier };
        let router = router(parts, Router::new());
        let admin = token(&authority, "tokenward:admin", ISSUER);
        Self { authority, admin, events, router, _folder: folder }
    }

    pub(crate) fn store(&self) -> &Store {
        self.authority.store()
    }

    /// A token of ours with this scope for this audience.
    pub(crate) fn token(&self, scope: &str, audience: &str) -> String {
        token(&self.authority, scope, audience)
    }

    /// One request with this token.
    pub(crate) async fn send_as(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).expect("method");
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        self.send(request.body(body).expect("request")).await
    }

    /// One request of the administrator.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send_as(Some(&self.admin), method, path, body.as_ref()).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let peer = "192.0.2.7:4711".parse().expect("address");
        request.extensions_mut().insert(PeerAddress(peer));
        let response = self.router.clone().oneshot(request).await.expect("answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// The actions in the audit log, oldest first, and in `admin` events: always the same.
    pub(crate) async fn actions(&self) -> Vec<String> {
        let rows = self.store().audit(None, 1000).await.expect("audit");
        let audited: Vec<String> = rows.into_iter().rev().map(|row| row.entry.action).collect();
        let events = self.events.0.lock().expect("events");
        let told: Vec<String> = events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Admin { action, .. } => Some(action.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(audited, told);
        audited
    }

    /// Takes the `request` events so far: status and reason of each.
    pub(crate) fn requests(&self) -> Vec<(u16, Option<String>, Option<String>)> {
        let events = std::mem::take(&mut *self.events.0.lock().expect("events"));
        events
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::Request(request) => Some((
                    request.status,
                    request.refused.map(|reason| reason.to_string()),
                    request.route,
                )),
                _ => None,
            })
            .collect()
    }
}

pub(crate) fn settings() -> Settings {
    let scope = |name: &str| ScopeDefinition::new(name, format!("Use {name}"));
    Settings {
        issuer: ISSUER.to_owned(),
        admin_resource: ISSUER.to_owned(),
        resources: vec![authority::ResourceDefinition::new(API)],
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
        trusted_proxies: TrustedProxies::default(),
        registration: Registration::new(Policy::Token, ScopeSet::default()),
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
        mfa: authority::rule::mfa::MfaPolicy::USUAL,
        sign_up: Default::default(),
        notices: Default::default(),
        catalogue: Default::default(),
        branding: Default::default(),
        providers: Vec::new(),
        streams: Vec::new(),
        transmitters: Vec::new(),
    }
}

fn token(authority: &Authority, scope: &str, audience: &str) -> String {
    let order = AccessTokenOrder {
        subject: SubjectId::from("operator"),
        client: ClientId::from("tests"),
        scopes: ScopeSet::parse(scope).expect("scope"),
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
    let (keys, store) = (authority.keys(), authority.store());
    let minted = mint(order, ISSUER, keys, store, NOW, authority.random());
    Secret::expose(&minted.expect("token").token).to_owned()
}

// === impl Answer ===

impl Answer {
    /// The body as JSON, after a look at the status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// The detail of a problem document of this status.
    pub(crate) fn problem(&self, status: u16) -> String {
        let problem = self.expect(status);
        let kind = self.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{problem}");
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["status"], status);
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
        let detail = problem["detail"].as_str().expect("detail").to_owned();
        assert!(!detail.is_empty());
        detail
    }
}

impl EventSink for Recorder {
    fn emit(&self, event: Event) {
        self.0.lock().expect("events").push(event);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}
