//! From an address to a stream, by TCP or TLS, and why a request got no answer from there.

use std::error::Error;
use std::io;
use std::sync::Arc;

use hyper::service::Service as _;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tower::ServiceExt as _;
use tower::util::MapResponse;

use crate::turn::Gathered;
use crate::upstream::address::Origin;

/// An open stream to a server.
pub(crate) type Stream = MaybeHttpsStream<TokioIo<Gathered>>;

/// Opens streams.
pub(crate) struct Connector(TowerToHyperService<HttpsConnector<Tcp>>);

/// Opens streams by TCP.
pub(crate) type Tcp = MapResponse<HttpConnector, fn(TokioIo<TcpStream>) -> TokioIo<Gathered>>;

/// Why there is no answer. Cloned for all who waited for the same connection.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// No connection came about.
    #[error("no connection came about")]
    Connect(#[source] Arc<dyn Error + Send + Sync>),
    /// It broke before the answer, or the answer is none.
    #[error("the connection brought no answer")]
    Exchange(#[source] Arc<dyn Error + Send + Sync>),
}

// === impl Connector ===

impl Connector {
    pub(crate) fn new(connector: HttpsConnector<Tcp>) -> Self {
        Self(TowerToHyperService::new(connector))
    }

    /// What opens the streams by TCP, to those without TLS as well.
    pub(crate) fn tcp(connector: HttpConnector) -> Tcp {
        connector.map_response(|stream| TokioIo::new(Gathered::new(stream.into_inner())))
    }

    /// For tests: without certificate authorities.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        let tls = crate::upstream::pool::shared_tls(false).expect("TLS");
        let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls);
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        Self::new(builder.https_or_http().enable_http1().wrap_connector(Self::tcp(tcp)))
    }

    /// A stream to there.
    ///
    /// # Errors
    /// [`ClientError::Connect`].
    pub(crate) async fn connect(&self, origin: &Origin) -> Result<Stream, ClientError> {
        self.0.call(origin.uri().clone()).await.map_err(|error| ClientError::Connect(error.into()))
    }
}

// === impl ClientError ===

impl ClientError {
    /// Whether nothing can have been sent.
    pub(crate) fn is_connect(&self) -> bool {
        matches!(self, Self::Connect(_))
    }

    /// Whether the connection did not come about in time.
    pub(crate) fn is_connect_timeout(&self) -> bool {
        let mut source = self.source().filter(|_| self.is_connect());
        while let Some(cause) = source {
            let io = cause.downcast_ref::<io::Error>();
            if io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) {
                return true;
            }
            source = cause.source();
        }
        false
    }
}

impl From<hyper::Error> for ClientError {
    fn from(error: hyper::Error) -> Self {
        Self::Exchange(Arc::new(error))
    }
}

impl From<wire::Error> for ClientError {
    fn from(error: wire::Error) -> Self {
        Self::Exchange(Arc::new(error))
    }
}
