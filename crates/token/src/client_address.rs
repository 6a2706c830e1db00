//! Whose request it is when proxies stand in between: read from the right, over trusted hops only.

use std::net::IpAddr;

use ipnet::IpNet;

/// The client's address. `forwarded_for` are the values of all `X-Forwarded-For` fields in the
/// order received; they count only as far as every hop to their right is a trusted proxy.
/// IPv4-mapped IPv6 addresses become IPv4.
pub fn client_address<'a>(
    peer: IpAddr,
    forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[IpNet],
) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
    let mut client = peer.to_canonical();
    for hop in forwarded_for.rev().flat_map(|value| value.rsplit(',')) {
        if !is_trusted(client) {
            break;
        }
        let Ok(ip) = hop.trim().parse::<IpAddr>() else { break };
        client = ip.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::client_address;

    fn resolve(peer: &str, forwarded_for: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<_> = trusted.iter().map(|net| net.parse().expect("network")).collect();
        client_address(peer.parse().expect("address"), forwarded_for.iter().copied(), &trusted)
            .to_string()
    }

    #[test]
    fn nobody_is_trusted_by_default() {
        assert_eq!(resolve("192.0.2.1", &["203.0.113.9"], &[]), "192.0.2.1");
    }

    #[test]
    fn a_forged_leftmost_hop_does_not_count() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(resolve("10.0.0.1", &["1.2.3.4, 203.0.113.9"], &trusted), "203.0.113.9");
        assert_eq!(
            resolve("10.0.0.1", &["1.2.3.4", "203.0.113.9, 10.0.0.2"], &trusted),
            "203.0.113.9"
        );
        assert_eq!(resolve("::ffff:10.0.0.1", &["203.0.113.9"], &trusted), "203.0.113.9");
        assert_eq!(resolve("10.0.0.1", &["garbage"], &trusted), "10.0.0.1");
        assert_eq!(resolve("10.0.0.1", &[], &trusted), "10.0.0.1");
    }
}
