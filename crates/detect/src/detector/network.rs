//! The network that one attacker can hold: an IPv4 address, or an IPv6 /64.

use std::net::IpAddr;

use ipnet::IpNet;

/// The network of an address.
pub(crate) fn of(ip: IpAddr) -> IpNet {
    let ip = ip.to_canonical();
    let prefix = if ip.is_ipv4() { 32 } else { 64 };
    IpNet::new(ip, prefix).map_or(IpNet::from(ip), |net| net.trunc())
}

/// The actor's name in incidents.
pub(crate) fn actor(ip: IpAddr) -> String {
    match of(ip) {
        net @ IpNet::V6(_) => format!("ip:{net}"),
        IpNet::V4(net) => format!("ip:{}", net.addr()),
    }
}
