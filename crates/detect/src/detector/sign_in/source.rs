//! Where an event came from, in a few bytes: the network, and the software as a number.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};

use ipnet::IpNet;
use token::event::{Event, NetworkKind};
use token::finding::Whom;
use token::id::ClientId;
use token::user_agent;

use crate::detector::{Names, network};
use crate::program;
use crate::sketch::hash;

/// The source of one event. Tables hold a hundred thousand, so a number that is not known takes no room of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Source {
    pub(super) network: IpNet,
    asn: Option<NonZeroU32>,
    software: Option<NonZeroU64>,
}

// === impl Source ===

impl Source {
    /// `None` when no address is known.
    pub(super) fn of(event: &Event) -> Option<Self> {
        Some(Self::new(network::of(event.ip?), event, software(event)))
    }

    /// The same of an event whose names as numbers are known.
    pub(super) fn named(event: &Event, names: &Names) -> Option<Self> {
        Some(Self::new(names.prefix?, event, names.program))
    }

    fn new(network: IpNet, event: &Event, software: Option<u64>) -> Self {
        let asn = event.origin.asn.and_then(NonZeroU32::new);
        Self { network, asn, software: software.map(packed) }
    }

    /// Something of it, to bring it near.
    pub(super) fn read(&self) -> u64 {
        u64::from(self.asn.map_or(0, NonZeroU32::get)) ^ self.software.map_or(0, NonZeroU64::get)
    }

    /// Whether the software is known to be another.
    pub(super) fn is_other_software(&self, other: &Self) -> bool {
        self.software.is_some() && other.software.is_some() && self.software != other.software
    }

    /// Whether the software is known to be the same.
    pub(super) fn is_same_software(&self, other: &Self) -> bool {
        self.software.is_some() && self.software == other.software
    }

    /// Whether nothing says that the two are not of one household, which has addresses of both kinds.
    pub(super) fn may_be_household(&self, other: &Self) -> bool {
        let is_mixed = matches!(
            (self.network, other.network),
            (IpNet::V4(_), IpNet::V6(_)) | (IpNet::V6(_), IpNet::V4(_))
        );
        is_mixed && (self.asn == other.asn || self.asn.is_none() || other.asn.is_none())
    }

    /// Whether the address belongs to somebody else's part of the net: another autonomous system
    /// or, where that is not known, another IPv4 /16. IPv4 and IPv6 of one household cannot be
    /// compared without the system's number.
    pub(super) fn is_far(&self, other: &Self) -> bool {
        if let (Some(one), Some(two)) = (self.asn, other.asn) {
            return one != two;
        }
        match (self.network, other.network) {
            (IpNet::V4(one), IpNet::V4(two)) => {
                one.addr().octets()[..2] != two.addr().octets()[..2]
            }
            (IpNet::V6(one), IpNet::V6(two)) => {
                one.addr().segments()[..2] != two.addr().segments()[..2]
            }
            _ => false,
        }
    }
}

/// The TLS fingerprint where it is known, since anybody can send any User-Agent.
pub(super) fn software(event: &Event) -> Option<u64> {
    program::of(event.origin.ja4.as_deref(), event.ua.as_deref())
}

/// A thing as a number, the same in every run.
pub(super) fn number(thing: impl Hash) -> u64 {
    hash::of(thing)
}

/// A number of a name as a part of state.
pub(super) fn packed(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap_or(NonZeroU64::MAX)
}

/// Seconds since 1970, for tables.
pub(super) fn seconds(event: &Event) -> u32 {
    u32::try_from(event.ts.as_secs()).unwrap_or(0)
}

/// The address in a summary.
pub(super) fn shown(event: &Event) -> String {
    event.ip.map_or_else(|| "an unknown address".to_owned(), |ip| ip.to_string())
}

/// The actor of a finding about an address.
pub(super) fn actor(event: &Event) -> String {
    event.ip.map_or_else(|| "unknown".to_owned(), network::actor)
}

/// Everybody whom the event names, and its address.
pub(in crate::detector) fn whom(event: &Event) -> Whom {
    let who = &event.who;
    Whom {
        subject: who.subject.clone(),
        client: who.client.clone(),
        token: who.token.clone(),
        grant: who.grant.clone(),
        session: who.session.clone(),
        ip: event.ip,
    }
}

/// The client that a failed try names: whoever made the event may hold the name for verified, or for claimed.
pub(super) fn named_client(event: &Event) -> Option<ClientId> {
    let claimed = || event.who.claimed_client.as_deref().map(ClientId::new);
    event.who.client.clone().or_else(claimed)
}

/// The software without its version, which changes each month: the User-Agent's words, or else the
/// TLS fingerprint.
pub(super) fn family(event: &Event) -> Option<u64> {
    event
        .ua
        .as_deref()
        .map(hash::without_digits)
        .or_else(|| event.origin.ja4.as_deref().and_then(program::library))
}

/// What programs call themselves that nobody gave a name of their own.
static LIBRARIES: [&str; 26] = [
    "aiohttp",
    "apache-httpclient",
    "axios",
    "curl",
    "dart",
    "go-http-client",
    "got",
    "guzzlehttp",
    "httpie",
    "httpx",
    "insomnia",
    "java",
    "java-http-client",
    "libwww-perl",
    "node",
    "node-fetch",
    "okhttp",
    "postmanruntime",
    "python",
    "python-httpx",
    "python-requests",
    "python-urllib",
    "reqwest",
    "ruby",
    "undici",
    "wget",
];

/// Cloudflare, Akamai and Fastly, behind whose addresses telephones and browsers hide those of their owners (iCloud
/// Private Relay, WARP).
const RELAYS: [u32; 3] = [13_335, 36_183, 54_113];

/// The kind of network; relays of private persons are as VPNs.
pub(super) fn net(event: &Event) -> Option<NetworkKind> {
    let relay = event.origin.asn.is_some_and(|asn| RELAYS.contains(&asn));
    if relay { Some(NetworkKind::Vpn) } else { event.origin.net }
}

/// What one customer of a network has, as a number: an IPv4 /24 or an IPv6 /48.
pub(super) fn neighbourhood(event: &Event) -> Option<u64> {
    Some(match event.ip?.to_canonical() {
        IpAddr::V4(ip) => number(("IPv4", &ip.octets()[..3])),
        IpAddr::V6(ip) => number(("IPv6", &ip.segments()[..3])),
    })
}

/// Whether no people are there.
pub(super) fn is_nobodys(event: &Event) -> bool {
    matches!(net(event), Some(NetworkKind::Hosting | NetworkKind::Tor))
}

/// The kind of program that a User-Agent names: its family and the system, and neither version nor device.
pub(super) fn kind(event: &Event) -> Option<u64> {
    let ua = event.ua.as_deref()?;
    Some(number((event.origin.software.as_deref(), user_agent::system(ua))))
}

/// The autonomous system or, where that is not known, the IPv4 /16 or IPv6 /32.
pub(super) fn place(event: &Event) -> Option<u64> {
    if let Some(asn) = event.origin.asn {
        return Some(number(("AS", asn)));
    }
    Some(match event.ip?.to_canonical() {
        IpAddr::V4(ip) => number(("IPv4", &ip.octets()[..2])),
        IpAddr::V6(ip) => number(("IPv6", &ip.segments()[..2])),
    })
}

/// Whether the token is the client's own and no person's: its subject is the client, or nobody else is named, and nobody
/// signed in for it.
pub(super) fn is_machine(event: &Event, names: &Names) -> bool {
    let who = &event.who;
    match (&who.subject, &who.client) {
        (Some(_), Some(_)) => names.is_own,
        (None, Some(_)) => who.session.is_none(),
        _ => false,
    }
}

/// Whether a program says that it is a browser.
pub(in crate::detector) fn is_browser(event: &Event) -> bool {
    event.ua.as_deref().is_some_and(|ua| ua.starts_with("Mozilla/"))
}

/// Whether a program is an HTTP library that nobody gave a name of their own.
pub(in crate::detector) fn is_library(event: &Event) -> bool {
    // Whoever wrote the event may call software as they like.
    let is_one = |name: &str| LIBRARIES.contains(&name);
    event.origin.software.as_deref().is_some_and(is_one)
        || event.ua.as_deref().and_then(user_agent::family).as_deref().is_some_and(is_one)
}
