//! An issuer as they are in the field: other types and places of scopes, floods of invented keys, slowness,
//! nonsense in place of keys.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};
use token::jws;
use token::key::PrivateKey;
use token::term::Algorithm;

use crate::support::http::Answer;
use crate::support::served::Served;

/// An issuer on loopback whose keys and manners change; it serves until the test process ends.
struct Idp {
    address: String,
    manners: Arc<Manners>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Default)]
struct Manners {
    keys: Mutex<String>,
    fetches: AtomicUsize,
    slow: AtomicBool,
}

// === impl Idp ===

impl Idp {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("runtime");
        let manners = Arc::<Manners>::default();
        let app = Router::new().route("/keys", get(keys)).with_state(Arc::clone(&manners));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("port");
        let address = listener.local_addr().expect("address").to_string();
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, manners, _runtime: runtime }
    }

    fn publishes(&self, keys: &[&PrivateKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public().jwk()).collect();
        self.says(&json!({ "keys": keys }).to_string());
    }

    fn says(&self, text: &str) {
        text.clone_into(&mut self.manners.keys.lock().expect("keys"));
    }

    fn fetches(&self) -> usize {
        self.manners.fetches.load(Ordering::SeqCst)
    }
}

async fn keys(State(manners): State<Arc<Manners>>) -> Response {
    manners.fetches.fetch_add(1, Ordering::SeqCst);
    if manners.slow.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    let keys = manners.keys.lock().expect("keys").clone();
    ([("content-type", "application/json")], keys).into_response()
}

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::Es256).expect("key")
}

/// As Keycloak writes it: `typ: JWT`, roles inside of others, the client in `azp`.
fn token(key: &PrivateKey, change: impl FnOnce(&mut Value)) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    let mut claims = json!({
        "iss": "urn:idp", "aud": ["account", "api://shop"], "sub": "alice", "azp": "web",
        "typ": "Bearer", "iat": now, "exp": now + 300, "scope": "email profile",
        "realm_access": { "roles": ["watcher"] },
    });
    change(&mut claims);
    jws::sign(key, "JWT", claims.to_string().as_bytes()).expect("token")
}

fn start(idp: &Idp) -> Served {
    let served = Served::start(&format!(
        r#"
        [[gateway.issuer]]
        issuer = "urn:idp"
        jwks_uri = "http://{}/keys"
        audiences = ["api://shop"]
        algorithms = ["ES256"]
        types = ["JWT"]
        scopes = [{{ claim = "scope" }}, {{ claim = "realm_access.roles", prefix = "role:" }}]
        required = {{ typ = "Bearer" }}
        [[gateway.route]]
        path = "/readyz"
        scopes = ["role:watcher"]
        upstream = "api"
        [detect]
        responses_per_minute = 0
        "#,
        idp.address
    ));
    let until = Instant::now() + Duration::from_secs(20);
    while ask(&served, &token(&key(), |_| ())).status == 503 {
        assert!(Instant::now() < until, "the keys do not come");
        std::thread::sleep(Duration::from_millis(50));
    }
    served
}

fn ask(served: &Served, token: &str) -> Answer {
    served.http.get(&served.gateway("/readyz"), Some(token))
}

#[test]
fn claims_are_found_where_it_is_said_that_they_are() {
    let (idp, signer) = (Idp::start(), key());
    idp.publishes(&[&signer]);
    let served = start(&idp);
    let ask = |change: fn(&mut Value)| ask(&served, &token(&signer, change)).status;
    assert_eq!(ask(|_| ()), 200);
    assert_eq!(ask(|claims| claims["realm_access"]["roles"] = json!(["other"])), 403);
    assert_eq!(ask(|claims| claims["scope"] = json!("watcher")), 200);
    assert_eq!(ask(|claims| claims["realm_access"] = json!({ "roles": "x role:watcher" })), 403);
    assert_eq!(ask(|claims| claims["typ"] = json!("ID")), 401);
    assert_eq!(ask(|claims| claims["at_hash"] = json!("x")), 401);
    assert_eq!(ask(|claims| claims["aud"] = json!("account")), 401);
    assert_eq!(ask(|claims| claims["aud"] = json!("web")), 401);
}

#[test]
fn a_flood_of_invented_keys_reaches_neither_the_issuer_nor_anybody_else() {
    let (idp, signer) = (Idp::start(), key());
    idp.publishes(&[&signer]);
    let served = start(&idp);
    let good = token(&signer, |_| ());
    assert_eq!(ask(&served, &good).status, 200);
    let before = idp.fetches();
    let mut seen = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..200 {
        let answer = ask(&served, &token(&key(), |_| ()));
        *seen.entry(answer.status).or_default() += 1;
    }
    assert!(idp.fetches() - before <= 4, "{} fetches", idp.fetches() - before);
    assert!(seen.keys().all(|status| [401, 503].contains(status)), "{seen:?}");
    assert_eq!(ask(&served, &good).status, 200);
}

#[test]
fn a_slow_issuer_holds_up_what_asks_for_it_and_nothing_else() {
    let (idp, signer) = (Idp::start(), key());
    idp.publishes(&[&signer]);
    let served = start(&idp);
    let good = token(&signer, |_| ());
    assert_eq!(ask(&served, &good).status, 200);
    idp.manners.slow.store(true, Ordering::SeqCst);
    let strange = token(&key(), |_| ());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let http = crate::support::http::Http::new();
            let began = Instant::now();
            let answer = http.get(&served.gateway("/readyz"), Some(&strange));
            (answer.status, began.elapsed())
        });
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        for _ in 0..20 {
            assert_eq!(ask(&served, &good).status, 200);
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?}");
        let (status, waited) = waits.join().expect("thread");
        assert_eq!(status, 503, "nobody knows whether it is a forgery");
        assert!(waited < Duration::from_secs(8), "{waited:?}");
    });
}

#[test]
fn nonsense_in_place_of_keys_changes_nothing() {
    let (idp, signer) = (Idp::start(), key());
    idp.publishes(&[&signer]);
    let served = start(&idp);
    let good = token(&signer, |_| ());
    assert_eq!(ask(&served, &good).status, 200);
    for nonsense in ["", "<html>", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"]
    {
        idp.says(nonsense);
        let before = idp.fetches();
        // An unknown key makes it fetch; after a failure it waits some seconds before it does so again.
        let until = Instant::now() + Duration::from_secs(20);
        while idp.fetches() == before {
            assert!(Instant::now() < until, "it does not fetch");
            assert_eq!(ask(&served, &token(&key(), |_| ())).status, 503);
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(ask(&served, &good).status, 200, "{nonsense}");
    }
}
