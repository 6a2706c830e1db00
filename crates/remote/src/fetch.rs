//! One request to another host: where it may go is checked at the moment of connecting, not before.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tower::Service;
use url::{Host, Url};

use crate::address::Reach;
use crate::tls::{self, BadTrust};

/// How many redirects within a host are followed.
const MAX_REDIRECTS: usize = 3;
const AGENT: &str = concat!("tokenward/", env!("CARGO_PKG_VERSION"));

/// How much of a host is borne.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// How long everything together may take, from name to last byte.
    pub time: Duration,
}

/// Sends requests to hosts that somebody else named.
#[derive(Clone)]
pub struct Fetcher {
    client: Client<HttpsConnector<HttpConnector<Guarded>>, Full<Bytes>>,
    reach: Arc<Reach>,
    limits: Limits,
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its status: 2xx unless the caller sent the request itself.
    pub status: StatusCode,
    /// Its fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why nothing was fetched. It names no address that the name led to.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is not one that is fetched.
    #[error("`{0}` is not an https URL without user and password")]
    Url(String),
    /// The name leads to an address that is not to be reached.
    #[error("`{0}` is at an address that is not to be reached from here")]
    Address(String),
    /// The answer leads to another host.
    #[error("`{0}` answers with a redirect to another host, or with too many")]
    Redirect(String),
    /// The answer is no success.
    #[error("`{url}` answers with status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The answer's status.
        status: StatusCode,
    },
    /// The answer is too long.
    #[error("`{url}` answers with more than {limit} bytes")]
    TooLong {
        /// What was asked for.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// The access token that is to be shown has characters that no field can have.
    #[error("the access token for `{0}` cannot be sent: it has characters that no field has")]
    Token(String),
    /// It took too long.
    #[error("`{0}` did not answer in time")]
    TooSlow(String),
    /// The host cannot be reached, or broke off.
    #[error("`{url}` cannot be fetched: {cause}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// The system's words.
        cause: String,
    },
    /// There is nobody to trust.
    #[error(transparent)]
    Trust(#[from] BadTrust),
}

// === impl Limits ===

/// 256 KiB within ten seconds.
impl Default for Limits {
    fn default() -> Self {
        Self { body: 256 * 1024, time: Duration::from_secs(10) }
    }
}

// === impl Fetcher ===

impl Fetcher {
    /// A fetcher that trusts the system's certificate authorities.
    ///
    /// # Errors
    /// [`FetchError::Trust`] when they cannot be read.
    pub fn new(reach: Reach, limits: Limits) -> Result<Self, FetchError> {
        let tls = tls::trust(None)?;
        Ok(Self::trusting(tls, reach, limits))
    }

    /// A fetcher that trusts whom `tls` trusts.
    pub fn trusting(tls: ClientConfig, reach: Reach, limits: Limits) -> Self {
        let reach = Arc::new(reach);
        let resolver = Guarded { inner: GaiResolver::new(), reach: Arc::clone(&reach) };
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(limits.time));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(4)
            .build(connector);
        Self { client, reach, limits }
    }

    /// The same fetcher with other limits.
    #[must_use]
    pub fn within(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// Gets a document. Redirects are followed within the host.
    ///
    /// # Errors
    /// [`FetchError`]; also for every status but 2xx.
    pub async fn get(&self, url: &Url, accept: &'static str) -> Result<Fetched, FetchError> {
        let late = || FetchError::TooSlow(shown(url));
        tokio::time::timeout(self.limits.time, self.follow(url, accept))
            .await
            .unwrap_or_else(|_| Err(late()))
    }

    /// Gets what is shown to the holder of an access token alone (RFC 6750 §2.1); no redirect is followed.
    ///
    /// # Errors
    /// [`FetchError`]; also for every status but 2xx.
    pub async fn get_as(&self, url: &Url, bearer: &str) -> Result<Fetched, FetchError> {
        let field = HeaderValue::from_str(&format!("Bearer {bearer}"));
        let mut field = field.map_err(|_| FetchError::Token(shown(url)))?;
        field.set_sensitive(true);
        let accept = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, field), (ACCEPT, accept)]);
        let sent = self.exchange(Method::GET, url, headers, Bytes::new());
        let late = || FetchError::TooSlow(shown(url));
        let answer =
            tokio::time::timeout(self.limits.time, sent).await.unwrap_or_else(|_| Err(late()))?;
        match answer.status {
            status if status.is_success() => Ok(answer),
            status => Err(FetchError::Status { url: shown(url), status }),
        }
    }

    /// Sends a form (`application/x-www-form-urlencoded`) and returns the answer, whatever its
    /// status; no redirect is followed.
    ///
    /// # Errors
    /// [`FetchError`] when no whole answer comes.
    pub async fn post_form(
        &self,
        url: &Url,
        form: String,
        headers: HeaderMap,
    ) -> Result<Fetched, FetchError> {
        self.post(url, "application/x-www-form-urlencoded", form, headers).await
    }

    /// Sends JSON likewise.
    ///
    /// # Errors
    /// [`FetchError`] when no whole answer comes.
    pub async fn post_json(
        &self,
        url: &Url,
        json: String,
        headers: HeaderMap,
    ) -> Result<Fetched, FetchError> {
        self.post(url, "application/json", json, headers).await
    }

    /// Sends a body of another media type likewise.
    ///
    /// # Errors
    /// [`FetchError`] when no whole answer comes.
    pub async fn post(
        &self,
        url: &Url,
        kind: &'static str,
        body: String,
        headers: HeaderMap,
    ) -> Result<Fetched, FetchError> {
        let mut headers = headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let sent = self.exchange(Method::POST, url, headers, body.into());
        let late = || FetchError::TooSlow(shown(url));
        tokio::time::timeout(self.limits.time, sent).await.unwrap_or_else(|_| Err(late()))
    }

    async fn follow(&self, url: &Url, accept: &'static str) -> Result<Fetched, FetchError> {
        let mut at = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            let answer = self.exchange(Method::GET, &at, headers, Bytes::new()).await?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            let next = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(next) = next.filter(|_| answer.status.is_redirection()) else {
                return Err(FetchError::Status { url: shown(url), status: answer.status });
            };
            let next = at.join(next).map_err(|_| FetchError::Redirect(shown(url)))?;
            if next.origin() != url.origin() {
                return Err(FetchError::Redirect(shown(url)));
            }
            at = next;
        }
        Err(FetchError::Redirect(shown(url)))
    }

    async fn exchange(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Fetched, FetchError> {
        self.check(url)?;
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(own) = request.headers_mut() {
            *own = headers;
            own.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        }
        let request = request.body(Full::new(body)).map_err(|_| FetchError::Url(shown(url)))?;
        let response =
            self.client.request(request).await.map_err(|error| unreachable(url, &error))?;
        let (head, body) = response.into_parts();
        let body = self.read(url, body).await?;
        Ok(Fetched { status: head.status, headers: head.headers, body })
    }

    async fn read(&self, url: &Url, body: Incoming) -> Result<Bytes, FetchError> {
        let limit = self.limits.body;
        let read = Limited::new(body, limit).collect().await;
        read.map(http_body_util::Collected::to_bytes).map_err(|error| {
            match error.downcast::<http_body_util::LengthLimitError>() {
                Ok(_) => FetchError::TooLong { url: shown(url), limit },
                Err(error) => FetchError::Unreachable { url: shown(url), cause: error.to_string() },
            }
        })
    }

    /// A host that is an address never meets the resolver, so it is looked at here.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Url(shown(url)));
        }
        let address: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(FetchError::Url(shown(url))),
        };
        if address.is_some_and(|address| !self.reach.allows(address)) {
            return Err(FetchError::Address(shown(url)));
        }
        let here = address.is_some_and(|address| address.is_loopback())
            || url.host_str() == Some("localhost");
        match url.scheme() {
            "https" => Ok(()),
            // Nobody listens in between; a name could lead anywhere, an address does not.
            "http" if here => Ok(()),
            _ => Err(FetchError::Url(shown(url))),
        }
    }
}

impl Fetched {
    /// For how long the answer says that it stays good (`Cache-Control: max-age`).
    pub fn max_age(&self) -> Option<Duration> {
        let values = self.headers.get_all(CACHE_CONTROL).iter();
        let mut directives = values.filter_map(|value| value.to_str().ok()).flat_map(|value| {
            value.split(',').map(|directive| directive.trim().to_ascii_lowercase())
        });
        directives.find_map(|directive| {
            let seconds = directive.strip_prefix("max-age=")?.parse().ok()?;
            Some(Duration::from_secs(seconds))
        })
    }
}

/// A URL as it may be logged: without query, which may hold a secret.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.to_string()
}

fn unreachable(url: &Url, error: &(dyn Error + 'static)) -> FetchError {
    let (mut next, mut last) = (Some(error), String::new());
    while let Some(cause) = next {
        if cause.downcast_ref::<io::Error>().is_some_and(is_forbidden) {
            return FetchError::Address(shown(url));
        }
        last = cause.to_string();
        next = cause.source();
    }
    FetchError::Unreachable { url: shown(url), cause: last }
}

/// Looks names up, and gives out only addresses that may be reached: what is checked here is what
/// is connected to, so that a name cannot lead elsewhere a moment later.
#[derive(Clone)]
struct Guarded {
    inner: GaiResolver,
    reach: Arc<Reach>,
}

#[derive(Debug, thiserror::Error)]
#[error("no address of this name is to be reached from here")]
struct Forbidden;

fn is_forbidden(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Forbidden>())
}

impl Service<Name> for Guarded {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (looked_up, reach) = (self.inner.call(name), Arc::clone(&self.reach));
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = looked_up.await?.collect();
            let found = !addresses.is_empty();
            let allowed: Vec<SocketAddr> =
                addresses.into_iter().filter(|address| reach.allows(address.ip())).collect();
            if allowed.is_empty() && found {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, Forbidden));
            }
            Ok(allowed.into_iter())
        })
    }
}
