//! Addresses that make a server ask its own network, and schemes that make it ask otherwise than by HTTP.

use crate::class::ssrf_host::{is_inner, is_listener, is_number, is_service};
use crate::finding::Class;
use crate::judge::{Position, Suspicion, Value};
use crate::lure;
use crate::mark;

/// Schemes that no web hook has.
const SCHEMES: [&str; 15] = [
    "file:", "gopher:", "dict:", "jar:", "ldap:", "ldaps:", "netdoc:", "phar:", "tftp:", "expect:",
    "php:", "sftp:", "imap:", "smtp:", "telnet:",
];

/// RFC 1035 §2.3.4, with a port.
const LONGEST_HOST: usize = 255 + ":65535".len();

pub(crate) fn recognise(value: &Value<'_>) -> Option<Suspicion> {
    let text = value.lower.trim_matches([' ', '\t', '\r', '\n', '"', '\'', '<', '>']);
    let spaced = text.contains([' ', '\n']);
    let scheme = text.strip_prefix("url:").unwrap_or(text);
    let scheme = SCHEMES.iter().find(|name| scheme.starts_with(**name));
    let leads = scheme.is_some() || text.starts_with("http");
    if value.marks.any(mark::EQUALS | mark::QUOTE) && named(text) && !value.is_free() {
        return Suspicion::likely(Class::Ssrf, "scheme");
    }
    // An address is one word; in a sentence it is talk.
    if spaced && (!leads || value.is_free()) || value.text.len() > 2_048 {
        return None;
    }
    if value.lures.any(lure::METADATA) {
        return Suspicion::sure(Class::Ssrf, "metadata");
    }
    if let Some(scheme) = scheme {
        let rest = &text[text.find(scheme).unwrap_or(0) + scheme.len()..];
        return if rest.starts_with("//") || rest.starts_with('/') || *scheme == "jar:" {
            Suspicion::likely(Class::Ssrf, "scheme")
        } else {
            None
        };
    }
    if spaced || value.position == Position::Header && value.marks.any(mark::SEMICOLON) && !leads {
        return None;
    }
    if unslashed(text).is_some_and(leads_inside) {
        return Suspicion::likely(Class::Ssrf, "inner_address");
    }
    if let Some(share) = text.strip_prefix("\\\\")
        && is_inner(share.split('\\').next().unwrap_or_default())
    {
        return Suspicion::likely(Class::Ssrf, "inner_address");
    }
    // Some readers skip further signs before the host.
    let skipped =
        |at: usize| text[at..].bytes().take_while(|b| matches!(b, b'/' | b'\\' | b' ')).count();
    let starts = text.match_indices("://").map(|(at, _)| (at, at + 3 + skipped(at + 3)));
    let bare = text.starts_with("//").then_some((0, 2));
    for (at, start) in starts.chain(bare) {
        let before = &text[..at];
        let web = before.ends_with("http")
            || before.ends_with("https")
            || before.ends_with("ftp")
            || before.ends_with(|c: char| c.is_ascii_digit())
            || is_protocol(before)
            || bare.is_some_and(|(_, bare)| bare == start);
        if web && (leads_inside(&text[start..]) || is_service(&text[start..])) {
            return Suspicion::likely(Class::Ssrf, "inner_address");
        }
        if is_listener(&text[start..]) {
            return Suspicion::likely(Class::Ssrf, "listener");
        }
        if before.starts_with("http") && !spaced && is_number(&text[start..]) {
            return Suspicion::likely(Class::Ssrf, "number_host");
        }
    }
    None
}

/// Whether a value begins with a scheme by which a server would speak to another.
fn is_protocol(scheme: &str) -> bool {
    matches!(scheme, "git" | "redis" | "rtsp" | "smb" | "ssh" | "svn" | "ws" | "wss")
}

/// What stands behind a scheme with any other number of slashes than two: browsers and many libraries read it
/// all the same (WHATWG URL, "special authority ignore slashes state").
fn unslashed(text: &str) -> Option<&str> {
    // Nearly every address has two.
    let (scheme, rest) =
        text.split_at_checked(text.bytes().take(6).position(|b| b == b':')? + 1)?;
    if rest.starts_with("//") || !matches!(scheme, "http:" | "https:") {
        return None;
    }
    Some(rest.trim_start_matches(['/', '\\']))
}

/// A host of an inner network where an address belongs, without a scheme: `127.0.0.1:80/admin`.
pub(crate) fn is_bare_inner(text: &str) -> bool {
    if text.starts_with("http") {
        return false;
    }
    let authority = &text[..text.find(['/', '?', '#']).unwrap_or(text.len())];
    if authority.len() > LONGEST_HOST || authority.ends_with(':') {
        return false;
    }
    let host = authority.to_ascii_lowercase();
    // `0` and `127` are numbers before they are addresses.
    (host.contains(['.', ':', '-']) || host.starts_with("localhost")) && is_inner(&host)
}

/// `…=ldap://`: an address within a value that makes its reader load a class.
fn named(text: &str) -> bool {
    let schemes =
        ["ldap", "ldaps", "rmi", "iiop", "gopher", "dict", "netdoc", "tftp", "phar", "expect"];
    text.match_indices("://").any(|(at, _)| {
        let before = |scheme: &&str| text[..at].strip_suffix(scheme);
        schemes.iter().filter_map(before).any(|before| before.ends_with(['=', '"', '\'']))
    })
}

/// Whether something that some reader may take for the host is inside: readers differ on signs that do not
/// belong there.
fn leads_inside(rest: &str) -> bool {
    let authority = &rest[..rest.find(['/', '\\']).unwrap_or(rest.len())];
    // To some the sign before the last host is a part of a name, to others it ends the first one.
    if let Some(host) = rest[authority.len()..].strip_prefix("\\@")
        && is_inner(&host[..host.find(['/', '?', '#']).unwrap_or(host.len())])
    {
        return true;
    }
    let odd = |b: &u8| matches!(b, b'@' | b'#' | b'&' | b'?' | b',' | b';' | b'+' | b'%');
    let Some(first) = authority.bytes().position(|b| odd(&b)) else { return is_inner(authority) };
    if !authority[first..].contains(['@', ',', ';', '+', '%']) {
        return is_inner(&authority[..first]);
    }
    let pieces = authority.split(['@', '#', '&', '?', ',', ';', '+']);
    pieces.flat_map(|piece| piece.split("%20")).any(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_any_number_of_slashes() {
        assert_eq!(unslashed("http:127.0.0.1"), Some("127.0.0.1"));
        assert_eq!(unslashed("https:/\\localhost/a"), Some("localhost/a"));
        assert_eq!(unslashed("http://localhost"), None);
        assert_eq!(unslashed("httpd:localhost"), None);
    }

    #[test]
    fn signs_that_readers_differ_on_hide_no_host() {
        assert!(leads_inside("a.example\\@127.0.0.1/x") && leads_inside("127.0.0.1\\.a.example"));
        assert!(!leads_inside("a.example\\b@127.0.0.1") && !leads_inside("a.example\\@b.example"));
        assert!(is_protocol("ws") && !is_protocol("postgres"));
    }

    #[test]
    fn bare_hosts_are_told_from_paths_and_numbers() {
        for text in [
            "127.0.0.1:80/admin",
            "ip6-loopback/",
            "LOCALHOST/",
            "10.0.0.7",
            "[::1]:80",
            "db.internal/x",
        ] {
            assert!(is_bare_inner(text), "{text}");
        }
        for text in
            ["0", "127", "10", "/local/a.png", "shop.example/10.0.0.7", "items/1.2", "a-b/c", ""]
        {
            assert!(!is_bare_inner(text), "{text}");
        }
    }
}
