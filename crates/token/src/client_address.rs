//! Whose request it is when proxies stand in between: read from the right, over trusted hops only.
//!
//! Fields are read from their right end, since only what the last proxy has added there is known to be
//! whole: to its left a client may have written half a quoted string.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use crate::term::AddressField;

/// Proxies whose word is taken, and the one field in which they give it. By default nobody.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    field: AddressField,
}

/// Where a request comes from, as far as trusted proxies know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client's address; IPv4-mapped IPv6 addresses become IPv4.
    pub ip: IpAddr,
    /// Whether the client spoke TLS, where the proxy that it spoke to says so (`proto` of `Forwarded`).
    pub https: Option<bool>,
}

/// What one hop says of the one before it.
struct Hop {
    node: Option<IpAddr>,
    https: Option<bool>,
}

// === impl TrustedProxies ===

impl TrustedProxies {
    /// Proxies in these networks, that all write this field.
    pub fn new(networks: &[IpNet], field: AddressField) -> Self {
        Self { networks: networks.to_vec(), field }
    }

    /// The field that is believed.
    pub fn field(&self) -> AddressField {
        self.field
    }

    /// Whether somebody at this address is one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|net| net.contains(&address))
    }

    /// Whose request it is. `values` are those of all fields of the name [`TrustedProxies::field`], in the
    /// order received; they count only as far as every hop to their right is a trusted proxy. A hop that
    /// names no address (`unknown`, `_hidden`, RFC 7239 §6) or cannot be read ends the walk: the request is
    /// then that of the last proxy that is known.
    pub fn origin<'a>(
        &self,
        peer: IpAddr,
        values: impl DoubleEndedIterator<Item = &'a str>,
    ) -> Origin {
        let mut origin = Origin { ip: peer.to_canonical(), https: None };
        for value in values.rev() {
            let mut rest = Some(value);
            while let Some(left) = rest {
                if !self.contain(origin.ip) {
                    return origin;
                }
                let element = match self.field {
                    AddressField::XForwardedFor => {
                        left.rfind(',').map_or(left, |at| &left[at + 1..])
                    }
                    AddressField::Forwarded => last_element(left),
                };
                let before = left.len() - element.len();
                rest = before.checked_sub(1).map(|end| &left[..end]);
                let hop = match self.field {
                    AddressField::XForwardedFor => Hop { node: node(element.trim()), https: None },
                    AddressField::Forwarded => forwarded(element),
                };
                origin.https = hop.https.or(origin.https);
                let Some(ip) = hop.node else { return origin };
                origin.ip = ip;
            }
        }
        origin
    }
}

/// The last element of a list: what follows the last comma outside of quotes, seen from the right.
fn last_element(list: &str) -> &str {
    let mut quoted = false;
    let bytes = list.as_bytes();
    for (at, byte) in bytes.iter().enumerate().rev() {
        match byte {
            b'"' if !(quoted && is_escaped(&bytes[..at])) => quoted = !quoted,
            b',' if !quoted => return &list[at + 1..],
            _ => {}
        }
    }
    list
}

/// Whether what comes after these bytes is escaped by them.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// One `forwarded-element` (RFC 7239 §4). What is there twice or has another form says nothing.
fn forwarded(element: &str) -> Hop {
    let (mut node_text, mut proto) = (None, None);
    let mut rest = element.trim();
    loop {
        let pair = pair(rest);
        let Some((name, value, after)) = pair else { return Hop { node: None, https: None } };
        let known = if name.eq_ignore_ascii_case("for") {
            Some(&mut node_text)
        } else if name.eq_ignore_ascii_case("proto") {
            Some(&mut proto)
        } else {
            None
        };
        if known.is_some_and(|known| known.replace(value).is_some()) {
            return Hop { node: None, https: None };
        }
        match after {
            Some(after) => rest = after,
            None => break,
        }
    }
    let https = match proto {
        Some(word) if word.eq_ignore_ascii_case("https") => Some(true),
        Some(word) if word.eq_ignore_ascii_case("http") => Some(false),
        _ => None,
    };
    Hop { node: node_text.as_deref().and_then(bracketed_node), https }
}

/// The first `name=value` and what follows its semicolon, if one does.
fn pair(text: &str) -> Option<(&str, String, Option<&str>)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim_start();
    if name.is_empty() || !name.bytes().all(is_token) {
        return None;
    }
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let end = rest.bytes().position(|byte| !is_token(byte)).unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        }
    };
    match rest.trim() {
        "" => Some((name, value, None)),
        more => Some((name, value, Some(more.strip_prefix(';')?))),
    }
}

/// A quoted string after its first quote (RFC 9110 §5.6.4), and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

/// A `tchar` (RFC 9110 §5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A node as `X-Forwarded-For` has it: an address, as some proxies write it with brackets or a port.
fn node(text: &str) -> Option<IpAddr> {
    match text.parse::<IpAddr>() {
        Ok(ip) => Some(ip.to_canonical()),
        Err(_) => bracketed_node(text),
    }
}

/// A node (RFC 7239 §6): IPv4, or IPv6 in brackets, and perhaps a port.
fn bracketed_node(text: &str) -> Option<IpAddr> {
    let (ip, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (ip, port) = rest.split_once(']')?;
            (IpAddr::from(ip.parse::<Ipv6Addr>().ok()?), port)
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            (IpAddr::V4(text[..end].parse().ok()?), &text[end..])
        }
    };
    is_port(port).then(|| ip.to_canonical())
}

/// Nothing, or `:` and a port, which may be hidden (`_x`).
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else { return text.is_empty() };
    match port.strip_prefix('_') {
        Some(hidden) => !hidden.is_empty() && hidden.bytes().all(is_token),
        None => (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests;
