//! The first bytes that a client sends on a connection: waited for with hardly any memory.

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What a client that speaks HTTP/2 without having agreed on it sends first (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// HTTP/1.1, or what only pretends to be.
    Http1(Bytes),
    /// The whole preface of HTTP/2.
    Http2(Bytes),
    /// The client has gone.
    End,
}

/// Reads until it is clear which protocol it is, and no further.
///
/// # Errors
/// The stream's.
pub(super) async fn opening(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Opening> {
    let mut read = [0; PREFACE.len()];
    let mut length = 0;
    loop {
        let Some(room) = read.get_mut(length..).filter(|room| !room.is_empty()) else {
            return Ok(Opening::Http2(Bytes::copy_from_slice(&read)));
        };
        match stream.read(room).await? {
            0 if length == 0 => return Ok(Opening::End),
            // Cut short, it is for whoever reads requests to say what is wrong with it.
            0 => break,
            count => length += count,
        }
        if !PREFACE.starts_with(read.get(..length).unwrap_or_default()) {
            break;
        }
    }
    Ok(Opening::Http1(Bytes::copy_from_slice(read.get(..length).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::{Opening, PREFACE, opening};

    /// Byte by byte; what comes after the opening is not waited for.
    async fn of(text: &'static [u8]) -> Opening {
        let (mut client, mut server) = duplex(1);
        tokio::spawn(async move {
            let _ = client.write_all(text).await;
        });
        opening(&mut server).await.expect("opening")
    }

    #[tokio::test]
    async fn a_protocol_is_known_by_its_first_byte_that_differs() {
        let http1 = |read: &'static [u8]| Opening::Http1(Bytes::from_static(read));
        assert_eq!(of(b"GET / HTTP/1.1").await, http1(b"G"));
        assert_eq!(
            of(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrest").await,
            Opening::Http2(Bytes::from_static(PREFACE))
        );
        assert_eq!(of(b"PRINT / HTTP/1.1").await, http1(b"PRIN"));
        assert_eq!(
            of(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r").await,
            http1(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r")
        );
        assert_eq!(of(b"").await, Opening::End);
    }
}
