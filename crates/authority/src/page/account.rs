//! The page of the account: sessions, applications with access, and what has happened.

use askama::Template;
use http::StatusCode;
use store::{AuditRow, Session};
use token::id::ClientId;
use token::scope::ScopeSet;
use token::time::Timestamp;

use super::consent::permissions;
use super::policy::Leads;
use super::{Frame, Rendered, initial, render};
use crate::login::session::SignedIn;
use crate::settings::Settings;
use crate::signals::changed;

/// What the page says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Sessions were ended.
    Ended,
    /// Nothing.
    None,
    /// The form is not one that this session was given, or what it is about is gone.
    Stale,
    /// An application has no access any more.
    Withdrawn,
}

/// What somebody has.
pub(crate) struct Held {
    pub(crate) sessions: Vec<Session>,
    pub(crate) applications: Vec<Application>,
    pub(crate) changes: Vec<AuditRow>,
}

/// An application with access.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    id: String,
    name: String,
    initial: String,
    allowed: Vec<String>,
}

/// Where somebody is signed in.
struct SessionShown {
    id: String,
    browser: String,
    place: String,
    begun: String,
    used: String,
    is_this: bool,
}

/// Something that has happened.
struct Change {
    at: String,
    words: String,
    place: String,
}

/// The page.
#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct AccountPage {
    frame: Frame,
    username: String,
    email: String,
    is_confirmed: bool,
    notice: &'static str,
    done: &'static str,
    sessions: Vec<SessionShown>,
    applications: Vec<Application>,
    changes: Vec<Change>,
    action: String,
    proof: String,
}

// === impl Notice ===

impl Notice {
    /// The status of the page.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Stale => StatusCode::BAD_REQUEST,
            Self::Ended | Self::None | Self::Withdrawn => StatusCode::OK,
        }
    }
}

// === impl Application ===

impl Application {
    /// One with this access.
    pub(crate) fn new(settings: &Settings, id: ClientId, name: String, scopes: &ScopeSet) -> Self {
        let allowed = permissions(scopes, settings).into_iter().map(|one| one.words);
        Self { id: id.to_string(), initial: initial(&name), name, allowed: allowed.collect() }
    }
}

// === impl AccountPage ===

impl AccountPage {
    pub(crate) fn new(
        settings: &Settings,
        person: &SignedIn,
        held: &Held,
        proof: String,
        notice: Notice,
    ) -> Self {
        let own = &person.session().id;
        let session = |session: &Session| SessionShown {
            id: session.id.to_string(),
            browser: session.browser.clone().unwrap_or_else(|| "A browser".to_owned()),
            place: session.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            begun: minute(session.created_at),
            used: minute(session.last_used_at),
            is_this: session.id == *own,
        };
        Self {
            frame: Frame::new(settings),
            username: person.user().username.clone(),
            email: person.user().email.clone().unwrap_or_default(),
            is_confirmed: person.user().email_verified,
            notice: match notice {
                Notice::Stale => "This page was open for a long time. Please try again.",
                _ => "",
            },
            done: match notice {
                Notice::Ended => "Nobody is signed in there any more.",
                Notice::Withdrawn => "The application has no access any more.",
                Notice::None | Notice::Stale => "",
            },
            sessions: held.sessions.iter().map(session).collect(),
            applications: held.applications.clone(),
            changes: held.changes.iter().map(|row| Change::of(row, person)).collect(),
            action: settings.path("/account"),
            proof,
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Here)
    }
}

// === impl Change ===

impl Change {
    fn of(row: &AuditRow, person: &SignedIn) -> Self {
        let entry = &row.entry;
        let is_own =
            entry.actor.split_once(':').is_some_and(|(_, id)| id == person.user().id.as_str());
        let who = if is_own { "" } else { " (by an administrator)" };
        Self {
            at: minute(entry.at),
            words: format!("{}{who}", spoken(&entry.action)),
            // Where an administrator sits is nobody's business.
            place: entry.ip.filter(|_| is_own).map(|ip| ip.to_string()).unwrap_or_default(),
        }
    }
}

/// What an action of the audit log is to its person.
fn spoken(action: &str) -> &str {
    match action {
        "application.withdraw" => "An application lost its access",
        "factor.add" => "A passkey or an app for codes was added",
        "factor.codes" => "New recovery codes were made",
        "factor.forget" => "Remembered browsers were forgotten",
        "factor.remove" | "user.factor.remove" => "A passkey or an app for codes was removed",
        "factor.rename" => "A passkey got another name",
        "personal_token.create" => "A personal token was made",
        "personal_token.narrow" => "A personal token was narrowed",
        "personal_token.revoke" => "A personal token was revoked",
        "personal_token.rotate" => "A personal token was rotated",
        "session.end" | "session.end_others" => "You signed out elsewhere",
        "session.everywhere" => "You signed out everywhere",
        "user.create" => "The account was made",
        "user.factors.remove" => "All passkeys and apps were removed",
        "user.address" => "The mail address was confirmed",
        "user.address.ask" => "A letter was sent to a new mail address",
        "user.password" => "The password was set",
        "user.password.reset" => "The password was set by a link in a letter",
        changed::DISABLE => "The account was disabled",
        changed::ENABLE => "The account was enabled again",
        "user.update" => "The account was changed",
        other => other,
    }
}

/// A time to the minute, in UTC.
fn minute(at: Timestamp) -> String {
    let text: String = at.to_string().chars().take(16).collect();
    text.replace('T', " ")
}
