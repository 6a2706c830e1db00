//! Fields by which browsers do less with an answer (OWASP REST Security Cheat Sheet, OWASP Secure Headers).
//!
//! None takes the place of what the API says: it may know better.

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, EXPIRES, HOST,
    HeaderName, REFERRER_POLICY, SERVER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

/// A year. Not for the names below the host: they may be somebody else's.
const STRICT: HeaderValue = HeaderValue::from_static("max-age=31536000");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// An answer of the gateway itself is no page, whatever takes it for one.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
/// What tells an attacker which software the API has.
const SOFTWARE: [HeaderName; 4] = [
    SERVER,
    HeaderName::from_static("x-aspnet-version"),
    HeaderName::from_static("x-aspnetmvc-version"),
    HeaderName::from_static("x-powered-by"),
];

/// What of a request decides about these fields.
#[derive(Clone, Copy)]
pub(crate) struct Asker {
    /// It came by TLS, to a name that is not of this machine alone.
    strict: bool,
    /// It had a credential, or a cookie that may be one.
    credential: bool,
}

// === impl Asker ===

impl Asker {
    /// `key_field` is where API keys come.
    pub(crate) fn of(head: &Parts, https: bool, key_field: Option<&HeaderName>) -> Self {
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| head.uri.authority().map(|authority| authority.as_str()));
        let credential =
            head.headers.contains_key(AUTHORIZATION) || head.headers.contains_key(COOKIE);
        let credential = credential || key_field.is_some_and(|key| head.headers.contains_key(key));
        Self { strict: https && !host.is_none_or(is_local), credential }
    }

    /// Adds what is not there yet.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let own = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
        let said = headers.contains_key(CACHE_CONTROL) || headers.contains_key(EXPIRES);
        headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(NOSNIFF);
        if self.strict {
            headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(STRICT);
        }
        if self.credential && !said {
            headers.insert(CACHE_CONTROL, NO_STORE);
        }
        if own {
            headers.entry(CONTENT_SECURITY_POLICY).or_insert(NO_PAGE);
            headers.entry(REFERRER_POLICY).or_insert(NO_REFERRER);
        }
    }
}

/// Takes out what names the API's software.
pub(crate) fn hide_software(headers: &mut HeaderMap) {
    for name in &SOFTWARE {
        headers.remove(name);
    }
}

/// A browser would keep other programs of a developer's machine from being reached.
fn is_local(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn names_of_this_machine() {
        for local in ["localhost", "LOCALHOST:8081", "app.localhost:1"] {
            assert!(is_local(local), "{local}");
        }
        for other in ["api.example", "localhost.example:443", "notlocalhost"] {
            assert!(!is_local(other), "{other}");
        }
    }
}
