//! Which addresses may be reached: what a URL from outside names must never lead inside (SSRF).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Ranges that are not globally reachable or not unicast (IANA special-purpose address registries,
/// RFC 6890), for IPv4.
const SPECIAL_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];
/// The same within `2000::/3`, outside of which nothing is global: protocol assignments with
/// Teredo, documentation (twice), and 6to4.
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Which addresses may be reached.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    allowed: Vec<IpNet>,
}

// === impl Reach ===

impl Reach {
    /// The public internet by TLS, and nothing else.
    pub fn public() -> Self {
        Self::default()
    }

    /// These networks besides, whatever is in them. In a loopback network plain HTTP will do.
    #[must_use]
    pub fn and(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.allowed.extend(networks);
        self
    }

    /// Besides, this machine itself: for development and tests.
    #[must_use]
    pub fn and_loopback(self) -> Self {
        let v4 = IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8);
        let v6 = IpNet::new_assert(Ipv6Addr::LOCALHOST.into(), 128);
        self.and([v4, v6])
    }

    /// Whether this address may be reached.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|net| net.contains(&address))
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !SPECIAL_V4.iter().any(|(net, bits)| within_v4(v4, *net, *bits)),
        IpAddr::V6(v6) => match v6.segments() {
            // NAT64 (RFC 6052 §2.1) leads to the address inside.
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                let inside = u32::from(high) << 16 | u32::from(low);
                is_public(Ipv4Addr::from_bits(inside).into())
            }
            [first, ..] => {
                first & 0xe000 == 0x2000
                    && !SPECIAL_V6.iter().any(|(net, bits)| within_v6(v6, *net, *bits))
            }
        },
    }
}

fn within_v4(address: Ipv4Addr, net: Ipv4Addr, bits: u8) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (32 - bits) == 0
}

fn within_v6(address: Ipv6Addr, net: Ipv6Addr, bits: u8) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (128 - u32::from(bits)) == 0
}

#[cfg(test)]
mod tests {
    use super::Reach;

    #[test]
    fn nothing_inside_is_reached() {
        let reach = Reach::public();
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!reach.allows(address.parse().expect("address")), "{address}");
        }
        for address in
            ["1.1.1.1", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::101:101"]
        {
            assert!(reach.allows(address.parse().expect("address")), "{address}");
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_alone() {
        let reach = Reach::public().and(["10.1.0.0/16".parse().expect("network")]);
        assert!(reach.allows("10.1.2.3".parse().expect("address")));
        assert!(reach.allows("::ffff:10.1.2.3".parse().expect("address")));
        assert!(!reach.allows("10.2.0.1".parse().expect("address")));
        assert!(!reach.allows("127.0.0.1".parse().expect("address")));
        assert!(Reach::public().and_loopback().allows("127.0.0.1".parse().expect("address")));
    }
}
