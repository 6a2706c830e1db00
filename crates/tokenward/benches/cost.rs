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
    let tokens: Vec<String> = (0..TOKENS).map(|_| served.token()).collect();
    let cold_tokens: Vec<String> = (0..TOKENS).map(|_| small_cache.token()).collect();
    let plain = vec![Request::get(&served.gateway, "/plain", None)];
    let checked: Vec<Request> =
        tokens.iter().map(|token| Request::get(&served.gateway, "/api", Some(token))).collect();
    let cold: Vec<Request> = cold_tokens
        .iter()
        .map(|token| Request::get(&small_cache.gateway, "/api", Some(token)))
        .collect();
    let issue = vec![served.token_request()];
    let introspect: Vec<Request> = tokens.iter().map(|token| served.introspection(token)).collect();
    let discovery =
        vec![Request::get(&served.authority, "/.well-known/openid-configuration", None)];
    let subject = |name: &str, served: &Served, address: &str, requests| Subject {
        name: name.to_owned(),
        pid: served.pid(),
        address: address.to_owned(),
        requests,
    };
    let mut gateway = vec![
        subject("tokenward, plain", &served, &served.gateway, &plain),
        subject("tokenward, token cached", &served, &served.gateway, &checked),
        subject("tokenward, token not cached", &small_cache, &small_cache.gateway, &cold),
    ];
    let nginx = peer::nginx(&upstream);
    if let Some(nginx) = &nginx {
        gateway.push(Subject {
            name: "nginx, plain".to_owned(),
            pid: nginx.pid(),
            address: nginx.address.clone(),
            requests: &plain,
        });
    }
    let envoy = peer::envoy(&upstream);
    if let Some(envoy) = &envoy {
        gateway.push(Subject {
            name: "envoy, plain".to_owned(),
            pid: envoy.pid(),
            address: envoy.address.clone(),
            requests: &plain,
        });
    }
    println!(
        "Gateway: GET, 200-byte answer, {CONNECTIONS} connections, {TOKENS} tokens, {ROUNDS} rounds of {} s",
        ROUND.as_secs()
    );
    report(&measure(&gateway), "tokenward, plain");
    println!("\nAuthority, same load:");
    let mut authority = vec![
        subject("tokenward, client_credentials ES256", &served, &served.authority, &issue),
        subject("tokenward, introspection", &served, &served.authority, &introspect),
        subject("tokenward, discovery", &served, &served.authority, &discovery),
    ];
    let provider = peer::oidc_provider();
    let provider_request =
        provider.as_ref().map(|peer| vec![peer::client_credentials(&peer.address)]);
    if let (Some(provider), Some(request)) = (&provider, &provider_request) {
        authority.push(Subject {
            name: "oidc-provider, client_credentials ES256".to_owned(),
            pid: provider.pid(),
            address: provider.address.clone(),
            requests: request,
        });
    }
    report(&measure(&authority), "tokenward, client_credentials ES256");
    println!(
        "\nMemory after the load: {} MiB resident, tokenward with a cache of 100,000",
        served.resident() / 1024
    );
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
