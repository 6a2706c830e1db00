//! One visit of a person's browser: where it comes from, what it brings, and the time.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, header};
use store::{Client, FailedTry, StoreError, Wrong};
use token::base62;
use token::event::{EventKind, Who};
use token::id::SubjectId;
use token::secret::Secret;
use token::time::Timestamp;

use crate::caller::Caller;
use crate::endpoint::cookie::Cookie;
use crate::language::words::Words;
use crate::language::{self, Language, Reader};
use crate::login::browser::Browser;
use crate::login::session::{self, Beginning, SignedIn};
use crate::login::user_agent::Software;
use crate::parameters::Parameters;
use crate::provider::trip;
use crate::state::Authority;

/// OpenID Connect Core 1.0 §3.1.2.1.
const UI_LOCALES: &str = "ui_locales";
/// How long a browser is remembered after somebody has signed in there.
const KNOWN_BROWSER_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long one is remembered where nobody has.
const NEW_BROWSER_LIFE: Duration = Duration::from_secs(24 * 3600);

/// 256 bits.
const REMEMBERED_CHARS: usize = 43;

/// A request for a page.
pub(crate) struct Visit {
    pub(crate) authority: Authority,
    pub(crate) caller: Caller,
    pub(crate) browser: Browser,
    pub(crate) now: Timestamp,
    /// What the browser wants to read, else what is usual here.
    language: Language,
    /// What an application's request wants it to be.
    wanted: OnceLock<Language>,
    is_new: bool,
    session_cookie: Option<Secret>,
    remembered_cookie: Option<Secret>,
    trip_cookie: Option<Secret>,
}

// === impl Visit ===

impl Visit {
    fn of(authority: Authority, caller: Caller, headers: &HeaderMap) -> Self {
        let settings = authority.settings();
        let session_cookie = Cookie::Session.read(headers, settings).map(Secret::new);
        let remembered_cookie = Cookie::Remembered.read(headers, settings).map(Secret::new);
        let trip_cookie = Cookie::Trip.read(headers, settings).map(Secret::new);
        let held = Cookie::Browser.read(headers, settings);
        let known = held.as_deref().and_then(Browser::parse);
        Self {
            language: language::accepted(headers).unwrap_or(settings.catalogue.usual()),
            wanted: OnceLock::new(),
            is_new: known.is_none(),
            browser: known.unwrap_or_else(|| Browser::new(authority.random())),
            now: authority.now(),
            session_cookie,
            remembered_cookie,
            trip_cookie,
            caller,
            authority,
        }
    }

    /// Takes the languages that an application's request names (OpenID Connect Core 1.0 §3.1.2.1), which come
    /// before the browser's.
    pub(crate) fn prefer(&self, request: &Parameters) {
        let named = request.value(UI_LOCALES).and_then(language::of_locales);
        if let Some(language) = named {
            // A visit has one request; of more than one the first would count.
            let _ = self.wanted.set(language);
        }
    }

    /// What pages are written in.
    pub(crate) fn language(&self) -> Language {
        self.wanted.get().copied().unwrap_or(self.language)
    }

    /// Whoever reads the page.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(self.authority.settings(), self.language())
    }

    /// What pages say.
    pub(crate) fn words(&self) -> Arc<Words> {
        self.reader().words
    }

    /// Who is signed in here.
    pub(crate) async fn signed_in(&self) -> Result<Option<SignedIn>, StoreError> {
        let (store, idle) = (self.authority.store(), self.authority.settings().session_idle);
        let cookie = self.session_cookie.as_ref().map(Secret::expose);
        session::recognise(store, cookie, idle, self.now).await
    }

    /// What a session that begins here is recognised by; for this application, or a page of the account.
    pub(crate) async fn beginning(&self, client: Option<&Client>) -> Result<Beginning, StoreError> {
        let held = self.signed_in().await?.map(|person| person.session().clone());
        Ok(Beginning {
            life: self.authority.settings().session_life,
            ip: self.caller.ip,
            browser: self.software(),
            upstream: None,
            client: client.map(|client| client.id.clone()),
            held,
        })
    }

    /// Counts a try to sign in as somebody that failed.
    pub(crate) fn note_failed_try(&self, subject: &SubjectId, wrong: Wrong) {
        let (subject, ip, browser) = (subject.clone(), self.caller.ip, self.software());
        self.authority.store().note_failed_try(FailedTry {
            subject,
            wrong,
            at: self.now,
            ip,
            browser,
        });
    }

    /// The browser, as it is kept for its person.
    fn software(&self) -> Option<String> {
        self.caller.user_agent.as_deref().map(|text| Software::of(text).to_text())
    }

    /// What it holds of a second factor that was proven here before.
    pub(crate) fn remembered_cookie(&self) -> Option<&str> {
        self.remembered_cookie.as_ref().map(Secret::expose)
    }

    /// A new value for that.
    pub(crate) fn new_remembered_cookie(&self) -> Secret {
        Secret::new(base62::random(REMEMBERED_CHARS, self.authority.random()))
    }

    /// Gives it along.
    pub(crate) fn with_remembered_cookie(
        &self,
        response: Response,
        cookie: &Secret,
        life: Duration,
    ) -> Response {
        self.set_cookie(response, Cookie::Remembered, cookie.expose(), life)
    }

    /// What it holds of somebody who is at a provider.
    pub(crate) fn trip_cookie(&self) -> Option<&str> {
        self.trip_cookie.as_ref().map(Secret::expose)
    }

    /// Gives that along; an empty one takes it away.
    pub(crate) fn with_trip_cookie(&self, response: Response, trip: &str) -> Response {
        let life = if trip.is_empty() { Duration::ZERO } else { trip::LIFE };
        self.set_cookie(response, Cookie::Trip, trip, life)
    }

    /// Gives a page along with the cookie that its form will need.
    pub(crate) fn with_browser_cookie(&self, response: Response) -> Response {
        if !self.is_new {
            return response;
        }
        self.set_cookie(response, Cookie::Browser, &self.browser.to_text(), NEW_BROWSER_LIFE)
    }

    /// Remembers that this is a browser of the person of this user name.
    pub(crate) fn with_known_browser(&self, response: Response, username: &str) -> Response {
        let browser = self.browser.after_sign_in(username, &self.authority.desk().proofs);
        self.set_cookie(response, Cookie::Browser, &browser.to_text(), KNOWN_BROWSER_LIFE)
    }

    /// Gives the cookies of somebody who has just signed in.
    pub(crate) fn with_session_cookies(
        &self,
        response: Response,
        session: &Secret,
        browser: &Browser,
    ) -> Response {
        let life = self.authority.settings().session_life;
        let response = self.set_cookie(response, Cookie::Session, session.expose(), life);
        self.set_cookie(response, Cookie::Browser, &browser.to_text(), KNOWN_BROWSER_LIFE)
    }

    /// Takes the session's cookie away.
    pub(crate) fn without_session_cookie(&self, response: Response) -> Response {
        self.set_cookie(response, Cookie::Session, "", Duration::ZERO)
    }

    /// Tells the watcher.
    pub(crate) fn emit(&self, who: Who, kind: EventKind) {
        self.authority.emit(&self.caller, who, kind, self.now);
    }

    fn set_cookie(
        &self,
        mut response: Response,
        cookie: Cookie,
        value: &str,
        life: Duration,
    ) -> Response {
        if let Some(field) = cookie.set(value, life, self.authority.settings()) {
            response.headers_mut().append(header::SET_COOKIE, field);
        }
        response
    }
}

impl FromRequestParts<Authority> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Authority) -> Result<Self, Infallible> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(Self::of(state.clone(), caller, &parts.headers))
    }
}
