//! Personal tokens: every promise about them holds at the gateway, from the record and from the cache.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::json;
use token::base64url;
use token::dpop::token_hash;
use token::event::TokenKind;
use token::id::{ClientId, SubjectId, TokenId};
use token::key::PrivateKey;
use token::ladder::Ladder;
use token::opaque::Family;
use token::personal::{Owner, Personal, PersonalTokens, Terms, Use, Uses};
use token::random::OsRandom;
use token::reason::Reason;
use token::reference::Unavailable;
use token::restriction::{Effect, Selector};
use token::scope::ScopeSet;
use token::term::AddressField;
use token::term::Algorithm;
use token::time::{Clock as _, Timestamp};

use super::support::upstream::Recording;
use super::support::{House, RESOURCE, error, field, local_proxies, settings, status};
use crate::present::{Basic, Credentials};
use crate::settings::Settings;

const HOUR: Duration = Duration::from_secs(3600);

/// Whoever keeps the records.
#[derive(Default)]
struct Records {
    kept: Mutex<HashMap<String, Arc<Personal>>>,
    uses: Mutex<Vec<Use>>,
    version: AtomicU64,
    asked: AtomicUsize,
    broken: AtomicBool,
}

impl PersonalTokens for Records {
    fn find(&self, text: &str) -> Result<Option<Arc<Personal>>, Unavailable> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            return Err(Unavailable);
        }
        Ok(self.kept.lock().expect("records").get(text).cloned())
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    fn keep_use(&self, used: Use) {
        self.uses.lock().expect("uses").push(used);
    }
}

/// Where the documentation's addresses are.
fn atlas(address: IpAddr) -> token::place::Place {
    let (country, asn) = match address.to_string().as_str() {
        "192.0.2.1" => ("NO", Some(64_496)),
        "192.0.2.2" => ("SE", Some(64_497)),
        _ => return token::place::Place::default(),
    };
    token::place::Place { country: country.parse().ok(), asn, ..token::place::Place::default() }
}

struct Place {
    house: House,
    records: Arc<Records>,
    upstream: Recording,
}

impl Place {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let upstream = Recording::new().await;
        let mut settings = settings(&format!("http://{}", upstream.address));
        change(&mut settings);
        let records = Arc::new(Records::default());
        let tokens = Arc::clone(&records) as Arc<dyn PersonalTokens>;
        let house = House::with_personal(settings, tokens, atlas).await;
        Self { house, records, upstream }
    }

    fn now(&self) -> Timestamp {
        self.house.clock.now()
    }

    /// A token whose record is as usual but for `change`.
    fn token(&self, change: impl FnOnce(&mut Personal)) -> String {
        let text = Family::Personal.generate(&OsRandom::new()).expose().to_owned();
        let terms = Terms {
            token: TokenId::generate(self.now(), &OsRandom::new()),
            owner: Owner::Person(SubjectId::from("u1")),
            scopes: ScopeSet::parse("orders:read").expect("scopes"),
            audiences: vec![RESOURCE.to_owned()],
            networks: Vec::new(),
            places: Vec::new(),
            jkt: None,
            created_at: self.now(),
            expires_at: self.now().plus(24 * HOUR),
            idle: None,
        };
        let uses = Arc::new(Uses::new(terms.created_at, ScopeSet::default()));
        let mut personal = Personal { terms, bound: None, ended: None, uses };
        change(&mut personal);
        self.records.kept.lock().expect("records").insert(text.clone(), Arc::new(personal));
        text
    }

    /// Its record is another from now on, as when somebody writes to the store.
    fn change(&self, text: &str, change: impl FnOnce(&mut Personal)) {
        let mut kept = self.records.kept.lock().expect("records");
        let old = kept.get(text).expect("a record");
        let (terms, uses) = (old.terms.clone(), Arc::clone(&old.uses));
        let mut new = Personal { terms, bound: old.bound.clone(), ended: old.ended, uses };
        change(&mut new);
        kept.insert(text.to_owned(), Arc::new(new));
        self.records.version.fetch_add(1, Ordering::SeqCst);
    }

    fn name_of(&self, text: &str) -> TokenId {
        self.records.kept.lock().expect("records")[text].terms.token.clone()
    }

    /// `status reason` of a request with these fields.
    async fn verdict_with(&self, line: &str, fields: &str) -> String {
        let answer = self.house.ask(line, fields).await;
        let (_, request) = self.house.events.next().await;
        match request.refused {
            Some(refused) => format!("{} {refused}", status(&answer)),
            None => status(&answer).to_string(),
        }
    }

    async fn verdict(&self, token: &str) -> String {
        let fields = format!("Authorization: Bearer {token}\r\n");
        self.verdict_with("GET /orders/7", &fields).await
    }
}

fn basic(pair: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(pair))
}

#[tokio::test]
async fn it_is_looked_up_once_and_speaks_for_its_owner() {
    let place = Place::new().await;
    let token = place.token(|_| {});
    let answer = place.house.ask_as(&token, "GET /orders/7", "").await;
    assert_eq!(status(&answer), 200);
    let (event, request) = place.house.events.next().await;
    assert_eq!(request.token_kind, TokenKind::Pat);
    assert_eq!(event.who.subject.expect("subject").as_str(), "u1");
    assert_eq!(event.who.token, Some(place.name_of(&token)));
    assert_eq!(place.verdict(&token).await, "200", "and from the cache");
    assert_eq!(place.records.asked.load(Ordering::SeqCst), 1);
    let requests = place.upstream.requests();
    assert!(requests.iter().all(|request| !request.contains("twp_")));
    assert_eq!(field(&requests[0], "tokenward-subject"), Some("u1"));
}

#[tokio::test]
async fn a_service_speaks_for_itself() {
    let place = Place::new().await;
    let token = place.token(|one| one.terms.owner = Owner::Service(ClientId::from("robot")));
    place.house.ask_as(&token, "GET /orders/7", "").await;
    let (event, request) = place.house.events.next().await;
    assert_eq!(request.token_kind, TokenKind::ApiKey);
    assert_eq!(event.who.client.expect("client").as_str(), "robot");
}

#[tokio::test]
async fn it_ends_at_its_time_and_when_it_lies_unused() {
    let place = Place::new().await;
    let token = place.token(|one| one.terms.expires_at = one.terms.created_at.plus(HOUR));
    let idle = place.token(|one| one.terms.idle = Some(HOUR));
    assert_eq!(place.verdict(&token).await, "200");
    assert_eq!(place.verdict(&idle).await, "200");
    place.house.clock.advance(HOUR - Duration::from_secs(60));
    assert_eq!(place.verdict(&idle).await, "200", "its use keeps it");
    place.house.clock.advance(Duration::from_secs(90));
    assert_eq!(place.verdict(&token).await, "401 expired", "from the cache");
    assert_eq!(place.verdict(&idle).await, "200");
    place.house.clock.advance(HOUR);
    assert_eq!(place.verdict(&idle).await, "401 expired");
    // To be refused is no use.
    assert_eq!(place.verdict(&idle).await, "401 expired");
    place.change(&idle, |_| {});
    assert_eq!(place.verdict(&idle).await, "401 expired", "from its record");
}

#[tokio::test]
async fn it_is_used_from_its_networks_only() {
    let place = Place::with(|settings| {
        settings.trusted_proxies = local_proxies(AddressField::XForwardedFor);
    })
    .await;
    let token = place.token(|one| {
        one.terms.networks =
            ["192.0.2.0/24", "2001:db8::/32"].map(|net| net.parse().expect("net")).into();
    });
    for (ip, expected) in [
        ("192.0.2.9", "200"),
        ("2001:db8::7", "200"),
        ("198.51.100.1", "403 network"),
        ("2001:db9::7", "403 network"),
    ] {
        let fields = format!("Authorization: Bearer {token}\r\nX-Forwarded-For: {ip}\r\n");
        assert_eq!(place.verdict_with("GET /orders/7", &fields).await, expected, "{ip}");
    }
}

#[tokio::test]
async fn it_is_used_at_its_places_only() {
    let place = Place::with(|settings| {
        settings.trusted_proxies = local_proxies(AddressField::XForwardedFor);
    })
    .await;
    for (tests, let_through) in [
        (&["countries:NO"][..], [true, false, false]),
        (&["countries:NO,SE", "not_asns:64497"], [true, false, false]),
        (&["not_countries:NO"], [false, true, true]),
        (&["asns:64497,0"], [false, true, true]),
        (&[], [true, true, true]),
    ] {
        let token = place.token(|one| {
            one.terms.places = tests.iter().map(|text| text.parse().expect("a test")).collect();
        });
        for (ip, through) in ["192.0.2.1", "192.0.2.2", "192.0.2.3"].into_iter().zip(let_through) {
            let expected = if through { "200" } else { "403 network" };
            let fields = format!("Authorization: Bearer {token}\r\nX-Forwarded-For: {ip}\r\n");
            let verdict = place.verdict_with("GET /orders/7", &fields).await;
            assert_eq!(verdict, expected, "{tests:?} {ip}");
        }
    }
}

#[tokio::test]
async fn it_has_its_scopes_audiences_and_never_more_than_its_owner() {
    let steps: [(&str, &[&str]); 2] = [("orders:read", &[]), ("orders:write", &["orders:read"])];
    let ladder = Ladder::new(steps).expect("ladder");
    let place = Place::with(|settings| settings.ladder = ladder).await;
    let token = place.token(|_| {});
    let fields = format!("Authorization: Bearer {token}\r\nContent-Length: 0\r\n");
    assert_eq!(place.verdict_with("POST /orders", &fields).await, "403 insufficient_scope");
    let other = place.token(|one| one.terms.audiences = vec!["https://other.example".to_owned()]);
    assert_eq!(place.verdict(&other).await, "401 wrong_audience");
    let bounded = |scopes: &str| {
        let bound = Some(ScopeSet::parse(scopes).expect("scopes"));
        place.token(|one| one.bound = bound)
    };
    assert_eq!(place.verdict(&bounded("orders:write")).await, "200");
    assert_eq!(place.verdict(&bounded("mail")).await, "403 insufficient_scope");
    assert_eq!(place.verdict(&token).await, "200");
    place.change(&token, |one| one.bound = Some(ScopeSet::default()));
    assert_eq!(
        place.verdict(&token).await,
        "403 insufficient_scope",
        "as soon as the owner has less"
    );
}

#[tokio::test]
async fn what_is_taken_back_is_refused_at_once() {
    let place = Place::new().await;
    type Change = fn(&mut Personal);
    let by_record: [(Change, &str); 2] = [
        (|one| one.ended = Some(Reason::Revoked), "401 revoked"),
        (|one| one.ended = Some(Reason::Disabled), "401 disabled"),
    ];
    for (change, expected) in by_record {
        let token = place.token(|_| {});
        assert_eq!(place.verdict(&token).await, "200");
        place.change(&token, change);
        assert_eq!(place.verdict(&token).await, expected);
        assert_eq!(place.verdict(&token).await, expected, "again");
    }
    let by_log: [fn(TokenId) -> (Selector, Effect); 3] = [
        |token| (Selector::Token(token), Effect::Revoke),
        |token| {
            (
                Selector::Token(token),
                Effect::DropScopes(ScopeSet::parse("orders:read").expect("scopes")),
            )
        },
        |_| (Selector::Subject(SubjectId::from("u1")), Effect::Revoke),
    ];
    for (number, (row, expected)) in
        by_log.into_iter().zip(["401 revoked", "403 insufficient_scope", "401 revoked"]).enumerate()
    {
        let token = place.token(|_| {});
        assert_eq!(place.verdict(&token).await, "200", "{number}");
        tokio::time::sleep(Duration::from_millis(2)).await;
        let (selector, effect) = row(place.name_of(&token));
        place.house.restrict(selector, effect);
        assert_eq!(place.verdict(&token).await, expected);
    }
}

#[tokio::test]
async fn old_and_new_overlap_for_as_long_as_they_are_meant_to() {
    let place = Place::new().await;
    let (old, new) = (place.token(|_| {}), place.token(|_| {}));
    assert_eq!(place.verdict(&old).await, "200");
    let until = place.now().plus(Duration::from_secs(600));
    place.change(&old, |one| one.terms.expires_at = until);
    assert_eq!(place.verdict(&old).await, "200");
    assert_eq!(place.verdict(&new).await, "200");
    place.house.clock.advance(Duration::from_secs(600));
    assert_eq!(place.verdict(&old).await, "401 expired");
    assert_eq!(place.verdict(&new).await, "200");
}

#[tokio::test]
async fn tools_that_know_nothing_else_send_it_as_a_password() {
    let place = Place::new().await;
    let token = place.token(|_| {});
    for pair in [format!("alice:{token}"), format!(":{token}")] {
        assert_eq!(place.verdict_with("GET /orders/7", &basic(&pair)).await, "200", "{pair}");
    }
    let bare = STANDARD_NO_PAD.encode(format!("ab:{token}"));
    let fields = format!("authorization: bAsIc  {bare}\r\n");
    assert_eq!(place.verdict_with("GET /orders/7", &fields).await, "200");
    // What is no personal token is somebody else's password, and no credential here.
    let jwt = place.house.token("orders:read");
    let access = place.house.shelf.keep(&jwt);
    for pair in ["alice:secret", &format!("alice:{jwt}"), &format!("alice:{access}"), &token] {
        assert_eq!(
            place.verdict_with("GET /orders/7", &basic(pair)).await,
            "401 no_token",
            "{pair}"
        );
    }
    let cut = format!("alice:{}", &token[..50]);
    assert_eq!(place.verdict_with("GET /orders/7", &basic(&cut)).await, "401 malformed");
    let answer = place.house.ask("GET /orders/7", "").await;
    assert!(!answer.contains("Basic"), "no window in browsers unless that is wanted");
    assert!(
        place.upstream.requests().iter().all(|request| field(request, "authorization").is_none())
    );
}

#[tokio::test]
async fn a_gateway_can_ask_for_a_password_or_take_none() {
    let credentials = |basic| Credentials { basic, ..Credentials::default() };
    let place = Place::with(|settings| settings.credentials = credentials(Basic::Challenge)).await;
    let answer = place.house.ask("GET /orders/7", "").await;
    assert!(answer.contains(r#"Basic realm="tokenward""#), "{answer}");
    place.house.events.next().await;
    let pair = format!("git:{}", place.token(|_| {}));
    assert_eq!(place.verdict_with("GET /orders/7", &basic(&pair)).await, "200");

    let place = Place::with(|settings| settings.credentials = credentials(Basic::Off)).await;
    let pair = format!("git:{}", place.token(|_| {}));
    assert_eq!(place.verdict_with("GET /orders/7", &basic(&pair)).await, "401 no_token");
}

#[tokio::test]
async fn a_field_for_api_keys_takes_them_and_nothing_else() {
    let api_key = Some("x-api-key".parse().expect("name"));
    let place = Place::with(|settings| {
        settings.credentials = Credentials { api_key, ..Credentials::default() };
    })
    .await;
    let token = place.token(|_| {});
    let answer = place.house.ask("GET /orders/7", &format!("X-API-Key: {token}\r\n")).await;
    assert_eq!(status(&answer), 200);
    assert_eq!(place.house.events.next().await.1.token_kind, TokenKind::ApiKey);
    assert!(place.upstream.requests().iter().all(|request| !request.contains("twp_")));
    let jwt = place.house.token("orders:read");
    for (fields, expected) in [
        (format!("X-API-Key: {jwt}\r\n"), "400 malformed"),
        ("X-API-Key: hunter2\r\n".to_owned(), "400 malformed"),
        (format!("X-API-Key: {token}\r\nX-API-Key: {token}\r\n"), "400 two_tokens"),
        (format!("X-API-Key: {token},{token}\r\n"), "400 two_tokens"),
        (format!("X-API-Key: {token}\r\nAuthorization: Bearer {jwt}\r\n"), "400 two_tokens"),
        (format!("X-API-Key: {token}\r\n{}", basic("a:b")), "400 two_tokens"),
    ] {
        assert_eq!(place.verdict_with("GET /orders/7", &fields).await, expected, "{fields}");
    }
    let in_query = place
        .verdict_with("GET /orders/7?access_token=x", &format!("X-API-Key: {token}\r\n"))
        .await;
    assert_eq!(in_query, "400 two_tokens");

    let place = Place::new().await;
    let fields = format!("X-API-Key: {}\r\n", place.token(|_| {}));
    assert_eq!(
        place.verdict_with("GET /orders/7", &fields).await,
        "401 no_token",
        "where none is told"
    );
}

#[tokio::test]
async fn one_that_is_bound_to_a_key_needs_a_proof_wherever_it_comes() {
    let place = Place::with(|settings| {
        settings.credentials.api_key = Some("x-api-key".parse().expect("name"));
    })
    .await;
    let key = PrivateKey::generate(Algorithm::Es256).expect("key");
    let jkt = key.public().jwk().thumbprint();
    let token = place.token(|one| one.terms.jkt = Some(jkt));
    for fields in [
        format!("Authorization: Bearer {token}\r\n"),
        basic(&format!("alice:{token}")),
        format!("X-API-Key: {token}\r\n"),
    ] {
        assert_eq!(place.verdict_with("GET /orders/7", &fields).await, "401 dpop:missing");
    }
    let jwk = serde_json::to_value(key.public().jwk()).expect("JWK");
    let header = json!({ "typ": "dpop+jwt", "alg": key.public().algorithm(), "jwk": jwk });
    let claims = json!({
        "jti": "p1", "htm": "GET", "htu": "https://api.example/orders/7",
        "iat": place.house.clock_secs(), "ath": token_hash(&token),
    });
    let input = [header, claims].map(|part| base64url::encode(part.to_string())).join(".");
    let signature = base64url::encode(key.sign(input.as_bytes()).expect("signature"));
    let fields = format!("Authorization: DPoP {token}\r\nDPoP: {input}.{signature}\r\n");
    assert_eq!(place.verdict_with("GET /orders/7", &fields).await, "200");
    let unbound = format!("Authorization: DPoP {}\r\n", place.token(|_| {}));
    assert_eq!(place.verdict_with("GET /orders/7", &unbound).await, "401 dpop:mismatch");
}

#[tokio::test]
async fn what_it_was_used_for_is_told_and_refusals_are_no_use() {
    let place = Place::new().await;
    let token = place.token(|one| {
        one.terms.scopes = ScopeSet::parse("orders:read orders:write mail").expect("scopes");
    });
    for _ in 0..3 {
        assert_eq!(place.verdict(&token).await, "200");
    }
    let fields = format!("Authorization: Bearer {token}\r\nContent-Length: 0\r\n");
    assert_eq!(place.verdict_with("POST /orders", &fields).await, "200");
    let short = place.token(|one| one.terms.scopes = ScopeSet::parse("mail").expect("scopes"));
    assert_eq!(place.verdict(&short).await, "403 insufficient_scope");
    let uses = std::mem::take(&mut *place.records.uses.lock().expect("uses"));
    assert_eq!(uses.len(), 2, "once a minute, and once for each new scope: {uses:?}");
    assert_eq!(uses[0].token, place.name_of(&token));
    assert_eq!(uses[0].ip, Some("127.0.0.1".parse().expect("ip")));
    assert_eq!(uses[0].route.as_deref(), Some("/orders/{id}"));
    assert_eq!(uses[1].scopes.to_string(), "orders:read orders:write");
}

#[tokio::test]
async fn strangers_garbage_and_outages_are_told_apart() {
    let place = Place::new().await;
    let stranger = Family::Personal.generate(&OsRandom::new());
    assert_eq!(place.verdict(stranger.expose()).await, "401 unknown_token");
    assert_eq!(place.verdict(stranger.expose()).await, "401 unknown_token");
    assert_eq!(place.records.asked.load(Ordering::SeqCst), 1);
    for garbage in ["twp_", &stranger.expose()[..52]] {
        assert_eq!(place.verdict(garbage).await, "401 malformed", "{garbage}");
    }
    assert_eq!(place.records.asked.load(Ordering::SeqCst), 1);
    let (known, new) = (place.token(|_| {}), place.token(|_| {}));
    assert_eq!(place.verdict(&known).await, "200");
    place.records.broken.store(true, Ordering::SeqCst);
    assert_eq!(place.verdict(&known).await, "200");
    let answer = place.house.ask_as(&new, "GET /orders/7", "").await;
    assert_eq!((status(&answer), error(&answer).as_str()), (503, "temporarily_unavailable"));
}
