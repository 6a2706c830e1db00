//! Applications in browsers that hold no token: a cookie is their credential, where the request is their
//! own (draft-ietf-oauth-browser-based-apps §6.1.3).
//!
//! The gateway knows neither who is behind a cookie nor how anybody signs in: it is given somebody to ask.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{COOKIE, ORIGIN, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use token::reference::Unavailable;
use token::secret::Secret;
use url::Url;

use crate::refusal::{Fault, Refusal};
use crate::settings::SettingsError;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What an application's server will answer.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who keeps the tokens of an application.
pub trait AppServer: Send + Sync {
    /// Answers a request below the application's prefix. One that changes something is known to be the
    /// application's own.
    fn answer<'a>(
        &'a self,
        request: &'a Request<()>,
        ip: IpAddr,
    ) -> Answering<'a, Response<String>>;

    /// The access token behind a session's cookie; `None` when there is no such session.
    ///
    /// # Errors
    /// [`Unavailable`] when it cannot be said.
    fn access_token<'a>(
        &'a self,
        cookie: &'a str,
    ) -> Answering<'a, Result<Option<Secret>, Unavailable>>;
}

/// An application in browsers.
#[derive(Clone)]
pub struct BrowserApp {
    /// The origin under which browsers reach the gateway: `https://app.example`.
    pub origin: String,
    /// What is below it is the server's: `/bff/`.
    pub prefix: String,
    /// The name of the cookie that stands for a session.
    pub session_cookie: String,
    /// The names of other cookies that are the server's.
    pub other_cookies: Vec<String>,
    /// Who keeps its tokens.
    pub server: Arc<dyn AppServer>,
}

/// An application, ready to be asked for.
pub(crate) struct App {
    told: BrowserApp,
    /// As the Host field has it, with and without the port that goes without saying.
    hosts: [String; 2],
}

/// All of them.
#[derive(Default)]
pub(crate) struct Apps(Vec<Arc<App>>);

// === impl Apps ===

impl Apps {
    pub(crate) fn new(told: Vec<BrowserApp>) -> Result<Self, SettingsError> {
        told.into_iter().map(|app| App::new(app).map(Arc::new)).collect::<Result<_, _>>().map(Self)
    }

    /// The application of this host.
    pub(crate) fn at(&self, host: &HeaderValue) -> Option<&Arc<App>> {
        let named = |app: &&Arc<App>| {
            app.hosts.iter().any(|known| host.as_bytes().eq_ignore_ascii_case(known.as_bytes()))
        };
        self.0.iter().find(named)
    }

    /// Takes the cookies of applications out of what goes on; those of others stay.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        let is_ours = |pair: &[u8]| {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
            self.0.iter().any(|app| app.cookies().any(|cookie| cookie.as_bytes() == name))
        };
        if self.0.is_empty() || !pairs(headers).any(is_ours) {
            return;
        }
        let others: Vec<&[u8]> = pairs(headers).filter(|pair| !is_ours(pair)).collect();
        let joined = HeaderValue::from_bytes(&others.join(&b"; "[..]));
        headers.remove(COOKIE);
        if let Some(joined) = joined.ok().filter(|joined| !joined.is_empty()) {
            headers.insert(COOKIE, joined);
        }
    }
}

// === impl App ===

impl App {
    fn new(told: BrowserApp) -> Result<Self, SettingsError> {
        let bad = || SettingsError::BadBrowserApp(told.origin.clone());
        let url = Url::parse(&told.origin).map_err(|_| bad())?;
        let port = url.port_or_known_default().ok_or_else(bad)?;
        let host = url.host_str().ok_or_else(bad)?;
        if url.origin().ascii_serialization() != told.origin {
            return Err(bad());
        }
        let short = url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
        let hosts = [short, format!("{host}:{port}")];
        Ok(Self { told, hosts })
    }

    pub(crate) fn server(&self) -> &dyn AppServer {
        &*self.told.server
    }

    /// Whether the path is the server's.
    pub(crate) fn serves(&self, path: &str) -> bool {
        path.starts_with(&self.told.prefix)
    }

    /// The value of the session's cookie.
    ///
    /// # Errors
    /// [`Fault::TwoTokens`] when it is there twice: with the prefix `__Host-` no browser has two.
    pub(crate) fn cookie(&self, headers: &HeaderMap) -> Result<Option<Secret>, Refusal> {
        let name = self.told.session_cookie.as_bytes();
        let value = |pair: &[u8]| {
            let rest = pair.strip_prefix(name)?.trim_ascii_start().strip_prefix(b"=")?;
            Some(Secret::new(String::from_utf8_lossy(rest.trim_ascii())))
        };
        let mut values = pairs(headers).filter_map(value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.filter(|value| !value.expose().is_empty())),
            _ => Err(Fault::TwoTokens.into()),
        }
    }

    /// A browser adds the cookie to what other sites of the same domain begin: what changes something has
    /// to come from the application's own pages, and so has a WebSocket, which no other rule keeps apart.
    ///
    /// # Errors
    /// [`Fault::CrossSite`] for a request that is not the application's own.
    pub(crate) fn own(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        if safe && !headers.contains_key(UPGRADE) {
            return Ok(());
        }
        let is_own = match only(headers, &ORIGIN) {
            Some(origin) => origin == self.told.origin.as_bytes(),
            None => {
                !headers.contains_key(ORIGIN)
                    && only(headers, &SEC_FETCH_SITE) == Some(b"same-origin".as_slice())
            }
        };
        if is_own { Ok(()) } else { Err(Fault::CrossSite.into()) }
    }

    fn cookies(&self) -> impl Iterator<Item = &String> {
        self.told.other_cookies.iter().chain([&self.told.session_cookie])
    }
}

/// The pairs of all Cookie fields, whatever is in them.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let fields = headers.get_all(COOKIE).iter();
    let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
    pairs.map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
}

/// The value of a field that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut fields = headers.get_all(name).iter();
    let first = fields.next()?;
    fields.next().is_none().then(|| first.as_bytes())
}
