//! The PROXY protocol, version 2: a proxy that does not read HTTP says first whose connection it passes on.
//!
//! Exactly the header is read, so that what follows it, TLS or HTTP, is still there. Version 1 is a line of
//! text without a length, and every proxy that speaks it speaks version 2.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Begins every header (PROXY protocol §2.2).
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header that is read; what comes after the addresses, such as the name or certificate that the
/// client has shown, is skipped.
const MOST_BYTES: u16 = 16 * 1024;
/// A proxy sends its header at once.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no header that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadHeader {
    /// It names nobody: a datagram, a local socket, or an unknown family.
    #[error("the PROXY header names no TCP client")]
    Family,
    /// The connection ended in it.
    #[error("the PROXY header breaks off: {0}")]
    Io(#[from] io::Error),
    /// There is none, or one of another version.
    #[error(
        "no PROXY header of version 2 begins the connection: let the proxy send it (`send-proxy-v2`)"
    )]
    Missing,
    /// It is too short for its addresses, or longer than anybody needs.
    #[error("the PROXY header has a length of {0} bytes")]
    Length(u16),
}

/// Reads the header. The client's address; `None` when the proxy speaks for itself (`LOCAL`), as it does to see
/// whether somebody is here.
///
/// # Errors
/// [`BadHeader`]; the connection is then to be closed, since nobody knows whose it is.
pub(super) async fn client(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<SocketAddr>, BadHeader> {
    let mut fixed = [0; 16];
    // Who speaks something else is told so by its first byte, without waiting for sixteen.
    stream.read_exact(&mut fixed[..1]).await?;
    if fixed[0] != SIGNATURE[0] {
        return Err(BadHeader::Missing);
    }
    stream.read_exact(&mut fixed[1..]).await?;
    let (signature, rest) = fixed.split_at(SIGNATURE.len());
    let &[command, family, high, low] = rest else { return Err(BadHeader::Missing) };
    let length = u16::from_be_bytes([high, low]);
    if signature != SIGNATURE {
        return Err(BadHeader::Missing);
    }
    if length > MOST_BYTES {
        return Err(BadHeader::Length(length));
    }
    let mut rest = vec![0; usize::from(length)];
    stream.read_exact(&mut rest).await?;
    match command {
        0x20 => Ok(None),
        0x21 => source(family, &rest).map(Some),
        _ => Err(BadHeader::Missing),
    }
}

/// The source among the addresses.
fn source(family: u8, addresses: &[u8]) -> Result<SocketAddr, BadHeader> {
    let short = || BadHeader::Length(u16::try_from(addresses.len()).unwrap_or(u16::MAX));
    let (ip, port) = match family {
        0x11 => {
            let block = addresses.first_chunk::<12>().ok_or_else(short)?;
            let [a, b, c, d, ..] = *block;
            (IpAddr::V4(Ipv4Addr::new(a, b, c, d)), [block[8], block[9]])
        }
        0x21 => {
            let block = addresses.first_chunk::<36>().ok_or_else(short)?;
            let ip = block.first_chunk::<16>().ok_or_else(short)?;
            (IpAddr::V6(Ipv6Addr::from(*ip)), [block[32], block[33]])
        }
        _ => return Err(BadHeader::Family),
    };
    Ok(SocketAddr::new(ip.to_canonical(), u16::from_be_bytes(port)))
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::{BadHeader, MOST_BYTES, SIGNATURE, client};

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("length").to_be_bytes();
        [&SIGNATURE, &[command, family][..], &length, rest].concat()
    }

    const V4: [u8; 12] = [203, 0, 113, 9, 10, 0, 0, 1, 0x12, 0x67, 0, 80];

    async fn read(bytes: &[u8]) -> (Result<Option<String>, BadHeader>, usize) {
        let mut left = bytes;
        let client = client(&mut left).await;
        (client.map(|client| client.map(|address| address.to_string())), left.len())
    }

    #[tokio::test]
    async fn the_client_is_named_and_nothing_more_is_read() {
        let bytes = [header(0x21, 0x11, &V4), b"GET /".to_vec()].concat();
        let (client, left) = read(&bytes).await;
        assert_eq!((client.expect("good").as_deref(), left), (Some("203.0.113.9:4711"), 5));

        let mut v6 = [0; 36];
        v6[..2].copy_from_slice(&[0x20, 0x01]);
        v6[15] = 9;
        v6[33] = 80;
        let (client, _) = read(&header(0x21, 0x21, &v6)).await;
        assert_eq!(client.expect("good").as_deref(), Some("[2001::9]:80"));

        let with_more = [&V4[..], &[0x02, 0, 3, b'a', b'b', b'c']].concat();
        let (client, left) = read(&header(0x21, 0x11, &with_more)).await;
        assert_eq!((client.expect("good").as_deref(), left), (Some("203.0.113.9:4711"), 0));
    }

    #[tokio::test]
    async fn a_proxy_may_speak_for_itself() {
        for rest in [&[][..], &V4] {
            assert_eq!(read(&header(0x20, 0, rest)).await.0.expect("good"), None);
        }
    }

    #[tokio::test]
    async fn whose_connection_it_is_has_to_be_said() {
        for bytes in [
            b"GET / HTTP/1.1\r\nHost: api.example\r\n\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.9 10.0.0.1 4711 80\r\n".to_vec(),
            header(0x11, 0x11, &V4),
            header(0x22, 0x11, &V4),
            [b"\r\n\r\n\0\r\nQUIX\n".as_slice(), &[0x21, 0x11, 0, 12], &V4].concat(),
        ] {
            assert!(matches!(read(&bytes).await.0, Err(BadHeader::Missing)), "{bytes:?}");
        }
        for family in [0x00, 0x12, 0x22, 0x31, 0x32, 0xff] {
            let bytes = header(0x21, family, &[0; 216]);
            assert!(matches!(read(&bytes).await.0, Err(BadHeader::Family)), "{family}");
        }
        assert!(matches!(read(&header(0x21, 0x11, &V4[..11])).await.0, Err(BadHeader::Length(11))));
        assert!(matches!(read(&header(0x21, 0x21, &V4)).await.0, Err(BadHeader::Length(12))));
        let long = header(0x21, 0x11, &vec![0; usize::from(MOST_BYTES) + 1]);
        assert!(matches!(read(&long).await.0, Err(BadHeader::Length(_))));
        let whole = header(0x21, 0x11, &V4);
        for end in 0..whole.len() {
            let broken = read(&whole[..end]).await.0;
            let cut = |error: &std::io::Error| error.kind() == ErrorKind::UnexpectedEof;
            assert!(matches!(broken, Err(BadHeader::Io(error)) if cut(&error)), "{end}");
        }
    }
}
