//! An application in browsers that holds no token: the server keeps them and gives the browser a cookie
//! (draft-ietf-oauth-browser-based-apps §6.1, backend for frontend).
//!
//! It is a client like any other, and gets its tokens by the same rules; only that it is this process,
//! so that it has nothing to show. Whoever serves its origin passes on what is below [`PREFIX`], and asks
//! for the access token behind a cookie.

mod attempt;
mod cookie;
mod fitness;
mod kept;
mod refused;
mod service;

use std::sync::Arc;

use token::id::ClientId;
use token::opaque::{Family, OpaqueHash};
use token::reference::Unavailable;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::time::Timestamp;
use tokio::sync::Mutex;
use url::Url;

use crate::browser_app::cookie::Cookie;
pub use crate::browser_app::fitness::Unfit;
use crate::browser_app::kept::Kept;
use crate::browser_app::refused::AppRefused;
use crate::state::Authority;

/// Every path of the service begins so.
pub const PREFIX: &str = "/bff/";

/// More renewals than these are never under way at the same time.
const TURNS: usize = 64;

/// What an application is.
#[derive(Clone, Debug)]
pub struct BrowserAppSettings {
    /// The origin under which browsers reach it: `https://app.example`; http on loopback alone.
    pub origin: String,
    /// The client: confidential, with the redirect URI `{origin}/bff/callback`.
    pub client: ClientId,
    /// What it asks for.
    pub scopes: ScopeSet,
    /// Whom its tokens are for.
    pub resource: String,
}

/// Why an application cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBrowserApp {
    /// Not an origin.
    #[error("`{0}` is not an origin such as https://app.example, without a path")]
    Origin(String),
}

/// An application in browsers. All clones are the same one.
#[derive(Clone)]
pub struct BrowserApp(Arc<Inner>);

struct Inner {
    authority: Authority,
    settings: BrowserAppSettings,
    /// Two renewals of one session never overlap: the second would look like a stolen refresh token.
    turns: Vec<Mutex<()>>,
}

// === impl BrowserApp ===

impl BrowserApp {
    /// An application of this authority.
    ///
    /// # Errors
    /// [`BadBrowserApp`] names the setting that is wrong.
    pub fn new(authority: Authority, settings: BrowserAppSettings) -> Result<Self, BadBrowserApp> {
        let origin = Url::parse(&settings.origin).map(|url| url.origin().ascii_serialization());
        if origin.as_deref() != Ok(settings.origin.as_str()) {
            return Err(BadBrowserApp::Origin(settings.origin));
        }
        let turns = (0..TURNS).map(|_| Mutex::new(())).collect();
        Ok(Self(Arc::new(Inner { authority, settings, turns })))
    }

    /// The name of the cookie that stands for a session.
    pub fn session_cookie(&self) -> String {
        Cookie::Session.name(self.is_https())
    }

    /// The name of the cookie of a sign-in that is under way.
    pub fn attempt_cookie(&self) -> String {
        Cookie::Attempt.name(self.is_https())
    }

    /// The access token behind a session's cookie, renewed where it is about to end; `None` when there is
    /// no such session, or none any more. Whether the token was taken back is for its checker to see.
    ///
    /// # Errors
    /// [`Unavailable`] when it cannot be said.
    pub async fn access_token(&self, cookie: &str) -> Result<Option<Secret>, Unavailable> {
        let now = self.authority().now();
        let kept = self.kept(cookie, now).map_err(unavailable)?;
        match kept {
            Some(kept) if now >= kept.renew_at => {
                // A task of its own: whoever asked may go away, and the new refresh token with them.
                let (app, cookie) = (self.clone(), Secret::new(cookie));
                let renewed = tokio::spawn(async move { app.renewed(&cookie, now).await });
                let renewed = renewed.await.map_err(|_| Unavailable)?;
                Ok(renewed.map_err(unavailable)?.map(|kept| kept.access_token))
            }
            kept => Ok(kept.map(|kept| kept.access_token)),
        }
    }

    /// What is kept for a cookie.
    fn kept(&self, cookie: &str, now: Timestamp) -> Result<Option<Kept>, AppRefused> {
        if Family::of(cookie) != Ok(Family::Browser) {
            return Ok(None);
        }
        let session = self.authority().store().browser_session(cookie, self.origin(), now)?;
        session.map(|session| Kept::read(&session.tokens)).transpose()
    }

    /// One after the other: who comes second finds what the first has renewed.
    async fn renewed(&self, cookie: &Secret, now: Timestamp) -> Result<Option<Kept>, AppRefused> {
        let hash = OpaqueHash::of(cookie.expose());
        let turn = usize::from(hash.as_bytes()[0]) % self.0.turns.len().max(1);
        let _turn = match self.0.turns.get(turn) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let Some(kept) = self.kept(cookie.expose(), now)? else { return Ok(None) };
        if now < kept.renew_at {
            return Ok(Some(kept));
        }
        let live = now < kept.expires_at;
        match kept::renew(self, &kept, now).await {
            Ok(Some(newer)) => {
                let store = self.authority().store();
                let held = store.renew_browser_session(cookie.expose(), &newer.written()).await?;
                Ok(held.then_some(newer))
            }
            // It cannot be renewed, and is good until its end.
            Ok(None) => Ok(live.then_some(kept)),
            Err(refused) if refused.is_ours() => {
                if live {
                    Ok(Some(kept))
                } else {
                    Err(refused)
                }
            }
            Err(refused) => {
                tracing::debug!(%refused, "a browser session is over");
                Ok(None)
            }
        }
    }

    fn authority(&self) -> &Authority {
        &self.0.authority
    }

    fn settings(&self) -> &BrowserAppSettings {
        &self.0.settings
    }

    fn origin(&self) -> &str {
        &self.0.settings.origin
    }

    fn is_https(&self) -> bool {
        self.origin().starts_with("https://")
    }

    fn redirect_uri(&self) -> String {
        format!("{}{PREFIX}callback", self.origin())
    }
}

fn unavailable(error: AppRefused) -> Unavailable {
    tracing::error!(%error, "a browser session could not be looked up");
    Unavailable
}
