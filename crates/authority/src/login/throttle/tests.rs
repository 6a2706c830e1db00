//! Who is slowed down, and above all who is not.

use std::time::Duration;

use token::time::Timestamp;

use super::{MAX_COUNTS, Place, Throttle, Throttled};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + seconds)
}

fn from(ip: &str) -> Place<'static> {
    Place { ip: ip.parse().ok(), known_browser: None }
}

fn fail(throttle: &Throttle, name: &str, place: Place<'_>, now: Timestamp) -> bool {
    throttle.begin(name, place, now).is_ok()
}

#[test]
fn after_five_failures_there_is_a_wait() {
    let throttle = Throttle::default();
    for n in 0..5 {
        assert!(fail(&throttle, "alice", from("192.0.2.1"), at(0)), "try {n}");
    }
    let refused = throttle.begin("alice", from("192.0.2.1"), at(0)).err();
    assert_eq!(refused, Some(Throttled { wait: Duration::from_secs(30) }));
    // However the name is written.
    assert!(!fail(&throttle, " ALICE ", from("192.0.2.1"), at(29)));
    assert!(fail(&throttle, "alice", from("192.0.2.1"), at(30)));
    assert!(!fail(&throttle, "alice", from("192.0.2.1"), at(31)));
}

#[test]
fn being_turned_away_costs_nothing() {
    let throttle = Throttle::default();
    for _ in 0..100 {
        let _ = fail(&throttle, "alice", from("192.0.2.1"), at(0));
    }
    assert!(fail(&throttle, "alice", from("192.0.2.1"), at(30)));
}

#[test]
fn a_stranger_elsewhere_does_not_lock_the_owner_out() {
    let throttle = Throttle::default();
    for n in 0..200u8 {
        let _ = fail(&throttle, "alice", from(&format!("198.51.100.{n}")), at(0));
    }
    assert!(fail(&throttle, "alice", from("192.0.2.1"), at(0)));
}

#[test]
fn a_stranger_behind_the_same_address_does_not_lock_out_a_browser_that_is_known() {
    let throttle = Throttle::default();
    for _ in 0..500 {
        let _ = fail(&throttle, "alice", from("192.0.2.1"), at(0));
        let _ = fail(&throttle, "bob", from("192.0.2.1"), at(0));
    }
    let known = Place { known_browser: Some("b1"), ..from("192.0.2.1") };
    for n in 0..5 {
        assert!(fail(&throttle, "alice", known, at(0)), "try {n}");
    }
    // But who stole that browser does not guess without end either.
    assert!(!fail(&throttle, "alice", known, at(0)));
}

#[test]
fn a_network_that_tries_many_names_is_slowed_down() {
    let throttle = Throttle::default();
    let let_through =
        (0..200).filter(|n| fail(&throttle, &format!("user{n}"), from("192.0.2.1"), at(0))).count();
    assert_eq!(let_through, 50);
    assert!(!fail(&throttle, "another", from("192.0.2.1"), at(5)));
    assert!(fail(&throttle, "another", from("192.0.2.1"), at(6)));
    assert!(fail(&throttle, "another", from("192.0.2.2"), at(5)));
}

#[test]
fn an_ipv6_network_is_one_place() {
    let throttle = Throttle::default();
    for n in 0..5 {
        assert!(fail(&throttle, "alice", from(&format!("2001:db8::{n}")), at(0)));
    }
    assert!(!fail(&throttle, "alice", from("2001:db8::ffff"), at(0)));
    assert!(fail(&throttle, "alice", from("2001:db8:0:1::1"), at(0)));
    for _ in 0..5 {
        assert!(fail(&throttle, "alice", from("192.0.2.1"), at(0)));
    }
    assert!(!fail(&throttle, "alice", from("::ffff:192.0.2.1"), at(0)));
}

#[test]
fn a_success_makes_up_for_itself() {
    let throttle = Throttle::default();
    for n in 0..300 {
        let tried = throttle.begin(&format!("user{n}"), from("192.0.2.1"), at(0));
        throttle.succeeded(tried.expect("let through"));
    }
    for _ in 0..4 {
        assert!(fail(&throttle, "alice", from("192.0.2.1"), at(0)));
    }
    let tried = throttle.begin("alice", from("192.0.2.1"), at(0)).expect("let through");
    throttle.succeeded(tried);
    for _ in 0..5 {
        assert!(fail(&throttle, "alice", from("192.0.2.1"), at(0)));
    }
}

#[test]
fn who_knows_one_password_gets_no_more_guesses_at_others() {
    let throttle = Throttle::default();
    let mut guesses = 0;
    for n in 0..300 {
        guesses += usize::from(fail(&throttle, &format!("victim{n}"), from("192.0.2.1"), at(0)));
        if let Ok(own) = throttle.begin("mallory", from("192.0.2.1"), at(0)) {
            throttle.succeeded(own);
        }
    }
    assert_eq!(guesses, 50);
}

#[test]
fn what_found_out_nothing_costs_nothing() {
    let throttle = Throttle::default();
    for _ in 0..100 {
        let tried = throttle.begin("alice", from("192.0.2.1"), at(0)).expect("let through");
        throttle.withdrawn(tried);
    }
}

#[test]
fn memory_is_bounded_and_the_worst_are_remembered_longest() {
    let throttle = Throttle::default();
    for _ in 0..5 {
        let _ = fail(&throttle, "alice", from("192.0.2.1"), at(0));
    }
    for n in 0..40_000u32 {
        let ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).to_string();
        let _ = fail(&throttle, "alice", from(&ip), at(0));
    }
    assert!(throttle.counts.lock().expect("lock").len() <= MAX_COUNTS);
    assert!(!fail(&throttle, "alice", from("192.0.2.1"), at(0)));
}
