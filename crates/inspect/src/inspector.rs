//! The front door: one call for each part of a request.

use std::borrow::Cow;

use crate::expect::Expectations;
use crate::finding::{Place, Stop};
use crate::judge::{Judge, Position};
use crate::limits::{Excess, Limits};
use crate::walk::{Walk, form, graphql, head, json, multipart, xml};

/// Inspects requests; it has no state but its limits.
#[derive(Clone, Debug, Default)]
pub struct Inspector {
    limits: Limits,
}

/// How a body is read, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/graphql`.
    GraphQl,
    /// JSON and every `+json`.
    Json,
    /// `multipart/*`.
    Multipart,
    /// Pictures, archives, gRPC: nothing that is read here.
    Opaque,
    /// Text, or nothing is said: judged by how it begins.
    Text,
    /// XML and every `+xml`.
    Xml,
}

// === impl Body ===

impl Body {
    /// The kind that a `Content-Type` names.
    pub fn of(content_type: Option<&str>) -> Self {
        let Some(full) = content_type else { return Self::Text };
        let kind = full.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind.contains(',') {
            // Two fields that were joined: what an API makes of them is not known.
            return Self::Text;
        }
        let (main, sub) = kind.split_once('/').unwrap_or((&kind, ""));
        match (main, sub) {
            (_, "x-www-form-urlencoded") => Self::Form,
            (_, "graphql") => Self::GraphQl,
            ("multipart", _) => Self::Multipart,
            (_, "json" | "x-ndjson" | "jsonl" | "csp-report") => Self::Json,
            (_, "xml" | "soap" | "xhtml") => Self::Xml,
            (_, sub) if sub.ends_with("+json") => Self::Json,
            (_, sub) if sub.ends_with("+xml") => Self::Xml,
            ("image" | "audio" | "video" | "font", _) => Self::Opaque,
            (
                _,
                "octet-stream" | "pdf" | "zip" | "gzip" | "x-tar" | "x-protobuf" | "protobuf"
                | "cbor" | "msgpack",
            ) => Self::Opaque,
            (_, sub)
                if sub.starts_with("grpc")
                    || sub.starts_with("vnd.ms-")
                    || sub.starts_with("vnd.openxml") =>
            {
                Self::Opaque
            }
            _ => Self::Text,
        }
    }
}

// === impl Inspector ===

impl Inspector {
    /// With these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    fn walk<'w>(&'w self, expectations: &'w dyn Expectations) -> Walk<'w> {
        Walk::new(Judge { expectations }, &self.limits)
    }

    /// The path, as it was sent.
    ///
    /// # Errors
    /// [`Stop`] with the first finding, or when there is too much.
    pub fn path(&self, path: &str, expectations: &dyn Expectations) -> Result<(), Stop> {
        head::path(&self.walk(expectations), path)
    }

    /// The query as it was sent, without `?`.
    ///
    /// # Errors
    /// [`Stop`] as [`Inspector::path`].
    pub fn query(&self, query: &str, expectations: &dyn Expectations) -> Result<(), Stop> {
        head::query(&self.walk(expectations), query)
    }

    /// One header by its lower-case name; cookies are told apart. Credentials are left alone.
    ///
    /// # Errors
    /// [`Stop`] as [`Inspector::path`].
    pub fn header(
        &self,
        name: &str,
        value: &[u8],
        expectations: &dyn Expectations,
    ) -> Result<(), Stop> {
        let walk = self.walk(expectations);
        if name == "cookie" {
            head::cookies(&walk, value)
        } else {
            head::header(&walk, name, value)
        }
    }

    /// A whole body, decompressed.
    ///
    /// # Errors
    /// [`Stop`] as [`Inspector::path`].
    pub fn body(
        &self,
        content_type: Option<&str>,
        body: &[u8],
        expectations: &dyn Expectations,
    ) -> Result<(), Stop> {
        let kind = Body::of(content_type);
        if kind == Body::Opaque || body.is_empty() {
            return Ok(());
        }
        if body.len() > self.limits.body_bytes {
            return Err(Stop::Excess(Excess::Bytes));
        }
        let walk = self.walk(expectations);
        if kind == Body::Multipart {
            return multipart::walk(&walk, content_type.unwrap_or_default(), body);
        }
        let text = text(body);
        let text = text.trim_start_matches('\u{FEFF}');
        match kind {
            Body::Form if !text.trim_start().starts_with(['{', '<']) => {
                form::walk(&walk, text, Position::Field, Place::BodyMember)
            }
            Body::Json if !text.trim_start().starts_with('<') => json::walk(&walk, text),
            Body::GraphQl if graphql::is_document(text) => {
                graphql::walk(&walk, text, Position::Field, || Place::Body)
            }
            Body::Xml => xml::walk(&walk, text, || Place::Body),
            _ => sniffed(&walk, text),
        }
    }
}

/// What a body is that says nothing of itself, or something else than it is.
fn sniffed(walk: &Walk<'_>, text: &str) -> Result<(), Stop> {
    let start = text.trim_start();
    if start.starts_with(['{', '[']) && !start.starts_with("{{") {
        return json::walk(walk, text);
    }
    if start.starts_with("<?xml") || start.to_ascii_lowercase().starts_with("<!doctype") {
        return xml::walk(walk, text, || Place::Body);
    }
    walk.value(text, Position::Field, || Place::Body)
}

/// Bytes as text; UTF-16 is known by its mark or by its zeros.
fn text(body: &[u8]) -> Cow<'_, str> {
    let wide = |read: fn([u8; 2]) -> u16| {
        let units = body.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        Cow::Owned(
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
        )
    };
    match body {
        [0xFF, 0xFE, ..] | [1..=0x7F, 0, 1..=0x7F, 0, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] | [0, 1..=0x7F, 0, 1..=0x7F, ..] => wide(u16::from_be_bytes),
        _ => {
            std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
        }
    }
}
