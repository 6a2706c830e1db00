//! Where a server is.

use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use url::Url;

/// The address of a server, and the path that is put before every other.
pub(crate) struct Address {
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
    /// Empty, or `/…` without a slash at its end.
    prefix: String,
}

// === impl Address ===

impl Address {
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

#[cfg(test)]
mod tests;
