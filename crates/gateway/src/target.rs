//! The request target in one normal form: what is authorised is what is forwarded.

use std::borrow::Cow;

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri, Version};

/// Longest path, and longest query, in bytes.
const LONGEST: usize = 8 * 1024;

/// A request target that has exactly one meaning. The path in it is both matched against the
/// routes and sent upstream; the query is sent as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    path_and_query: PathAndQuery,
    host: HeaderValue,
}

/// Why a request target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// A character that RFC 3986 §3.3 and §3.4 do not allow raw, or an encoded control character.
    #[error("the target has a character that must not be there, raw or percent-encoded")]
    Character,
    /// A segment `.` or `..`, raw or percent-encoded.
    #[error("the path has a segment `.` or `..`; send the path that is meant")]
    DotSegment,
    /// `%25` before two hexadecimal digits: decoded twice, it means something else.
    #[error("the path is percent-encoded twice")]
    DoubleEncoding,
    /// `//` in the path.
    #[error("the path has an empty segment (`//`)")]
    EmptySegment,
    /// `%2F` or `%5C`, or a raw backslash: a separator to some, a character to others.
    #[error("the path has a backslash, or a percent-encoded slash or backslash")]
    EncodedSeparator,
    /// A fragment, which is never sent (RFC 9110 §7.1).
    #[error("the target has a fragment (`#`)")]
    Fragment,
    /// The `Host` field is not a host and optional port (RFC 9110 §7.2).
    #[error("the Host field is not a host with an optional port")]
    Host,
    /// Host and the target's authority differ.
    #[error("the Host field and the target's authority differ")]
    HostMismatch,
    /// Neither a Host field nor an authority (RFC 9112 §3.2).
    #[error("the Host field is missing")]
    NoHost,
    /// Not a path: `*`, or an authority without a path.
    #[error("the target is not a path")]
    NotAPath,
    /// `;` in the path, raw or percent-encoded: a parameter to some, a character to others.
    #[error("the path has a `;`, raw or percent-encoded")]
    Parameter,
    /// `%` without two hexadecimal digits.
    #[error("a `%` in the path is not followed by two hexadecimal digits")]
    Percent,
    /// More than 8 KiB.
    #[error("the path or the query is longer than 8 KiB")]
    TooLong,
    /// More than one Host field (RFC 9112 §3.2).
    #[error("there is more than one Host field")]
    TwoHosts,
    /// The path's decoded bytes are not UTF-8: an overlong `/` or `.` is one such case.
    #[error("the percent-encoded bytes of the path are not UTF-8")]
    Utf8,
}

// === impl Target ===

impl Target {
    /// From a request's method, target and Host field, as an HTTP parser hands them over.
    /// (`CONNECT` has no path and is refused as [`BadTarget::NotAPath`].)
    ///
    /// # Errors
    /// [`BadTarget`] for every form that two implementations could read in two ways.
    pub fn parse(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        version: Version,
    ) -> Result<Self, BadTarget> {
        let host = host(uri, headers, version)?;
        if method == Method::CONNECT || !has_form_of_a_path(uri) {
            return Err(BadTarget::NotAPath);
        }
        let given = uri.path_and_query().ok_or(BadTarget::NotAPath)?;
        if let Some(query) = given.query() {
            check_query(query)?;
        }
        let path_and_query = match normal_path(given.path())? {
            // `http://host?x` has the path `/`, but not in its text.
            Cow::Borrowed(_) if given.as_str().starts_with('/') => given.clone(),
            path => rebuilt(&path, given.query())?,
        };
        Ok(Self { path_and_query, host })
    }

    /// From texts: what a client would write in the first line and the Host field of an
    /// HTTP/1.1 request.
    ///
    /// # Errors
    /// [`BadTarget`] as for [`Target::parse`], and for what is no method, target or host at all.
    pub fn from_text(method: &str, target: &str, host: &str) -> Result<Self, BadTarget> {
        if target.contains('#') {
            return Err(BadTarget::Fragment);
        }
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| BadTarget::Character)?;
        let uri: Uri = target.parse().map_err(|_| BadTarget::Character)?;
        let host = HeaderValue::from_str(host).map_err(|_| BadTarget::Host)?;
        let headers = HeaderMap::from_iter([(HOST, host)]);
        Self::parse(&method, &uri, &headers, Version::HTTP_11)
    }

    /// The path in normal form.
    pub fn path(&self) -> &str {
        self.path_and_query.path()
    }

    /// The query as it came.
    pub fn query(&self) -> Option<&str> {
        self.path_and_query.query()
    }

    /// Both, as sent upstream.
    pub fn path_and_query(&self) -> &PathAndQuery {
        &self.path_and_query
    }

    /// The host that the client asked for.
    pub fn host(&self) -> &HeaderValue {
        &self.host
    }
}

/// The normal form of a path, or why it has none: unreserved characters decoded, hexadecimal
/// digits in upper case, and no form in it that two readers could take for different paths.
///
/// # Errors
/// [`BadTarget`].
pub fn normal_path(path: &str) -> Result<Cow<'_, str>, BadTarget> {
    if path.len() > LONGEST {
        return Err(BadTarget::TooLong);
    }
    if !path.starts_with('/') {
        return Err(BadTarget::NotAPath);
    }
    let encoded = path.contains('%');
    let normal = if encoded { decode_unreserved(path)? } else { Cow::Borrowed(path) };
    check_characters(&normal)?;
    check_segments(&normal)?;
    if encoded {
        check_encoded(&normal)?;
    }
    Ok(normal)
}

/// RFC 3986 §6.2.2: `%61` is `a`, `%c3` is `%C3`.
fn decode_unreserved(path: &str) -> Result<Cow<'_, str>, BadTarget> {
    let bytes = path.as_bytes();
    let mut changed = false;
    let mut normal = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            // Multi-byte characters are refused afterwards, whatever they become here.
            normal.push(char::from(byte));
            changed |= !byte.is_ascii();
            at += 1;
            continue;
        }
        let digits = bytes.get(at + 1..at + 3).ok_or(BadTarget::Percent)?;
        let decoded = hex_byte(digits).ok_or(BadTarget::Percent)?;
        if is_unreserved(decoded) {
            normal.push(char::from(decoded));
            changed = true;
        } else {
            normal.push('%');
            for digit in digits {
                normal.push(char::from(digit.to_ascii_uppercase()));
                changed |= digit.is_ascii_lowercase();
            }
        }
        at += 3;
    }
    Ok(if changed { Cow::Owned(normal) } else { Cow::Borrowed(path) })
}

fn check_characters(path: &str) -> Result<(), BadTarget> {
    for byte in path.bytes() {
        match byte {
            b'/' | b'%' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'='
            | b':' | b'@' => {}
            b';' => return Err(BadTarget::Parameter),
            b'\\' => return Err(BadTarget::EncodedSeparator),
            b'#' => return Err(BadTarget::Fragment),
            _ if is_unreserved(byte) => {}
            _ => return Err(BadTarget::Character),
        }
    }
    Ok(())
}

fn check_segments(path: &str) -> Result<(), BadTarget> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => return Err(BadTarget::DotSegment),
            "" if segments.peek().is_some() => return Err(BadTarget::EmptySegment),
            _ => {}
        }
    }
    Ok(())
}

/// On the normal form, so that `%25%32%66` is seen as the `%252f` that it is.
fn check_encoded(path: &str) -> Result<(), BadTarget> {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            decoded.push(byte);
            at += 1;
            continue;
        }
        let value = bytes.get(at + 1..at + 3).and_then(hex_byte).ok_or(BadTarget::Percent)?;
        at += 3;
        match value {
            b'/' | b'\\' => return Err(BadTarget::EncodedSeparator),
            b';' => return Err(BadTarget::Parameter),
            0..=0x1f | 0x7f => return Err(BadTarget::Character),
            b'%' if bytes.get(at..at + 2).and_then(hex_byte).is_some() => {
                return Err(BadTarget::DoubleEncoding);
            }
            _ => decoded.push(value),
        }
    }
    if std::str::from_utf8(&decoded).is_err() {
        return Err(BadTarget::Utf8);
    }
    Ok(())
}

fn check_query(query: &str) -> Result<(), BadTarget> {
    if query.len() > LONGEST {
        return Err(BadTarget::TooLong);
    }
    if !query.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BadTarget::Character);
    }
    Ok(())
}

fn rebuilt(path: &str, query: Option<&str>) -> Result<PathAndQuery, BadTarget> {
    let text = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    PathAndQuery::from_maybe_shared(bytes::Bytes::from(text)).map_err(|_| BadTarget::Character)
}

/// Origin-form or absolute-form (RFC 9112 §3.2); not `*`, not `host:port`.
fn has_form_of_a_path(uri: &Uri) -> bool {
    match uri.scheme_str() {
        Some(scheme) => matches!(scheme, "http" | "https") && uri.authority().is_some(),
        None => uri.authority().is_none(),
    }
}

/// Exactly one host, whether in the Host field, in the target (absolute-form, `:authority`), or
/// the same in both.
fn host(uri: &Uri, headers: &HeaderMap, version: Version) -> Result<HeaderValue, BadTarget> {
    let mut fields = headers.get_all(HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(BadTarget::TwoHosts);
    }
    let host = match (field, uri.authority()) {
        (Some(field), Some(authority)) => {
            if !field.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()) {
                return Err(BadTarget::HostMismatch);
            }
            field.clone()
        }
        (Some(field), None) => field.clone(),
        // RFC 9113 §8.3.1: HTTP/2 has `:authority` in place of Host.
        (None, Some(authority)) if version == Version::HTTP_2 => {
            HeaderValue::from_str(authority.as_str()).map_err(|_| BadTarget::Host)?
        }
        (None, _) => return Err(BadTarget::NoHost),
    };
    if is_host(host.as_bytes()) { Ok(host) } else { Err(BadTarget::Host) }
}

/// `uri-host [ ":" port ]`: a name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(text: &[u8]) -> bool {
    let (name_is_good, rest) = match text.strip_prefix(b"[") {
        Some(inner) => {
            let Some(end) = inner.iter().position(|byte| *byte == b']') else { return false };
            let (address, rest) = inner.split_at(end);
            let good = address.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
            (good && !address.is_empty(), rest.get(1..).unwrap_or_default())
        }
        None => {
            let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            let good = name.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(b));
            (good && !name.is_empty(), rest)
        }
    };
    let port_is_good = match rest.strip_prefix(b":") {
        Some(port) => {
            let number = std::str::from_utf8(port).ok().and_then(|text| text.parse::<u16>().ok());
            number.is_some() && port.iter().all(u8::is_ascii_digit)
        }
        None => rest.is_empty(),
    };
    name_is_good && port_is_good && text.len() <= 261
}

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The byte that two hexadecimal digits stand for.
pub(crate) fn hex_byte(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|v| u8::try_from(v).ok());
    Some((value(high)? << 4) | value(low)?)
}

#[cfg(test)]
mod tests;
