//! The path's segments, the headers and the cookies.

use crate::class::names_secret;
use crate::decode;
use crate::finding::{Place, Stop};
use crate::judge::Position;
use crate::mark::Marks;
use crate::walk::{Walk, address, form};

/// Headers that are the gateway's own matter or a signature, and never text that anybody reads on.
const SKIPPED: [&str; 11] = [
    "authorization",
    "proxy-authorization",
    "content-length",
    "cookie",
    "date",
    "dpop",
    "host",
    "if-modified-since",
    "sec-websocket-key",
    "signature",
    "signature-input",
];

/// The path as it was sent.
pub(crate) fn path(walk: &Walk<'_>, path: &str) -> Result<(), Stop> {
    // The steps to a secret file are ordinary one by one.
    if names_secret(path) {
        walk.value(path, Position::Path, || Place::Path(1))?;
    }
    let mut suspect = None;
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut start = 0;
    for (position, segment) in path.split('/').enumerate() {
        let place = || Place::Path(position + 1);
        if (!Marks::of(segment).is_plain() || segment == ".." || segment == "...")
            && suspect.is_none()
        {
            suspect = Some((start, position + 1));
        }
        walk.value(segment, Position::Path, place)?;
        // Some readers take the query's sign for a space here too.
        if segment.contains('+') && segment.contains(['\'', '"', '(', ';', '%']) {
            walk.value(&segment.replace('+', " "), Position::Path, place)?;
        }
        start += segment.len() + 1;
    }
    // A payload with a slash of its own is torn apart: once more in one piece.
    match suspect {
        Some((start, position)) if path[start..].contains('/') => {
            let (whole, place) = (&path[start..], || Place::Path(position));
            walk.value(whole, Position::Path, place)?;
            if !whole.contains("/*") || !whole.contains('+') {
                return Ok(());
            }
            walk.value(&whole.replace('+', " "), Position::Path, place)
        }
        _ => Ok(()),
    }
}

/// The query, without its `?`.
pub(crate) fn query(walk: &Walk<'_>, query: &str) -> Result<(), Stop> {
    form::walk(walk, query, Position::Query, Place::Query)
}

/// One header; `name` in lower case.
pub(crate) fn header(walk: &Walk<'_>, name: &str, value: &[u8]) -> Result<(), Stop> {
    if SKIPPED.contains(&name) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(value);
    let place = || Place::Header(name.to_owned());
    let mut text = &*text;
    if name == "referer" {
        let address = address::split(text);
        let query = address.map(|address| address.query);
        if let Some(query) = query.or_else(|| Some(text.split_once('?')?.1)) {
            form::walk(walk, query, Position::Header, |_| Place::Header("referer".to_owned()))?;
        }
        text = address.map_or(text, |address| address.head);
    }
    // Where a page is says nothing of where the server is to go.
    let told = matches!(name, "origin" | "referer").then(|| text.split_once("://")).flatten();
    let told = told.filter(|(scheme, _)| Marks::of(scheme).is_plain());
    walk.value(told.map_or(text, |(_, rest)| rest), Position::Header, place)
}

/// A `Cookie` field (RFC 6265 §4.2.1).
pub(crate) fn cookies(walk: &Walk<'_>, value: &[u8]) -> Result<(), Stop> {
    let text = String::from_utf8_lossy(value);
    let mut torn = false;
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        torn |= !pair.contains('=');
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        let place = || Place::Cookie(name.to_owned());
        walk.name(name, Position::Header, place)?;
        walk.value(value.trim_matches('"'), Position::Header, place)?;
        if value.contains('+') {
            walk.value(&decode::form(value), Position::Header, place)?;
        }
    }
    if torn {
        let value = text.split_once('=').map_or(&*text, |(_, value)| value);
        return walk.value(value, Position::Header, || Place::Cookie(String::new()));
    }
    Ok(())
}
