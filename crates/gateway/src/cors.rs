//! CORS (Fetch standard §3.2): pages of which origins may call the API and read its answers.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

/// What pages of other origins may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsRule {
    /// Origins such as `https://app.example.com`, `https://*.example.com` for every host below that name, or
    /// `*` alone for all.
    pub origins: Vec<String>,
    /// Methods, beside those that need no leave.
    pub methods: Vec<String>,
    /// Fields that a page may send.
    pub headers: Vec<String>,
    /// Fields that a page may read, beside those of the gateway's own answers.
    pub expose: Vec<String>,
    /// Whether browsers may send cookies.
    pub credentials: bool,
    /// For how long browsers remember a leave.
    pub max_age: Duration,
}

/// What a route says of CORS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RouteCors {
    /// What the gateway says.
    #[default]
    AsGateway,
    /// Nothing: that is left to the API.
    LeftToApi,
    /// This, and nothing of what the gateway says.
    Own(CorsRule),
}

/// Why CORS cannot be had so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCors {
    /// Any page at all could act with its visitor's cookies.
    #[error(
        "origins: `*` cannot be together with `credentials`: any page could act for its visitors; name the \
         origins"
    )]
    EveryoneWithCredentials,
    /// Not a name of a field or a method.
    #[error("{member}: `{text}` is not a name; list each by itself")]
    Name {
        /// The option.
        member: &'static str,
        /// The text.
        text: String,
    },
    /// None at all.
    #[error("origins: name one at least, or leave `cors` out")]
    NoOrigin,
    /// Not an origin.
    #[error(
        "origins: `{0}` is not an origin such as https://app.example.com, https://*.example.com or `*`"
    )]
    Origin(String),
}

/// The same, ready.
pub(crate) struct Cors {
    everyone: bool,
    exact: Box<[Box<str>]>,
    /// Scheme with `://`, and `.example.com` with its port.
    below: Box<[(Box<str>, Box<str>)]>,
    methods: HeaderValue,
    headers: HeaderValue,
    expose: HeaderValue,
    max_age: HeaderValue,
    credentials: bool,
}

/// What a page gets to read of every answer.
const ALWAYS_EXPOSED: [&str; 7] = [
    "Allow",
    "DPoP-Nonce",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
];
/// Fields of CORS that an API behind the gateway may have put in.
const OF_APIS: [http::HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

// === impl CorsRule ===

impl CorsRule {
    /// Whether it can be had.
    ///
    /// # Errors
    /// [`BadCors`] says what is wrong, and how to mend it.
    pub fn check(&self) -> Result<(), BadCors> {
        Cors::new(self, None).map(drop)
    }
}

// === impl Cors ===

impl Cors {
    /// # Errors
    /// [`BadCors`] says what is wrong, and how to mend it.
    pub(crate) fn new(rule: &CorsRule, request_id: Option<&str>) -> Result<Self, BadCors> {
        if rule.origins.is_empty() {
            return Err(BadCors::NoOrigin);
        }
        let everyone = rule.origins.iter().any(|origin| origin == "*");
        if everyone && rule.credentials {
            return Err(BadCors::EveryoneWithCredentials);
        }
        let (mut exact, mut below) = (Vec::new(), Vec::new());
        for origin in rule.origins.iter().filter(|origin| *origin != "*") {
            match pattern(origin).ok_or_else(|| BadCors::Origin(origin.clone()))? {
                Pattern::Exact => exact.push(origin.as_str().into()),
                Pattern::Below(scheme, host) => below.push((scheme.into(), host.into())),
            }
        }
        let own = ALWAYS_EXPOSED.iter().copied().filter(|name| *name != "X-Request-Id");
        let exposed = own.chain(request_id).map(str::to_owned).chain(rule.expose.iter().cloned());
        Ok(Self {
            everyone,
            exact: exact.into(),
            below: below.into(),
            methods: list("methods", &rule.methods)?,
            headers: list("headers", &rule.headers)?,
            expose: list("expose", &exposed.collect::<Vec<_>>())?,
            max_age: rule.max_age.as_secs().into(),
            credentials: rule.credentials,
        })
    }

    /// The origin of the page that a request comes from, if that may call the API.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut fields = headers.get_all(ORIGIN).iter();
        let only = fields.next().filter(|_| fields.next().is_none())?;
        let text = only.to_str().ok()?;
        let allowed = self.everyone
            || self.exact.iter().any(|origin| **origin == *text)
            || self.below.iter().any(|(scheme, host)| is_below(text, scheme, host));
        allowed.then(|| if self.everyone { HeaderValue::from_static("*") } else { only.clone() })
    }

    /// Whether a browser asks for leave (a preflight).
    pub(crate) fn is_preflight(head: &Parts) -> bool {
        head.method == Method::OPTIONS
            && head.headers.contains_key(ORIGIN)
            && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The method that is asked about: of a preflight the one that comes after it.
    pub(crate) fn method(head: &Parts) -> Cow<'_, Method> {
        let wanted = || {
            let text = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
            Method::from_bytes(text.as_bytes()).ok()
        };
        let wanted = if Self::is_preflight(head) { wanted() } else { None };
        wanted.map_or(Cow::Borrowed(&head.method), Cow::Owned)
    }

    /// Takes out what the API says: the gateway's word is the only one.
    pub(crate) fn clean(headers: &mut HeaderMap) {
        for name in OF_APIS {
            headers.remove(name);
        }
    }

    /// Gives leave to read an answer, to a page of this origin; none to others.
    pub(crate) fn write(&self, headers: &mut HeaderMap, origin: Option<HeaderValue>) {
        if !self.everyone {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        let Some(origin) = origin else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, self.expose.clone());
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    /// What a browser is told that asks for leave, beside [`Cors::write`].
    pub(crate) fn write_leave(&self, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
        headers.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
    }
}

enum Pattern<'t> {
    Exact,
    Below(&'t str, &'t str),
}

/// Reads an origin, or a pattern with `*.` before its host.
fn pattern(text: &str) -> Option<Pattern<'_>> {
    let end = text.find("://")? + "://".len();
    let (scheme, host) = text.split_at(end);
    let plain = match host.strip_prefix("*.") {
        Some(rest) => rest,
        None => host,
    };
    // As a browser writes it: no path, no upper case, no default port.
    let normal = url::Url::parse(&format!("{scheme}{plain}")).ok()?;
    if normal.origin().ascii_serialization() != format!("{scheme}{plain}") || plain.contains('*') {
        return None;
    }
    match host.strip_prefix('*') {
        // `*.com` would be everybody.
        Some(dotted) => (plain.contains('.')).then_some(Pattern::Below(scheme, dotted)),
        None => Some(Pattern::Exact),
    }
}

/// Whether an origin's host is below a name: with one label more at least, and nothing else in it.
fn is_below(origin: &str, scheme: &str, host: &str) -> bool {
    let label = origin.strip_prefix(scheme).and_then(|rest| rest.strip_suffix(host));
    label.is_some_and(|label| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        !label.is_empty() && label.bytes().all(plain)
    })
}

fn list(member: &'static str, names: &[String]) -> Result<HeaderValue, BadCors> {
    let bad = |name: &String| http::HeaderName::from_bytes(name.as_bytes()).is_err();
    if let Some(text) = names.iter().find(|name| bad(name)) {
        return Err(BadCors::Name { member, text: text.clone() });
    }
    let joined = names.join(", ");
    HeaderValue::from_str(&joined).map_err(|_| BadCors::Name { member, text: joined })
}

#[cfg(test)]
mod tests;
