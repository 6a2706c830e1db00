//! What the gateway says of itself: protected resource metadata (RFC 9728).

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use serde_json::json;
use token::term::Algorithm;
use url::Url;

use crate::present::{Basic, Scheme};
use crate::settings::{Settings, SettingsError};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata as ready bytes, and where it is found.
pub(crate) struct Resource {
    /// For a resource with a path, RFC 9728 §3.1 puts the well-known part before that path.
    path_with_suffix: String,
    document: Bytes,
    bearer: HeaderValue,
    dpop: HeaderValue,
    origin: String,
    basic: bool,
}

// === impl Resource ===

impl Resource {
    /// Of these settings; `scopes` are all that any rule demands.
    ///
    /// # Errors
    /// [`SettingsError::BadResource`] when the identifier is no http or https URL without query
    /// and fragment.
    pub(crate) fn new<'s>(
        settings: &Settings,
        scopes: impl Iterator<Item = &'s str>,
    ) -> Result<Self, SettingsError> {
        let bad = || SettingsError::BadResource(settings.resource.clone());
        let url = Url::parse(&settings.resource).map_err(|_| bad())?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !plain || !matches!(url.scheme(), "http" | "https") {
            return Err(bad());
        }
        let suffix = url.path().trim_end_matches('/');
        let path_with_suffix = format!("{WELL_KNOWN}{suffix}");
        let origin = url.origin().ascii_serialization();
        let metadata = format!("resource_metadata=\"{origin}{path_with_suffix}\"");
        let algorithms: Vec<&str> = Algorithm::ALL.iter().map(|known| known.as_str()).collect();
        let bearer = format!("Bearer {metadata}");
        let dpop = format!("DPoP algs=\"{}\", {metadata}", algorithms.join(" "));
        let mut scopes: Vec<&str> = scopes.collect();
        scopes.sort_unstable();
        scopes.dedup();
        let document = json!({
            "resource": settings.resource,
            "authorization_servers": settings.authorization_servers,
            "scopes_supported": scopes,
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": algorithms,
            "resource_name": url.host_str(),
        });
        Ok(Self {
            path_with_suffix,
            document: Bytes::from(document.to_string()),
            bearer: HeaderValue::from_str(&bearer).map_err(|_| bad())?,
            dpop: HeaderValue::from_str(&dpop).map_err(|_| bad())?,
            origin,
            basic: settings.credentials.basic == Basic::Challenge,
        })
    }

    /// Whether the metadata is at this path.
    pub(crate) fn answers(&self, path: &str) -> bool {
        path.starts_with(WELL_KNOWN) && (path == WELL_KNOWN || path == self.path_with_suffix)
    }

    /// The metadata, JSON.
    pub(crate) fn document(&self) -> &Bytes {
        &self.document
    }

    /// `Bearer resource_metadata="…"` (RFC 9728 §5.1), or `DPoP` with its algorithms (RFC 9449 §7.1).
    pub(crate) fn challenge(&self, scheme: Scheme) -> &HeaderValue {
        match scheme {
            Scheme::Bearer => &self.bearer,
            Scheme::Dpop => &self.dpop,
        }
    }

    /// `Basic` (RFC 7617), where tools are told that a token may be its password.
    pub(crate) fn basic(&self) -> Option<HeaderValue> {
        let challenge = "Basic realm=\"tokenward\", charset=\"UTF-8\"";
        self.basic.then(|| HeaderValue::from_static(challenge))
    }

    /// Scheme, host and port by which clients reach it.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}

/// The answer that has a document of the gateway's own: its metadata (RFC 9728 §3.2), or keys.
pub(crate) fn publish(document: Bytes) -> Response<Bytes> {
    let mut response = Response::new(document);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    // Clients in browsers read it before they have a token.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
