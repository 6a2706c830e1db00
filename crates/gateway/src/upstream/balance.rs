//! Which of several servers is next.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limit::network;
use crate::upstream::rule::{Balance, HashBy};
use crate::upstream::server::Server;
use crate::verify::Known;

/// Some of an upstream's servers, at most 64, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members(u64);

/// A rule for the next server, with what it remembers.
pub(crate) struct Balancer {
    balance: Balance,
    turn: AtomicU64,
}

// === impl Members ===

impl Members {
    pub(crate) fn with(self, number: usize) -> Self {
        Self(self.0 | 1 << number)
    }

    pub(crate) fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn contains(self, number: usize) -> bool {
        self.0 >> number & 1 == 1
    }

    fn count(self) -> u64 {
        u64::from(self.0.count_ones())
    }

    /// The member at a position, counted from 0.
    fn nth(self, position: u64) -> usize {
        let mut left = self.0;
        for _ in 0..position {
            left &= left.wrapping_sub(1);
        }
        left.trailing_zeros() as usize
    }
}

// === impl Balancer ===

impl Balancer {
    pub(crate) fn new(balance: Balance) -> Self {
        Self { balance, turn: AtomicU64::new(0) }
    }

    /// The number that stands for the party whose request it is; 0 where it does not matter.
    pub(crate) fn key(&self, known: Option<&Known>, ip: std::net::IpAddr) -> u64 {
        let Balance::Hash(by) = self.balance else { return 0 };
        let facts = known.map(|known| known.token.facts());
        // Without a random seed: several gateways are to agree.
        let mut hasher = DefaultHasher::new();
        match (by, facts) {
            (HashBy::Subject, Some(facts)) => facts.subject.as_str().hash(&mut hasher),
            (HashBy::Client, Some(facts)) => facts.client.as_str().hash(&mut hasher),
            (HashBy::Network, _) | (_, None) => network(ip).hash(&mut hasher),
        }
        hasher.finish()
    }

    /// One of `left`; `None` when there is none.
    pub(crate) fn choose<S: AsRef<Server>>(
        &self,
        servers: &[S],
        left: Members,
        key: u64,
    ) -> Option<usize> {
        let members = servers.iter().enumerate().filter(|(number, _)| left.contains(*number));
        match self.balance {
            _ if left.is_empty() => None,
            Balance::LeastRequests => {
                let (one, other) = self.two(left);
                let load = |number: usize| servers.get(number).map(|one| one.as_ref().load());
                Some(if load(other) < load(one) { other } else { one })
            }
            Balance::RoundRobin => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed) % servers.len() as u64;
                let mut members = members.map(|(number, _)| number);
                let first = members.next();
                if first.is_some_and(|first| first as u64 >= turn) {
                    return first;
                }
                members.find(|number| *number as u64 >= turn).or(first)
            }
            Balance::Hash(_) => members
                .max_by_key(|(_, server)| mixed(server.as_ref().seed() ^ key))
                .map(|(number, _)| number),
        }
    }

    /// Two different members where there are two, drawn evenly.
    fn two(&self, left: Members) -> (usize, usize) {
        let count = left.count();
        let drawn = mixed(self.turn.fetch_add(1, Ordering::Relaxed));
        let one = drawn % count;
        let step = if count > 1 { 1 + (drawn >> 32) % (count - 1) } else { 0 };
        (left.nth(one), left.nth((one + step) % count))
    }
}

/// Spreads numbers evenly (the finalizer of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests;
