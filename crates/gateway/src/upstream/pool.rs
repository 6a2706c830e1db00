//! The one way to connect to servers: by TCP or TLS, in HTTP/1.1 or HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper_rustls::{ConfigBuilderExt as _, FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};
use wire::OnInterim;

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

/// A pool of connections to the servers of one upstream, for one thread; all copies share them.
#[derive(Clone)]
pub(crate) enum UpstreamClient {
    Http1(Http1),
    Http2(Http2),
}

/// How the connections of one upstream are made.
pub(crate) struct Pool {
    /// What it was told.
    of_rule: Option<UpstreamTls>,
    tls: ClientConfig,
    connect_timeout: Duration,
    http2: bool,
}

// === impl Pool ===

impl Pool {
    /// `shared` is the TLS of all that have none of their own.
    ///
    /// # Errors
    /// Words for what is wrong with the TLS of the rule.
    pub(crate) fn new(rule: &UpstreamRule, shared: &ClientConfig) -> Result<Self, String> {
        Ok(Self {
            of_rule: rule.tls.clone(),
            tls: rule.tls.as_ref().map_or_else(|| Ok(shared.clone()), own_tls)?,
            connect_timeout: rule.connect_timeout,
            http2: rule.http2,
        })
    }

    /// Whether connections are still made as they are here.
    pub(crate) fn is_for(&self, rule: &UpstreamRule) -> bool {
        self.of_rule == rule.tls
            && self.connect_timeout == rule.connect_timeout
            && self.http2 == rule.http2
    }

    /// For tests: other certificate authorities than the system's.
    #[cfg(test)]
    pub(crate) fn trusting(&self, tls: &ClientConfig) -> Self {
        let Self { of_rule, connect_timeout, http2, .. } = self;
        let (of_rule, tls) = (of_rule.clone(), tls.clone());
        Self { of_rule, tls, connect_timeout: *connect_timeout, http2: *http2 }
    }

    /// Connections for one thread.
    pub(crate) fn client(&self) -> UpstreamClient {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(self.connect_timeout));
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        let tls = self.tls.clone();
        let mut connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        if let Some(name) = self.of_rule.as_ref().and_then(|tls| tls.server_name.as_ref()) {
            connector =
                connector.with_server_name_resolver(FixedServerNameResolver::new(name.clone()));
        }
        if self.http2 {
            let connector =
                Connector::new(connector.enable_http2().wrap_connector(Connector::tcp(tcp)));
            UpstreamClient::Http2(Http2::new(connector, IDLE_TIMEOUT))
        } else {
            let connector =
                Connector::new(connector.enable_http1().wrap_connector(Connector::tcp(tcp)));
            UpstreamClient::Http1(Http1::new(connector, IDLE_TIMEOUT))
        }
    }
}

// === impl UpstreamClient ===

impl UpstreamClient {
    /// Sends a request to a server and waits for the head of its answer; `on_interim` hears of those before it, as
    /// far as the server speaks HTTP/1.1. Only a request of which no byte was
    /// written is sent again, on another connection.
    ///
    /// # Errors
    /// [`ClientError`].
    pub(crate) fn request<'c>(
        &'c self,
        server: &'c Server,
        request: Request<Lent>,
        on_interim: OnInterim<'c>,
    ) -> BoxFuture<'c, Result<Response<Received>, ClientError>> {
        // Boxed, since what handles a request is moved often, and this would be half of it.
        match self {
            Self::Http1(client) => Box::pin(client.request(server, request, on_interim)),
            // hyper has none of them for whoever asks.
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
