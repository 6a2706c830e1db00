//! Security events that are fetched, from a transmitter that does not always behave: followed once and in order,
//! acknowledged afterwards, and none lost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use store::{Filter, NewIdentity};
use token::jws;
use token::key::{KeySet, PrivateKey};
use token::restriction::Effect;
use token::secret::Secret;
use token::term::Algorithm;

use super::support::{Harness, ISSUER, settings};
use super::upstream::Upstream;
use crate::Settings;
use crate::foreign::KeySource;
use crate::provider::preset::Preset;
use crate::signals::event::EventType;
use crate::signals::fetched::Follower;
use crate::signals::received::Transmitter;

const SENDER: &str = "https://idp.example";
const TOKEN: &str = "let-us-in";

/// What the transmitter answers, one after the other; then nothing is left.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<(u16, HeaderMap, String)>>>,
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    silent: bool,
}

struct House {
    harness: Harness,
    follower: Follower,
    script: Script,
    key: PrivateKey,
}

// === impl Script ===

impl Script {
    async fn serve(&self) -> String {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("socket");
        let at = socket.local_addr().expect("address");
        let router = Router::new().route("/poll", post(answer)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(socket, router).await.expect("serve") });
        format!("http://{at}/poll")
    }

    fn say(&self, status: u16, body: impl ToString) {
        self.say_with(status, HeaderMap::new(), body);
    }

    fn say_with(&self, status: u16, headers: HeaderMap, body: impl ToString) {
        self.answers.lock().expect("lock").push_back((status, headers, body.to_string()));
    }

    fn last(&self) -> (HeaderMap, Value) {
        self.asked.lock().expect("lock").last().cloned().expect("a request")
    }
}

async fn answer(State(script): State<Script>, headers: HeaderMap, body: Json<Value>) -> Response {
    script.asked.lock().expect("lock").push((headers, body.0));
    if script.silent {
        return std::future::pending().await;
    }
    let said = script.answers.lock().expect("lock").pop_front();
    let nothing = || (200, HeaderMap::new(), json!({ "sets": {} }).to_string());
    let (status, headers, body) = said.unwrap_or_else(nothing);
    (StatusCode::from_u16(status).expect("status"), headers, body).into_response()
}

// === impl House ===

impl House {
    async fn new() -> Self {
        Self::with(Script::default(), settings()).await
    }

    async fn with(script: Script, settings: Settings) -> Self {
        let key = PrivateKey::generate(Algorithm::Es256).expect("key");
        let keys = json!({ "keys": [key.public().jwk()] }).to_string();
        let keys = Some(Arc::new(KeySet::from_jwks(keys.as_bytes()).expect("keys")));
        let transmitter = Transmitter {
            name: "idp".to_owned(),
            source: KeySource { issuer: SENDER.to_owned(), jwks_uri: None, keys },
            audience: None,
            fetched_at: Some(script.serve().await.parse().expect("URL")),
            token: Secret::new(TOKEN),
            email_domains: Vec::new(),
        };
        let harness = Harness::with(Settings { transmitters: vec![transmitter], ..settings }).await;
        let follower = harness.authority.followers().pop().expect("a follower");
        Self { harness, follower, script, key }
    }

    /// The same after a restart.
    async fn restart(self) -> Self {
        let harness = self.harness.restart().await;
        let follower = harness.authority.followers().pop().expect("a follower");
        Self { harness, follower, ..self }
    }

    fn claims(&self, jti: &str, kind: EventType, age: i64) -> Value {
        json!({
            "iss": SENDER, "aud": ISSUER, "jti": jti, "iat": self.harness.now().as_secs() - age,
            "sub_id": { "format": "iss_sub", "iss": ISSUER, "sub": "alice-id" },
            "events": { kind.uri(): {} },
        })
    }

    fn event(&self, jti: &str, kind: EventType, age: i64) -> String {
        sign(&self.key, &self.claims(jti, kind, age))
    }

    async fn turn(&mut self) -> Duration {
        self.follower.turn(&self.harness.authority).await
    }

    /// How many restrictions are in force, and how many of these suspend.
    async fn held(&self) -> (usize, usize) {
        let filter = Filter { in_force_at: Some(self.harness.now()), before: None, limit: 100 };
        let held = self.harness.store.restrictions(filter).await.expect("restrictions");
        let suspends = held.iter().filter(|row| row.restriction.effect == Effect::Suspend).count();
        (held.len(), suspends)
    }
}

fn sign(key: &PrivateKey, claims: &Value) -> String {
    jws::sign(key, "secevent+jwt", claims.to_string().as_bytes()).expect("token")
}

#[tokio::test]
async fn events_are_followed_in_their_order_and_then_acknowledged() {
    let mut house = House::new().await;
    // In one answer, the later one first.
    let sets = json!({
        "a-later": house.event("a-later", EventType::AccountEnabled, 1),
        "b-earlier": house.event("b-earlier", EventType::AccountDisabled, 2),
    });
    house.script.say(200, json!({ "sets": sets, "moreAvailable": false }));
    assert_eq!(house.turn().await, Duration::ZERO, "what is new is acknowledged at once");
    assert_eq!(house.held().await, (1, 0), "the suspension is lifted again");
    let (headers, asked) = house.script.last();
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    let first = json!({ "maxEvents": 50, "returnImmediately": false, "ack": [], "setErrs": {} });
    assert_eq!(asked, first);
    assert!(
        house.turn().await > Duration::ZERO,
        "a transmitter that does not wait is not asked at once"
    );
    let (_, asked) = house.script.last();
    assert_eq!(asked["ack"], json!(["b-earlier", "a-later"]));
    house.turn().await;
    assert_eq!(house.script.last().1["ack"], json!([]), "once");
}

#[tokio::test]
async fn what_comes_again_after_a_restart_does_nothing_and_is_acknowledged() {
    let mut house = House::new().await;
    let sets = json!({ "e1": house.event("e1", EventType::AccountDisabled, 1) });
    house.script.say(200, json!({ "sets": sets }));
    assert_eq!(house.turn().await, Duration::ZERO);
    // Nothing was acknowledged yet; somebody lifts it meanwhile.
    let filter = Filter { in_force_at: Some(house.harness.now()), before: None, limit: 100 };
    let rows = house.harness.store.restrictions(filter).await.expect("restrictions");
    let row = rows.iter().find(|row| row.restriction.effect == Effect::Suspend).expect("one");
    house
        .harness
        .store
        .lift(row.restriction.seq, "admin:root", house.harness.now())
        .await
        .expect("lift");
    let mut house = house.restart().await;
    for _ in 0..2 {
        house.script.say(200, json!({ "sets": sets }));
        assert!(house.turn().await > Duration::ZERO, "one that comes for ever is no busy loop");
        assert_eq!(house.held().await, (1, 0));
    }
    assert_eq!(house.script.last().1["ack"], json!(["e1"]));
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_holds_up_nothing() {
    let mut house = House::new().await;
    let mut elsewhere = house.claims("aud", EventType::SessionRevoked, 0);
    elsewhere["aud"] = json!("https://else.example");
    let other = PrivateKey::generate(Algorithm::Es256).expect("key");
    let forged = sign(&other, &house.claims("forged", EventType::AccountDisabled, 0));
    let day = 24 * 3600;
    let sets = json!({
        "number": 7,
        "text": "no token",
        "aud": sign(&house.key, &elsewhere),
        "forged": forged,
        "old": house.event("old", EventType::AccountDisabled, 9 * day),
        "waited": house.event("waited", EventType::SessionRevoked, 7 * day),
    });
    house.script.say(200, json!({ "sets": sets }));
    assert_eq!(house.turn().await, Duration::ZERO);
    assert_eq!(house.held().await, (1, 0), "the one that waited for us");
    house.script.say(200, json!({ "sets": { "forged": forged } }));
    assert!(house.turn().await > Duration::ZERO);
    let (headers, asked) = house.script.last();
    assert_eq!(asked["ack"], json!(["waited"]));
    let codes = ["aud", "number", "old", "text"].map(|jti| &asked["setErrs"][jti]["err"]);
    let words = ["invalid_audience", "invalid_request", "invalid_request", "invalid_request"];
    assert_eq!(codes, words.map(|word| json!(word)).each_ref());
    assert_eq!(asked["setErrs"].as_object().expect("object").len(), 4, "{asked}");
    assert_eq!(headers["content-language"], "en");
    // Its key may be newer than the set that is known: it is refused when that was looked for.
    assert_eq!(house.held().await, (1, 0));
    house.turn().await;
    assert_eq!(house.script.last().1["setErrs"], json!({}));
    house.script.say(200, json!({ "sets": { "forged": forged } }));
    house.turn().await;
    house.harness.clock.pass(61);
    house.script.say(200, json!({ "sets": { "forged": forged } }));
    house.turn().await;
    house.turn().await;
    assert_eq!(house.script.last().1["setErrs"]["forged"]["err"], "invalid_key");
    assert_eq!(house.held().await, (1, 0));
}

#[tokio::test]
async fn a_transmitter_that_fails_is_left_alone_for_longer_and_longer_and_nothing_is_lost() {
    let mut house = House::new().await;
    let sets = json!({ "e1": house.event("e1", EventType::SessionRevoked, 0) });
    house.script.say(200, json!({ "sets": sets }));
    house.turn().await;
    let elsewhere = Script::default();
    let leads = HeaderMap::from_iter([(
        http::header::LOCATION,
        elsewhere.serve().await.parse().expect("value"),
    )]);
    let busy = HeaderMap::from_iter([(http::header::RETRY_AFTER, "1800".parse().expect("value"))]);
    let mut pauses = Vec::new();
    for (status, headers, body) in [
        (500, HeaderMap::new(), String::new()),
        (401, HeaderMap::new(), "{}".to_owned()),
        (307, leads, String::new()),
        (200, HeaderMap::new(), "no JSON".to_owned()),
    ] {
        house.script.say_with(status, headers, body);
        pauses.push(house.turn().await);
    }
    for (number, pause) in pauses.iter().enumerate() {
        let least = Duration::from_secs(5 << number);
        assert!((least..=least.mul_f64(1.2)).contains(pause), "{number}: {pause:?}");
    }
    assert!(elsewhere.asked.lock().expect("lock").is_empty(), "the token goes nowhere else");
    // What it was told before it failed is told again; a status of 200 has heard it.
    let asked = house.script.asked.lock().expect("lock").clone();
    let acks: Vec<&Value> = asked.iter().map(|(_, asked)| &asked["ack"]).collect();
    assert_eq!(acks[1..], [&json!(["e1"]); 4]);
    assert_eq!(asked[2].1["returnImmediately"], true, "whether it is there again");
    house.script.say_with(503, busy, "");
    assert_eq!(house.turn().await, Duration::from_secs(1800));
    for _ in 0..40 {
        house.script.say(500, "");
        assert!(house.turn().await <= Duration::from_secs(360));
    }
    house.turn().await;
    house.turn().await;
    assert_eq!(house.script.last().1["returnImmediately"], false);
    assert_eq!(house.held().await, (1, 0));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_asked_for_in_smaller_parts() {
    let mut house = House::new().await;
    house.script.say(200, format!(r#"{{"sets":{{"e1":"{}"}}}}"#, "x".repeat(1024 * 1024)));
    assert!(house.turn().await >= Duration::from_secs(5));
    house.turn().await;
    assert_eq!(house.script.last().1["maxEvents"], 25);
}

#[tokio::test]
async fn a_transmitter_that_says_nothing_is_asked_whether_it_is_there() {
    let script = Script { silent: true, ..Script::default() };
    let mut house = House::with(script, settings()).await;
    house.follower.longest_wait = Duration::from_millis(50);
    assert_eq!(house.turn().await, Duration::ZERO);
    let asking = tokio::time::timeout(Duration::from_millis(50), house.turn()).await;
    assert!(asking.is_err(), "it is still silent");
    assert_eq!(house.script.last().1["returnImmediately"], true);
}

#[tokio::test]
async fn whoever_is_fetched_from_cannot_push() {
    let house = House::new().await;
    let request = Request::post("/ssf/events")
        .header("content-type", "application/secevent+jwt")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(house.event("e1", EventType::SessionRevoked, 0).into());
    let answer = house.harness.send(request.expect("request")).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
}

#[tokio::test]
async fn a_provider_speaks_of_the_accounts_that_people_have_there() {
    let upstream = Upstream::start().await;
    let provider = crate::provider::Provider {
        protocol: crate::provider::Protocol::OpenId { issuer: SENDER.to_owned() },
        ..upstream.provider("acme", Preset::Openid)
    };
    let providers = vec![provider];
    let mut house = House::with(Script::default(), Settings { providers, ..settings() }).await;
    let identity = |id: &str, issuer: &str, sub: &str| NewIdentity {
        id: id.to_owned(),
        provider: "acme".to_owned(),
        issuer: issuer.to_owned(),
        provider_subject: sub.to_owned(),
        label: "alice".to_owned(),
        tokens: None,
        at: house.harness.now(),
    };
    for identity in
        [identity("i1", SENDER, "there-1"), identity("i2", "https://before.example", "there-2")]
    {
        let added = house.harness.store.add_identity(&"alice-id".into(), &identity, false).await;
        assert!(added.expect("store"));
    }
    for (sub, held) in [("alice-id", 0), ("there-2", 0), ("there-1", 1)] {
        let mut event = house.claims(sub, EventType::SessionRevoked, 0);
        event["sub_id"] = json!({ "format": "iss_sub", "iss": SENDER, "sub": sub });
        house.script.say(200, json!({ "sets": { sub: sign(&house.key, &event) } }));
        house.turn().await;
        assert_eq!(house.held().await, (held, 0), "{sub}");
    }
}
