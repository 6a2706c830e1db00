//! What networks that act together have in common.

use std::net::IpAddr;

use ipnet::IpNet;
use token::event::{Event, NetworkKind};

use crate::detector::network;

/// All who sign in here.
pub(super) const EVERYBODY: &str = "everybody";

/// The groups of an event's network, from the narrowest to the widest; the names go into findings.
pub(super) fn of(event: &Event) -> Vec<String> {
    let mut groups = Vec::with_capacity(5);
    if let Some(ip) = event.ip {
        groups.push(prefix(ip));
    }
    if let Some(ja4) = &event.origin.ja4 {
        groups.push(format!("ja4 {ja4}"));
    }
    // A household's or carrier's system has millions of honest users, but few of one service.
    if let Some(asn) = event.origin.asn {
        groups.push(format!("AS{asn}"));
    }
    if let Some(net @ (NetworkKind::Hosting | NetworkKind::Tor | NetworkKind::Vpn)) =
        event.origin.net
    {
        let kind = match net {
            NetworkKind::Tor => "tor",
            NetworkKind::Vpn => "vpn",
            _ => "hosting",
        };
        groups.push(format!("{kind} networks"));
    }
    if let Some(ua) = &event.ua {
        let shown: String = ua.chars().filter(|c| !c.is_control()).take(80).collect();
        groups.push(format!("User-Agent {shown}"));
    }
    groups.push(EVERYBODY.to_owned());
    groups
}

/// The network that acts as one: in data centres and behind VPNs and Tor a program changes its address among
/// neighbours, where homes and carriers are known to have strangers.
pub(super) fn neighbours(event: &Event) -> Option<IpNet> {
    let ip = event.ip?.to_canonical();
    let has_strangers = matches!(
        event.origin.net,
        Some(NetworkKind::Business | NetworkKind::Mobile | NetworkKind::Residential)
    );
    let length = if ip.is_ipv4() { 24 } else { 48 };
    let wide = IpNet::new(ip, length).ok().filter(|_| !has_strangers).map(|net| net.trunc());
    Some(wide.unwrap_or_else(|| network::of(ip)))
}

/// What is given to one customer: an IPv4 /24 or an IPv6 /48.
fn prefix(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}
