//! Where a message ends: one reading only, restated for the upstream (RFC 9112 §6).
//!
//! In HTTP/1.1 a head whose framing has two readings is refused before it is a request; this is for HTTP/2, and for
//! what is told by others.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Version};
use wire::BadHead;

/// How the body goes upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// No body; an explicit length of zero stays.
    None,
    /// A length known beforehand.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// Why a message's framing is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFraming {
    /// The length promised is not the body's.
    #[error("Content-Length is not the length of the body")]
    Length,
    /// A transfer coding other than exactly one `chunked`, or one in HTTP/2 (RFC 9113 §8.2.2).
    #[error("the only transfer coding taken is `chunked`, once, in HTTP/1.1")]
    TransferEncoding,
    /// More than one length.
    #[error("there is more than one Content-Length field")]
    TwoLengths,
}

/// Settles how a body goes upstream. `ended` and `exact` are what the HTTP parser knows of it.
///
/// # Errors
/// [`BadFraming`] when the fields could be read in two ways, or promise another body.
pub(crate) fn framing(
    version: Version,
    headers: &HeaderMap,
    ended: bool,
    exact: Option<u64>,
) -> Result<Framing, BadFraming> {
    let chunked = is_chunked(version, headers)?;
    let length = length(headers)?;
    if chunked && length.is_some() {
        return Err(BadFraming::TransferEncoding);
    }
    match (ended, length) {
        (true, None | Some(0)) => Ok(Framing::None),
        (true, Some(_)) => Err(BadFraming::Length),
        (false, Some(length)) if exact == Some(length) => Ok(Framing::Length(length)),
        (false, Some(_)) => Err(BadFraming::Length),
        (false, None) => Ok(Framing::Chunked),
    }
}

impl Framing {
    /// States it in the fields, whatever they said before.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        match self {
            Self::None => {
                headers.remove(TRANSFER_ENCODING);
            }
            Self::Length(length) => {
                headers.remove(TRANSFER_ENCODING);
                headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            // Said explicitly: whether a method has a body is not guessed.
            Self::Chunked => {
                headers.remove(CONTENT_LENGTH);
                headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
        }
    }
}

impl BadFraming {
    /// What a head is refused for, if it is its framing.
    pub(crate) fn of(bad: BadHead) -> Option<Self> {
        match bad {
            BadHead::Length => Some(Self::Length),
            BadHead::TransferEncoding | BadHead::LengthBesideCoding => Some(Self::TransferEncoding),
            _ => None,
        }
    }
}

fn is_chunked(version: Version, headers: &HeaderMap) -> Result<bool, BadFraming> {
    let mut fields = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(field) = fields.next() else { return Ok(false) };
    let plain = field.as_bytes().eq_ignore_ascii_case(b"chunked");
    if !plain || fields.next().is_some() || version != Version::HTTP_11 {
        return Err(BadFraming::TransferEncoding);
    }
    Ok(true)
}

fn length(headers: &HeaderMap) -> Result<Option<u64>, BadFraming> {
    let mut fields = headers.get_all(CONTENT_LENGTH).iter();
    let Some(field) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(BadFraming::TwoLengths);
    }
    let digits = field.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(BadFraming::Length);
    }
    let number = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or(BadFraming::Length)
}

#[cfg(test)]
mod tests;
