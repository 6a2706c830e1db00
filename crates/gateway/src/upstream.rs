//! The APIs behind the gateway, and the one way to connect to them.

use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use url::Url;

use crate::body::RequestBody;

/// How long a TCP connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept without work: less than the usual minute of servers, so that
/// rarely one is used which the other side is just closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections kept without work for each upstream and thread.
const IDLE_CONNECTIONS: usize = 256;

/// A pool of connections to all upstreams, for one thread.
pub(crate) type UpstreamClient = Client<HttpsConnector<HttpConnector>, RequestBody>;

/// One API behind the gateway.
pub(crate) struct Upstream {
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
    /// Put before every path; empty, or `/…` without a slash at its end.
    prefix: String,
}

// === impl Upstream ===

impl Upstream {
    /// Reads `http://host:port/prefix`; `None` when it is no such address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !plain || url.query().is_some() || url.fragment().is_some() || !url.has_host() {
            return None;
        }
        let scheme = match url.scheme() {
            "http" => Scheme::HTTP,
            "https" => Scheme::HTTPS,
            _ => return None,
        };
        let authority: Authority = url.authority().parse().ok()?;
        let host = HeaderValue::from_str(authority.as_str()).ok()?;
        let prefix = url.path().trim_end_matches('/').to_owned();
        Some(Self { scheme, authority, host, prefix })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The Host field of requests to it.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// The address of a path and query on it; `None` never happens for a normal path.
    pub(crate) fn uri(&self, target: &PathAndQuery) -> Option<Uri> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(if self.prefix.is_empty() {
            target.clone()
        } else {
            format!("{}{}", self.prefix, target.as_str()).parse().ok()?
        });
        Uri::from_parts(parts).ok()
    }
}

/// What TLS to upstreams needs: the system's certificate authorities, read only if an upstream
/// is `https`.
///
/// # Errors
/// The system's words when they cannot be read, or when there is none.
pub(crate) fn tls_config(needed: bool) -> Result<ClientConfig, String> {
    use hyper_rustls::ConfigBuilderExt as _;

    let provider = CryptoProvider::get_default().cloned();
    let provider =
        provider.unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = if needed {
        builder.with_native_roots().map_err(|error| error.to_string())?
    } else {
        builder.with_root_certificates(rustls::RootCertStore::empty())
    };
    Ok(builder.with_no_client_auth())
}

/// A pool of its own for one thread.
pub(crate) fn client(tls: ClientConfig) -> UpstreamClient {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_keepalive(Some(Duration::from_secs(60)));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        // Only a request of which no byte was written is sent again; see the test
        // `a_request_that_arrived_is_not_sent_again`.
        .retry_canceled_requests(true)
        .set_host(false)
        .build(connector)
}

#[cfg(test)]
mod tests;
