//! Whether a host is of an inner network, in every spelling that resolvers take.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names that always lead inside, and services that resolve to the address in the name.
const NAMES: [&str; 14] = [
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "ip6-localhost",
    "ip6-loopback",
    "ipv6-localhost",
    "localtest.me",
    "lvh.me",
    "kubernetes.default",
    "metadata",
    "metadata.goog",
    "instance-data",
    "rancher-metadata",
];
/// Ends of names that only an inner network knows: `.internal` is for private use (ICANN, July 2024).
const ENDS: [&str; 10] = [
    ".localhost",
    ".localtest.me",
    ".lvh.me",
    ".localdomain",
    ".localdomain4",
    ".localdomain6",
    ".internal",
    ".svc",
    ".cluster.local",
    ".service.consul",
];
const ECHOES: [&str; 3] = [".nip.io", ".sslip.io", ".xip.io"];

/// Whether `authority` (host, perhaps with a port) is loopback, private, link-local or unspecified.
pub(crate) fn is_inner(authority: &str) -> bool {
    if let Some(rest) = authority.strip_prefix('[') {
        let host = rest.split([']', '%']).next().unwrap_or_default();
        return host.parse::<Ipv6Addr>().is_ok_and(|ip| is_inner_address(IpAddr::V6(ip)));
    }
    // Some readers need no brackets where nothing else can be meant.
    if authority.bytes().filter(|b| *b == b':').count() > 1 {
        let unported = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        if let Ok(ip) = authority.parse::<Ipv6Addr>().or_else(|_| unported.parse()) {
            return is_inner_address(IpAddr::V6(ip));
        }
        if let Some(ip) = mapped(authority) {
            return is_inner_address(IpAddr::V4(ip));
        }
    }
    let host = authority.split(':').next().unwrap_or_default().trim_end_matches('.');
    // Some readers end a name where they find a zero, and take what is behind it for nothing.
    let cut = host.bytes().position(|b| b == 0 || b == b'%');
    let host = cut.map_or(host, |cut| &host[..cut]);
    let last = host.as_bytes().last();
    let ends = |end: &&str| end.as_bytes().last() == last && host.ends_with(*end);
    if NAMES.contains(&host) || ENDS.iter().any(ends) {
        return true;
    }
    if let Some(prefix) = ECHOES.iter().find_map(|echo| host.strip_suffix(echo)) {
        let dotted = prefix.replace('-', ".");
        let parts: Vec<_> = dotted.rsplit('.').take(4).collect();
        let address: Vec<_> = parts.into_iter().rev().collect();
        return address.join(".").parse().is_ok_and(|ip| is_inner_address(IpAddr::V4(ip)));
    }
    loose(host).or_else(|| bare_hex(host)).is_some_and(|ip| is_inner_address(IpAddr::V4(ip)))
}

/// Ports of stores and of what runs other services: whoever asks them by HTTP asks for another's.
const PORTS: [&str; 16] = [
    "1433", "2375", "2379", "3306", "4369", "5432", "5672", "5984", "6379", "8500", "9042", "9200",
    "10250", "10255", "11211", "27017",
];

/// `redis:6379`, `unix:/var/run/docker.sock`: a host of one word, as networks of containers name them, with a port
/// that serves no web; or a socket in place of a host.
pub(crate) fn is_service(rest: &str) -> bool {
    // Nearly every host is a name with dots.
    let name = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let Some(end) = rest.bytes().position(|b| !name(b)) else { return false };
    if rest.as_bytes()[end] != b':' {
        return false;
    }
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let Some((host, port)) = authority.split_once(':') else { return false };
    !host.is_empty() && PORTS.contains(&port)
        || host == "unix" && port.is_empty() && rest.contains("/")
}

/// `7f000001`: all of an address in hexadecimal without a sign that it is.
fn bare_hex(host: &str) -> Option<Ipv4Addr> {
    let all = host.len() == 8 && host.bytes().all(|b| b.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(host, 16).ok().map(Ipv4Addr::from)).flatten()
}

/// `0:0:0:0:0:ffff:7f000001`: an address of version 4 within one of version 6 (RFC 4291 §2.5.5.2), in one number where
/// two belong.
fn mapped(authority: &str) -> Option<Ipv4Addr> {
    let (before, last) = authority.rsplit_once(':')?;
    let zeros = before.strip_suffix(":ffff")?;
    zeros.bytes().all(|b| matches!(b, b'0' | b':')).then(|| bare_hex(last)).flatten()
}

/// Services that tell who was made to ask them: nobody but a tester has an address there.
const LISTENERS: [&str; 12] = [
    ".burpcollaborator.net",
    ".ceye.io",
    ".dnslog.cn",
    ".interact.sh",
    ".oast.fun",
    ".oast.live",
    ".oast.me",
    ".oast.online",
    ".oast.pro",
    ".oast.site",
    ".oastify.com",
    ".requestrepo.com",
];

/// Services whose names mean another address at the second question than at the first (DNS rebinding), or that lead
/// on to one that the name holds.
const REBINDERS: [&str; 4] = [".1u.ms", ".r3dir.me", ".rbndr.us", ".rebind.network"];

/// Whether a host is there to be asked by servers that are attacked.
pub(crate) fn is_listener(authority: &str) -> bool {
    let host = &authority[..authority.find(['/', ':', '?', '#']).unwrap_or(authority.len())];
    let last = host.as_bytes().last();
    let mut names = LISTENERS.iter().chain(&REBINDERS);
    names.any(|name| name.as_bytes().last() == last && host.ends_with(name))
}

/// Whether a host is one number, as no host is called whose address is not to be seen.
pub(crate) fn is_number(authority: &str) -> bool {
    // An address of version 4 within one of version 6.
    if authority.starts_with("[::ffff:") {
        return true;
    }
    let host = &authority[..authority.find(['/', ':', '?', '#']).unwrap_or(authority.len())];
    // Nobody counts hosts in hexadecimal, however small the number is.
    host.len() > "0x".len()
        && number(host).is_some_and(|value| value >= 1 << 24 || host.starts_with("0x"))
}

fn is_inner_address(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            // Behind a provider's own translation (RFC 6598), and of a link's own services (RFC 7335), where clouds
            // have theirs too.
            let shared = matches!(ip.octets(), [100, 64..=127, ..] | [192, 0, 0, _]);
            // For measuring (RFC 2544), and names and tunnels that a network may answer by itself (RFC 7534, 7535,
            // 7450): nobody has a service there.
            let special = matches!(
                ip.octets(),
                [198, 18..=19, ..] | [192, 31, 196, _] | [192, 52, 193, _] | [192, 175, 48, _]
            );
            shared
                || special
                || ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.octets()[0] == 0
        }
        IpAddr::V6(ip) => {
            let carried = ip.to_ipv4_mapped().or_else(|| ip.to_ipv4()).or_else(|| translated(ip));
            // Unique local (RFC 4193), link-local, and site-local as it was before.
            let first = ip.segments()[0];
            let unique = first & 0xFE00 == 0xFC00 || first & 0xFF80 == 0xFE80;
            ip.is_loopback()
                || ip.is_unspecified()
                || unique
                || carried.is_some_and(|ip| is_inner_address(IpAddr::V4(ip)))
        }
    }
}

/// The address that a translator on the way takes out: NAT64 (RFC 6052), SIIT (RFC 7915), 6to4 (RFC 3056).
fn translated(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match ip.segments() {
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0xFFFF, 0, high, low] => (high, low),
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

/// As `inet_aton` reads it: one to four numbers, decimal, octal or hexadecimal, the last one wide.
fn loose(host: &str) -> Option<Ipv4Addr> {
    let mut parts: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    // Some readers keep the low byte of a number that is too large.
    if parts.len() == 4 && parts.iter().all(|part| (256..1_000).contains(part)) {
        parts.iter_mut().for_each(|part| *part %= 256);
    }
    let (last, firsts) = parts.split_last()?;
    if firsts.len() > 3 || firsts.iter().any(|part| *part > 255) {
        return None;
    }
    let wide = 8 * (4 - firsts.len());
    if *last >= 1 << wide {
        return None;
    }
    // A lone number is an address only where it fills one: `0800` is a time zone.
    if firsts.is_empty() && (1..1 << 24).contains(last) {
        return None;
    }
    let high = firsts.iter().enumerate().fold(0, |sum, (at, part)| sum | part << (24 - 8 * at));
    u32::try_from(high | last).ok().map(Ipv4Addr::from)
}

fn number(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    let octal =
        text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| (b'0'..b'8').contains(&b));
    if octal {
        u64::from_str_radix(text, 8).ok()
    } else {
        text.parse().ok().filter(|_| !text.starts_with('+'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_inside_are_told_from_others() {
        let inner = [
            "192.0.0.192",
            "100.64.0.1",
            "100.100.100.200",
            "instance-data",
            "db.prod.internal:5432",
            "kubernetes.default.svc.cluster.local",
            "127.0.0.1\0.shop.example",
            "[64:ff9b::10.0.0.1]:80",
            "[2002:7f00:1::]",
            "[::ffff:0:127.0.0.1]",
            "[fec0::1]",
            "::1",
            "0000::1:80",
            "::ffff:127.0.0.1",
            "127.1.1.1:80:",
            "0000.0000.0000.0000",
            "198.18.0.1",
            "198.19.255.255",
            "192.31.196.1",
            "192.52.193.254",
            "192.175.48.0",
            "7f000001",
            "c0a80001:80",
            "0:0:0:0:0:ffff:7f000001",
            "::ffff:0a000001",
        ];
        for host in inner {
            assert!(is_inner(host), "{host}");
        }
        let outer = [
            "100.63.0.1",
            "100.128.0.1",
            "192.0.2.7",
            "198.51.100.3",
            "203.0.113.9",
            "192.1.0.0",
            "[64:ff9b::8.8.8.8]",
            "[2002:808:808::]",
            "[2001:db8::1]",
            "[2606:4700::1111]",
            "instance-data.example",
            "internal",
            "2001:db8::1",
            "a:b:c",
            "internal.example",
            "svc.example",
            "mylocalhost",
            "198.20.0.1",
            "192.31.197.1",
            "192.175.49.1",
            "8.8.8.8",
            "08080808",
            "deadbeef",
            "7f00000",
            "7f000001.example",
            "a:ffff:7f000001",
        ];
        for host in outer {
            assert!(!is_inner(host), "{host}");
        }
    }

    #[test]
    fn hosts_that_nobody_has_are_told_from_names() {
        for host in ["0x7f001/admin", "0x7f000001", "2130706433", "[::ffff:8.8.8.8]"] {
            assert!(is_number(host), "{host}");
        }
        for host in ["0x", "0x.example/1", "0xproject", "8080", "7f001.example", "1234567"] {
            assert!(!is_number(host), "{host}");
        }
        assert!(is_listener("7f000001.c0a80001.rbndr.us/a") && is_listener("x.oast.fun:80"));
        assert!(!is_listener("rbndr.us.example") && !is_listener("1u.ms"));
    }
}
