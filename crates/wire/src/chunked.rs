//! The chunked transfer coding, read (RFC 9112 §7.1).

use bytes::{Buf as _, Bytes, BytesMut};
use http::HeaderMap;
use memchr::memchr;

use crate::error::BadBody;
use crate::head;

/// The longest line with a chunk's size.
const LINE: usize = 4 * 1024;
/// The most bytes of extensions in one body.
const EXTENSIONS: usize = 16 * 1024;
/// The longest trailer section.
const TRAILERS: usize = 16 * 1024;
/// No chunk is as long: 60 bits.
const DIGITS: usize = 15;

/// Where in a body in chunks the reader is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunked {
    state: State,
    extensions: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Before a chunk's size.
    Size,
    /// Within a chunk, of which so much is left.
    Data(u64),
    /// Before the line's end after a chunk.
    End,
    /// After the last chunk.
    Trailers,
    Over,
}

/// What comes next of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Data(Bytes),
    /// There is no more, but perhaps trailers.
    Over(Option<HeaderMap>),
    /// More has to be read first.
    Unread,
}

// === impl Chunked ===

impl Chunked {
    pub(crate) fn new() -> Self {
        Self { state: State::Size, extensions: 0 }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Takes the next piece out of what was read.
    ///
    /// # Errors
    /// [`BadBody`].
    pub(crate) fn piece(&mut self, unread: &mut BytesMut) -> Result<Piece, BadBody> {
        loop {
            match &mut self.state {
                State::Size => match self.size(unread)? {
                    None => return Ok(Piece::Unread),
                    Some(0) => self.state = State::Trailers,
                    Some(size) => self.state = State::Data(size),
                },
                State::Data(left) => {
                    if unread.is_empty() {
                        return Ok(Piece::Unread);
                    }
                    let data = part(unread, *left);
                    *left -= data.len() as u64;
                    if *left == 0 {
                        self.state = State::End;
                    }
                    return Ok(Piece::Data(data));
                }
                State::End => {
                    if !b"\r\n".starts_with(unread.get(..2).unwrap_or(unread)) {
                        return Err(BadBody::ChunkEnd);
                    }
                    if unread.len() < 2 {
                        return Ok(Piece::Unread);
                    }
                    unread.advance(2);
                    self.state = State::Size;
                }
                State::Trailers => return self.trailers(unread),
                State::Over => return Ok(Piece::Over(None)),
            }
        }
    }

    /// The size of the next chunk, and its line taken out, when that is whole.
    fn size(&mut self, unread: &mut BytesMut) -> Result<Option<u64>, BadBody> {
        let Some(feed) = memchr(b'\n', unread) else {
            return if unread.len() > LINE { Err(BadBody::Extensions) } else { Ok(None) };
        };
        let line = unread.get(..feed).and_then(|line| line.strip_suffix(b"\r"));
        let line = line.filter(|line| !line.contains(&b'\r')).ok_or(BadBody::ChunkSize)?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (number, extension) = line.split_at(digits);
        let zeros = number.iter().take_while(|digit| **digit == b'0').count();
        if digits == 0 || digits - zeros > DIGITS || digits > 2 * DIGITS {
            return Err(BadBody::ChunkSize);
        }
        let extension = extension.trim_ascii_start();
        if !extension.is_empty() && !extension.starts_with(b";") {
            return Err(BadBody::ChunkSize);
        }
        self.extensions += extension.len();
        if self.extensions > EXTENSIONS || feed > LINE {
            return Err(BadBody::Extensions);
        }
        let digit = |byte: &u8| u64::from((*byte as char).to_digit(16).unwrap_or_default());
        let size = number.iter().fold(0, |size, byte| size << 4 | digit(byte));
        unread.advance(feed + 1);
        Ok(Some(size))
    }

    fn trailers(&mut self, unread: &mut BytesMut) -> Result<Piece, BadBody> {
        let mut line = 0;
        loop {
            let rest = unread.get(line..).unwrap_or_default();
            let Some(feed) = memchr(b'\n', rest) else {
                let long = unread.len() > TRAILERS;
                return if long { Err(BadBody::Trailers) } else { Ok(Piece::Unread) };
            };
            match rest.get(..feed) {
                Some(b"\r") => break,
                Some(text) if text.ends_with(b"\r") => line += feed + 1,
                _ => return Err(BadBody::Trailers),
            }
        }
        if line > TRAILERS {
            return Err(BadBody::Trailers);
        }
        let section = unread.split_to(line + 2).freeze();
        let fields = head::trailers(&section).map_err(|_| BadBody::Trailers)?;
        self.state = State::Over;
        Ok(Piece::Over(Some(fields).filter(|fields| !fields.is_empty())))
    }
}

/// At most so much of what was read.
pub(crate) fn part(unread: &mut BytesMut, most: u64) -> Bytes {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    head::take(unread, most)
}

#[cfg(test)]
mod tests;
