//! How much guessing goes on: at one name from everywhere, and from one network at all names. Beyond a bound,
//! a browser that is not known has to do work before its password is looked at.
//!
//! Nobody is turned away for these counts, since a stranger can drive them up. One network counts little at one
//! name: it takes several networks, or several names, to get beyond the bound. A success does not empty them,
//! since it ends no attack; they are forgiven with time, and bounded, so that an attack is over some hours
//! after its last guess.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use token::time::Timestamp;

use super::{Allowance, MAX_COUNTS, forget, network};
use crate::login::name_key;
use crate::login::puzzle::Difficulty;

/// What one network counts at one name; what is beyond that the throttle slows down.
const SHARE: Allowance = Allowance { burst: 5, every: Duration::from_mins(10) };
/// How fast failures at one name are forgiven: so slowly that a network alone stays at its share.
const AT_NAME: Duration = Duration::from_mins(10);
/// How fast failures from one network are forgiven, which may be an office where people mistype.
const FROM_NETWORK: Duration = Duration::from_mins(1);
/// A count grows to so many times its bound, however much is guessed.
const MOST: u32 = 4;

/// Counts of failures of browsers that are not known. Keyed hashes of 64 bits, so that no name is kept here.
#[derive(Debug)]
pub(crate) struct Pressure {
    at_name: Gauge,
    from_network: Gauge,
    hasher: RandomState,
    counts: Mutex<HashMap<u64, Timestamp>>,
}

/// A try that was counted beforehand as a failure.
#[derive(Debug)]
#[must_use]
pub(crate) struct Counted(Option<Keys>);

/// One kind of count.
#[derive(Clone, Copy, Debug)]
struct Gauge {
    /// So many failures ask for nothing; none ever does where it is 0.
    free: u32,
    /// One is forgiven in so much time.
    every: Duration,
}

/// What a try is counted under.
#[derive(Clone, Copy, Debug)]
struct Keys {
    share: u64,
    name: u64,
    network: u64,
}

// === impl Pressure ===

impl Pressure {
    /// Without failures yet. More than `free` at one name ask for work, and half as many again from one network;
    /// 0: none do.
    pub(crate) fn new(free: u32) -> Self {
        Self {
            at_name: Gauge { free, every: AT_NAME },
            from_network: Gauge { free: free.saturating_add(free / 2), every: FROM_NETWORK },
            hasher: RandomState::new(),
            counts: Mutex::default(),
        }
    }

    /// How much work is asked of a browser that is not known: `None` is none.
    pub(crate) fn demand(
        &self,
        name: &str,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> Option<Difficulty> {
        let keys = self.keys(name, ip);
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let at_name = self.at_name.demand(counts.get(&keys.name).copied(), now);
        at_name.max(self.from_network.demand(counts.get(&keys.network).copied(), now))
    }

    /// Counts one try of a browser that is not known.
    pub(crate) fn begin(&self, name: &str, ip: Option<IpAddr>, now: Timestamp) -> Counted {
        let keys = self.keys(name, ip);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(share) = SHARE.charge(counts.get(&keys.share).copied(), now) else {
            return Counted(None);
        };
        counts.insert(keys.share, share);
        for (key, gauge) in [(keys.name, self.at_name), (keys.network, self.from_network)] {
            let charged = gauge.charge(counts.get(&key).copied(), now);
            counts.insert(key, charged);
        }
        if counts.len() > MAX_COUNTS {
            forget(&mut counts, now);
        }
        Counted(Some(keys))
    }

    /// The try was no failure.
    pub(crate) fn given_back(&self, counted: Counted) {
        let Some(Keys { share, name, network }) = counted.0 else { return };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, every) in [(share, SHARE.every), (name, AT_NAME), (network, FROM_NETWORK)] {
            if let Some(forgiven) = counts.get_mut(&key) {
                *forgiven = forgiven.minus(every);
            }
        }
    }

    fn keys(&self, name: &str, ip: Option<IpAddr>) -> Keys {
        let (name, network) = (name_key(name), network(ip));
        Keys {
            share: self.hasher.hash_one(("share", &name, network)),
            name: self.hasher.hash_one(("name", &name)),
            network: self.hasher.hash_one(("network", network)),
        }
    }
}

// === impl Gauge ===

impl Gauge {
    /// What is kept is the time when all is forgiven.
    fn charge(self, forgiven: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let charged = forgiven.unwrap_or(now).max(now).plus(self.every);
        charged.min(now.plus(self.every.saturating_mul(self.free.saturating_mul(MOST))))
    }

    /// What failures ask for: the more there are beyond those that are free, the more.
    fn demand(self, forgiven: Option<Timestamp>, now: Timestamp) -> Option<Difficulty> {
        let left = forgiven?.since(now).as_millis();
        let failures = left.div_ceil(self.every.as_millis().max(1));
        let beyond = u32::try_from(failures).unwrap_or(u32::MAX).checked_sub(self.free)?;
        let room = self.free.saturating_mul(MOST - 1);
        (beyond > 0 && room > 0).then(|| Difficulty::of(beyond.min(room), room))
    }
}

#[cfg(test)]
mod tests;
