//! What files cost: time to open them, memory, and nanoseconds for an address.
//!
//! `cargo bench -p geo -- FILE...`; prints the best of several rounds, asserts nothing.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use geo::Geo;
use token::place::Places as _;

const ROUNDS: usize = 20;
const TIMES: u32 = 20_000;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if files.is_empty() {
        println!("nothing to measure: name files after `--`");
        return;
    }
    let before = resident_kib();
    for file in &files {
        let began = Instant::now();
        let geo = Geo::open(&[file]).expect("a good file");
        println!("{file}: open {:?}", began.elapsed());
        each("IPv4", &geo, |number| Ipv4Addr::from_bits(number).into());
        each("IPv6", &geo, |number| {
            Ipv6Addr::from_bits(0x2000 << 112 | u128::from(number) << 84).into()
        });
    }
    let all = Geo::open(&files).expect("good files");
    each("all of them, IPv4", &all, |number| Ipv4Addr::from_bits(number).into());
    println!("resident: {} KiB more than before", resident_kib().saturating_sub(before));
}

fn each(name: &str, geo: &Geo, address: impl Fn(u32) -> IpAddr) {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let mut number = 1_u32;
        let began = Instant::now();
        for _ in 0..TIMES {
            // All over the numbers, so that no cache helps more than in service.
            number = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
            black_box(geo.place(black_box(address(number))));
        }
        best = best.min(began.elapsed().as_secs_f64() / f64::from(TIMES));
    }
    println!("  {name}: {:.0} ns", best * 1e9);
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
