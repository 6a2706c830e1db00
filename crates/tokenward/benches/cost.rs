//! CPU time for a gateway request and for an issued token, side by side with peers that are installed.
//!
//! Measures the server process's own CPU time (user + system, from `/proc`), not wall time, in
//! alternating rounds. Prints medians, spread and ratios; asserts nothing.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[path = "cost/load.rs"]
mod load;
#[path = "cost/peer.rs"]
mod peer;
#[path = "cost/served.rs"]
mod served;

use load::{Load, Request};
use served::Served;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 64;
const TOKENS: usize = 1000;

/// One line of the result.
struct Row {
    name: String,
    micros: Vec<f64>,
    rate: Vec<f64>,
}

/// Something that answers requests, and the process whose CPU time counts.
struct Subject<'a> {
    name: String,
    pid: u32,
    address: String,
    requests: &'a [Request],
}

fn main() {
    let upstream = load::upstream();
    let served = Served::start(&upstream, 100_000);
    let small_cache = Served::start(&upstream, 16);
    gateway(&upstream, &served, &small_cache);
    authority(&served);
    println!(
        "\nMemory after the load: {} MiB resident, tokenward with a cache of 100,000",
        served.resident() / 1024
    );
}

/// What a request through the gateway costs.
fn gateway(upstream: &str, served: &Served, small_cache: &Served) {
    let requests = |served: &Served| -> Vec<Request> {
        (0..TOKENS).map(|_| Request::get(&served.gateway, "/api", Some(&served.token()))).collect()
    };
    let plain = vec![Request::get(&served.gateway, "/plain", None)];
    let (checked, cold) = (requests(served), requests(small_cache));
    let mut subjects = vec![
        Subject::ours("tokenward, plain", served, &served.gateway, &plain),
        Subject::ours("tokenward, token cached", served, &served.gateway, &checked),
        Subject::ours("tokenward, token not cached", small_cache, &small_cache.gateway, &cold),
    ];
    let issuer = format!("http://{}", served.authority);
    let jwks = served.jwks();
    let jwt = |cache| peer::Envoy::Jwt { issuer: &issuer, jwks: &jwks, cache };
    let peers = [
        ("nginx, plain", peer::nginx(upstream), &plain),
        ("envoy, plain", peer::envoy(upstream, &peer::Envoy::Plain), &plain),
        ("envoy, JWT cached", peer::envoy(upstream, &jwt(2 * TOKENS)), &checked),
        ("envoy, JWT not cached", peer::envoy(upstream, &jwt(1)), &checked),
    ];
    for (name, peer, requests) in &peers {
        subjects.extend(peer.as_ref().map(|peer| Subject::peer(name, peer, requests)));
    }
    println!(
        "Gateway: GET, 200-byte answer, {CONNECTIONS} connections, {TOKENS} tokens of {} bytes, \
         {ROUNDS} rounds of {} s",
        served.token().len(),
        ROUND.as_secs()
    );
    report(&measure(&subjects), "tokenward, plain");
}

/// What a token and the questions about it cost.
fn authority(served: &Served) {
    let issue = vec![served.token_request()];
    let introspect: Vec<Request> =
        (0..TOKENS).map(|_| served.introspection(&served.token())).collect();
    let discovery =
        vec![Request::get(&served.authority, "/.well-known/openid-configuration", None)];
    let provider = peer::oidc_provider();
    let provider_request =
        provider.as_ref().map(|peer| vec![peer::client_credentials(&peer.address)]);
    let ours = |name, requests| Subject::ours(name, served, &served.authority, requests);
    let mut subjects = vec![
        ours("tokenward, client_credentials ES256", &issue),
        ours("tokenward, introspection", &introspect),
        ours("tokenward, discovery", &discovery),
    ];
    if let (Some(peer), Some(request)) = (&provider, &provider_request) {
        subjects.push(Subject::peer("oidc-provider, client_credentials ES256", peer, request));
    }
    println!("\nAuthority, same load:");
    report(&measure(&subjects), "tokenward, client_credentials ES256");
}

// === impl Subject ===

impl<'a> Subject<'a> {
    fn ours(name: &str, served: &Served, address: &str, requests: &'a [Request]) -> Self {
        Self { name: name.to_owned(), pid: served.pid(), address: address.to_owned(), requests }
    }

    fn peer(name: &str, peer: &peer::Peer, requests: &'a [Request]) -> Self {
        Self { name: name.to_owned(), pid: peer.pid(), address: peer.address.clone(), requests }
    }
}

/// Every subject in turn, round after round, so that a busy neighbour hurts all alike.
fn measure(subjects: &[Subject<'_>]) -> Vec<Row> {
    let mut rows: Vec<Row> = subjects
        .iter()
        .map(|subject| Row { name: subject.name.clone(), micros: Vec::new(), rate: Vec::new() })
        .collect();
    for round in 0..=ROUNDS {
        for (subject, row) in subjects.iter().zip(&mut rows) {
            let before = cpu(subject.pid);
            let started = Instant::now();
            let done = Load {
                address: &subject.address,
                connections: CONNECTIONS,
                requests: subject.requests,
            }
            .run(ROUND);
            let spent = cpu(subject.pid) - before;
            assert!(
                done.failed == 0,
                "{}: {} of {} answers were not 200",
                subject.name,
                done.failed,
                done.answered
            );
            // The first round warms up.
            if round > 0 {
                row.micros.push(spent * 1e6 / done.answered as f64);
                row.rate.push(done.answered as f64 / started.elapsed().as_secs_f64());
            }
        }
    }
    rows
}

fn report(rows: &[Row], base: &str) {
    let base = rows.iter().find(|row| row.name == base).map_or(1.0, |row| median(&row.micros));
    println!("{:<42} {:>8} {:>17} {:>9} {:>7}", "", "CPU µs", "min – max", "req/s", "ratio");
    for row in rows {
        let (low, high) =
            row.micros.iter().fold((f64::MAX, 0.0f64), |(l, h), v| (l.min(*v), h.max(*v)));
        println!(
            "{:<42} {:>8.1} {:>8.1} – {:<6.1} {:>9.0} {:>7.2}",
            row.name,
            median(&row.micros),
            low,
            high,
            median(&row.rate),
            median(&row.micros) / base
        );
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// CPU seconds of a process and of its children that are still running, nanosecond resolution.
fn cpu(pid: u32) -> f64 {
    let children =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let own = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let own: f64 = own
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<f64>().ok())
        .sum();
    let below: f64 =
        children.split_whitespace().filter_map(|child| child.parse().ok()).map(cpu).sum();
    own / 1e9 + below
}

/// Started in the background with its output thrown away.
fn background(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start")
}
