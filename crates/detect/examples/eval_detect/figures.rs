//! How many events a second one core carries, and what a million principals weigh (on Linux).

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use detect::engine::{AHEAD, Engine};
use token::event::{Event, TokenKind};

use scenario::actor::{Actor, get, get_one, post};
use scenario::random::Random;

const PRINCIPALS: u64 = 1_000_000;
const BATCH: u64 = 50_000;
const ROUNDS: u64 = 20;
const PAGE: u64 = 4096;

/// Feeds every principal once, then a million requests of random ones.
pub(crate) fn print() {
    let mut engine = Engine::default();
    let mut random = Random::new(7);
    // What the events themselves take is taken before the first look.
    drop((0..BATCH).map(|n| event(n, 0, &mut random)).collect::<Vec<_>>());
    let before = resident();
    let (mut at, mut first, mut later) = (0, Duration::ZERO, Duration::ZERO);
    for round in 0..PRINCIPALS / BATCH {
        first += feed(&mut engine, at, &mut random, |n, _| round * BATCH + n);
        at += BATCH;
    }
    let after = resident();
    for _ in 0..ROUNDS {
        later += feed(&mut engine, at, &mut random, |_, random| random.below(PRINCIPALS));
        at += BATCH;
    }
    let per_second = |count: u64, span: Duration| count as f64 / span.as_secs_f64();
    println!(
        "first requests of {PRINCIPALS} principals: {:.0} events/s on one core",
        per_second(PRINCIPALS, first)
    );
    println!(
        "then requests of random ones: {:.0} events/s on one core",
        per_second(ROUNDS * BATCH, later)
    );
    match (before, after) {
        (Some(before), Some(after)) => println!(
            "memory: {} MiB more than before, {} bytes a principal, with their objects",
            after.saturating_sub(before) >> 20,
            after.saturating_sub(before) / PRINCIPALS
        ),
        _ => println!("memory: not known on this system"),
    }
}

/// The time that a batch takes, without that of making it.
fn feed(
    engine: &mut Engine,
    at: u64,
    random: &mut Random,
    who: impl Fn(u64, &mut Random) -> u64,
) -> Duration {
    let batch: Vec<Event> = (0..BATCH)
        .map(|n| {
            let who = who(n, random);
            event(who, at + n, random)
        })
        .collect();
    let start = processor_time();
    for next in batch.chunks(AHEAD) {
        let ahead = engine.expect(next.iter());
        for (event, names) in next.iter().zip(&ahead) {
            std::hint::black_box(engine.observe_expected(event, names));
        }
    }
    processor_time().saturating_sub(start)
}

fn event(who: u64, at: u64, random: &mut Random) -> Event {
    let actor = Actor {
        subject: Some(format!("person-{who}")),
        client: Some(format!("app-{}", who % 50)),
        token: format!("token-{who}"),
        kind: TokenKind::Jwt,
        scopes: "orders:read orders:write",
        ip: IpAddr::from((0x0a00_0000 + (who % 200_000) as u32).to_be_bytes()),
        ua: "Shop/4.2".to_owned(),
    };
    let call = match random.below(8) {
        0 => get("/orders"),
        1 => post("/cart"),
        2 => get_one("/orders/{id}", random.below(10_000_000)).status(404),
        _ => get_one("/orders/{id}", who * 4 + random.below(4)),
    };
    actor.call(at as f64 * 0.002, call)
}

/// What this thread has used of a core: what others do on the machine does not count.
pub(crate) fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// Resident memory in bytes.
fn resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split(' ').nth(1)?.parse::<u64>().ok()? * PAGE)
}
