//! The one way to connect to servers: by TCP or TLS, in HTTP/1.1 or HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper_rustls::{ConfigBuilderExt as _, FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};

use crate::upstream::connect::{ClientError, Connector};
use crate::upstream::http1::Http1;
use crate::upstream::http2::Http2;
use crate::upstream::lent::Lent;
use crate::upstream::received::Received;
use crate::upstream::rule::{UpstreamRule, UpstreamTls};
use crate::upstream::server::Server;

/// How long a connection is kept without work: less than the usual minute of servers, so that
/// rarely one is used which the other side is just closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A pool of connections to the servers of one upstream, for one thread.
pub(crate) enum UpstreamClient {
    Http1(Http1),
    Http2(Http2),
}

/// How the connections of one upstream are made.
#[derive(Clone)]
pub(crate) struct Pool {
    /// Where it is not that of all.
    tls: Option<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    connect_timeout: Duration,
    http2: bool,
    servers: usize,
}

// === impl Pool ===

impl Pool {
    /// # Errors
    /// Words for what is wrong with the TLS of the rule.
    pub(crate) fn new(rule: &UpstreamRule) -> Result<Self, String> {
        Ok(Self {
            tls: rule.tls.as_ref().map(own_tls).transpose()?,
            server_name: rule.tls.as_ref().and_then(|tls| tls.server_name.clone()),
            connect_timeout: rule.connect_timeout,
            http2: rule.http2,
            servers: rule.servers.len(),
        })
    }

    /// Connections for one thread; `tls` is that of all.
    pub(crate) fn client(&self, tls: &ClientConfig) -> UpstreamClient {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(self.connect_timeout));
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        let tls = self.tls.as_ref().unwrap_or(tls).clone();
        let mut connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        if let Some(name) = &self.server_name {
            connector =
                connector.with_server_name_resolver(FixedServerNameResolver::new(name.clone()));
        }
        if self.http2 {
            let connector = Connector::new(connector.enable_http2().wrap_connector(tcp));
            UpstreamClient::Http2(Http2::new(connector, self.servers, IDLE_TIMEOUT))
        } else {
            let connector = Connector::new(connector.enable_http1().wrap_connector(tcp));
            UpstreamClient::Http1(Http1::new(connector, self.servers, IDLE_TIMEOUT))
        }
    }
}

// === impl UpstreamClient ===

impl UpstreamClient {
    /// Sends a request to a server and waits for the head of its answer. Only a request of which no byte was
    /// written is sent again, on another connection.
    ///
    /// # Errors
    /// [`ClientError`].
    pub(crate) fn request<'c>(
        &'c self,
        server: &'c Server,
        request: Request<Lent>,
    ) -> BoxFuture<'c, Result<Response<Received>, ClientError>> {
        // Boxed, since what handles a request is moved often, and this would be half of it.
        match self {
            Self::Http1(client) => Box::pin(client.request(server, request)),
            Self::Http2(client) => Box::pin(client.request(server, request)),
        }
    }
}

/// The TLS of all upstreams that have none of their own: the system's certificate authorities, read only
/// if one of those is `https`.
///
/// # Errors
/// The system's words when they cannot be read, or when there is none.
pub(crate) fn shared_tls(needed: bool) -> Result<ClientConfig, String> {
    if needed {
        return own_tls(&UpstreamTls::default());
    }
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn own_tls(tls: &UpstreamTls) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let builder = match &tls.authorities {
        None => builder.with_native_roots().map_err(|error| {
            format!("the system's certificate authorities are unusable: {error}")
        })?,
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in authorities {
                let added = roots.add(authority.clone());
                added.map_err(|error| format!("a certificate authority is unusable: {error}"))?;
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(match &tls.certificate {
        None => builder.with_no_client_auth(),
        Some(own) => {
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(own))))
        }
    })
}

fn provider() -> Arc<CryptoProvider> {
    let provider = CryptoProvider::get_default().cloned();
    provider.unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}
