//! Several servers behind one name: shared out, left alone when they fail, tried again elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::support::upstream::{Recording, Reply, ok};
use super::support::{House, PATIENCE, error, field, read_until, settings, status};
use crate::{Balance, HashBy, HealthRule, Settings, UpstreamRule};

/// In turn over these servers.
fn rule(servers: &[SocketAddr]) -> UpstreamRule {
    let servers = servers.iter().map(|address| format!("http://{address}")).collect::<Vec<_>>();
    UpstreamRule { balance: Balance::RoundRobin, ..servers.into() }
}

fn over(rule: UpstreamRule) -> Settings {
    let mut settings = settings("http://127.0.0.1:9");
    settings.upstreams.insert("api".into(), rule);
    settings
}

/// An address at which nobody listens any more.
async fn dropped() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    listener.local_addr().expect("address")
}

/// Counts its requests and answers none.
async fn hanging() -> Recording {
    Recording::scripted(|_, _| Reply::Hang).await
}

async fn get(house: &House) -> u16 {
    status(&house.ask_as(&house.token("orders:read"), "GET /orders", "").await)
}

/// One POST with a body.
async fn post(house: &House) -> u16 {
    let token = house.token("orders:write");
    let request = format!(
        "POST /orders HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Length: 5\r\n\r\nhello"
    );
    status(&house.raw(request).await)
}

#[tokio::test]
async fn every_server_has_its_share_and_its_own_host() {
    let (one, other) = (Recording::new().await, Recording::new().await);
    let house = House::with(over(rule(&[one.address, other.address]))).await;
    for _ in 0..10 {
        assert_eq!(get(&house).await, 200);
    }
    for server in [one, other] {
        let requests = server.requests();
        assert_eq!(requests.len(), 5);
        let host = server.address.to_string();
        assert!(requests.iter().all(|text| field(text, "host") == Some(&host)), "{requests:?}");
    }
}

#[tokio::test]
async fn nobody_notices_a_server_that_is_gone() {
    let living = Recording::new().await;
    let house = House::with(over(rule(&[dropped().await, living.address]))).await;
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!((get(&house).await, post(&house).await), (200, 200));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    let host = living.address.to_string();
    let requests = living.requests();
    assert_eq!(requests.len(), 40);
    for request in requests {
        assert_eq!(field(&request, "host"), Some(host.as_str()));
        assert!(!request.starts_with("POST") || request.ends_with("hello"), "{request}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_left_alone() {
    let (stuck, living) = (hanging().await, Recording::new().await);
    let timeout = Some(Duration::from_millis(200));
    let rule = UpstreamRule { timeout, fail_after: 2, ..rule(&[stuck.address, living.address]) };
    let house = House::with(over(rule)).await;
    for _ in 0..4 {
        assert_eq!(get(&house).await, 200, "sent again to the other");
    }
    assert_eq!(stuck.requests().len(), 2);
    let out = Instant::now();
    for _ in 0..8 {
        assert_eq!(get(&house).await, 200);
        // It rests for a second, counted from before `out`.
        if out.elapsed() < Duration::from_millis(600) {
            assert_eq!(stuck.requests().len(), 2);
        }
    }
}

#[tokio::test]
async fn a_server_that_is_back_gets_requests_again() {
    let (gone, living) = (dropped().await, Recording::new().await);
    let rule = UpstreamRule { fail_after: 1, ..rule(&[gone, living.address]) };
    let house = House::with(over(rule)).await;
    assert_eq!((get(&house).await, get(&house).await), (200, 200));
    let listener = TcpListener::bind(gone).await.expect("the port is free");
    let answering = async {
        let (mut stream, _) = listener.accept().await.expect("accept");
        read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(ok("{}").as_bytes()).await.expect("write");
    };
    let asking = async {
        loop {
            assert_eq!(get(&house).await, 200);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = answering => {}
        () = asking => {}
        () = tokio::time::sleep(PATIENCE) => panic!("it never got one"),
    }
}

#[tokio::test]
async fn what_may_have_happened_is_not_sent_again() {
    let breaking = || Recording::scripted(|_, _| Reply::SendAndClose(String::new()));
    let (one, other) = (breaking().await, breaking().await);
    let house = House::with(over(rule(&[one.address, other.address]))).await;
    assert_eq!(post(&house).await, 502);
    assert_eq!(one.requests().len() + other.requests().len(), 1);
    assert_eq!(get(&house).await, 502, "once at either");
    assert_eq!(one.requests().len() + other.requests().len(), 3);
}

#[tokio::test]
async fn an_answer_of_a_failing_server_is_tried_elsewhere_if_that_is_safe() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let busy = Recording::scripted(move |_, _| Reply::Send(busy.into())).await;
    let living = Recording::new().await;
    let servers = rule(&[busy.address, living.address]);
    let house = House::with(over(UpstreamRule { fail_after: 0, ..servers.clone() })).await;
    assert_eq!((get(&house).await, get(&house).await), (200, 200));
    assert_eq!(post(&house).await, 503, "its body was sent");
    let house = House::with(over(UpstreamRule { retries: 0, ..servers })).await;
    assert_eq!(get(&house).await, 503);
}

#[tokio::test]
async fn where_all_fail_all_are_tried() {
    let rule = UpstreamRule { fail_after: 1, ..rule(&[dropped().await, dropped().await]) };
    let house = House::with(over(rule)).await;
    for _ in 0..5 {
        let answer = house.ask_as(&house.token("orders:read"), "GET /orders", "").await;
        assert_eq!((status(&answer), error(&answer).as_str()), (502, "bad_gateway"));
    }
}

#[tokio::test]
async fn so_many_at_a_time() {
    let (one, other) = (hanging().await, hanging().await);
    let rule = UpstreamRule { max_requests: Some(1), ..rule(&[one.address, other.address]) };
    let house = House::with(over(rule)).await;
    let token = house.token("orders:read");
    let request = format!(
        "GET /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let mut waiting = Vec::new();
    for server in [&one, &other] {
        let mut stream = TcpStream::connect(house.address).await.expect("connect");
        stream.write_all(request.as_bytes()).await.expect("write");
        waiting.push(stream);
        wait_for(server, 1).await;
    }
    let answer = house.ask_as(&token, "GET /orders", "").await;
    assert_eq!((status(&answer), error(&answer).as_str()), (503, "temporarily_unavailable"));
    assert_eq!(field(&answer, "retry-after"), Some("1"));
    drop(waiting);
    let began = Instant::now();
    while one.requests().len() + other.requests().len() == 2 {
        let mut stream = TcpStream::connect(house.address).await.expect("connect");
        stream.write_all(request.as_bytes()).await.expect("write");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < PATIENCE, "places are never free again");
    }
}

async fn wait_for(server: &Recording, count: usize) {
    let began = Instant::now();
    while server.requests().len() < count {
        assert!(began.elapsed() < PATIENCE, "no request came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What is sent is the rewritten path; what was authorised and is told to the watcher is the client's.
#[tokio::test]
async fn the_api_has_other_paths_than_its_clients() {
    let (one, other) = (Recording::new().await, dropped().await);
    let servers = vec![format!("http://{other}/base"), format!("http://{}/base", one.address)];
    let mut settings = over(UpstreamRule { balance: Balance::RoundRobin, ..servers.into() });
    let files = settings.routes.iter_mut().find(|rule| rule.path.starts_with("/files"));
    let files = files.expect("a route");
    (files.strip_prefix, files.add_prefix) = ("/files".into(), "/v1".into());
    let house = House::with(settings).await;
    let token = house.token("orders:read");
    for (sent, arrives) in [("/files/a/%62?q=//", "/base/v1/a/b?q=//"), ("/files/", "/base/v1/")] {
        let answer = house.ask_as(&token, &format!("GET {sent}"), "").await;
        assert_eq!(status(&answer), 200);
        let arrived = one.requests().pop().expect("a request");
        assert!(arrived.starts_with(&format!("GET {arrives} HTTP/1.1\r\n")), "{arrived}");
        let (_, event) = house.events.next().await;
        assert!(event.path.starts_with("/files/"), "{}", event.path);
    }
    for odd in ["/files/../x", "/files//x", "/files/%2e%2e/x", "/v1/x"] {
        let answer = house.ask_as(&token, &format!("GET {odd}"), "").await;
        assert!(matches!(status(&answer), 400 | 404), "{odd}: {answer}");
    }
    assert_eq!(one.requests().len(), 2);
}

#[tokio::test]
async fn a_subject_stays_at_its_server() {
    let servers = [Recording::new().await, Recording::new().await, Recording::new().await];
    let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
    let balance = Balance::Hash(HashBy::Subject);
    let house = House::with(over(UpstreamRule { balance, ..rule(&addresses) })).await;
    for subject in 0..12 {
        let before = servers.each_ref().map(|server| server.requests().len());
        let token = house.token_with("sub", json!(format!("u{subject}")));
        for _ in 0..3 {
            let answer = house.ask_as(&token, "GET /orders", "").await;
            assert_eq!(status(&answer), 200);
        }
        let after = servers.each_ref().map(|server| server.requests().len());
        let got: Vec<_> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        assert!(got.contains(&3), "{got:?}");
    }
    assert!(servers.iter().filter(|server| !server.requests().is_empty()).count() > 1);
}

#[tokio::test]
async fn a_server_that_says_that_it_is_unwell_gets_no_requests() {
    let well = Arc::new(AtomicBool::new(true));
    let says = Arc::clone(&well);
    let asked = Recording::scripted(move |_, request| {
        let unwell = request.starts_with("GET /health") && !says.load(Ordering::SeqCst);
        let error = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
        Reply::Send(if unwell { error.into() } else { ok("{}") })
    })
    .await;
    let other = Recording::new().await;
    let health = HealthRule {
        path: "/health?deep".into(),
        every: Duration::from_millis(10),
        timeout: Duration::from_secs(2),
        healthy_after: 2,
        unhealthy_after: 2,
    };
    let rule = UpstreamRule { health: Some(health), ..rule(&[asked.address, other.address]) };
    let house = House::with(over(rule)).await;
    let gets = || asked.requests().iter().filter(|text| text.starts_with("GET /orders")).count();
    let began = Instant::now();
    for (state, expected) in [(true, 3), (false, 0), (true, 3)] {
        well.store(state, Ordering::SeqCst);
        loop {
            assert!(began.elapsed() < PATIENCE, "{state} is not noticed");
            tokio::time::sleep(Duration::from_millis(50)).await;
            let before = gets();
            for _ in 0..6 {
                assert_eq!(get(&house).await, 200);
            }
            if gets() - before == expected {
                break;
            }
        }
    }
    assert!(other.requests().iter().any(|text| text.starts_with("GET /health?deep HTTP/1.1")));
}
