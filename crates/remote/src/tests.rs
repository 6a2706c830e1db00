//! Against a real server on loopback that does what each test tells it to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde_json::json;
use token::key::{KeySet, PrivateKey};
use token::term::Algorithm;
use url::Url;

use crate::issuer::{DiscoveryError, discover};
use crate::keys::{Freshness, KeysError, Outcomes, Prospect, RemoteKeys, keep_fresh};
use crate::{FetchError, Fetcher, Limits, Reach};

mod followed;

type Script = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

/// A server, and how often it was asked.
struct Host {
    url: Url,
    asked: Arc<AtomicUsize>,
    script: Arc<Mutex<Script>>,
}

// === impl Host ===

impl Host {
    async fn start(script: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let port = listener.local_addr().expect("address").port();
        let asked = Arc::new(AtomicUsize::new(0));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Arc::new(script)));
        let state = (Arc::clone(&asked), Arc::clone(&script));
        let app = Router::new().fallback(answer).with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let url = format!("http://127.0.0.1:{port}/jwks").parse().expect("URL");
        Self { url, asked, script }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn now_answers(&self, script: impl Fn(&Request) -> Response + Send + Sync + 'static) {
        *self.script.lock().expect("script") = Arc::new(script);
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).expect("URL")
    }
}

async fn answer(
    State((asked, script)): State<(Arc<AtomicUsize>, Arc<Mutex<Script>>)>,
    request: Request,
) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    if request.uri().path() == "/slow" {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    // Long enough that those who come at the same time meet.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let script = Arc::clone(&script.lock().expect("script"));
    script(&request)
}

fn fetcher() -> Fetcher {
    let limits = Limits { body: 64 * 1024, time: Duration::from_secs(2) };
    Fetcher::new(Reach::public().and_loopback(), limits).expect("fetcher")
}

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::Es256).expect("key")
}

fn set(keys: &[&PrivateKey]) -> Response {
    let keys: Vec<_> = keys.iter().map(|key| key.public().jwk().clone()).collect();
    json_response(json!({ "keys": keys }))
}

fn json_response(value: serde_json::Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn keys_of(host: &Host, freshness: Freshness) -> Arc<RemoteKeys> {
    Arc::new(RemoteKeys::new(fetcher(), host.url.clone(), freshness))
}

fn quick() -> Freshness {
    Freshness {
        at_most: Duration::from_millis(300),
        at_least: Duration::from_millis(50),
        pause: Duration::from_millis(100),
        unknown_every: Duration::from_secs(60),
        unknown_burst: 2,
        while_down: None,
    }
}

#[tokio::test]
async fn a_document_is_fetched_and_its_age_is_read() {
    let host =
        Host::start(|_| ([(header::CACHE_CONTROL, "public, Max-Age=90")], "hello").into_response());
    let host = host.await;
    let answer = fetcher().get(&host.url, "text/plain").await.expect("answer");
    assert_eq!(
        (&answer.body[..], answer.max_age()),
        (&b"hello"[..], Some(Duration::from_secs(90)))
    );
}

#[tokio::test]
async fn what_is_not_to_be_reached_is_not_reached() {
    let host = Host::start(|_| "inside".into_response()).await;
    let port = host.url.port().expect("port");
    let outside = Fetcher::new(Reach::public(), Limits::default()).expect("fetcher");
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("https://localhost:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://0x7f.1:{port}/"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let refused = outside.get(&url.parse().expect("URL"), "*/*").await;
        assert!(matches!(refused, Err(FetchError::Address(_))), "{url}: {refused:?}");
    }
    for url in ["http://example.com/", "ftp://example.com/", "file:///etc/passwd", "data:,a"] {
        let refused = outside.get(&url.parse().expect("URL"), "*/*").await;
        assert!(matches!(refused, Err(FetchError::Url(_))), "{url}: {refused:?}");
    }
    let with_password = format!("http://u:hunter2@127.0.0.1:{port}/?token=hunter2");
    let refused = fetcher().get(&with_password.parse().expect("URL"), "*/*").await;
    let text = refused.expect_err("refused").to_string();
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(host.asked(), 0);
}

#[tokio::test]
async fn redirects_stay_within_the_host() {
    let other = Host::start(|_| "elsewhere".into_response()).await;
    let there = other.url.to_string();
    let host = Host::start(move |request| {
        let to = match request.uri().path() {
            "/near" => "/here".to_owned(),
            "/far" => there.clone(),
            "/round" => "/round".to_owned(),
            "/user" => {
                format!("http://u:p@{}/here", request.headers()["host"].to_str().expect("host"))
            }
            _ => return "here".into_response(),
        };
        (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
    })
    .await;
    let get = async |path: &str| fetcher().get(&host.at(path), "*/*").await;
    assert_eq!(&get("/near").await.expect("answer").body[..], b"here");
    for path in ["/far", "/round"] {
        let refused = get(path).await;
        assert!(matches!(refused, Err(FetchError::Redirect(_))), "{path}: {refused:?}");
    }
    assert!(matches!(get("/user").await, Err(FetchError::Url(_))));
    assert_eq!(other.asked(), 0);
}

#[tokio::test]
async fn too_much_too_slow_and_no_success_are_told_apart() {
    let host = Host::start(|request| match request.uri().path() {
        "/long" => "x".repeat(64 * 1024 + 1).into_response(),
        "/fits" => "x".repeat(64 * 1024).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    });
    let host = host.await;
    let get = async |path: &str| fetcher().get(&host.at(path), "*/*").await;
    assert!(matches!(get("/long").await, Err(FetchError::TooLong { limit: 65536, .. })));
    assert!(get("/fits").await.is_ok());
    assert!(matches!(get("/none").await, Err(FetchError::Status { .. })));
    assert!(matches!(get("/slow").await, Err(FetchError::TooSlow(_))));
    let nobody: Url = "http://127.0.0.1:9/".parse().expect("URL");
    let refused = fetcher().get(&nobody, "*/*").await;
    assert!(matches!(refused, Err(FetchError::Unreachable { .. })), "{refused:?}");
}

#[tokio::test]
async fn keys_are_fetched_once_for_everybody() {
    let signer = key();
    let jwk = signer.public().jwk().clone();
    let host = Host::start(move |_| json_response(json!({ "keys": [jwk] }))).await;
    let keys = keys_of(&host, Freshness::default());
    let crowd: Vec<_> = (0..50)
        .map(|_| {
            let keys = Arc::clone(&keys);
            tokio::spawn(async move { keys.refresh().await })
        })
        .collect();
    for one in crowd {
        one.await.expect("task").expect("keys");
    }
    assert_eq!(host.asked(), 1);
    assert!(keys.keyring().current().key(signer.public().kid().as_str()).is_some());
    let version = keys.keyring().version();
    keys.refresh().await.expect("fresh");
    assert_eq!((host.asked(), keys.keyring().version()), (1, version));
}

#[tokio::test]
async fn an_unknown_name_is_asked_for_but_not_by_whoever_likes() {
    let (old, new) = (Arc::new(key()), Arc::new(key()));
    let first = Arc::clone(&old);
    let host = Host::start(move |_| set(&[&first])).await;
    let keys = keys_of(&host, quick());
    keys.refresh().await.expect("keys");
    let both = (Arc::clone(&old), Arc::clone(&new));
    host.now_answers(move |_| set(&[&both.0, &both.1]));
    // A rotation that everybody notices at once costs one fetch, and nobody is refused.
    let kid = new.public().kid().to_string();
    let crowd: Vec<_> = (0..50)
        .map(|_| {
            let (keys, kid) = (Arc::clone(&keys), kid.clone());
            tokio::spawn(async move { keys.look_for(&kid).await })
        })
        .collect();
    for one in crowd {
        assert!(one.await.expect("task"));
    }
    assert_eq!(host.asked(), 2);
    // Invented names cost what is left of the allowance, and no more.
    for name in 0..20 {
        assert!(!keys.look_for(&format!("invented-{name}")).await);
    }
    assert_eq!(host.asked(), 3);
    assert_eq!(keys.prospect("invented-0"), Prospect::Absent);
    assert_eq!(keys.prospect("invented-9"), Prospect::NotNow);
    assert!(keys.look_for(&kid).await);
}

#[tokio::test]
async fn a_name_that_is_not_there_is_not_looked_for_twice() {
    let signer = key();
    let jwk = signer.public().jwk().clone();
    let host = Host::start(move |_| json_response(json!({ "keys": [jwk] }))).await;
    let every = Duration::from_millis(400);
    let freshness = Freshness { unknown_every: every, unknown_burst: 3, ..Freshness::default() };
    let keys = keys_of(&host, freshness);
    keys.refresh().await.expect("keys");
    assert_eq!(keys.prospect("k"), Prospect::Asks);
    for _ in 0..20 {
        assert!(!keys.look_for("k").await);
        assert_eq!(keys.prospect("k"), Prospect::Absent);
    }
    assert_eq!(host.asked(), 2, "the allowance is left for others");
    assert_eq!(keys.prospect("l"), Prospect::Asks);
    tokio::time::sleep(every * 2).await;
    assert_eq!(keys.prospect("k"), Prospect::Asks, "it may be there by now");
    assert_eq!(keys.outcomes(), Outcomes { good: 2, failed: 0 });
}

#[tokio::test]
async fn whoever_goes_away_while_it_asks_makes_nobody_free_to_ask() {
    let signer = key();
    let jwk = signer.public().jwk().clone();
    let host = Host::start(move |_| json_response(json!({ "keys": [jwk] }))).await;
    let keys = keys_of(&host, Freshness::default());
    keys.refresh().await.expect("keys");
    for name in 0..20 {
        let name = format!("k{name}");
        let impatient = tokio::time::timeout(Duration::from_millis(1), keys.look_for(&name));
        assert!(impatient.await.is_ok_and(|found| !found) || host.asked() <= 4);
    }
    assert_eq!(keys.prospect("k"), Prospect::NotNow);
    assert!(host.asked() <= 4, "{}", host.asked());
}

#[tokio::test]
async fn a_name_is_not_taken_for_absent_because_nobody_answers() {
    let signer = key();
    let jwk = signer.public().jwk().clone();
    let host = Host::start(move |_| json_response(json!({ "keys": [jwk] }))).await;
    let keys = keys_of(&host, Freshness::default());
    keys.refresh().await.expect("keys");
    host.now_answers(|_| StatusCode::BAD_GATEWAY.into_response());
    let crowd: Vec<_> = (0..20)
        .map(|number| {
            let keys = Arc::clone(&keys);
            tokio::spawn(async move { keys.look_for(&format!("k{number}")).await })
        })
        .collect();
    for one in crowd {
        assert!(!one.await.expect("task"));
    }
    assert_eq!((host.asked(), keys.outcomes()), (2, Outcomes { good: 1, failed: 1 }));
    for number in 0..20 {
        assert_eq!(keys.prospect(&format!("k{number}")), Prospect::NotNow);
    }
}

#[tokio::test]
async fn the_last_good_keys_stay_while_the_issuer_is_down_or_talks_nonsense() {
    let signer = Arc::new(key());
    let first = Arc::clone(&signer);
    let host = Host::start(move |_| set(&[&first])).await;
    let keys = keys_of(&host, quick());
    keys.refresh().await.expect("keys");
    let kid = signer.public().kid().to_string();
    let version = keys.keyring().version();
    let nonsense: [fn() -> Response; 5] = [
        || StatusCode::SERVICE_UNAVAILABLE.into_response(),
        || "<html>login</html>".into_response(),
        || json_response(json!({ "keys": [] })),
        || json_response(json!({ "keys": [{ "kty": "oct", "k": "AAAA", "kid": "a" }] })),
        || json_response(json!({})),
    ];
    for answer in nonsense {
        host.now_answers(move |_| answer());
        tokio::time::sleep(Duration::from_millis(350)).await;
        assert!(keys.is_stale());
        assert!(keys.refresh().await.is_err());
        assert!(matches!(keys.refresh().await, Err(KeysError::Paused(_))));
        assert!(keys.keyring().current().key(&kid).is_some());
    }
    assert_eq!(keys.keyring().version(), version);
    // Good again: the same keys are no reason to verify everything again.
    let again = Arc::clone(&signer);
    host.now_answers(move |_| set(&[&again]));
    tokio::time::sleep(Duration::from_millis(150)).await;
    keys.refresh().await.expect("keys");
    assert_eq!(keys.keyring().version(), version);
}

#[tokio::test]
async fn keys_are_kept_fresh_and_dropped_after_a_long_silence() {
    let (old, new) = (Arc::new(key()), Arc::new(key()));
    let host = Host::start(move |_| set(&[&old])).await;
    let silence = Duration::from_secs(2);
    let keys = keys_of(&host, Freshness { while_down: Some(silence), ..quick() });
    let task = tokio::spawn(keep_fresh(Arc::clone(&keys)));
    let kid = new.public().kid().to_string();
    let second = Arc::clone(&new);
    host.now_answers(move |_| set(&[&second]));
    let within = async |what: &dyn Fn(&KeySet) -> bool| {
        for _ in 0..100 {
            if what(&keys.keyring().current()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    };
    assert!(within(&|keys| keys.key(&kid).is_some()).await);
    host.now_answers(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    assert!(within(&KeySet::is_empty).await);
    drop(keys);
    tokio::time::timeout(Duration::from_secs(5), task)
        .await
        .expect("ends by itself")
        .expect("task");
}

#[tokio::test]
async fn an_issuer_is_found_at_either_place_and_by_its_exact_name() {
    let host = Host::start(|request| {
        let host = request.headers()["host"].to_str().expect("host").to_owned();
        let named = match request.uri().path() {
            "/a/.well-known/openid-configuration" => format!("http://{host}/a"),
            "/.well-known/oauth-authorization-server/b" => format!("http://{host}/b"),
            "/c/.well-known/openid-configuration" => format!("http://{host}/a"),
            "/d/.well-known/openid-configuration" => return "<html>".into_response(),
            _ => return StatusCode::NOT_FOUND.into_response(),
        };
        json_response(json!({ "issuer": named, "jwks_uri": format!("{named}/jwks"), "x": 1 }))
    })
    .await;
    let find = async |path: &str| discover(&fetcher(), host.at(path).as_str()).await;
    assert_eq!(find("/a").await.expect("metadata").jwks_uri, host.at("/a/jwks"));
    assert_eq!(find("/b").await.expect("metadata").jwks_uri, host.at("/b/jwks"));
    assert!(matches!(find("/c").await, Err(DiscoveryError::Mismatch { .. })));
    assert!(matches!(find("/d").await, Err(DiscoveryError::Metadata(_))));
    assert!(matches!(find("/e").await, Err(DiscoveryError::Fetch(FetchError::Status { .. }))));
    for text in ["not a url", "https://a.example/?q=1", "https://a.example/#f", "mailto:a@b.c"] {
        let refused = discover(&fetcher(), text).await;
        assert!(matches!(refused, Err(DiscoveryError::Issuer(_))), "{text}");
    }
}
