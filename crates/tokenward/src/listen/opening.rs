//! The first bytes that a client sends on a connection, or after a rest: waited for with hardly any memory.

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

/// Reads the first bytes of the next request on a connection in HTTP/1.1; none when the client has gone.
///
/// # Errors
/// The stream's.
pub(super) async fn next(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
    let mut read = [0; PREFACE.len()];
    let length = stream.read(&mut read).await?;
    Ok(Bytes::copy_from_slice(read.get(..length).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::{Opening, PREFACE, next, opening};
    use crate::listen::rewound::Rewound;

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

    #[tokio::test]
    async fn what_was_read_is_read_again_before_the_rest() {
        let (mut client, mut server) = duplex(64);
        client.write_all(b"GET /a HTTP/1.1 and more than was asked for").await.expect("write");
        drop(client);
        let first = next(&mut server).await.expect("bytes");
        assert_eq!(first.len(), PREFACE.len());
        let (mut again, mut stream) = (Vec::new(), Rewound::new(first, server));
        let byte = stream.read_u8().await.expect("byte");
        again.push(byte);
        stream.read_to_end(&mut again).await.expect("rest");
        assert_eq!(again, b"GET /a HTTP/1.1 and more than was asked for");
        assert!(stream.into_parts().0.is_empty());
    }
}
