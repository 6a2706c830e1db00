//! CPU time for a gateway request and for what the authority does, side by side with peers that are
//! installed. `-- authority`, `-- gateway` or `-- auth` (checks for other proxies) measures one of them,
//! `-- rotations` only refreshes, `-- idle` the memory of connections that rest. A number says how many tokens
//! come in turn at the gateway, or how many connections rest.
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

#[path = "cost/check.rs"]
mod check;
#[path = "cost/idle.rs"]
mod idle;
#[path = "cost/load.rs"]
mod load;
#[path = "cost/operations.rs"]
mod operations;
#[path = "cost/peer.rs"]
mod peer;
#[path = "cost/seed.rs"]
mod seed;
#[path = "cost/served.rs"]
mod served;

use load::{Load, Request, Traffic};
use served::Served;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 64;
const TOKENS: usize = 1000;
const RESTING: usize = 10_000;

/// One line of the result.
struct Row {
    name: String,
    micros: Vec<f64>,
    rate: Vec<f64>,
    /// The median of each round.
    latency: Vec<f64>,
}

/// Something that answers requests, and the process whose CPU time counts.
struct Subject<'a> {
    name: String,
    pid: u32,
    address: String,
    traffic: Traffic<'a>,
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = wanted.iter().find_map(|word| word.parse().ok());
    let all = wanted.is_empty();
    let upstream = load::upstream();
    if all || wanted.iter().any(|word| word == "gateway") {
        let served = Served::start(&upstream, 100_000, None, 0);
        let small_cache = Served::start(&upstream, 16, None, 0);
        gateway(&upstream, &served, &small_cache, number.unwrap_or(TOKENS));
        report_memory(&served);
    }
    if all || wanted.iter().any(|word| word == "idle") {
        idle::measure(&upstream, number.unwrap_or(RESTING));
    }
    if all || wanted.iter().any(|word| word == "auth") {
        auth(&Served::start(&upstream, 100_000, None, 0));
    }
    if all || wanted.iter().any(|word| word == "authority") {
        operations::measure_all(&upstream);
    } else if wanted.iter().any(|word| word == "rotations") {
        operations::rotations(&upstream);
    }
}

fn report_memory(served: &Served) {
    println!(
        "\nMemory after the load: {} MiB resident, tokenward with a cache of 100,000",
        served.resident() / 1024
    );
}

/// What a request through the gateway costs.
fn gateway(upstream: &str, served: &Served, small_cache: &Served, tokens: usize) {
    let requests = |served: &Served| -> Vec<Request> {
        let tokens = served.tokens(tokens);
        tokens.iter().map(|token| Request::get(&served.gateway, "/api", Some(token))).collect()
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
        ("envoy, JWT cached", peer::envoy(upstream, &jwt(2 * tokens)), &checked),
        ("envoy, JWT not cached", peer::envoy(upstream, &jwt(1)), &checked),
    ];
    for (name, peer, requests) in &peers {
        subjects.extend(peer.as_ref().map(|peer| Subject::peer(name, peer, requests)));
    }
    println!(
        "Gateway: GET, 200-byte answer, {CONNECTIONS} connections, {tokens} tokens of {} bytes, \
         {ROUNDS} rounds of {} s",
        served.token().len(),
        ROUND.as_secs()
    );
    report(&measure(&subjects, CONNECTIONS, ROUND), "tokenward, plain");
}

/// What a check costs that another proxy asks for.
fn auth(served: &Served) {
    let tokens: Vec<String> = (0..TOKENS).map(|_| served.token()).collect();
    let each = |ask: &dyn Fn(&str) -> Request| -> Vec<Request> {
        tokens.iter().map(|token| ask(token)).collect()
    };
    let proxied = each(&|token| Request::get(&served.gateway, "/api", Some(token)));
    let forwarded = each(&|token| check::forwarded(&served.auth, token));
    let prefixed = each(&|token| check::prefixed(&served.auth, token));
    let calls: Vec<_> = tokens.iter().map(|token| check::call(token)).collect();
    let grpc = Traffic::Checks(&calls);
    let subjects = [
        Subject::ours("checked and forwarded", served, &served.gateway, &proxied),
        Subject::ours("checked for Traefik, Caddy, HAProxy", served, &served.auth, &forwarded),
        Subject::ours("checked for Envoy over HTTP", served, &served.auth, &prefixed),
        Subject::new("checked for Envoy by gRPC", served.pid(), &served.auth, grpc),
    ];
    println!(
        "\nChecks for other proxies: {CONNECTIONS} at a time, {TOKENS} tokens, {ROUNDS} rounds of {} s; by \
         gRPC on one connection",
        ROUND.as_secs()
    );
    report(&measure(&subjects, CONNECTIONS, ROUND), "checked and forwarded");
}

// === impl Subject ===

impl<'a> Subject<'a> {
    fn ours(name: &str, served: &Served, address: &str, requests: &'a [Request]) -> Self {
        Self::new(name, served.pid(), address, Traffic::Same(requests))
    }

    fn peer(name: &str, peer: &peer::Peer, requests: &'a [Request]) -> Self {
        Self::new(name, peer.pid(), &peer.address, Traffic::Same(requests))
    }

    fn new(name: &str, pid: u32, address: &str, traffic: Traffic<'a>) -> Self {
        Self { name: name.to_owned(), pid, address: address.to_owned(), traffic }
    }
}

/// Every subject in turn, round after round, so that a busy neighbour hurts all alike.
fn measure(subjects: &[Subject<'_>], connections: usize, span: Duration) -> Vec<Row> {
    let empty = |subject: &Subject<'_>| Row {
        name: subject.name.clone(),
        micros: Vec::new(),
        rate: Vec::new(),
        latency: Vec::new(),
    };
    let mut rows: Vec<Row> = subjects.iter().map(empty).collect();
    for round in 0..=ROUNDS {
        for (subject, row) in subjects.iter().zip(&mut rows) {
            let before = cpu(subject.pid);
            let started = Instant::now();
            let load = Load { address: &subject.address, connections, traffic: subject.traffic };
            let done = load.run(span);
            let spent = cpu(subject.pid) - before;
            assert!(
                done.failed == 0,
                "{}: {} of {} answers were not what was asked for",
                subject.name,
                done.failed,
                done.answered
            );
            // The first round warms up.
            if round > 0 {
                row.micros.push(spent * 1e6 / done.answered as f64);
                row.rate.push(done.answered as f64 / started.elapsed().as_secs_f64());
                row.latency.push(median(&done.latencies));
            }
        }
    }
    rows
}

fn report(rows: &[Row], base: &str) {
    let base = rows.iter().find(|row| row.name == base).map_or(1.0, |row| median(&row.micros));
    println!("{:<42} {:>8} {:>17} {:>9} {:>7}", "", "CPU µs", "min – max", "req/s", "ratio");
    for row in rows {
        let (low, high) = bounds(&row.micros);
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

fn bounds(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::MAX, 0.0f64), |(low, high), value| (low.min(*value), high.max(*value)))
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
