//! Limits over real connections: who is counted with whom, what answers say, and what is given back.

use std::time::Duration;

use serde_json::json;
use token::key::PrivateKey;
use token::term::{AddressField, Algorithm};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::support::upstream::{Recording, Reply, ok};
use super::support::{House, error, field, local_proxies, read_until, settings, status};
use crate::limit::{Amount, Dimension, LimitRule};
use crate::settings::Settings;

fn rate(name: &str, by: &[Dimension], pace: &str) -> LimitRule {
    LimitRule {
        name: name.into(),
        by: by.into(),
        amount: Amount::Rate { pace: pace.parse().expect("pace"), burst: None },
        classes: Vec::new(),
        routes: Vec::new(),
    }
}

async fn house(change: impl FnOnce(&mut Settings)) -> (House, Recording) {
    let upstream = Recording::new().await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.trusted_proxies = local_proxies(AddressField::XForwardedFor);
    change(&mut settings);
    (House::with(settings).await, upstream)
}

/// So many requests; how many were let through.
async fn let_through(house: &House, token: &str, line: &str, fields: &str, count: usize) -> usize {
    let mut passed = 0;
    for _ in 0..count {
        passed += usize::from(status(&house.ask_as(token, line, fields).await) == 200);
    }
    passed
}

#[tokio::test]
async fn who_asks_too_often_waits_as_long_as_is_said() {
    let (house, upstream) =
        house(|settings| settings.limits = vec![rate("per client", &[Dimension::Client], "2/m")])
            .await;
    let token = house.token("orders:read");
    for left in ["1", "0"] {
        let answer = house.ask_as(&token, "GET /orders", "").await;
        assert_eq!(status(&answer), 200);
        assert_eq!(field(&answer, "ratelimit-policy"), Some("\"per client\";q=2;w=60"));
        let limit = field(&answer, "ratelimit").expect("RateLimit");
        assert!(limit.starts_with(&format!("\"per client\";r={left};t=")), "{limit}");
        house.events.next().await;
    }
    let answer = house.ask_as(&token, "GET /orders", "").await;
    assert_eq!((status(&answer), error(&answer).as_str()), (429, "too_many_requests"));
    let wait: u64 = field(&answer, "retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((28..=30).contains(&wait), "{wait}");
    assert!(field(&answer, "ratelimit").expect("RateLimit").starts_with("\"per client\";r=0;t="));
    assert_eq!(field(&answer, "www-authenticate"), None, "another token would be no help");
    let (event, request) = house.events.next().await;
    assert_eq!(request.refused.map(|refused| refused.to_string()).as_deref(), Some("throttled"));
    assert_eq!(event.who.client.expect("client").as_str(), "c1");
    assert_eq!(upstream.requests().len(), 2, "it never arrived");

    house.clock.advance(Duration::from_secs(wait));
    assert_eq!(status(&house.ask_as(&token, "GET /orders", "").await), 200);
    assert_eq!(status(&house.ask_as(&token, "GET /orders", "").await), 429);
}

#[tokio::test]
async fn each_is_counted_by_what_the_limit_names() {
    let cases: [(&[Dimension], [bool; 5]); 7] = [
        // The same again; another token, person, client, network.
        (&[], [false, false, false, false, false]),
        (&[Dimension::Token], [false, true, true, true, false]),
        (&[Dimension::Subject], [false, false, true, false, false]),
        (&[Dimension::Client], [false, false, false, true, false]),
        (&[Dimension::Network], [false, false, false, false, true]),
        (&[Dimension::Client, Dimension::Network], [false, false, false, true, true]),
        (&[Dimension::Route], [false, false, false, false, false]),
    ];
    for (by, expected) in cases {
        let (house, _upstream) =
            house(|settings| settings.limits = vec![rate("limit", by, "1/h")]).await;
        let first = house.token("orders:read");
        assert_eq!(let_through(&house, &first, "GET /orders", "", 1).await, 1);
        let others = [
            (first.clone(), ""),
            (house.token("orders:read"), ""),
            (house.token_with("sub", json!("u2")), ""),
            (house.token_with("client_id", json!("c2")), ""),
            (first.clone(), "X-Forwarded-For: 192.0.2.9\r\n"),
        ];
        for ((token, fields), expected) in others.iter().zip(expected) {
            let passed = let_through(&house, token, "GET /orders", fields, 1).await;
            assert_eq!(passed == 1, expected, "{by:?} {fields}");
        }
    }
}

#[tokio::test]
async fn one_ipv6_customer_is_one_network() {
    let (house, _upstream) = house(|settings| {
        settings.limits = vec![rate("limit", &[Dimension::Network], "1/h")];
    })
    .await;
    let token = house.token("orders:read");
    for (address, passes) in [
        ("2001:db8::1", 1),
        ("2001:db8::ffff:1", 0),
        ("2001:db8:0:1::1", 1),
        ("::ffff:192.0.2.1", 1),
        ("192.0.2.1", 0),
    ] {
        let field = format!("X-Forwarded-For: {address}\r\n");
        assert_eq!(
            let_through(&house, &token, "GET /orders", &field, 1).await,
            passes,
            "{address}"
        );
    }
}

#[tokio::test]
async fn routes_have_costs_and_limits_of_their_own() {
    let (house, _upstream) = house(|settings| {
        let mut only = rate("files", &[Dimension::Token], "1/h");
        only.routes = vec!["/files/{rest...}".into()];
        settings.limits = vec![rate("all", &[Dimension::Token], "10/h"), only];
        for route in &mut settings.routes {
            route.cost = match route.path.as_str() {
                "/orders/{id}" => 4,
                "/ledger" => 0,
                _ => 1,
            };
        }
    })
    .await;
    let token = house.token("orders:read");
    assert_eq!(let_through(&house, &token, "GET /files/a", "", 3).await, 1);
    assert_eq!(let_through(&house, &token, "GET /orders/7", "", 3).await, 2, "9 of 10 are taken");
    assert_eq!(let_through(&house, &token, "GET /orders", "", 3).await, 1);
    let answer = house.ask_as(&token, "GET /orders", "").await;
    assert_eq!(field(&answer, "ratelimit-policy"), Some("\"all\";q=10;w=3600"));
    // What a limit further on refuses, the ones before have not taken: `files` took 1 of 10, not 3.
    let ledger = house.token_with("aud", json!("https://ledger.example"));
    assert_eq!(let_through(&house, &ledger, "GET /ledger", "", 20).await, 20, "it costs nothing");
}

/// A route's own limit is one of its conditions: an upstream that ignores case takes `/OPEN/7` for `/open/7`.
#[tokio::test]
async fn a_wide_rule_is_no_way_around_a_limit() {
    let (house, _upstream) = house(|settings| {
        let mut only = rate("open", &[Dimension::Network], "1/h");
        only.routes = vec!["/open/{id}".into()];
        settings.limits = vec![only];
        let open = settings.routes.iter().find(|route| route.path == "/open/{id}");
        let mut wide = open.expect("a public route").clone();
        wide.path = "/{rest...}".into();
        settings.routes.push(wide);
    })
    .await;
    let mut passed = Vec::new();
    for path in ["/open/7", "/open/7", "/Open/7", "/open/7/", "/open./7", "/elsewhere"] {
        passed.push((path, status(&house.ask(&format!("GET {path}"), "").await)));
    }
    assert_eq!(passed.iter().filter(|(_, status)| *status == 200).count(), 2, "{passed:?}");
    assert_eq!(passed.last(), Some(&("/elsewhere", 200)));
}

#[tokio::test]
async fn a_scope_is_a_class_of_its_own() {
    let (house, _upstream) = house(|settings| {
        let mut limit = rate("plan", &[Dimension::Client], "1/h");
        let class = |pace: &str| Amount::Rate { pace: pace.parse().expect("pace"), burst: Some(3) };
        limit.classes = vec![("orders:write".into(), class("3/h"))];
        settings.limits = vec![limit];
    })
    .await;
    assert_eq!(let_through(&house, &house.token("orders:read"), "GET /orders", "", 5).await, 1);
    let gold = json!({ "scope": "orders:read orders:write", "client_id": "c2" });
    let mut claims = house.claims();
    claims.as_object_mut().expect("claims").extend(gold.as_object().expect("gold").clone());
    assert_eq!(let_through(&house, &house.sign(&claims), "GET /orders", "", 5).await, 3);
}

#[tokio::test]
async fn a_quota_is_for_any_window() {
    let (house, _upstream) = house(|settings| {
        let mut limit = rate("daily", &[Dimension::Client], "1/d");
        limit.amount = Amount::Quota("5/h".parse().expect("quota"));
        settings.limits = vec![limit];
    })
    .await;
    let token = house.token_with("exp", json!(house.clock_secs() + 100_000));
    assert_eq!(let_through(&house, &token, "GET /orders", "", 8).await, 5);
    let answer = house.ask_as(&token, "GET /orders", "").await;
    assert_eq!(field(&answer, "ratelimit-policy"), Some("\"daily\";q=5;w=3600"));
    let wait: u64 = field(&answer, "retry-after").expect("Retry-After").parse().expect("seconds");
    house.clock.advance(Duration::from_secs(wait));
    assert_eq!(let_through(&house, &token, "GET /orders", "", 8).await, 1);
}

#[tokio::test]
async fn so_many_at_a_time_and_a_place_is_free_when_its_answer_has_ended() {
    let (feed, rest) = mpsc::channel(4);
    let rest = std::sync::Mutex::new(Some(rest));
    let upstream = Recording::scripted(move |number, _| match number {
        1 => {
            let rest = rest.lock().expect("lock").take().expect("once");
            Reply::Feed("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n".into(), rest)
        }
        _ => Reply::Send(ok("")),
    })
    .await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    let mut limit = rate("streams", &[Dimension::Subject], "1/h");
    limit.amount = Amount::Concurrent(1);
    settings.limits = vec![limit];
    let house = House::with(settings).await;
    let token = house.token("orders:read");
    let mut stream = TcpStream::connect(house.address).await.expect("connect");
    let request = format!(
        "GET /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("write");
    feed.send(b"first".to_vec()).await.expect("fed");
    read_until(&mut stream, "first").await;

    let answer = house.ask_as(&token, "GET /orders", "").await;
    assert_eq!((status(&answer), field(&answer, "retry-after")), (429, Some("1")));
    assert_eq!(field(&answer, "ratelimit-policy"), None, "the fields have no word for it");
    let other = house.token_with("sub", json!("u2"));
    assert_eq!(status(&house.ask_as(&other, "GET /orders", "").await), 200);
    drop((feed, stream));
    for _ in 0..500 {
        if status(&house.ask_as(&token, "GET /orders", "").await) == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the place is never free again");
}

#[tokio::test]
async fn public_routes_are_counted_by_what_there_is() {
    let (house, _upstream) = house(|settings| {
        settings.limits = vec![
            rate("by token", &[Dimension::Token], "1/h"),
            rate("by network", &[Dimension::Network], "3/h"),
        ];
    })
    .await;
    let mut passed = 0;
    for _ in 0..6 {
        passed += usize::from(status(&house.ask("GET /open/7", "").await) == 200);
    }
    assert_eq!(passed, 3);
}

#[tokio::test]
async fn an_api_with_limits_of_its_own_is_not_overruled() {
    let upstream = Recording::scripted(|_, _| {
        Reply::Send(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nRateLimit: \"own\";r=7;t=1\r\n\r\n".into(),
        )
    })
    .await;
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.limits = vec![rate("limit", &[], "5/h")];
    let house = House::with(settings).await;
    let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
    let fields: Vec<&str> =
        answer.lines().filter(|line| line.to_ascii_lowercase().starts_with("ratelimit:")).collect();
    assert_eq!(fields.len(), 2, "{answer}");
}

#[tokio::test]
async fn forgeries_cannot_burn_signature_checks() {
    let (house, upstream) =
        house(|settings| settings.doubtful = Some("3/h".parse().expect("pace"))).await;
    let stranger = PrivateKey::generate(Algorithm::Es256).expect("key");
    let forged = || {
        token::jws::sign(&stranger, "at+jwt", house.claims().to_string().as_bytes()).expect("token")
    };
    let known = house.token("orders:read");
    assert_eq!(status(&house.ask_as(&known, "GET /orders", "").await), 200);
    for expected in [401, 401, 401, 429, 429] {
        let answer = house.ask_as(&forged(), "GET /orders", "").await;
        assert_eq!(status(&answer), expected, "{answer}");
        assert_eq!(field(&answer, "retry-after").is_some(), expected == 429);
    }
    // Whoever is known goes on, and so do other networks; what only has expired cost nobody anything.
    assert_eq!(status(&house.ask_as(&known, "GET /orders", "").await), 200);
    let elsewhere = "X-Forwarded-For: 192.0.2.9\r\n";
    for _ in 0..5 {
        let old = house.token_with("exp", json!(house.clock_secs() - 100));
        assert_eq!(status(&house.ask_as(&old, "GET /orders", elsewhere).await), 401);
        let good = house.token("orders:read");
        assert_eq!(status(&house.ask_as(&good, "GET /orders", elsewhere).await), 200);
    }
    assert_eq!(upstream.requests().len(), 7);
    house.clock.advance(Duration::from_secs(1200));
    assert_eq!(status(&house.ask_as(&forged(), "GET /orders", "").await), 401);
}
