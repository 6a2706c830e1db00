//! Whose word of a client is believed, as it is configured for a listener.

use std::net::SocketAddr;

use ipnet::IpNet;
use token::client_address::TrustedProxies;

use super::check::Finding;
use super::{Authority, Gateway};

impl Authority {
    /// The proxies in front of it.
    pub(crate) fn proxies(&self) -> TrustedProxies {
        TrustedProxies::new(&self.trusted_proxies, self.client_address_field)
    }
}

impl Gateway {
    /// The proxies in front of it.
    pub(crate) fn proxies(&self) -> TrustedProxies {
        TrustedProxies::new(&self.trusted_proxies, self.client_address_field)
    }
}

/// A listener that demands the PROXY protocol needs somebody who may speak it.
pub(super) fn check(
    section: &str,
    listen: SocketAddr,
    proxy_protocol: bool,
    trusted: &[IpNet],
    found: &mut Vec<Finding>,
) {
    if proxy_protocol && trusted.is_empty() {
        let words = format!(
            "nobody could connect to {listen}: name the networks of the proxies in `trusted_proxies`"
        );
        found.push((format!("{section}.proxy_protocol"), words));
    }
}
