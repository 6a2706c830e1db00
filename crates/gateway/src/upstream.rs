//! The APIs behind the gateway, and the servers that they have.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::inside::IdentityForm;
use crate::meters::ServerMeters;
use crate::settings::SettingsError;
use crate::verify::Known;

mod address;
mod balance;
mod budget;
pub(crate) mod connect;
pub(crate) mod exchange;
mod health;
mod http1;
mod http2;
mod lent;
pub(crate) mod pool;
mod probe;
pub(crate) mod received;
pub(crate) mod rule;
pub(crate) mod server;

use address::Address;
use balance::{Balancer, Members};
use budget::Budget;
use pool::UpstreamClient;
use probe::Probe;
use rule::{HealthRule, UpstreamRule};
use server::{Place, Server};

/// The most servers of one upstream.
pub(crate) const MOST_SERVERS: usize = 64;

/// One API behind the gateway.
pub(crate) struct Upstream {
    /// Its position among all, and that of its pool.
    number: usize,
    name: Arc<str>,
    servers: Box<[Arc<Server>]>,
    balancer: Balancer,
    pub(crate) budget: Budget,
    fail_after: u32,
    retries: u32,
    timeout: Duration,
    http2: bool,
    identity: IdentityForm,
    audience: Arc<str>,
    health: Option<HealthRule>,
    probe: Option<Probe>,
    began: Instant,
}

// === impl Upstream ===

impl Upstream {
    /// Builds one; `timeout` and `identity` are for those that say nothing by themselves. What `before` knows of
    /// the same servers is kept.
    ///
    /// # Errors
    /// [`SettingsError`] names what is wrong.
    pub(crate) fn new(
        number: usize,
        name: &str,
        rule: &UpstreamRule,
        timeout: Duration,
        identity: IdentityForm,
        before: Option<&Self>,
    ) -> Result<Self, SettingsError> {
        let count = rule.servers.len();
        if count == 0 || count > MOST_SERVERS {
            return Err(SettingsError::ServerCount { name: name.to_owned(), count });
        }
        let timeout = rule.timeout.unwrap_or(timeout);
        if timeout.is_zero() || rule.connect_timeout.is_zero() || rule.max_requests == Some(0) {
            return Err(SettingsError::ZeroUpstream(name.to_owned()));
        }
        let bad_health = || SettingsError::BadHealth(name.to_owned());
        let probe = rule.health.as_ref().map(|health| Probe::new(health).ok_or_else(bad_health));
        let probe = probe.transpose()?;
        let server = |(number, url): (usize, &String)| {
            let address = Address::parse(url, rule.http2).ok_or_else(|| {
                SettingsError::BadUpstream { name: name.to_owned(), url: url.clone() }
            })?;
            let most = rule.max_requests.unwrap_or(u32::MAX);
            let Some((before, known)) = before.and_then(|before| Some((before, before.same(url)?)))
            else {
                let meters = ServerMeters::new(name, url);
                return Ok(Arc::new(Server::new(number, url, address, most, meters)));
            };
            let server = known.after(number, url, address, most);
            // How it is asked says what it is called.
            if before.health == rule.health {
                return Ok(Arc::new(server.with_health_of(known)));
            }
            server.meters.up.set(1.0);
            Ok(Arc::new(server))
        };
        Ok(Self {
            number,
            name: name.into(),
            servers: rule.servers.iter().enumerate().map(server).collect::<Result<_, _>>()?,
            balancer: Balancer::new(rule.balance),
            budget: Budget::default(),
            fail_after: rule.fail_after,
            retries: rule.retries,
            timeout,
            http2: rule.http2,
            identity: rule.identity.unwrap_or(identity),
            audience: rule.audience.as_deref().unwrap_or(name).into(),
            health: rule.health.clone(),
            probe,
            // Times of its servers' health are counted from it.
            began: before.map_or_else(Instant::now, |before| before.began),
        })
    }

    /// Its server with this address.
    fn same(&self, url: &str) -> Option<&Server> {
        let seed = server::seed(url);
        self.servers.iter().find(|known| known.seed() == seed).map(Arc::as_ref)
    }

    /// Whether its servers are spoken to in HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.http2
    }

    /// How it is told who asks.
    pub(crate) fn identity(&self) -> IdentityForm {
        self.identity
    }

    /// The audience of the gateway's own tokens for it.
    pub(crate) fn audience(&self) -> &Arc<str> {
        &self.audience
    }

    pub(crate) fn is_https(&self) -> bool {
        self.servers.iter().any(|server| server.address.is_https())
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// How long a server may take to begin its answer.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// To how many other servers a request may go.
    pub(crate) fn retries(&self) -> u32 {
        if self.servers.len() > 1 { self.retries } else { 0 }
    }

    /// The number that stands for the party whose request it is.
    pub(crate) fn key(&self, known: Option<&Known>, ip: IpAddr) -> u64 {
        self.balancer.key(known, ip)
    }

    /// A place at the server that is next; `None` when all have as many requests as they may.
    pub(crate) fn enter(&self, key: u64) -> Option<Place> {
        if let [only] = &*self.servers {
            return only.enter(false);
        }
        let now = self.now();
        let window = self.timeout.saturating_add(Duration::from_secs(1));
        let due = self.servers.iter().find(|server| server.health.claim_trial(now, window));
        due.and_then(|server| server.enter(true)).or_else(|| self.place(key, Members::default()))
    }

    /// A place at a server other than those, if there is one and not too much was sent twice.
    pub(crate) fn another(&self, key: u64, tried: Members) -> Option<Place> {
        if self.standing().without(tried).is_empty() || !self.budget.spend() {
            return None;
        }
        let place = self.place(key, tried)?;
        place.server().meters.retries.increment(1);
        Some(place)
    }

    /// Notes how a request went.
    pub(crate) fn judge(&self, place: &Place, failed: bool) {
        let server = place.server();
        if !failed {
            if server.health.succeeded() {
                server.meters.up.set(if server.health.is_in() { 1.0 } else { 0.0 });
                tracing::info!(server = ?server.address.host(), "a server is back");
            }
            return;
        }
        server.meters.failures.increment(1);
        if self.fail_after == 0 || self.servers.len() == 1 {
            return;
        }
        if let Some(rest) = server.health.failed(self.now(), self.fail_after, place.trial) {
            server.meters.up.set(0.0);
            let server = server.address.host();
            tracing::warn!(?server, ?rest, "a server fails and gets no requests for a while");
        }
    }

    /// Asks the servers whether they are well, where that is wanted, for as long as this is polled.
    pub(crate) async fn watch(&self, client: &UpstreamClient) {
        let Some(probe) = &self.probe else { return };
        join_all(self.servers.iter().map(|server| probe.watch(self, server, client))).await;
    }

    /// Notes what a server says of itself.
    fn probed(&self, server: &Server, well: bool) {
        server.health.probed(well);
        server.meters.up.set(if server.health.is_in() { 1.0 } else { 0.0 });
        let server = server.address.host();
        match well {
            true => tracing::info!(?server, "a server answers its health check again"),
            false => tracing::warn!(?server, "a server fails its health check"),
        }
    }

    fn place(&self, key: u64, tried: Members) -> Option<Place> {
        let mut left = self.standing().without(tried);
        while let Some(number) = self.balancer.choose(&self.servers, left, key) {
            if let Some(place) = self.servers.get(number).and_then(|server| server.enter(false)) {
                return Some(place);
            }
            left = left.without(Members::default().with(number));
        }
        None
    }

    /// The servers that get requests: all, when none is well.
    fn standing(&self) -> Members {
        let some = |well: bool| {
            let servers = self.servers.iter().filter(|server| !well || server.health.is_in());
            servers.fold(Members::default(), |some, server| some.with(server.number()))
        };
        let well = some(true);
        if well.is_empty() { some(false) } else { well }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
