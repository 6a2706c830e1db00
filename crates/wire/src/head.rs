//! Heads of messages: where they end, and what is in them (RFC 9112 §2 to §5).

use std::mem::MaybeUninit;

use bytes::{Buf as _, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};
use httparse::Header;
use memchr::memchr_iter;

use crate::error::BadHead;

/// The longest head that is read, in bytes.
pub const HEAD_BYTES: usize = 64 * 1024;
/// The most fields of a head.
const FIELDS: usize = 128;

/// Looks for the end of a head that comes in parts, at each byte once.
#[derive(Default)]
pub(crate) struct Scan {
    looked: usize,
    /// Where the line begins that is looked at.
    line: usize,
}

/// Whose heads they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// A client's: a line ends in CR LF.
    Strict,
    /// An upstream's, which is believed: LF alone will do.
    Lenient,
}

// === impl Scan ===

impl Scan {
    /// The length of the head that `bytes` begin with, once it is whole.
    ///
    /// # Errors
    /// [`BadHead`] as soon as it cannot become one any more.
    pub(crate) fn end(&mut self, bytes: &[u8], lines: Lines) -> Result<Option<usize>, BadHead> {
        let new = bytes.get(self.looked..).unwrap_or_default();
        for feed in memchr_iter(b'\n', new).map(|at| at + self.looked) {
            match bytes.get(self.line..feed) {
                Some(b"\r") => return within(feed + 1).map(Some),
                Some(b"") if lines == Lines::Lenient => return within(feed + 1).map(Some),
                Some(line) if lines == Lines::Lenient || line.ends_with(b"\r") => {}
                _ => return Err(BadHead::BareLineFeed),
            }
            self.line = feed + 1;
        }
        self.looked = bytes.len();
        within(bytes.len()).map(|_| None)
    }
}

fn within(length: usize) -> Result<usize, BadHead> {
    if length > HEAD_BYTES { Err(BadHead::TooLong) } else { Ok(length) }
}

/// Drops empty lines before a request (RFC 9112 §2.2); whether there were any.
pub(crate) fn skip_empty_lines(bytes: &mut BytesMut) -> bool {
    let before = bytes.len();
    while bytes.starts_with(b"\r\n") {
        bytes.advance(2);
    }
    bytes.len() < before
}

/// Takes a head of this length out of what was read; what is left has no room of its own if there is nothing.
pub(crate) fn take(unread: &mut BytesMut, length: usize) -> Bytes {
    if length >= unread.len() {
        std::mem::take(unread).freeze()
    } else {
        unread.split_to(length).freeze()
    }
}

/// Reads a request's head, which is whole.
///
/// # Errors
/// [`BadHead`].
pub(crate) fn request(head: &Bytes) -> Result<Request<()>, BadHead> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
    let mut read = httparse::Request::new(&mut []);
    let status = read.parse_with_uninit_headers(head, &mut fields).map_err(BadHead::from)?;
    let (Some(method), Some(path), Some(version), true) =
        (read.method, read.path, read.version, status.is_complete())
    else {
        return Err(BadHead::Syntax(httparse::Error::Token));
    };
    if path.contains('#') {
        return Err(BadHead::Fragment);
    }
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(method.as_bytes())
        .map_err(|_| BadHead::Syntax(httparse::Error::Token))?;
    *request.uri_mut() =
        Uri::from_maybe_shared(head.slice_ref(path.as_bytes())).map_err(|_| BadHead::Target)?;
    *request.version_mut() = of_minor(version);
    *request.headers_mut() = map(head, read.headers)?;
    Ok(request)
}

/// Reads an answer's head, which is whole.
///
/// # Errors
/// [`BadHead`].
pub(crate) fn response(head: &Bytes) -> Result<Response<()>, BadHead> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
    let mut read = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let status = parser.parse_response_with_uninit_headers(&mut read, head, &mut fields)?;
    let (Some(code), Some(version), true) = (read.code, read.version, status.is_complete()) else {
        return Err(BadHead::Syntax(httparse::Error::Status));
    };
    let mut response = Response::new(());
    *response.status_mut() =
        StatusCode::from_u16(code).map_err(|_| BadHead::Syntax(httparse::Error::Status))?;
    *response.version_mut() = of_minor(version);
    *response.headers_mut() = map(head, read.headers)?;
    Ok(response)
}

/// Reads a trailer section, which is whole: the fields and the empty line after them.
///
/// # Errors
/// [`BadHead`].
pub(crate) fn trailers(section: &Bytes) -> Result<HeaderMap, BadHead> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    match httparse::parse_headers(section, &mut fields)? {
        httparse::Status::Complete((_, fields)) => map(section, fields),
        httparse::Status::Partial => Err(BadHead::Syntax(httparse::Error::HeaderName)),
    }
}

fn of_minor(minor: u8) -> Version {
    if minor == 0 { Version::HTTP_10 } else { Version::HTTP_11 }
}

/// The fields, whose values stay where they are in the head.
fn map(head: &Bytes, fields: &[Header<'_>]) -> Result<HeaderMap, BadHead> {
    let mut map = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let name = name.map_err(|_| BadHead::Syntax(httparse::Error::HeaderName))?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value));
        let value = value.map_err(|_| BadHead::Syntax(httparse::Error::HeaderValue))?;
        map.append(name, value);
    }
    Ok(map)
}

// === impl BadHead ===

impl From<httparse::Error> for BadHead {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::TooManyHeaders => Self::TooManyFields,
            error => Self::Syntax(error),
        }
    }
}

#[cfg(test)]
mod tests;
