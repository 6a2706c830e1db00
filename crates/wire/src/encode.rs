//! Messages as they are written (RFC 9112 §2 to §7).

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, Version, request, response};

use crate::date;
use crate::framing::Going;
use crate::io::GATHER;

/// Leaves in a body's place what ends it too early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongLength;

/// Writes an answer's head. Fields that say where the message or the connection ends are made here, except where
/// there is no body: what its length would be is told as it was said.
pub(crate) fn response(
    out: &mut Vec<u8>,
    head: &response::Parts,
    version: Version,
    going: Going,
    keep: bool,
) {
    let line = if version == Version::HTTP_10 { b"HTTP/1.0 " } else { b"HTTP/1.1 " };
    out.extend_from_slice(line);
    out.extend_from_slice(head.status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(head.status.canonical_reason().unwrap_or("Unknown").as_bytes());
    out.extend_from_slice(b"\r\n");
    let switches = head.status == StatusCode::SWITCHING_PROTOCOLS;
    let silent = going == Going::Nothing && head.status != StatusCode::NO_CONTENT;
    fields(out, &head.headers, |name| {
        (name != CONNECTION || switches)
            && (name != CONTENT_LENGTH || (silent && !switches))
            && name != TRANSFER_ENCODING
    });
    framing(out, going);
    if !switches {
        if !keep && version != Version::HTTP_10 {
            out.extend_from_slice(b"connection: close\r\n");
        } else if keep && version == Version::HTTP_10 {
            out.extend_from_slice(b"connection: keep-alive\r\n");
        }
        if !head.headers.contains_key(DATE) {
            out.extend_from_slice(b"date: ");
            date::write(out);
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a head that comes before the answer's (RFC 9110 §15.2): it has no body, and ends nothing.
pub(crate) fn interim(out: &mut Vec<u8>, head: &response::Parts) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(head.status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(head.status.canonical_reason().unwrap_or("Unknown").as_bytes());
    out.extend_from_slice(b"\r\n");
    fields(out, &head.headers, |name| {
        ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name)
    });
    out.extend_from_slice(b"\r\n");
}

/// Writes a request's head, with its fields as they are.
pub(crate) fn request(out: &mut Vec<u8>, head: &request::Parts, going: Going) {
    out.extend_from_slice(head.method.as_str().as_bytes());
    out.push(b' ');
    target(out, &head.method, &head.uri);
    out.extend_from_slice(b" HTTP/1.1\r\n");
    fields(out, &head.headers, |name| {
        name != TRANSFER_ENCODING && (name != CONTENT_LENGTH || going == Going::Nothing)
    });
    framing(out, going);
    out.extend_from_slice(b"\r\n");
}

fn target(out: &mut Vec<u8>, method: &Method, uri: &Uri) {
    let path = uri.path_and_query().map_or("/", |target| target.as_str());
    if method == Method::OPTIONS && path == "*" {
        return out.push(b'*');
    }
    if !path.starts_with('/') {
        out.push(b'/');
    }
    out.extend_from_slice(path.as_bytes());
}

fn fields(out: &mut Vec<u8>, fields: &HeaderMap, wanted: impl Fn(&HeaderName) -> bool) {
    for (name, value) in fields {
        if wanted(name) {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn framing(out: &mut Vec<u8>, going: Going) {
    match going {
        Going::Length(length) => {
            out.extend_from_slice(b"content-length: ");
            number(out, length, 10);
            out.extend_from_slice(b"\r\n");
        }
        Going::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Going::Nothing | Going::ToEnd => {}
    }
}

fn number(out: &mut Vec<u8>, mut number: u64, base: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    for place in digits.iter_mut().rev() {
        *place = b"0123456789abcdef".get((number % base) as usize).copied().unwrap_or_default();
        at -= 1;
        number /= base;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

// === impl Going ===

impl Going {
    /// Writes a part of the body. A long one is not copied: it is to be sent after what is written, and before what
    /// is returned.
    ///
    /// # Errors
    /// [`WrongLength`] for more than was promised.
    pub(crate) fn part(
        &mut self,
        out: &mut Vec<u8>,
        data: Bytes,
    ) -> Result<Option<(Bytes, &'static [u8])>, WrongLength> {
        let mut after: &[u8] = b"";
        match self {
            Self::Nothing => return Ok(None),
            Self::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(WrongLength)?;
            }
            // An empty chunk would be the last.
            Self::Chunked if data.is_empty() => return Ok(None),
            Self::Chunked => {
                number(out, data.len() as u64, 16);
                out.extend_from_slice(b"\r\n");
                after = b"\r\n";
            }
            Self::ToEnd => {}
        }
        if data.len() >= GATHER {
            return Ok(Some((data, after)));
        }
        out.extend_from_slice(&data);
        out.extend_from_slice(after);
        Ok(None)
    }

    /// Writes what ends the body, with trailers where there is a place for them.
    ///
    /// # Errors
    /// [`WrongLength`] for less than was promised.
    pub(crate) fn end(
        &mut self,
        out: &mut Vec<u8>,
        trailers: Option<&HeaderMap>,
    ) -> Result<(), WrongLength> {
        match self {
            Self::Length(0) | Self::Nothing | Self::ToEnd => Ok(()),
            Self::Length(_) => Err(WrongLength),
            Self::Chunked => {
                out.extend_from_slice(b"0\r\n");
                if let Some(trailers) = trailers {
                    fields(out, trailers, |name| {
                        ![CONTENT_LENGTH, TRANSFER_ENCODING].contains(name)
                    });
                }
                out.extend_from_slice(b"\r\n");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
