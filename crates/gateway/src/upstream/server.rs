//! One server of an upstream: its address, its load and its health, shared by all threads.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::meters::ServerMeters;
use crate::upstream::address::Address;
use crate::upstream::health::Health;

/// One server.
pub(crate) struct Server {
    pub(crate) address: Address,
    pub(crate) health: Arc<Health>,
    pub(crate) meters: ServerMeters,
    number: usize,
    /// Tells it from others when parties are shared out.
    seed: u64,
    load: Arc<AtomicU32>,
    most: u32,
}

/// A request's place at a server, taken until this is dropped.
pub(crate) struct Place {
    server: Arc<Server>,
    /// Whether it is the request that shows whether the server is back.
    pub(crate) trial: bool,
}

// === impl Server ===

impl Server {
    /// `url` is the text of `address`.
    pub(crate) fn new(
        number: usize,
        url: &str,
        address: Address,
        most: u32,
        meters: ServerMeters,
    ) -> Self {
        let (health, seed, load) = (Arc::default(), seed(url), Arc::default());
        Self { address, health, meters, number, seed, load, most }
    }

    /// For tests: the first of its upstream.
    #[cfg(test)]
    pub(crate) fn only(address: std::net::SocketAddr, http2: bool) -> Self {
        let url = format!("http://{address}");
        let parsed = Address::parse(&url, http2).expect("address");
        Self::new(0, &url, parsed, u32::MAX, ServerMeters::new("api", &url))
    }

    /// The same server under another rule, with the requests that it has.
    pub(crate) fn after(&self, number: usize, url: &str, address: Address, most: u32) -> Self {
        let load = Arc::clone(&self.load);
        Self { load, ..Self::new(number, url, address, most, self.meters.clone()) }
    }

    /// With the health that another one has found out.
    pub(crate) fn with_health_of(self, other: &Self) -> Self {
        Self { health: Arc::clone(&other.health), ..self }
    }

    /// Its position in the upstream.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// How many requests it has now.
    pub(crate) fn load(&self) -> u32 {
        self.load.load(Ordering::Relaxed)
    }

    /// Takes a place, unless all are taken.
    pub(crate) fn enter(self: &Arc<Self>, trial: bool) -> Option<Place> {
        if self.load.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.load.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        self.meters.requests.increment(1);
        self.meters.in_flight.increment(1.0);
        Some(Place { server: Arc::clone(self), trial })
    }
}

/// Stands for the server of an address.
pub(crate) fn seed(url: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

// === impl Place ===

impl Place {
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.server.load.fetch_sub(1, Ordering::Relaxed);
        self.server.meters.in_flight.decrement(1.0);
    }
}
