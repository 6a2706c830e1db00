//! How many connections there are, in all and of each network: whoever comes beyond that is not let in.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts the connections of one listener, whichever thread has them.
#[derive(Default)]
pub(crate) struct Census {
    /// 0 for as many as come.
    most: usize,
    /// 0 for as many as come.
    most_per_network: u32,
    all: AtomicUsize,
    networks: Mutex<HashMap<IpAddr, u32>>,
}

/// A connection that is counted, until this is dropped.
pub(super) struct Counted(Arc<Census>);

/// The same among those of its network.
pub(super) struct OfNetwork(Arc<Census>, IpAddr);

// === impl Census ===

impl Census {
    pub(crate) fn new(most: usize, most_per_network: u32) -> Arc<Self> {
        Arc::new(Self { most, most_per_network, ..Self::default() })
    }

    /// Counts one more, if there is room.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Counted> {
        let counted = Counted(Arc::clone(self));
        let before = self.all.fetch_add(1, Ordering::Relaxed);
        (self.most == 0 || before < self.most).then_some(counted)
    }

    /// Counts one more of this network, if there is room. Of IPv6 a network is a /64: who has one address
    /// there has them all.
    pub(super) fn enter_from(self: &Arc<Self>, ip: IpAddr) -> Option<OfNetwork> {
        let network = network(ip);
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let count = networks.entry(network).or_default();
        if self.most_per_network != 0 && *count >= self.most_per_network {
            return None;
        }
        *count += 1;
        Some(OfNetwork(Arc::clone(self), network))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.all.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for OfNetwork {
    fn drop(&mut self) {
        let mut networks = self.0.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = networks.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                networks.remove(&self.1);
            }
        }
    }
}

fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from(u128::from(ip) >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::Census;

    #[test]
    fn who_comes_beyond_is_not_let_in_until_somebody_leaves() {
        let census = Census::new(2, 0);
        let first = census.enter().expect("room");
        let _second = census.enter().expect("room");
        assert!(census.enter().is_none());
        drop(first);
        assert!(census.enter().is_some());
    }

    #[test]
    fn networks_are_counted_apart() {
        let census = Census::new(0, 1);
        let ip = |text: &str| text.parse().expect("address");
        let first = census.enter_from(ip("2001:db8::1")).expect("room");
        assert!(census.enter_from(ip("2001:db8::2")).is_none(), "the same /64");
        let _other = census.enter_from(ip("2001:db8:0:1::1")).expect("another /64");
        let _v4 = census.enter_from(ip("203.0.113.9")).expect("room");
        assert!(census.enter_from(ip("::ffff:203.0.113.9")).is_none());
        drop(first);
        assert!(census.enter_from(ip("2001:db8::2")).is_some());
        drop(census.enter_from(ip("2001:db8::3")));
        assert_eq!(census.networks.lock().expect("lock").len(), 2, "who has left is forgotten");
    }
}
