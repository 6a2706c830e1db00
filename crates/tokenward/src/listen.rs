//! Sockets: bind, TLS, HTTP/1.1 and HTTP/2, drain. It knows no route.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{Domain, Protocol, Socket, Type};
use token::client_address::TrustedProxies;
use token::client_certificate::ClientCertificate;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

mod proxied;
pub(crate) mod tls;

use tls::Acceptor;

/// A slow client gets this long for its request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// And this long for its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// On what terms a listener takes connections.
#[derive(Clone, Default)]
pub(crate) struct Terms {
    /// With it they are TLS.
    pub(crate) tls: Option<Arc<Acceptor>>,
    /// With them, they alone may connect, and say first whose connection it is (PROXY protocol).
    pub(crate) proxies: Option<Arc<TrustedProxies>>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
    /// What the client has shown of itself.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// What is done with each request of a listener.
pub(crate) trait Handler: Clone + Send + Sync + 'static {
    /// The answer's body.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send;

    /// Answers one request; every refusal is an answer.
    fn handle(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> impl Future<Output = Response<Self::Body>> + Send;
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
    let graceful = Arc::new(GracefulShutdown::new());
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
        let _ = stream.set_nodelay(true);
        let (terms, handler, watcher) = (terms.clone(), handler.clone(), graceful.watcher());
        tokio::spawn(async move {
            let mut stream = stream;
            let address = match &terms.proxies {
                Some(proxies) => told(&mut stream, address, proxies).await,
                None => Some(address),
            };
            let Some(address) = address else { return };
            match &terms.tls {
                None => {
                    let peer = Connection { address, tls: false, certificate: None };
                    connection(stream, peer, handler, watcher).await
                }
                Some(acceptor) => secured(stream, address, acceptor, handler, watcher).await,
            }
        });
    }
    drop(listener);
    let Some(graceful) = Arc::into_inner(graceful) else { return Ok(()) };
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(seconds = drain.as_secs(), "connections were still open and are cut");
    }
    Ok(())
}

/// The client's address, as a trusted proxy says it; `None` when the connection is to be closed.
async fn told(
    stream: &mut TcpStream,
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

async fn secured<H: Handler>(
    stream: TcpStream,
    address: SocketAddr,
    acceptor: &Acceptor,
    handler: H,
    watcher: hyper_util::server::graceful::Watcher,
) {
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let certificate = shown.map(|der| ClientCertificate::new(der));
            connection(stream, Connection { address, tls: true, certificate }, handler, watcher)
                .await
        }
        Ok(Err(error)) => tracing::debug!(%error, %address, "TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
    }
}

async fn connection<H: Handler>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Connection,
    handler: H,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let address = peer.address;
    let service = hyper::service::service_fn(move |request| {
        let (handler, peer) = (handler.clone(), peer.clone());
        async move { Ok::<_, Infallible>(handler.handle(request, peer).await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(200)
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(Duration::from_secs(30));
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(serving.into_owned()).await {
        tracing::debug!(error = %error, %address, "connection ended early");
    }
}
