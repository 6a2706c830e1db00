//! Rules as the gateway has them: limits, inspection, what a route demands, and what is told of it all.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use token::event::{Event, EventKind, EventSink, Request};
use tokenward_verify::{
    Access, Amount, BuildError, Builder, ClaimRule, Dimension, Further, Inspect, Kept, LimitRule,
    RequestLimits, RequireToken, RouteRule, Verifier,
};

use crate::support::{Answer, Issuer, PATIENCE, Service};

#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

// === impl Recorder ===

impl EventSink for Recorder {
    fn emit(&self, event: Event) {
        self.0.lock().expect("events").push(event);
    }
}

impl Recorder {
    /// The request that was seen last, of so many.
    async fn last_of(&self, count: usize) -> Request {
        for _ in 0..500 {
            let events = self.0.lock().expect("events").clone();
            if let Some(Event { kind: EventKind::Request(request), .. }) = events.get(count - 1) {
                return request.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no event came");
    }
}

fn limit(name: &str, by: Dimension, amount: Amount) -> LimitRule {
    LimitRule {
        name: name.to_owned(),
        by: vec![by],
        amount,
        classes: Vec::new(),
        routes: Vec::new(),
    }
}

fn quota(amount: &str) -> Amount {
    Amount::Quota(amount.parse().expect("allowance"))
}

fn rule(path: &str) -> RouteRule {
    RouteRule::new(path, Access::scopes(["orders:read"]))
}

fn located(builder: Builder) -> Builder {
    builder.client_address(|_| Some(IpAddr::V4(Ipv4Addr::LOCALHOST)))
}

/// A service that answers with what it was sent, or slowly at `/slow`.
async fn start(builder: Builder) -> (Service, Verifier) {
    let verifier = builder.build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    (serve(verifier.by_routes()).await, verifier)
}

/// A service behind this layer.
async fn serve(layer: RequireToken) -> Service {
    let echo = |method: Method, headers: HeaderMap, body: Bytes| async move {
        assert!(headers.contains_key("x-request-id"), "the service is told its name");
        if method == Method::PUT {
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        body
    };
    let app = Router::new().fallback(echo).layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Service { url, reached: Arc::default() }
}

/// Sends JSON with a good token.
async fn post(service: &Service, token: &str, path: &str, body: impl Into<Bytes>) -> Answer {
    let bearer = format!("Bearer {token}");
    let fields = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    service.send("POST", path, &fields, body).await
}

fn reason(answer: &Answer) -> String {
    let problem: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    format!("{} {}", answer.status, problem["reason"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn limits_count_by_whatever_they_are_said_to() {
    for by in [
        Dimension::Client,
        Dimension::Network,
        Dimension::Route,
        Dimension::Subject,
        Dimension::Token,
    ] {
        let issuer = Issuer::start().await;
        let builder = located(issuer.verifier().route(rule("/orders")).route(rule("/others")));
        let (service, _) = start(builder.limit(limit("hourly", by, quota("2/h")))).await;
        let first = service.get(&issuer.token()).await;
        assert_eq!(first.status, 200);
        assert_eq!(first.headers["ratelimit-policy"], r#""hourly";q=2;w=3600"#);
        assert!(first.headers["ratelimit"].to_str().expect("text").starts_with(r#""hourly";r=1;"#));
        assert_eq!(service.get(&issuer.token()).await.status, 200);
        let refused = service.get(&issuer.token()).await;
        assert_eq!(reason(&refused), "429 throttled", "{by:?}");
        let retry: u64 =
            refused.headers["retry-after"].to_str().expect("text").parse().expect("number");
        assert!((1..=7200).contains(&retry), "{retry}");
        let mut other = issuer.claims();
        let (name, value) = match by {
            Dimension::Client => ("client_id", "c-2"),
            Dimension::Subject => ("sub", "u-2"),
            Dimension::Token => ("jti", "t-2"),
            Dimension::Network | Dimension::Route => ("jti", "t-1"),
        };
        other[name] = json!(value);
        let bearer = format!("Bearer {}", issuer.sign(&other));
        let path = if by == Dimension::Route { "/others" } else { "/orders" };
        let status = service.ask("GET", path, &[("authorization", &bearer)]).await.status;
        assert_eq!(status, if by == Dimension::Network { 429 } else { 200 }, "{by:?}");
    }
}

/// What an issuer wrote beside is kept for rules that the verifier did not have when it was built.
#[tokio::test]
async fn a_rule_about_claims_that_comes_later_is_asked() {
    let issuer = Issuer::start().await;
    let (_, verifier) = start(issuer.verifier().route(rule("/orders"))).await;
    let claims = vec![ClaimRule::new("tenant", ["acme"]).expect("rule")];
    let further = Further { claims, ..Further::default() };
    let (scopes, audiences) = (vec!["orders:read".to_owned()], Vec::new());
    let later = RouteRule::new("/orders", Access::Token { scopes, audiences, further });
    let service = serve(verifier.require_rule(later).expect("rule")).await;
    for (tenant, status) in [("acme", 200), ("other", 403)] {
        let token = issuer.token_with("tenant", json!(tenant));
        for _ in 0..2 {
            assert_eq!(service.get(&token).await.status, status, "{tenant}");
        }
    }
}

#[tokio::test]
async fn a_place_is_taken_until_the_answer_has_ended() {
    let issuer = Issuer::start().await;
    let one = limit("at a time", Dimension::Subject, Amount::Concurrent(1));
    let builder = issuer.verifier().route(rule("/orders")).limit(one);
    let (service, _) = start(builder).await;
    let bearer = format!("Bearer {}", issuer.token());
    let fields = [("authorization", bearer.as_str())];
    let second = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        service.ask("GET", "/orders", &fields).await.status
    };
    let (slow, meanwhile) = tokio::join!(service.ask("PUT", "/orders", &fields), second);
    assert_eq!((slow.status, meanwhile), (200, 429));
    assert_eq!(service.ask("GET", "/orders", &fields).await.status, 200);
}

#[tokio::test]
async fn limits_count_at_single_places_too() {
    let issuer = Issuer::start().await;
    let builder = issuer.verifier().limit(limit("hourly", Dimension::Subject, quota("1/h")));
    let verifier = builder.build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let service = Service::start(&verifier).await;
    let first = service.get(&issuer.token()).await;
    assert_eq!((first.status, first.text.as_str()), (200, "u-1"));
    assert_eq!(reason(&service.get(&issuer.token()).await), "429 throttled");
    assert_eq!(service.reached(), 1);
    let costly = RouteRule { cost: 2, ..rule("/costly") };
    assert!(verifier.require_rule(costly).is_err(), "it could never be let through");
}

#[tokio::test]
async fn every_part_of_a_request_is_inspected_and_the_body_put_back() {
    let issuer = Issuer::start().await;
    let inspected = |path, inspect| RouteRule { inspect, ..rule(path) };
    let builder = issuer
        .verifier()
        .route(inspected("/enforced/{id}", Inspect::Enforce))
        .route(inspected("/observed/{id}", Inspect::Observe))
        .route(inspected("/off/{id}", Inspect::Off))
        .inspect_body_limit(512)
        .request_limits(RequestLimits { body_bytes: Some(2048), ..RequestLimits::default() });
    let events = Arc::new(Recorder::default());
    let (service, _) = start(builder.events(Arc::clone(&events) as Arc<dyn EventSink>)).await;
    let token = issuer.token();
    let bad = r#"{"q":"1' OR '1'='1"}"#;
    let good = r#"{"q":"tea"}"#;
    for path in ["/enforced/1", "/observed/1", "/off/1"] {
        let answer = post(&service, &token, path, good).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, good), "{path}");
    }
    let refused = post(&service, &token, "/enforced/1", bad).await;
    assert_eq!(reason(&refused), "403 injection");
    let observed = post(&service, &token, "/observed/1", bad).await;
    assert_eq!((observed.status, observed.text.as_str()), (200, bad));
    let seen = events.last_of(5).await;
    assert_eq!(seen.would_refuse.expect("noticed").to_string(), "injection:sqli");
    assert_eq!(
        (seen.route.as_deref(), seen.object.as_deref()),
        (Some("/observed/{id}"), Some("1"))
    );
    assert_eq!(seen.bytes_in, bad.len() as u64);
    assert_eq!(post(&service, &token, "/off/1", bad).await.text, bad);

    let bearer = format!("Bearer {token}");
    let injected = "1%27%20OR%20%271%27%3D%271";
    let query = format!("/enforced/1?q={injected}");
    let path = format!("/enforced/{injected}");
    let plain = "1' OR '1'='1";
    for (target, field) in [
        (query.as_str(), ("x-note", "tea")),
        (path.as_str(), ("x-note", "tea")),
        ("/enforced/1", ("x-note", plain)),
        ("/enforced/1", ("cookie", "note=1' OR '1'='1")),
    ] {
        let answer = service.ask("GET", target, &[("authorization", &bearer), field]).await;
        assert_eq!(reason(&answer), "403 injection", "{target} {field:?}");
    }

    let long = format!(r#"{{"q":"{}"}}"#, "a".repeat(600));
    assert_eq!(reason(&post(&service, &token, "/enforced/1", long.clone()).await), "413 too_large");
    assert_eq!(post(&service, &token, "/observed/1", long.clone()).await.text, long);
    let longer = "a".repeat(4096);
    assert_eq!(reason(&post(&service, &token, "/off/1", longer).await), "413 too_large");
}

#[tokio::test]
async fn a_rule_demands_what_it_demands_at_the_gateway() {
    let issuer = Issuer::start().await;
    let further = |path: &str, further| {
        RouteRule::new(path, Access::Token { scopes: vec![], audiences: vec![], further })
    };
    let theirs = Further { clients: vec!["c-2".into()], ..Further::default() };
    let strong = Further {
        acr: vec!["gold".into()],
        max_age: Some(Duration::from_mins(1)),
        ..Further::default()
    };
    let inside =
        RouteRule { networks: vec!["192.0.2.0/24".parse().expect("net")], ..rule("/inside") };
    let builder = issuer
        .verifier()
        .route(RouteRule { methods: vec![Method::GET], ..rule("/orders/{id}") })
        .route(RouteRule::new("/open", Access::Public))
        .route(further("/theirs", theirs))
        .route(further("/strong", strong))
        .route(inside);
    assert!(matches!(
        issuer.verifier().limit(limit("far", Dimension::Network, quota("1/h"))).build(),
        Err(BuildError::NoAddress(name)) if name == "far"
    ));
    let kept = Kept { refused: 10, passed: 10 };
    let (service, verifier) = start(located(builder).explain(kept)).await;
    let bearer = format!("Bearer {}", issuer.token());
    for (line, expected) in [
        ("GET /orders/7", "200 "),
        ("GET /open", "200 "),
        ("POST /orders/7", "405 unknown_route"),
        ("GET /nothing", "404 unknown_route"),
        ("GET /theirs", "403 policy"),
        ("GET /strong", "401 step_up"),
        ("GET /inside", "403 network"),
    ] {
        let (method, path) = line.split_once(' ').expect("line");
        let answer = service.ask(method, path, &[("authorization", &bearer)]).await;
        assert_eq!(reason(&answer), expected, "{line}");
        let id = answer.headers["x-request-id"].to_str().expect("text");
        let told = verifier.explainer().explain(id).expect("remembered");
        assert_eq!((told.door, told.status), ("layer", answer.status), "{line}");
    }
    assert_eq!(service.ask("GET", "/open", &[]).await.status, 200);
    let metadata = service.ask("GET", "/.well-known/oauth-protected-resource", &[]).await;
    assert_eq!(metadata.text.as_bytes(), verifier.metadata());
}
