//! Slowing down who guesses passwords, without ever locking out the person they guess at.
//!
//! Failures are counted for a name *as tried from one place*, and for the place: never for the
//! name alone, or a stranger could keep its owner out. A place is a network, or, narrower, a
//! browser in which the owner signed in before: their browser has a count of its own, whoever
//! else guesses from behind the same address.

pub(crate) mod growing;
pub(crate) mod pressure;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use token::time::Timestamp;

use super::name_key;

/// How many counts are kept; when there are more, those nearest to their end are forgotten.
const MAX_COUNTS: usize = 65_536;

/// How many tries are free, and how long each further one has to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) burst: u32,
    pub(crate) every: Duration,
}

/// For one name from one place.
const PER_NAME: Allowance = Allowance { burst: 5, every: Duration::from_secs(30) };
/// For everything from one network; an office of many people shares it, so it counts failures
/// that are not made up for by a success.
const PER_NETWORK: Allowance = Allowance { burst: 50, every: Duration::from_secs(6) };

/// Where a try comes from.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The address behind trusted proxies.
    pub ip: Option<IpAddr>,
    /// The browser, when it has shown that the person of this name signed in there before.
    pub known_browser: Option<&'a str>,
}

/// Counts of failed tries. Keyed hashes of 64 bits, so that no name is kept here.
#[derive(Debug, Default)]
pub struct Throttle {
    hasher: RandomState,
    counts: Mutex<HashMap<u64, Timestamp>>,
}

/// A try that was let through and charged beforehand, so that tries made at the same time count
/// too. What is never said to have succeeded stays a failure.
#[derive(Debug)]
#[must_use]
pub struct Try {
    name: u64,
    network: Option<u64>,
}

/// Too many failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many failed tries; the next one can be made in {} s", self.wait.as_secs())]
pub struct Throttled {
    /// When to try again, at least a second.
    pub wait: Duration,
}

// === impl Throttle ===

impl Throttle {
    /// Charges one try with a name from a place.
    ///
    /// # Errors
    /// [`Throttled`] when there were too many failures; nothing is charged then.
    pub fn begin(&self, name: &str, from: Place<'_>, now: Timestamp) -> Result<Try, Throttled> {
        let name = name_key(name);
        let network = network(from.ip);
        let (name, network) = match from.known_browser {
            Some(browser) => (self.hasher.hash_one(("browser", name, browser)), None),
            None => {
                let name = self.hasher.hash_one(("name", name, network));
                (name, Some(self.hasher.hash_one(("network", network))))
            }
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let charged_name = PER_NAME.charge(counts.get(&name).copied(), now)?;
        if let Some(network) = network {
            let charged = PER_NETWORK.charge(counts.get(&network).copied(), now)?;
            counts.insert(network, charged);
        }
        counts.insert(name, charged_name);
        if counts.len() > MAX_COUNTS {
            forget(&mut counts, now);
        }
        Ok(Try { name, network })
    }

    /// Charges one try of something else than a password, under any key.
    ///
    /// # Errors
    /// [`Throttled`] when there were too many; nothing is charged then.
    pub(crate) fn charge(
        &self,
        key: impl Hash,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<(), Throttled> {
        let key = self.hasher.hash_one(key);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let charged = allowance.charge(counts.get(&key).copied(), now)?;
        counts.insert(key, charged);
        if counts.len() > MAX_COUNTS {
            forget(&mut counts, now);
        }
        Ok(())
    }

    /// The password was right: the name starts anew from this place, the network gets back what
    /// this try cost.
    pub fn succeeded(&self, tried: Try) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&tried.name);
        refund(&mut counts, tried.network, PER_NETWORK);
    }

    /// Nothing was found out about the password: the try costs nothing.
    pub fn withdrawn(&self, tried: Try) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        refund(&mut counts, Some(tried.name), PER_NAME);
        refund(&mut counts, tried.network, PER_NETWORK);
    }
}

// === impl Allowance ===

impl Allowance {
    /// The generic cell rate algorithm: what is kept is the time when all is forgiven.
    fn charge(self, forgiven: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Throttled> {
        let start = forgiven.unwrap_or(now).max(now);
        let charged = start.plus(self.every);
        let ahead = charged.since(now);
        let tolerated = self.every * self.burst;
        if ahead > tolerated {
            let wait = (ahead - tolerated).max(Duration::from_secs(1));
            return Err(Throttled { wait });
        }
        Ok(charged)
    }
}

fn refund(counts: &mut HashMap<u64, Timestamp>, key: Option<u64>, allowance: Allowance) {
    if let Some(forgiven) = key.and_then(|key| counts.get_mut(&key)) {
        *forgiven = forgiven.minus(allowance.every);
    }
}

/// Makes room: first what is over, then the half that is over soonest.
fn forget(counts: &mut HashMap<u64, Timestamp>, now: Timestamp) {
    counts.retain(|_, forgiven| *forgiven > now);
    if counts.len() > MAX_COUNTS / 2 {
        let mut times: Vec<Timestamp> = counts.values().copied().collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        counts.retain(|_, forgiven| *forgiven > median);
    }
}

/// What one party can be expected to have all of: an IPv4 address, or an IPv6 network of 64 bits.
pub(crate) fn network(ip: Option<IpAddr>) -> Option<IpAddr> {
    ip.map(|ip| match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
    })
}

/// What a site or a household is given: an IPv4 network of 24 bits, or an IPv6 network of 56.
pub(crate) fn site(ip: Option<IpAddr>) -> Option<IpAddr> {
    ip.map(|ip| match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & (u32::MAX << 8))),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 72))),
    })
}

#[cfg(test)]
mod tests;
