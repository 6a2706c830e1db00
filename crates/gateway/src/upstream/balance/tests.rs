//! How requests are shared out.

use std::sync::Arc;

use super::{Balance, Balancer, HashBy, Members, Server, mixed};
use crate::meters::ServerMeters;
use crate::upstream::address::Address;

fn servers(count: usize) -> Vec<Arc<Server>> {
    let server = |number: usize| {
        let url = format!("http://10.0.0.{number}:9000");
        let address = Address::parse(&url, false).expect("address");
        Arc::new(Server::new(number, &url, address, u32::MAX, ServerMeters::new("api", &url)))
    };
    (0..count).map(server).collect()
}

fn all(count: usize) -> Members {
    (0..count).fold(Members::default(), Members::with)
}

#[test]
fn one_after_the_other() {
    let (servers, balancer) = (servers(3), Balancer::new(Balance::RoundRobin));
    let chosen: Vec<_> =
        (0..6).map(|_| balancer.choose(&servers, all(3), 0).expect("one")).collect();
    assert_eq!(chosen, [0, 1, 2, 0, 1, 2]);
    let left = all(3).without(Members::default().with(1));
    for _ in 0..6 {
        assert_ne!(balancer.choose(&servers, left, 0), Some(1));
    }
    assert_eq!(balancer.choose(&servers, Members::default(), 0), None);
}

#[test]
fn the_one_with_fewer_requests() {
    let (servers, balancer) = (servers(2), Balancer::new(Balance::LeastRequests));
    let held = servers[0].enter(false).expect("a place");
    for _ in 0..100 {
        assert_eq!(balancer.choose(&servers, all(2), 0), Some(1));
    }
    drop(held);
    let first = (0..1000).filter(|_| balancer.choose(&servers, all(2), 0) == Some(0)).count();
    assert!((400..600).contains(&first), "{first}");
}

#[test]
fn two_are_drawn_evenly_and_differ() {
    let balancer = Balancer::new(Balance::LeastRequests);
    let mut counts = [0; 64];
    for _ in 0..6400 {
        let (one, other) = balancer.two(all(64));
        assert_ne!(one, other);
        counts[one] += 1;
        counts[other] += 1;
    }
    assert!(counts.iter().all(|count| (100..300).contains(count)), "{counts:?}");
}

#[test]
fn only_the_parties_of_a_lost_server_move() {
    let (servers, balancer) = (servers(5), Balancer::new(Balance::Hash(HashBy::Subject)));
    let lost = Members::default().with(2);
    let mut counts = [0; 5];
    for key in (0..1000).map(mixed) {
        let before = balancer.choose(&servers, all(5), key).expect("one");
        counts[before] += 1;
        let after = balancer.choose(&servers, all(5).without(lost), key).expect("one");
        assert!(after != 2 && (before == 2 || after == before));
    }
    assert!(counts.iter().all(|count| (120..280).contains(count)), "{counts:?}");
}
