//! Where a server is.

use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use url::Url;

/// The address of a server, and the path that is put before every other.
pub(crate) struct Address {
    origin: Origin,
    /// Whether requests name the server in their target, as HTTP/2 has it.
    absolute: bool,
    host: HeaderValue,
    /// Empty, or `/…` without a slash at its end.
    prefix: String,
}

/// Where connections go: whatever has the same can share them.
#[derive(Clone)]
pub(crate) struct Origin {
    uri: Uri,
    text: Arc<str>,
}

// === impl Origin ===

impl Origin {
    /// `http://host:port/` or `https://host:port/`.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

// === impl Address ===

impl Address {
    /// Reads `http://host:port/prefix`; `None` when it is no such address.
    pub(crate) fn parse(text: &str, http2: bool) -> Option<Self> {
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
        let origin = Uri::builder().scheme(scheme).authority(authority).path_and_query("/");
        let uri = origin.build().ok()?;
        let origin = Origin { text: uri.to_string().into(), uri };
        Some(Self { origin, absolute: http2, host, prefix })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.origin.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// The Host field of requests to it.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// Where it is connected to.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The target of a request for a path and query on it; `None` never happens for a normal path.
    pub(crate) fn uri(&self, target: &PathAndQuery) -> Option<Uri> {
        let target = if self.prefix.is_empty() {
            target.clone()
        } else {
            format!("{}{}", self.prefix, target.as_str()).parse().ok()?
        };
        if !self.absolute {
            return Some(target.into());
        }
        let mut parts = self.origin.uri.clone().into_parts();
        parts.path_and_query = Some(target);
        Uri::from_parts(parts).ok()
    }
}

#[cfg(test)]
mod tests;
