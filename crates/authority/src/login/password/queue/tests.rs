//! Turns, bounds, and who has to leave.

use std::net::IpAddr;

use super::{Bounds, FairQueue, Line, Place};

const BOUNDS: Bounds = Bounds { in_all: 6, in_line: 4 };

fn line(ip: &str) -> Line {
    Line::of(Some(ip.parse::<IpAddr>().expect("address")), false)
}

fn place(ip: &str, account: u64) -> Place {
    Place { line: line(ip), account }
}

/// Lets these in; everything that had to leave.
fn push<'a>(queue: &mut FairQueue<&'a str>, all: &[(&str, u64, &'a str)]) -> Vec<&'a str> {
    all.iter().filter_map(|(ip, account, name)| queue.push(place(ip, *account), name).1).collect()
}

fn drained<'a>(queue: &mut FairQueue<&'a str>) -> Vec<&'a str> {
    let all = std::iter::from_fn(|| queue.pop()).collect();
    assert_eq!((queue.len(), queue.lines.len(), queue.turns.len()), (0, 0, 0));
    all
}

#[test]
fn networks_take_turns_and_accounts_within_them() {
    let mut queue = FairQueue::new(BOUNDS);
    let left = push(
        &mut queue,
        &[
            ("192.0.2.1", 1, "a1"),
            ("192.0.2.2", 1, "a1 again"),
            ("192.0.2.3", 1, "a1 once more"),
            ("192.0.2.4", 2, "a2"),
            ("198.51.100.1", 1, "b1"),
            ("203.0.113.1", 1, "c1"),
        ],
    );
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(drained(&mut queue), ["a1", "b1", "c1", "a2", "a1 again", "a1 once more"]);
}

#[test]
fn a_network_that_has_had_its_turn_comes_after_those_that_wait() {
    let mut queue = FairQueue::new(BOUNDS);
    push(&mut queue, &[("192.0.2.1", 1, "a"), ("192.0.2.1", 2, "a"), ("198.51.100.1", 1, "b")]);
    assert_eq!(queue.pop(), Some("a"));
    push(&mut queue, &[("203.0.113.1", 1, "c")]);
    assert_eq!(drained(&mut queue), ["b", "a", "c"]);
}

#[test]
fn a_full_line_loses_whoever_waits_longest_for_its_busiest_account() {
    let mut queue = FairQueue::new(BOUNDS);
    let flood = [
        ("192.0.2.1", 9, "person"),
        ("192.0.2.1", 1, "guess 1"),
        ("192.0.2.1", 1, "guess 2"),
        ("192.0.2.1", 1, "guess 3"),
        ("192.0.2.1", 1, "guess 4"),
        ("192.0.2.1", 1, "guess 5"),
    ];
    assert_eq!(push(&mut queue, &flood), ["guess 1", "guess 2"]);
    assert_eq!(drained(&mut queue), ["person", "guess 3", "guess 4", "guess 5"]);
}

#[test]
fn a_full_queue_loses_whoever_waits_longest_in_its_fullest_line() {
    let mut queue = FairQueue::new(BOUNDS);
    push(&mut queue, &[("198.51.100.1", 1, "b1"), ("198.51.100.1", 2, "b2")]);
    let flood = [1, 2, 3, 4].map(|account| ("192.0.2.1", account, "flood"));
    assert!(push(&mut queue, &flood).is_empty());
    assert_eq!(push(&mut queue, &[("203.0.113.1", 1, "c")]), ["flood"]);
    // Two lines are fullest then: the one who came first of all of them goes.
    assert_eq!(push(&mut queue, &[("198.51.100.1", 3, "b3")]), ["b1"]);
    assert_eq!(queue.len(), BOUNDS.in_all);
    assert_eq!(drained(&mut queue), ["b2", "flood", "c", "b3", "flood", "flood"]);
}

#[test]
fn many_networks_are_bounded_too() {
    let mut queue = FairQueue::new(BOUNDS);
    for number in 0..100u8 {
        let (_, left) = queue.push(place(&format!("198.51.{number}.1"), 1), number);
        assert_eq!(left, number.checked_sub(6), "{number}");
        assert!(queue.len() <= BOUNDS.in_all && queue.lines.len() == queue.len());
    }
    let all: Vec<u8> = std::iter::from_fn(|| queue.pop()).collect();
    assert_eq!(all, [94, 95, 96, 97, 98, 99]);
}

#[test]
fn who_leaves_makes_room_and_is_not_missed() {
    let mut queue = FairQueue::new(BOUNDS);
    let (here, there) = (place("192.0.2.1", 1), place("198.51.100.1", 1));
    let (first, _) = queue.push(here, "first");
    let (second, _) = queue.push(here, "second");
    let (third, _) = queue.push(there, "third");
    assert_eq!(queue.remove(here, first), Some("first"));
    assert_eq!(queue.remove(here, first), None);
    assert_eq!(queue.remove(there, second), None);
    assert_eq!(queue.remove(there, third), Some("third"));
    assert_eq!(queue.pop(), Some("second"));
    assert_eq!(queue.remove(here, second), None);
    assert_eq!((queue.len(), queue.lines.len(), queue.turns.len()), (0, 0, 0));
}

#[test]
fn a_line_is_a_network_and_a_standing() {
    for (one, other) in [
        ("192.0.2.1", "192.0.2.255"),
        ("192.0.2.1", "::ffff:192.0.2.9"),
        ("2001:db8:0:ff00::1", "2001:db8:0:ffff:1::2"),
    ] {
        assert_eq!(line(one), line(other), "{one} {other}");
    }
    for (one, other) in [("192.0.2.1", "192.0.3.1"), ("2001:db8:0:ff00::1", "2001:db8:0:fe00::1")] {
        assert_ne!(line(one), line(other), "{one} {other}");
    }
    let ip = Some("192.0.2.1".parse().expect("address"));
    assert_ne!(Line::of(ip, true), Line::of(ip, false));
    assert_ne!(Line::of(ip, true), Line::of(None, true));
}
