//! An issuer that does what a test tells it to, a service behind the layer, and a client.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Form, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use token::jws;
use token::key::PrivateKey;
use token::term::Algorithm;
use tokenward_verify::{Authenticated, Builder, Reach, Verifier};

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An issuer with keys, a status list and a restriction log.
pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) state: Arc<IssuerState>,
}

pub(crate) struct IssuerState {
    pub(crate) url: String,
    pub(crate) keys: Mutex<Vec<Arc<PrivateKey>>>,
    pub(crate) down: AtomicBool,
    pub(crate) asked_for_keys: AtomicUsize,
    /// What `/status` answers.
    pub(crate) status_list: Mutex<String>,
    /// What `/restrictions` answers, by position; none: the caller has to wait.
    pub(crate) log: Mutex<Vec<Value>>,
}

// === impl Issuer ===

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let state = Arc::new(IssuerState {
            url: url.clone(),
            keys: Mutex::new(vec![new_key()]),
            down: AtomicBool::new(false),
            asked_for_keys: AtomicUsize::new(0),
            status_list: Mutex::default(),
            log: Mutex::default(),
        });
        let app = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/jwks", get(jwks))
            .route("/status", get(status_list))
            .route("/restrictions", post(restrictions))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, state }
    }

    /// The claims of a good token.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": self.url, "aud": "http://api.example", "sub": "u-1", "client_id": "c-1",
            "jti": "t-1", "iat": now(), "exp": now() + 300, "scope": "orders:read",
        })
    }

    pub(crate) fn key(&self) -> Arc<PrivateKey> {
        Arc::clone(self.state.keys.lock().expect("keys").last().expect("key"))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        jws::sign(&self.key(), "at+jwt", claims.to_string().as_bytes()).expect("token")
    }

    /// A good token but for one claim.
    pub(crate) fn token_with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.sign(&claims)
    }

    pub(crate) fn token(&self) -> String {
        self.token_with("unused", json!(1))
    }

    /// From now on a new key signs.
    pub(crate) fn rotate(&self) {
        self.state.keys.lock().expect("keys").push(new_key());
    }

    pub(crate) fn is_down(&self, down: bool) {
        self.state.down.store(down, Ordering::SeqCst);
    }

    /// Writes an entry to the log: a row, or the position of a row that is lifted.
    pub(crate) fn write(&self, entry: Value) {
        self.state.log.lock().expect("log").push(entry);
    }

    pub(crate) fn verifier(&self) -> Builder {
        Verifier::builder(&self.url, "http://api.example").reach(Reach::public().and_loopback())
    }
}

pub(crate) fn new_key() -> Arc<PrivateKey> {
    Arc::new(PrivateKey::generate(Algorithm::Es256).expect("key"))
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("time")
}

async fn metadata(State(state): State<Arc<IssuerState>>) -> Response {
    if state.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let url = &state.url;
    axum::Json(json!({
        "issuer": url, "jwks_uri": format!("{url}/jwks"),
        "restrictions_endpoint": format!("{url}/restrictions"),
    }))
    .into_response()
}

async fn jwks(State(state): State<Arc<IssuerState>>) -> Response {
    state.asked_for_keys.fetch_add(1, Ordering::SeqCst);
    if state.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let keys = state.keys.lock().expect("keys");
    let keys: Vec<_> = keys.iter().map(|key| key.public().jwk().clone()).collect();
    axum::Json(json!({ "keys": keys })).into_response()
}

async fn status_list(State(state): State<Arc<IssuerState>>) -> Response {
    if state.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    state.status_list.lock().expect("list").clone().into_response()
}

async fn restrictions(
    State(state): State<Arc<IssuerState>>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if form["client_id"] != "checker" || form["client_secret"] != "secret" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let after: usize = form["after"].parse().expect("position");
    let waits = form["wait"] != "0";
    for _ in 0..200 {
        if state.down.load(Ordering::SeqCst) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let log = state.log.lock().expect("log").clone();
        if log.len() > after || !waits {
            let new = log.get(after..).unwrap_or_default();
            let (lifted, rows): (Vec<&Value>, Vec<&Value>) =
                new.iter().partition(|entry| entry.is_u64());
            let page = json!({
                "restrictions": rows, "lifted": lifted, "upto": log.len(), "more": false,
            });
            return axum::Json(page).into_response();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    axum::Json(json!({ "restrictions": [], "lifted": [], "upto": after, "more": false }))
        .into_response()
}

/// A service behind the layer, and how often a request came through.
pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) reached: Arc<AtomicUsize>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

// === impl Service ===

impl Service {
    pub(crate) async fn start(verifier: &Verifier) -> Self {
        let reached = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reached);
        let handler = move |Extension(caller): Extension<Authenticated>| {
            count.fetch_add(1, Ordering::SeqCst);
            async move { caller.token().facts().subject.to_string() }
        };
        let writing = verifier.require(["orders:read", "orders:write"]).expect("scopes");
        let app = Router::new()
            .route(
                "/orders",
                get(handler.clone())
                    .post(handler.clone())
                    .route_layer(verifier.require(["orders:read"]).expect("scopes")),
            )
            .route("/orders/new", post(handler).layer(writing))
            .route("/health", get(|| async { "open" }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, reached }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(method, path, fields, Bytes::new()).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = request.body(Full::<Bytes>::new(body.into())).expect("request");
        let response = client.request(request).await.expect("response");
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.expect("body").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: head.status.as_u16(), headers: head.headers, text }
    }

    pub(crate) async fn get(&self, token: &str) -> Answer {
        self.ask("GET", "/orders", &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Asks until the status is this one.
    pub(crate) async fn comes_to(&self, token: &str, status: u16) -> bool {
        for _ in 0..200 {
            if self.get(token).await.status == status {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }
}

impl Answer {
    pub(crate) fn error(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        format!("{} {}", self.status, body["error"].as_str().unwrap_or_default())
    }
}
