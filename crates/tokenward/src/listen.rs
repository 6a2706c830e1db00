//! Sockets: bind, TLS, HTTP/1.1 and HTTP/2, drain. It knows no route.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use gateway::turn::Gathered;
use http::{Request, Response};
use hyper::body::Body;
use socket2::{Domain, Protocol, Socket, Type};
use token::client_address::TrustedProxies;
use token::client_certificate::ClientCertificate;
use token::ja4::Ja4;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::{BadHead, Incoming};

pub(crate) mod census;
mod life;
mod opening;
mod overheard;
mod patient;
mod proxied;
mod rewound;
mod serving;
pub(crate) mod tls;

use census::Census;
use overheard::Overheard;
use serving::Serving;
use tls::Acceptor;

const REFUSED: &str = "tokenward_connections_refused_total";
const CUT: &str = "tokenward_connections_cut_total";
/// Whose limit a connection was beyond: that of the listener, or that of its network.
const LIMITS: [&str; 2] = ["all", "network"];
/// A slow client gets this long for its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How patient a listener is.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// For a request's head, and for the first byte of a connection.
    pub(crate) head: Duration,
    /// For the next request.
    pub(crate) idle: Duration,
    /// For the client to read on.
    pub(crate) write: Duration,
    /// How many requests one HTTP/2 connection may have at a time.
    pub(crate) streams: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            idle: Duration::from_mins(1),
            write: Duration::from_secs(30),
            streams: 200,
        }
    }
}

/// On what terms a listener takes connections.
#[derive(Clone, Default)]
pub(crate) struct Terms {
    /// With it they are TLS.
    pub(crate) tls: Option<Arc<Acceptor>>,
    /// Proxies in front, whose connections are those of many clients. Others may come to be meanwhile.
    pub(crate) proxies: Arc<ArcSwap<TrustedProxies>>,
    /// They alone may connect, and say first whose connection it is (PROXY protocol).
    pub(crate) proxy_protocol: bool,
    pub(crate) patience: Patience,
    pub(crate) census: Arc<Census>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
    /// What the client has shown of itself.
    pub(crate) certificate: Option<ClientCertificate>,
    /// What its TLS client is like.
    pub(crate) ja4: Option<Ja4>,
}

/// What is done with each request of a listener.
pub(crate) trait Handler: Clone + Send + Sync + Unpin + 'static {
    /// The answer's body.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static;

    /// Answers one request; every refusal is an answer.
    fn handle(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> BoxFuture<'static, Response<Self::Body>>;

    /// Answers what is no request in HTTP/1.1: what is wrong, and the head if it can be read.
    fn refuse(
        &self,
        bad: BadHead,
        head: Option<Request<()>>,
        connection: &Connection,
    ) -> Response<Self::Body>;
}

/// A bound socket, ready to be served by one thread or several.
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

// === impl Bound ===

impl Bound {
    /// Binds and listens.
    ///
    /// # Errors
    /// The system's error, with address and option in its text.
    pub(crate) fn new(address: SocketAddr) -> io::Result<Self> {
        let bind = || {
            let socket =
                Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
            socket.set_reuse_address(true)?;
            socket.set_nonblocking(true)?;
            socket.bind(&address.into())?;
            socket.listen(4096)?;
            Ok::<TcpListener, io::Error>(socket.into())
        };
        let listener = bind()
            .map_err(|e| io::Error::new(e.kind(), format!("cannot listen on {address}: {e}")))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address with its real port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same socket for another thread: both take connections from it.
    ///
    /// # Errors
    /// The system's error.
    pub(crate) fn share(&self) -> io::Result<Self> {
        Ok(Self { listener: self.listener.try_clone()?, address: self.address })
    }
}

/// Serves until `stop`, then finishes what is in flight for at most `drain`.
///
/// # Errors
/// The system's error when the socket cannot be used.
pub(crate) async fn serve<H: Handler>(
    bound: Bound,
    terms: Terms,
    handler: H,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(bound.listener)?;
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: existing connections go on.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        take(stream, address, &connections, (&terms, &handler, &stop));
    }
    // Whoever has connected already would be reset with the socket.
    let listener = listener.into_std()?;
    while let Ok((stream, address)) = listener.accept() {
        stream.set_nonblocking(true)?;
        let stream = tokio::net::TcpStream::from_std(stream)?;
        take(stream, address, &connections, (&terms, &handler, &stop));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(drain, connections.wait()).await.is_err() {
        tracing::warn!(seconds = drain.as_secs(), "connections were still open and are cut");
    }
    Ok(())
}

/// Serves a connection in a task of its own, if there may be another one.
fn take<H: Handler>(
    stream: tokio::net::TcpStream,
    address: SocketAddr,
    connections: &TaskTracker,
    (terms, handler, stop): (&Terms, &H, &CancellationToken),
) {
    let Some(counted) = terms.census.enter() else { return refused("all") };
    let _ = stream.set_nodelay(true);
    let (terms, handler, stop) = (terms.clone(), handler.clone(), stop.clone());
    connections.spawn(async move {
        let _counted = counted;
        admit(Gathered::new(stream), address, &terms, handler, &stop).await;
    });
}

/// Says what is counted of connections, and begins at zero.
pub(crate) fn describe_metrics() {
    metrics::describe_counter!(REFUSED, "Connections closed at once because there were too many");
    metrics::describe_counter!(
        CUT,
        "Connections closed because their requests were taken back again and again"
    );
    for limit in LIMITS {
        metrics::counter!(REFUSED, "limit" => limit).increment(0);
    }
    metrics::counter!(CUT).increment(0);
}

/// Nothing is said to whoever is not let in: that would cost what the limit is to save.
fn refused(limit: &'static str) {
    metrics::counter!(REFUSED, "limit" => limit).increment(1);
}

/// Finds out whose connection it is, and serves it if it is let in.
async fn admit<H: Handler>(
    mut stream: Gathered,
    peer: SocketAddr,
    terms: &Terms,
    handler: H,
    stop: &CancellationToken,
) {
    let address = if terms.proxy_protocol {
        told(&mut stream, peer, &terms.proxies.load_full()).await
    } else {
        Some(peer)
    };
    let Some(address) = address else { return };
    let of_network = if terms.proxies.load().contain(address.ip()) {
        None
    } else {
        match terms.census.enter_from(address.ip()) {
            Some(counted) => Some(counted),
            None => return refused("network"),
        }
    };
    let patience = terms.patience;
    match &terms.tls {
        None => {
            let peer = Connection { address, tls: false, certificate: None, ja4: None };
            Serving { peer, handler, patience, stop }.serve(stream).await;
        }
        // In places of their own, which connections without TLS do not need, and the handshake's only for it.
        Some(acceptor) => {
            if let Some((stream, peer)) = Box::pin(shaken(stream, address, acceptor)).await {
                Box::pin(Serving { peer, handler, patience, stop }.serve(stream)).await;
            }
        }
    }
    drop(of_network);
}

/// The client's address, as a trusted proxy says it; `None` when the connection is to be closed.
async fn told(
    stream: &mut Gathered,
    peer: SocketAddr,
    proxies: &TrustedProxies,
) -> Option<SocketAddr> {
    if !proxies.contain(peer.ip()) {
        tracing::debug!(%peer, "closed: only `trusted_proxies` may connect to a listener with `proxy_protocol`");
        return None;
    }
    match tokio::time::timeout(proxied::TIMEOUT, proxied::client(stream)).await {
        Ok(Ok(client)) => Some(client.unwrap_or(peer)),
        Ok(Err(error)) => {
            tracing::debug!(%error, %peer, "closed");
            None
        }
        Err(_) => {
            tracing::debug!(%peer, "closed: the PROXY header took too long");
            None
        }
    }
}

/// The stream after the TLS handshake, and what the client has shown of itself.
async fn shaken(
    stream: Gathered,
    address: SocketAddr,
    acceptor: &Acceptor,
) -> Option<(Box<TlsStream<Overheard<Gathered>>>, Connection)> {
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(Overheard::new(stream))).await {
        Ok(Ok(mut stream)) => {
            let ja4 = stream.get_mut().0.take();
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let certificate = shown.map(|der| ClientCertificate::new(der));
            // In a place of its own: each future that passes it on would keep room for it.
            return Some((Box::new(stream), Connection { address, tls: true, certificate, ja4 }));
        }
        Ok(Err(error)) => tracing::debug!(%error, %address, "TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
    }
    None
}
