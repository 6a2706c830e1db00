//! Rules are replaced while requests come: what is under way ends as it began, and what was counted stays.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use token::restriction::{Effect, Selector};
use token::validate::VerifiedAccessToken;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::support::upstream::{Recording, Reply, ok};
use super::support::{House, body, read_to_close, read_until, settings, status};
use crate::limit::{Amount, Dimension, LimitRule};
use crate::policy::{Policies, Principal, Question, Ruling};
use crate::{Access, ClaimRule, HealthRule, Parts, Settings, UpstreamRule};

const EVENTS: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

fn at(upstream: SocketAddr) -> Settings {
    settings(&format!("http://{upstream}"))
}

fn limit(name: &str, amount: Amount) -> LimitRule {
    let (by, classes, routes) = (vec![Dimension::Client], Vec::new(), Vec::new());
    LimitRule { name: name.into(), by, amount, classes, routes }
}

fn quota(text: &str) -> Amount {
    Amount::Quota(text.parse().expect("quota"))
}

fn rate(text: &str) -> Amount {
    Amount::Rate { pace: text.parse().expect("pace"), burst: None }
}

/// A request on a connection that stays open.
async fn ask_on(stream: &mut TcpStream, token: &str, path: &str) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("write");
    read_until(stream, "}").await
}

#[tokio::test]
async fn the_next_request_of_a_connection_meets_the_new_rule() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    assert_eq!(status(&ask_on(&mut stream, &token, "/orders").await), 200);
    let mut changed = at(upstream.address);
    changed.routes.iter_mut().for_each(|route| {
        if let Access::Token { scopes, .. } = &mut route.access {
            *scopes = vec!["orders:admin".into()];
        }
    });
    house.change(changed);
    assert_eq!(status(&ask_on(&mut stream, &token, "/orders").await), 403);
    house.change(at(upstream.address));
    assert_eq!(status(&ask_on(&mut stream, &token, "/orders").await), 200);
}

#[tokio::test]
async fn a_new_rule_about_claims_meets_tokens_that_were_verified_before() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let tokens = ["acme", "other"].map(|tenant| {
        let mut claims = house.claims();
        claims["tenant"] = tenant.into();
        house.sign(&claims)
    });
    let ask = async |token: &str| status(&house.ask_as(token, "GET /orders", "").await);
    for token in &tokens {
        assert_eq!(ask(token).await, 200);
    }
    let mut changed = at(upstream.address);
    changed.routes.iter_mut().for_each(|route| {
        if let Access::Token { further, .. } = &mut route.access {
            further.claims = vec![ClaimRule::new("tenant", ["acme"]).expect("rule")];
        }
    });
    house.change(changed);
    for _ in 0..2 {
        assert_eq!(ask(&tokens[0]).await, 200);
        assert_eq!(ask(&tokens[1]).await, 403);
    }
}

#[tokio::test]
async fn a_request_under_way_and_an_open_stream_end_as_they_began() {
    let (sender, receiver) = mpsc::channel(4);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let upstream = Recording::scripted(move |_, _| {
        let receiver = receiver.lock().expect("receiver").take();
        receiver.map_or(Reply::Hang, |receiver| Reply::Feed(EVENTS.into(), receiver))
    })
    .await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let request = format!(
        "GET /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("write");
    read_until(&mut stream, "event-stream").await;
    let other = Recording::new().await;
    let mut changed = at(other.address);
    changed.routes.retain(|route| route.path != "/orders");
    house.change(changed);
    assert_eq!(status(&house.ask_as(&token, "GET /orders", "").await), 404);
    sender.send(b"data: after\n\n".to_vec()).await.expect("fed");
    read_until(&mut stream, "data: after").await;
    // Nor is it forgotten when its token is taken back.
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.restrict(Selector::Grant("g1".into()), Effect::Revoke);
    read_to_close(&mut stream).await;
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn what_was_taken_of_a_limit_stays_taken() {
    let upstream = Recording::new().await;
    let with = |limits| Settings { limits, ..at(upstream.address) };
    let house = House::with(with(vec![limit("daily", quota("3/d"))])).await;
    let token = house.token("orders:read");
    let get = async || status(&house.ask_as(&token, "GET /orders", "").await);
    for expected in [200, 200, 200, 429] {
        assert_eq!(get().await, expected);
    }
    // Beside another, in another place of the list, and with another amount.
    let other = limit("other", quota("100/d"));
    house.change(with(vec![other.clone(), limit("daily", quota("3/d"))]));
    assert_eq!(get().await, 429);
    house.change(with(vec![limit("daily", quota("5/d")), other.clone()]));
    for expected in [200, 200, 429] {
        assert_eq!(get().await, expected);
    }
    // One that counts in another way is another one.
    house.change(with(vec![limit("daily", rate("2/h"))]));
    for expected in [200, 200, 429] {
        assert_eq!(get().await, expected);
    }
    house.change(with(Vec::new()));
    assert_eq!(get().await, 200);
    house.change(with(vec![limit("daily", rate("2/h"))]));
    assert_eq!(get().await, 429, "nor is it a way out to leave a limit out for a moment");
}

#[tokio::test]
async fn connections_stay_where_they_are_made_as_they_were() {
    let (one, other) = (Recording::new().await, Recording::new().await);
    let over = |servers: &[SocketAddr]| {
        let servers: Vec<String> = servers.iter().map(|one| format!("http://{one}")).collect();
        let mut settings = settings("http://127.0.0.1:9");
        settings.upstreams.insert("api".into(), servers.into());
        settings
    };
    let house = House::with(over(&[one.address])).await;
    let token = house.token("orders:read");
    let get = async || status(&house.ask_as(&token, "GET /orders", "").await);
    assert_eq!(get().await, 200);
    // A first upstream moves the numbers of the others; a server is added.
    let mut changed = over(&[one.address, other.address]);
    changed.upstreams.insert("aaa".into(), "http://127.0.0.1:9".to_owned().into());
    house.change(changed.clone());
    for _ in 0..20 {
        assert_eq!(get().await, 200);
    }
    assert!(!other.requests().is_empty());
    assert_eq!(one.closed_count(), 0, "the connection is still there");
    let rule = UpstreamRule {
        connect_timeout: Duration::from_secs(1),
        ..vec![format!("http://{}", other.address)].into()
    };
    changed.upstreams.insert("api".into(), rule);
    house.change(changed);
    let before = one.requests().len();
    for _ in 0..5 {
        assert_eq!(get().await, 200);
    }
    assert_eq!(one.requests().len(), before, "the upstream was replaced");
    one.wait_closed().await;
}

#[tokio::test]
async fn a_server_that_is_out_stays_out_and_comes_back() {
    let sick = Recording::scripted(|_, _| {
        Reply::Send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}".into())
    })
    .await;
    let well = Recording::new().await;
    let rule = || UpstreamRule {
        fail_after: 1,
        health: Some(HealthRule {
            path: "/health".into(),
            every: Duration::from_millis(20),
            timeout: Duration::from_secs(1),
            healthy_after: 1,
            unhealthy_after: 1,
        }),
        ..vec![format!("http://{}", sick.address), format!("http://{}", well.address)].into()
    };
    let over = || {
        let mut settings = settings("http://127.0.0.1:9");
        settings.upstreams.insert("api".into(), rule());
        settings
    };
    let house = House::with(over()).await;
    let token = house.token("orders:read");
    let asked = || sick.requests().iter().filter(|text| text.starts_with("GET /orders")).count();
    for _ in 0..500 {
        if !sick.requests().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    house.change(over());
    let before = asked();
    for _ in 0..20 {
        assert_eq!(status(&house.ask_as(&token, "GET /orders", "").await), 200);
    }
    assert_eq!(asked(), before, "it is known to be unwell");
}

/// Says what it was made with: of a token it remembers its own name.
struct Named(&'static str);

impl Policies for Named {
    fn principal(&self, _: &VerifiedAccessToken, _: &token::scope::ScopeSet) -> Principal {
        Principal::new(self.0)
    }

    fn decide(&self, asked: &Question<'_>) -> Ruling {
        let own = asked.principal.get::<&str>() == Some(&self.0);
        Ruling { allowed: own, policies: vec![self.0.to_owned()] }
    }
}

#[tokio::test]
async fn a_token_is_verified_once_until_something_that_it_depends_on_has_changed() {
    let upstream = Recording::new().await;
    let house = House::new(upstream.address).await;
    let token = house.shelf.keep(&house.token("orders:read"));
    let get = async || status(&house.ask_as(&token, "GET /orders", "").await);
    assert_eq!((get().await, house.shelf.asked()), (200, 1));
    let changed = Settings { limits: vec![limit("l", rate("100/s"))], ..at(upstream.address) };
    house.change(changed.clone());
    assert_eq!((get().await, house.shelf.asked()), (200, 1));
    for name in ["one", "other"] {
        let asked = house.shelf.asked();
        let policies = Some(Arc::new(Named(name)) as Arc<dyn Policies>);
        house.change_with(changed.clone(), |parts| Parts { policies, ..parts });
        assert_eq!((get().await, house.shelf.asked()), (200, asked + 1), "{name}");
    }
    let audiences = vec!["https://other.example".into()];
    house.change(Settings { audiences, ..changed });
    assert_eq!((get().await, house.shelf.asked()), (200, 4));
}

#[tokio::test]
async fn settings_that_are_refused_change_nothing() {
    let upstream = Recording::scripted(|_, _| Reply::Send(ok("{\"is\":\"old\"}"))).await;
    let house = House::new(upstream.address).await;
    let token = house.token("orders:read");
    let mut wrong = at(upstream.address);
    wrong.limits = vec![limit("l", quota("1/d")), limit("l", quota("1/d"))];
    assert!(house.refuses(wrong));
    let answer = house.ask_as(&token, "GET /orders", "").await;
    assert_eq!((status(&answer), body(&answer)), (200, "{\"is\":\"old\"}"));
}
