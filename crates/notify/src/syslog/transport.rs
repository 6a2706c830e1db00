//! How messages travel: UDP (RFC 5426), TCP (RFC 6587) and TLS (RFC 5425).

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio_rustls::TlsConnector;

/// Everything together, from name to last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the receiver gets to end the connection after us.
const FAREWELL: Duration = Duration::from_secs(2);
/// What every receiver should take over IPv4 and IPv6 (RFC 5426 §3.2); longer messages are cut.
const DATAGRAM: usize = 2048;

/// Where messages go, and how.
#[derive(Clone)]
pub struct Transport {
    /// The receiver's name or address.
    host: String,
    port: u16,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Tcp,
    Tls(Arc<ClientConfig>, ServerName<'static>),
    Udp,
}

/// The host is neither a name nor an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a name of a host nor an address")]
pub struct BadHost(String);

// === impl Transport ===

impl Transport {
    /// Datagrams: none knows whether they arrive.
    pub fn udp(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, kind: Kind::Udp }
    }

    /// A connection for each message.
    pub fn tcp(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, kind: Kind::Tcp }
    }

    /// The same with TLS; the receiver's certificate has to be for `host`.
    ///
    /// # Errors
    /// [`BadHost`] when there cannot be one.
    pub fn tls(host: &str, port: u16, trust: ClientConfig) -> Result<Self, BadHost> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| BadHost(host.to_owned()))?;
        Ok(Self { host: host.to_owned(), port, kind: Kind::Tls(Arc::new(trust), name) })
    }

    pub(super) async fn send(&self, line: &str) -> io::Result<()> {
        let late = || io::Error::new(ErrorKind::TimedOut, "it took longer than ten seconds");
        tokio::time::timeout(PATIENCE, self.deliver(line)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn deliver(&self, line: &str) -> io::Result<()> {
        let place = (self.host.as_str(), self.port);
        match &self.kind {
            Kind::Udp => {
                let found = lookup_host(place).await?.next();
                let to = found.ok_or_else(|| io::Error::from(ErrorKind::NotFound))?;
                let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(from).await?;
                socket.connect(to).await?;
                socket.send(&line.as_bytes()[..floor(line, DATAGRAM)]).await.map(drop)
            }
            Kind::Tcp => hand_over(TcpStream::connect(place).await?, line).await,
            Kind::Tls(trust, name) => {
                let connected = TcpStream::connect(place).await?;
                let connector = TlsConnector::from(Arc::clone(trust));
                hand_over(connector.connect(name.clone(), connected).await?, line).await
            }
        }
    }
}

/// `udp://siem.example:514`.
impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Tcp => "tcp",
            Kind::Tls(..) => "tls",
            Kind::Udp => "udp",
        };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{kind}://{open}{}{close}:{}", self.host, self.port)
    }
}

/// Octet counting (RFC 6587 §3.4.1, RFC 5425 §4.3): a message may have line breaks. Syslog acknowledges
/// nothing; that the receiver ends the connection in order after us is the best that can be known.
async fn hand_over(mut stream: impl AsyncRead + AsyncWrite + Unpin, line: &str) -> io::Result<()> {
    stream.write_all(format!("{} {line}", line.len()).as_bytes()).await?;
    stream.shutdown().await?;
    let mut rest = [0; 256];
    let farewell = async {
        while stream.read(&mut rest).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    match tokio::time::timeout(FAREWELL, farewell).await {
        // Some end a TLS connection without saying so; they had the message.
        Ok(Err(error)) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The longest part that ends between two characters.
fn floor(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default()
}
