//! A store with findings, a clock that runs, and receivers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use remote::{Fetcher, Limits, Reach};
use serde_json::json;
use store::{MasterKey, NewFinding, Settings, Store, StoredFinding};
use tempfile::TempDir;
use token::random::OsRandom;
use token::secret::Secret;
use token::time::{Clock, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::filter::Filter;
use crate::notifier::Notifier;
use crate::outlet::{Outlet, Way};
use crate::webhook::{Secrets, Webhook};

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Short ones: two more tries.
pub(super) const PAUSES: [Duration; 2] = [Duration::from_millis(30), Duration::from_millis(60)];

/// Runs from [`NOW`] on.
pub(super) struct Running(Instant);

impl Clock for Running {
    fn now(&self) -> Timestamp {
        NOW.plus(self.0.elapsed())
    }
}

pub(super) fn store(folder: &TempDir) -> Store {
    let settings = Settings {
        path: folder.path().join("t.db"),
        longest_token_life: Duration::from_secs(3600),
    };
    let master = MasterKey::load_or_create(&folder.path().join("key"), &OsRandom::new());
    Store::open(settings, master.expect("key"), NOW).expect("store")
}

pub(super) fn notifier(outlets: Vec<Outlet>, store: &Store) -> Notifier {
    let clock = Arc::new(Running(Instant::now()));
    Notifier::with_pauses(outlets, store.clone(), clock, Arc::new(OsRandom::new()), &PAUSES)
}

pub(super) fn finding(id: &str, severity: &str) -> StoredFinding {
    StoredFinding {
        id: id.into(),
        finding: json!({
            "ts": NOW.to_string(), "detector": "honeytoken", "class": "certain",
            "severity": severity, "confidence": 1.0, "token": "t1", "ip": "203.0.113.7",
            "incident": "ip:203.0.113.7@then", "evidence": { "summary": "bait was used" },
            "response": "block:ip",
        }),
        ts: NOW,
        detector: "honeytoken".to_owned(),
        incident: "ip:203.0.113.7@then".to_owned(),
        campaign: None,
        restriction: None,
        restriction_created: false,
        undone_at: None,
        undone_by: None,
        verdict: None,
    }
}

/// Keeps a finding with what is told of it, as the watcher does.
pub(super) async fn keep(store: &Store, notifier: &Notifier, finding: &StoredFinding) {
    let told = notifier.told(finding, NOW);
    let new = NewFinding { told, ..finding.clone().into() };
    store.begin_finding(new, NOW).await.expect("finding");
    notifier.wake();
}

pub(super) fn webhook(name: &str, url: &str, reach: Reach) -> Outlet {
    let fetcher = Fetcher::new(reach, Limits::default()).expect("fetcher");
    let secrets = Secrets::parse(&Secret::new(SECRET)).expect("secrets");
    let url = Url::parse(url).expect("url");
    let way = Way::Webhook(Box::new(Webhook::new(url, secrets, fetcher)));
    Outlet { name: name.to_owned(), filter: Filter::default(), way }
}

/// A request as it came.
pub(super) struct Received {
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Received {
    pub(super) fn field(&self, name: &str) -> &str {
        self.headers.get(name).expect(name).to_str().expect("text")
    }
}

/// A receiver of requests.
pub(super) struct Receiver {
    pub(super) url: String,
    requests: UnboundedReceiver<Received>,
}

struct Answering {
    answers: Mutex<Vec<Response>>,
    told: UnboundedSender<Received>,
}

impl Receiver {
    /// One that answers with these, one after the other, and then with 204.
    pub(super) async fn answering(mut answers: Vec<Response>) -> Self {
        answers.reverse();
        let (told, requests) = mpsc::unbounded_channel();
        let state = Arc::new(Answering { answers: Mutex::new(answers), told });
        let router = Router::new().fallback(take).with_state(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listener");
        let url = format!("http://{}/hook", listener.local_addr().expect("address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }

    pub(super) async fn next(&mut self) -> Received {
        let next = timeout(Duration::from_secs(10), self.requests.recv()).await;
        next.expect("a request in time").expect("a request")
    }

    /// Whether nothing comes for a while.
    pub(super) async fn is_left_alone(&mut self) -> bool {
        timeout(Duration::from_millis(300), self.requests.recv()).await.is_err()
    }
}

async fn take(State(state): State<Arc<Answering>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).expect("text");
    state.told.send(Received { headers, body }).expect("told");
    let answer = state.answers.lock().await.pop();
    answer.unwrap_or_else(|| answer_with(204, &[]))
}

pub(super) fn answer_with(status: u16, fields: &[(&str, &str)]) -> Response {
    let mut answer = Response::builder().status(status);
    for (name, value) in fields {
        answer = answer.header(*name, *value);
    }
    answer.body(axum::body::Body::empty()).expect("answer")
}

pub(super) fn answer_saying(status: u16, body: String) -> Response {
    Response::builder().status(status).body(body.into()).expect("answer")
}

/// Waits until this holds.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("within five seconds: {what}");
}
