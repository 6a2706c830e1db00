//! When work is asked for, and that this ends.

use std::net::{IpAddr, Ipv4Addr};

use token::time::Timestamp;

use super::{MAX_COUNTS, MOST, Pressure};
use crate::login::puzzle::Difficulty;

const FREE: u32 = 20;
const HOUR: i64 = 3600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + seconds)
}

fn network(number: u32) -> Option<IpAddr> {
    Some(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)))
}

fn fail(pressure: &Pressure, name: &str, from: u32, now: Timestamp) {
    let _ = pressure.begin(name, network(from), now);
}

fn bits(pressure: &Pressure, name: &str, from: u32, now: Timestamp) -> u32 {
    pressure.demand(name, network(from), now).map_or(0, Difficulty::bits)
}

#[test]
fn one_network_alone_makes_nobody_elsewhere_work() {
    let pressure = Pressure::new(FREE);
    // As fast as the throttle lets it, for a day.
    for n in 0..24 * 120 {
        fail(&pressure, "alice", 1, at(n * 30));
        assert_eq!(bits(&pressure, "alice", 2, at(n * 30)), 0);
    }
}

#[test]
fn many_networks_at_one_name_make_all_but_known_browsers_work_there() {
    let pressure = Pressure::new(FREE);
    for from in 0..FREE {
        assert_eq!(bits(&pressure, "alice", 900, at(0)), 0, "{from}");
        fail(&pressure, "alice", from, at(0));
    }
    assert_eq!(bits(&pressure, "alice", 900, at(0)), 0);
    fail(&pressure, " ALICE ", 500, at(0));
    assert_eq!(bits(&pressure, "alice", 900, at(0)), Difficulty::EASIEST.bits());
    assert_eq!(bits(&pressure, "bob", 900, at(0)), 0);
}

#[test]
fn one_network_at_many_names_works_and_no_other_does() {
    let pressure = Pressure::new(FREE);
    for name in 0..FREE + FREE / 2 {
        assert_eq!(bits(&pressure, "alice", 1, at(0)), 0);
        fail(&pressure, &format!("name {name}"), 1, at(0));
    }
    assert_eq!(bits(&pressure, "alice", 1, at(0)), 0);
    fail(&pressure, "one more", 1, at(0));
    assert_eq!(bits(&pressure, "alice", 1, at(0)), Difficulty::EASIEST.bits());
    assert_eq!(bits(&pressure, "alice", 2, at(0)), 0);
    // An office that mistypes a few times is forgiven within minutes.
    assert_eq!(bits(&pressure, "alice", 1, at(60)), 0);
}

#[test]
fn work_grows_to_a_bound_and_the_attack_is_over_hours_after_it_ends() {
    let pressure = Pressure::new(FREE);
    let mut seen = vec![0];
    for from in 0..10_000 {
        fail(&pressure, "alice", from, at(0));
        let now = bits(&pressure, "alice", 20_000, at(0));
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    assert_eq!(seen, [0, 10, 11, 12, 13, 14]);
    let over = i64::from(FREE * (MOST - 1)) * 600;
    assert!(bits(&pressure, "alice", 20_000, at(over - 1)) > 0);
    assert_eq!(bits(&pressure, "alice", 20_000, at(over)), 0);
    assert_eq!(over / HOUR, 10);
}

#[test]
fn a_try_that_was_no_failure_does_not_count() {
    let pressure = Pressure::new(FREE);
    for n in 0..1000 {
        let counted = pressure.begin("alice", network(n), at(0));
        pressure.given_back(counted);
        let counted = pressure.begin(&format!("name {n}"), network(5000), at(0));
        pressure.given_back(counted);
    }
    assert_eq!(bits(&pressure, "alice", 5000, at(0)), 0);
    // A success does not end an attack.
    for n in 0..100 {
        fail(&pressure, "alice", n, at(0));
    }
    let before = bits(&pressure, "alice", 5000, at(0));
    let counted = pressure.begin("alice", network(5000), at(0));
    pressure.given_back(counted);
    assert_eq!(before, Difficulty::HARDEST.bits());
    assert!(bits(&pressure, "alice", 5000, at(0)) >= before - 1);
}

#[test]
fn switched_off_it_asks_nobody() {
    let pressure = Pressure::new(0);
    for from in 0..1000 {
        fail(&pressure, "alice", from, at(0));
        fail(&pressure, &format!("name {from}"), 1, at(0));
    }
    assert_eq!(bits(&pressure, "alice", 1, at(0)), 0);
}

#[test]
fn memory_is_bounded_and_who_is_attacked_most_is_remembered_longest() {
    let pressure = Pressure::new(FREE);
    for from in 0..100 {
        fail(&pressure, "alice", from, at(0));
    }
    for n in 0..100_000 {
        fail(&pressure, &format!("name {n}"), n, at(0));
    }
    assert!(pressure.counts.lock().expect("lock").len() <= MAX_COUNTS);
    assert_eq!(bits(&pressure, "alice", 200_000, at(0)), Difficulty::HARDEST.bits());
}
