//! The one way to connect to servers: by TCP or TLS, in HTTP/1.1 or HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{
    ConfigBuilderExt as _, FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder,
};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};

use crate::upstream::lent::Lent;
use crate::upstream::rule::{UpstreamRule, UpstreamTls};

/// How long a connection is kept without work: less than the usual minute of servers, so that
/// rarely one is used which the other side is just closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections kept without work for each server and thread.
const IDLE_CONNECTIONS: usize = 256;
/// How often an HTTP/2 connection in use is asked whether it lives. All requests of a thread share it, so
/// that a server that is gone without a word would hold them all.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long it may take to say so.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// A pool of connections to the servers of one upstream, for one thread.
pub(crate) type UpstreamClient = Client<HttpsConnector<HttpConnector>, Lent>;

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
        let connector = if self.http2 {
            connector.enable_http2().wrap_connector(tcp)
        } else {
            connector.enable_http1().wrap_connector(tcp)
        };
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            // Only a request of which no byte was written is sent again; see the test
            // `a_request_that_arrived_is_not_sent_again`.
            .retry_canceled_requests(true)
            .set_host(false)
            .http2_only(self.http2)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .build(connector)
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
