//! Addresses that make a server ask its own network, and schemes that make it ask otherwise than by HTTP.

use crate::class::ssrf_host::is_inner;
use crate::finding::Class;
use crate::judge::{Position, Suspicion, Value};

/// Schemes that no web hook has.
const SCHEMES: [&str; 15] = [
    "file:", "gopher:", "dict:", "jar:", "ldap:", "ldaps:", "netdoc:", "phar:", "tftp:", "expect:",
    "php:", "sftp:", "imap:", "smtp:", "telnet:",
];
/// Names under which clouds tell secrets.
const METADATA: [&str; 6] = [
    "169.254.169.254",
    "metadata.google.internal",
    "100.100.100.200",
    "fd00:ec2::254",
    "169.254.170.2",
    "latest/meta-data",
];

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text = value.lower.trim_matches([' ', '\t', '\r', '\n', '"', '\'', '<', '>']);
    // An address is one word; in a sentence it is talk.
    if text.contains([' ', '\n']) || value.text.len() > 2_048 {
        return None;
    }
    if METADATA.iter().any(|name| text.contains(name)) {
        return Suspicion::sure(Class::Ssrf, "metadata");
    }
    let scheme = text.strip_prefix("url:").unwrap_or(text);
    if let Some(scheme) = SCHEMES.iter().find(|name| scheme.starts_with(**name)) {
        let rest = &text[text.find(scheme).unwrap_or(0) + scheme.len()..];
        return if rest.starts_with("//") || rest.starts_with('/') || *scheme == "jar:" {
            Suspicion::likely(Class::Ssrf, "scheme")
        } else {
            None
        };
    }
    if value.position == Position::Header && value.marks.any(crate::mark::SEMICOLON) {
        return None;
    }
    let starts = text.match_indices("://").map(|(at, _)| at + 3);
    let bare = text.starts_with("//").then_some(2);
    for start in starts.chain(bare) {
        let before = &text[..start.saturating_sub(3)];
        let web = before.ends_with("http")
            || before.ends_with("https")
            || before.ends_with("ftp")
            || bare == Some(start);
        if web && is_inner(authority(&text[start..])) {
            return Suspicion::likely(Class::Ssrf, "inner_address");
        }
    }
    None
}

/// Host and port, with what stands before `@` left out: it is there to mislead.
fn authority(rest: &str) -> &str {
    let end = rest.find(['/', '?', '#', '\\', '&', ',']).unwrap_or(rest.len());
    let authority = &rest[..end];
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
