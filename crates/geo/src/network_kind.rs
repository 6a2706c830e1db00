//! What kind of network an autonomous system is, where that can be known: by its number or its name.

use token::event::NetworkKind;

/// Systems of large hosts whose names do not say so.
const HOSTS: [u32; 27] = [
    8075, 8560, 9009, 12876, 14061, 14618, 16265, 16276, 16509, 20473, 24940, 28753, 31898, 36352,
    37963, 40021, 45090, 45102, 51167, 54825, 60068, 60781, 63949, 132203, 197540, 213230, 396982,
];
/// Words in the names of those who rent machines out.
const HOSTING_WORDS: [&str; 11] = [
    "cloud",
    "colo",
    "colocation",
    "datacenter",
    "datacentre",
    "dedicated",
    "host",
    "hosting",
    "server",
    "servers",
    "vps",
];
/// Words in the names of mobile carriers. `wireless` is none: it may be fixed.
const MOBILE_WORDS: [&str; 4] = ["cellular", "gsm", "lte", "mobile"];

/// By number, else by a whole word of the name. Everybody else stays unknown: a name does not tell a household
/// from an office.
pub(crate) fn network_kind(asn: Option<u32>, name: Option<&str>) -> Option<NetworkKind> {
    if asn.is_some_and(|asn| HOSTS.binary_search(&asn).is_ok()) {
        return Some(NetworkKind::Hosting);
    }
    let mut words = name?.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.find_map(|word| {
        let is = |known: &&str| word.eq_ignore_ascii_case(known);
        if HOSTING_WORDS.iter().any(is) {
            Some(NetworkKind::Hosting)
        } else if MOBILE_WORDS.iter().any(is) {
            Some(NetworkKind::Mobile)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use token::event::NetworkKind;

    use super::{HOSTS, network_kind};

    #[test]
    fn a_kind_is_said_only_where_it_is_known() {
        assert!(HOSTS.is_sorted(), "it is searched by halves");
        for (asn, name, kind) in [
            (Some(16509), None, Some(NetworkKind::Hosting)),
            (Some(64496), Some("Example Cloud, Inc."), Some(NetworkKind::Hosting)),
            (Some(64496), Some("EXAMPLE-HOSTING-AS"), Some(NetworkKind::Hosting)),
            (Some(64496), Some("T-Mobile Example"), Some(NetworkKind::Mobile)),
            (Some(64496), Some("Hostelworld"), None),
            (Some(64496), Some("Example Wireless"), None),
            (None, None, None),
        ] {
            assert_eq!(network_kind(asn, name), kind, "{name:?}");
        }
    }
}
