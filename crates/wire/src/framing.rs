//! Which body a message has, and how a body is sent (RFC 9112 §6).

use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use http_body::SizeHint;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::chunked::{Chunked, Piece, part};
use crate::error::{BadBody, BadHead, Error};
use crate::io::Io;

/// Reads a body out of what comes on a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoder {
    /// So much is left.
    Length(u64),
    Chunked(Chunked),
    /// It ends with the connection.
    ToEnd,
    /// The connection has ended, and the body with it.
    Ended,
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Going {
    /// There is none.
    Nothing,
    /// So much is left.
    Length(u64),
    Chunked,
    /// It ends with the connection.
    ToEnd,
}

// === impl Decoder ===

impl Decoder {
    /// Nothing is left.
    pub(crate) const OVER: Self = Self::Length(0);

    /// That of a request. What could be read in two ways is refused.
    ///
    /// # Errors
    /// [`BadHead`] names the field.
    pub(crate) fn of_request(version: Version, fields: &HeaderMap) -> Result<Self, BadHead> {
        let length = fields.contains_key(CONTENT_LENGTH);
        if !is_chunked(version, fields)? {
            return if length { only_length(fields, 1).map(Self::Length) } else { Ok(Self::OVER) };
        }
        if length { Err(BadHead::LengthBesideCoding) } else { Ok(Self::Chunked(Chunked::new())) }
    }

    /// That of an answer to a request with this method. Beside `chunked` a length does not count.
    ///
    /// # Errors
    /// [`BadHead`] names the field.
    pub(crate) fn of_response(
        method: &Method,
        status: StatusCode,
        version: Version,
        fields: &HeaderMap,
    ) -> Result<Self, BadHead> {
        let bodiless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
        if bodiless || method == Method::HEAD || status.is_informational() {
            return Ok(Self::OVER);
        }
        if is_chunked(version, fields)? {
            return Ok(Self::Chunked(Chunked::new()));
        }
        if fields.contains_key(CONTENT_LENGTH) {
            return only_length(fields, usize::MAX).map(Self::Length);
        }
        Ok(Self::ToEnd)
    }

    /// Whether all of it has been taken.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunked) => chunked.is_over(),
            Self::ToEnd => false,
            Self::Ended => true,
        }
    }

    /// Takes the next piece out of what was read.
    ///
    /// # Errors
    /// [`BadBody`].
    pub(crate) fn piece(&mut self, unread: &mut BytesMut) -> Result<Piece, BadBody> {
        match self {
            Self::Length(0) | Self::Ended => Ok(Piece::Over(None)),
            Self::Length(_) | Self::ToEnd if unread.is_empty() => Ok(Piece::Unread),
            Self::Length(left) => {
                let data = part(unread, *left);
                *left -= data.len() as u64;
                Ok(Piece::Data(data))
            }
            Self::ToEnd => Ok(Piece::Data(part(unread, u64::MAX))),
            Self::Chunked(chunked) => chunked.piece(unread),
        }
    }

    /// The next piece of what comes on a connection; never [`Piece::Unread`].
    ///
    /// # Errors
    /// The connection's, or [`BadBody`].
    pub(crate) fn poll_piece<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut Io<S>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Piece, Error>> {
        loop {
            match self.piece(&mut io.unread)? {
                Piece::Unread => {}
                piece => return Poll::Ready(Ok(piece)),
            }
            if ready!(io.poll_fill(cx))? == 0 {
                self.end()?;
            }
        }
    }

    /// The connection has ended.
    ///
    /// # Errors
    /// [`BadBody::BrokenOff`] when that is not the end of the body.
    pub(crate) fn end(&mut self) -> Result<(), BadBody> {
        if *self == Self::ToEnd {
            *self = Self::Ended;
        }
        if self.is_over() { Ok(()) } else { Err(BadBody::BrokenOff) }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Length(left) => SizeHint::with_exact(*left),
            _ if self.is_over() => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

/// Whether the body comes in chunks.
fn is_chunked(version: Version, fields: &HeaderMap) -> Result<bool, BadHead> {
    let mut codings = fields.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(false) };
    let plain = coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if !plain || codings.next().is_some() || version != Version::HTTP_11 {
        return Err(BadHead::TransferEncoding);
    }
    Ok(true)
}

/// The length that all of at most so many fields agree on.
fn only_length(fields: &HeaderMap, most: usize) -> Result<u64, BadHead> {
    let mut lengths = fields.get_all(CONTENT_LENGTH).iter().take(most.saturating_add(1));
    let first = lengths.next().and_then(length).ok_or(BadHead::Length)?;
    let mut count = 1;
    for other in lengths {
        count += 1;
        if count > most || length(other) != Some(first) {
            return Err(BadHead::Length);
        }
    }
    Ok(first)
}

/// The length that a field tells.
pub(crate) fn length(field: &HeaderValue) -> Option<u64> {
    let digits = field.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether the connection goes on after a message, as far as its sender is concerned (RFC 9112 §9.3).
pub(crate) fn keeps(version: Version, fields: &HeaderMap) -> bool {
    let mut keeps = version == Version::HTTP_11;
    for field in fields.get_all(CONNECTION) {
        for option in field.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"close") {
                return false;
            }
            keeps |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }
    keeps
}

#[cfg(test)]
mod tests;
