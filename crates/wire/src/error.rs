//! What can be wrong with a message, and with a connection.

use std::io;

use http::StatusCode;

use crate::BoxError;

/// Why a head is none that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHead {
    /// A line ends in LF alone, which some take for a line's end and others do not (RFC 9112 §2.2).
    #[error("a line ends without CR")]
    BareLineFeed,
    /// The first line or a field is none.
    #[error("it is no HTTP: {0}")]
    Syntax(httparse::Error),
    /// The target is none.
    #[error("the request target is none")]
    Target,
    /// The target has a fragment, which is never sent (RFC 9110 §7.1).
    #[error("the request target has a fragment (`#`)")]
    Fragment,
    /// It is longer than any that is read.
    #[error("the head is longer than {} bytes", crate::HEAD_BYTES)]
    TooLong,
    /// It has more fields than are read.
    #[error("there are more fields than are read")]
    TooManyFields,
    /// There is a transfer coding other than exactly one `chunked`, or one in HTTP/1.0 (RFC 9112 §6.1).
    #[error("the only transfer coding taken is `chunked`, once, in HTTP/1.1")]
    TransferEncoding,
    /// A length that is no number, or more than one that differ (RFC 9112 §6.3).
    #[error("Content-Length is no length, or is there twice")]
    Length,
    /// A length beside a transfer coding: one of the two is a lie (RFC 9112 §6.1).
    #[error("there is a Content-Length beside a Transfer-Encoding")]
    LengthBesideCoding,
}

/// Why a body is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// A chunk's size is no number, or is not followed by its line's end (RFC 9112 §7.1).
    #[error("a chunk's size is none")]
    ChunkSize,
    /// A chunk is not followed by a line's end.
    #[error("a chunk is longer than it says")]
    ChunkEnd,
    /// Extensions of chunks are longer than anybody needs.
    #[error("chunk extensions are too long")]
    Extensions,
    /// The trailer section is none, or too long.
    #[error("the trailer section is none that is taken")]
    Trailers,
    /// It ends before its end.
    #[error("the body breaks off")]
    BrokenOff,
}

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The other side closed it before a message's head was whole.
    #[error("the connection was closed")]
    Closed,
    /// The other side sends no head.
    #[error("{0}")]
    Head(#[from] BadHead),
    /// The other side sends no body.
    #[error("{0}")]
    Body(#[from] BadBody),
    /// What was to be sent could not be had.
    #[error("the body that was to be sent broke off: {0}")]
    Unsent(#[source] BoxError),
    /// The other side is too slow.
    #[error("a head took too long")]
    Slow,
}

// === impl BadHead ===

impl BadHead {
    /// The status of the answer to a request that has it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLong | Self::TooManyFields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
