//! Tokens of other issuers, through the whole gateway: whose keys count, and who is whose.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use token::event::TokenKind;
use token::foreign::{AcceptedType, ForeignRules, ScopeSource};
use token::jws;
use token::key::{KeySet, PrivateKey};
use token::keyring::Keyring;
use token::reference::Unavailable;
use token::restriction::{Effect, Selector};
use token::term::Algorithm;

use super::support::upstream::Recording;
use super::support::{House, RESOURCE, error, field, settings, status};
use crate::{
    Answering, ForeignIssuer, Introspection, IssuerServer, Prospect, Settings, accepted_audiences,
};

mod asked;

const IDP: &str = "https://idp.example";
const OTHER: &str = "https://idp.example/";

/// An issuer's server, and how often it was asked.
#[derive(Default)]
struct Idp {
    keyring: Arc<Keyring>,
    /// What it publishes: the gateway has it once it asks.
    published: Mutex<Vec<Arc<PrivateKey>>>,
    tokens: Mutex<HashMap<String, Value>>,
    fetches: AtomicUsize,
    questions: AtomicUsize,
    /// Who waits for an answer, and how many did so at most.
    waiting: AtomicUsize,
    most: AtomicUsize,
    /// So many fetches are left.
    allowance: AtomicUsize,
    absent: Mutex<HashSet<String>>,
    down: AtomicBool,
}

// === impl Idp ===

impl Idp {
    fn start() -> (Arc<Self>, Arc<PrivateKey>) {
        let idp = Self { allowance: AtomicUsize::new(3), ..Self::default() };
        let key = Arc::new(PrivateKey::generate(Algorithm::Es256).expect("key"));
        idp.publish(&key);
        idp.keyring.replace(idp.set());
        (Arc::new(idp), key)
    }

    fn publish(&self, key: &Arc<PrivateKey>) {
        self.published.lock().expect("keys").push(Arc::clone(key));
    }

    fn set(&self) -> KeySet {
        let keys = self.published.lock().expect("keys");
        keys.iter().map(|key| Arc::clone(key.public())).collect()
    }

    /// An opaque token of which this is said.
    fn opaque(&self, prefix: &str, answer: Value) -> String {
        let token = format!("{prefix}{}", self.tokens.lock().expect("tokens").len());
        self.tokens.lock().expect("tokens").insert(token.clone(), answer);
        token
    }

    fn say(&self, token: &str, answer: Value) {
        self.tokens.lock().expect("tokens").insert(token.to_owned(), answer);
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }
}

impl IssuerServer for Idp {
    fn prospect(&self, kid: &str) -> Prospect {
        if self.absent.lock().expect("names").contains(kid) {
            Prospect::Absent
        } else if self.allowance.load(Ordering::SeqCst) > 0 {
            Prospect::Asks
        } else {
            Prospect::NotNow
        }
    }

    fn look_for<'a>(&'a self, kid: &'a str) -> Answering<'a, Result<(), Unavailable>> {
        Box::pin(async move {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            self.allowance.fetch_sub(1, Ordering::SeqCst);
            if self.down.load(Ordering::SeqCst) {
                return Err(Unavailable);
            }
            let keys = self.set();
            if keys.key(kid).is_none() {
                self.absent.lock().expect("names").insert(kid.to_owned());
            }
            self.keyring.replace(keys);
            Ok(())
        })
    }

    fn introspect<'a>(&'a self, token: &'a str) -> Answering<'a, Result<Bytes, Unavailable>> {
        Box::pin(async move {
            self.questions.fetch_add(1, Ordering::SeqCst);
            let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(waiting, Ordering::SeqCst);
            // Long enough that those who come at the same time meet.
            tokio::time::sleep(Duration::from_millis(100)).await;
            if token.ends_with("slow") {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            let inactive = json!({ "active": false });
            match self.tokens.lock().expect("tokens").get(token).unwrap_or(&inactive) {
                Value::Null => Err(Unavailable),
                answer => Ok(Bytes::from(answer.to_string())),
            }
        })
    }
}

fn issuer(name: &str, settings: &Settings, idp: &Arc<Idp>) -> ForeignIssuer {
    let path = |text: &str| text.parse().expect("path");
    let scope = |claim| ScopeSource { claim: path(claim), prefix: String::new() };
    let audiences = ["api://orders".to_owned(), "https://ledger.example".to_owned()];
    ForeignIssuer {
        rules: ForeignRules {
            issuer: Arc::new(name.to_owned()),
            audiences: accepted_audiences(settings, &audiences),
            algorithms: Vec::new(),
            types: vec![AcceptedType::Named("at+jwt".into())],
            scopes: vec![scope("scope")],
            subject: path("sub"),
            client: vec![path("client_id")],
            required: Vec::new(),
            longest_life: Duration::from_secs(86_400),
            leeway: settings.leeway,
        },
        keyring: Some(Arc::clone(&idp.keyring)),
        introspection: None,
        server: Arc::clone(idp) as Arc<dyn IssuerServer>,
    }
}

fn asked_about(prefix: &str, issuer: ForeignIssuer) -> ForeignIssuer {
    let introspection = Introspection { prefix: prefix.into(), keep: Duration::from_secs(30) };
    ForeignIssuer { introspection: Some(introspection), ..issuer }
}

struct Scene {
    house: House,
    upstream: Recording,
    idp: Arc<Idp>,
    key: Arc<PrivateKey>,
    other: Arc<Idp>,
    other_key: Arc<PrivateKey>,
}

// === impl Scene ===

impl Scene {
    /// Two other issuers, whose names differ by a slash; the first is asked about `idp_…`, the second about
    /// `oth_…`.
    async fn new() -> Self {
        let upstream = Recording::new().await;
        let settings = settings(&format!("http://{}", upstream.address));
        let ((idp, key), (other, other_key)) = (Idp::start(), Idp::start());
        let issuers = vec![
            asked_about("idp_", issuer(IDP, &settings, &idp)),
            asked_about("oth_", issuer(OTHER, &settings, &other)),
        ];
        let house = House::with_issuers(settings, issuers).await;
        Self { house, upstream, idp, key, other, other_key }
    }

    /// The claims of a good token of the first but for one.
    fn claims(&self, name: &str, value: Value) -> Value {
        let now = self.house.clock_secs();
        let mut claims = json!({
            "iss": IDP, "aud": "api://orders", "sub": "u1", "client_id": "c1", "jti": "t1",
            "iat": now, "exp": now + 300, "scope": "orders:read",
        });
        claims[name] = value;
        claims
    }

    fn token(&self, name: &str, value: Value) -> String {
        sign(&self.key, &self.claims(name, value))
    }

    /// The same as the issuer tells it of an opaque token.
    fn active(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims(name, value);
        claims["active"] = json!(true);
        claims
    }

    async fn ask(&self, token: &str) -> String {
        verdict(&self.house, token).await
    }
}

fn sign(key: &PrivateKey, claims: &Value) -> String {
    jws::sign(key, "at+jwt", claims.to_string().as_bytes()).expect("token")
}

async fn verdict(house: &House, token: &str) -> String {
    let answer = house.ask_as(token, "GET /orders/7", "").await;
    let (_, request) = house.events.next().await;
    match request.refused {
        None => status(&answer).to_string(),
        Some(refused) => format!("{} {refused}", status(&answer)),
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_passes_under_its_own_name() {
    let scene = Scene::new().await;
    let token = scene.token("jti", json!("t9"));
    for _ in 0..2 {
        let answer = scene.house.ask_as(&token, "GET /orders/7", "").await;
        assert_eq!(status(&answer), 200);
        let (event, request) = scene.house.events.next().await;
        assert_eq!(request.token_kind, TokenKind::Jwt);
        assert_eq!(event.who.subject.expect("subject").as_str(), "https://idp.example|u1");
        assert_eq!(event.who.client.expect("client").as_str(), "https://idp.example|c1");
        assert_eq!(event.who.token.expect("token").as_str(), "https://idp.example|t9");
    }
    let sent = &scene.upstream.requests()[0];
    assert_eq!(field(sent, "tokenward-subject"), Some("https://idp.example|u1"));
    assert_eq!(field(sent, "tokenward-client"), Some("https://idp.example|c1"));
    assert_eq!(field(sent, "tokenward-scope"), Some("orders:read"));
    assert_eq!(scene.idp.fetches(), 0, "known keys need no fetch");
    // Our own go on as before.
    assert_eq!(scene.ask(&scene.house.token("orders:read")).await, "200");
}

#[tokio::test]
async fn keys_are_the_issuers_alone() {
    let scene = Scene::new().await;
    let ours = |claims: &Value| scene.house.sign(claims);
    for (token, expected) in [
        // Another issuer's key, under its own name: looked for, and not there.
        (sign(&scene.other_key, &scene.claims("sub", json!("u1"))), "401 forged:unknown_key"),
        (ours(&scene.claims("sub", json!("u1"))), "401 forged:unknown_key"),
        (sign(&scene.key, &scene.house.claims()), "401 forged:unknown_key"),
        // The exact text of the issuer chooses the keys.
        (scene.token("iss", json!(OTHER)), "401 forged:unknown_key"),
        (scene.token("iss", json!("https://IDP.example")), "401 wrong_issuer"),
        (scene.token("iss", json!("https://idp.example//")), "401 wrong_issuer"),
        // It names nobody, so it is held against our own keys.
        (scene.token("iss", json!([IDP])), "401 forged:unknown_key"),
        (scene.token("aud", json!(RESOURCE)), "401 wrong_audience"),
        (scene.token("exp", json!(scene.house.clock_secs())), "401 expired"),
        (scene.token("scope", json!("orders:write")), "403 insufficient_scope"),
        (sign(&scene.other_key, &scene.claims("iss", json!(OTHER))), "200"),
    ] {
        assert_eq!(scene.ask(&token).await, expected);
        assert_eq!(scene.ask(&token).await, expected, "again");
    }
    assert_eq!(scene.upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_route_with_audiences_of_its_own_wants_one_of_them() {
    let scene = Scene::new().await;
    let ask = async |audience: Value, path: &str| {
        let token = scene.token("aud", audience);
        let answer = scene.house.ask_as(&token, &format!("GET {path}"), "").await;
        let _ = scene.house.events.next().await;
        status(&answer)
    };
    assert_eq!(ask(json!("api://orders"), "/ledger").await, 401);
    assert_eq!(ask(json!("https://ledger.example"), "/ledger").await, 200);
    assert_eq!(ask(json!("https://ledger.example"), "/orders").await, 401);
    assert_eq!(ask(json!(["https://ledger.example", "api://orders"]), "/orders").await, 200);
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_invented_ones_are_not() {
    let scene = Scene::new().await;
    let new = Arc::new(PrivateKey::generate(Algorithm::Es256).expect("key"));
    scene.idp.publish(&new);
    let token = sign(&new, &scene.claims("sub", json!("u1")));
    assert_eq!(scene.ask(&token).await, "200");
    assert_eq!(scene.ask(&token).await, "200");
    assert_eq!(scene.idp.fetches(), 1);
    // The keys of before are still good.
    assert_eq!(scene.ask(&scene.token("jti", json!("t2"))).await, "200");
    let invented = || {
        let key = PrivateKey::generate(Algorithm::Es256).expect("key");
        sign(&key, &scene.claims("sub", json!("u1")))
    };
    let strange = invented();
    for _ in 0..5 {
        assert_eq!(scene.ask(&strange).await, "401 forged:unknown_key");
    }
    assert_eq!(scene.idp.fetches(), 2, "it is known to be absent");
    assert_eq!(scene.ask(&invented()).await, "401 forged:unknown_key");
    // Now nobody can say whether it is a forgery, and nobody is taken for a forger.
    for _ in 0..20 {
        assert_eq!(scene.ask(&invented()).await, "503 unavailable");
    }
    assert_eq!(scene.idp.fetches(), 3, "the allowance");
    assert_eq!(scene.ask(&token).await, "200");
    assert_eq!(scene.other.fetches(), 0);
}

#[tokio::test]
async fn an_unknown_key_is_no_forgery_while_its_issuer_is_down() {
    let scene = Scene::new().await;
    scene.idp.down.store(true, Ordering::SeqCst);
    let new = Arc::new(PrivateKey::generate(Algorithm::Es256).expect("key"));
    scene.idp.publish(&new);
    let token = sign(&new, &scene.claims("sub", json!("u1")));
    assert_eq!(scene.ask(&token).await, "503 unavailable");
    assert_eq!(scene.ask(&scene.token("jti", json!("t1"))).await, "200", "known keys go on");
    scene.idp.down.store(false, Ordering::SeqCst);
    assert_eq!(scene.ask(&token).await, "200");
}

#[tokio::test]
async fn without_keys_only_its_own_tokens_wait() {
    let scene = Scene::new().await;
    let token = scene.token("jti", json!("t1"));
    assert_eq!(scene.ask(&token).await, "200");
    scene.idp.keyring.replace(KeySet::default());
    let answer = scene.house.ask_as(&token, "GET /orders/7", "").await;
    assert_eq!((status(&answer), error(&answer).as_str()), (503, "temporarily_unavailable"));
    assert!(answer.contains("the keys of the token's issuer are not known yet"), "{answer}");
    let (_, request) = scene.house.events.next().await;
    assert_eq!(request.refused.expect("refused").to_string(), "unavailable");
    let other = sign(&scene.other_key, &scene.claims("iss", json!(OTHER)));
    assert_eq!(scene.ask(&other).await, "200");
    assert_eq!(scene.ask(&scene.house.token("orders:read")).await, "200");
}

#[tokio::test]
async fn what_is_taken_back_of_one_issuer_is_nobody_elses() {
    let scene = Scene::new().await;
    let theirs = scene.token("jti", json!("t1"));
    let others = sign(&scene.other_key, &scene.claims("iss", json!(OTHER)));
    let ours = scene.house.token("orders:read");
    let introspected = scene.idp.opaque("idp_", scene.active("jti", json!("t2")));
    let all = async || {
        let mut seen = Vec::new();
        for token in [&ours, &theirs, &others, &introspected] {
            seen.push(scene.ask(token).await);
        }
        seen.join(", ")
    };
    assert_eq!(all().await, "200, 200, 200, 200");
    let suspended = async |selector: Selector| {
        let seq = scene.house.restrict(selector, Effect::Suspend);
        let seen = all().await;
        scene.house.index.forget(seq);
        seen
    };
    let subject = |text: &str| Selector::Subject(text.into());
    assert_eq!(suspended(subject("u1")).await, "401 blocked, 200, 200, 200");
    assert_eq!(suspended(Selector::Issuer).await, "401 blocked, 200, 200, 200");
    assert_eq!(suspended(Selector::Client("c1".into())).await, "401 blocked, 200, 200, 200");
    let of_idp = "200, 401 blocked, 200, 401 blocked";
    assert_eq!(suspended(subject("https://idp.example|u1")).await, of_idp);
    assert_eq!(suspended(Selector::Client("https://idp.example|c1".into())).await, of_idp);
    let token = Selector::Token("https://idp.example|t2".into());
    assert_eq!(suspended(token).await, "200, 200, 200, 401 blocked");
    let key = Selector::Key("https://idp.example|".into());
    assert_eq!(suspended(key).await, "200, 200, 200, 401 blocked");
    let other = subject("https://idp.example/|u1");
    assert_eq!(suspended(other).await, "200, 200, 401 blocked, 200");
    assert_eq!(all().await, "200, 200, 200, 200");
    assert_eq!(scene.idp.questions(), 1, "restrictions cut through what is remembered");
}
