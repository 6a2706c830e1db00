//! The page of the account: sessions, applications with access, and what has happened.

use askama::Template;
use http::StatusCode;
use store::{AuditRow, Session};
use token::id::ClientId;
use token::scope::ScopeSet;
use token::term::scope;

use super::consent::{Permission, permissions};
use super::policy::Leads;
use super::sign_ins::{Entry, Shown};
use super::{Frame, Rendered, initial, render};
use crate::language::Reader;
use crate::language::words::Words;
use crate::login::session::SignedIn;
use crate::login::user_agent;
use crate::signals::changed;

/// What the page says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Sessions were ended.
    Ended,
    /// An application can do less than before.
    Narrowed,
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
    pub(crate) sign_ins: Vec<Entry>,
}

/// An application with access.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    id: String,
    name: String,
    initial: String,
    allowed: Vec<Permission>,
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
    notice: String,
    done: String,
    sessions: Vec<SessionShown>,
    applications: Vec<Application>,
    changes: Vec<Change>,
    sign_ins: Shown,
    action: String,
    proof: String,
    has_providers: bool,
}

// === impl Notice ===

impl Notice {
    /// The status of the page.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Stale => StatusCode::BAD_REQUEST,
            Self::Ended | Self::Narrowed | Self::None | Self::Withdrawn => StatusCode::OK,
        }
    }
}

// === impl Application ===

impl Application {
    /// One with this access.
    pub(crate) fn new(reader: &Reader<'_>, id: ClientId, name: String, scopes: &ScopeSet) -> Self {
        let allowed = permissions(scopes, reader);
        Self { id: id.to_string(), initial: initial(&name), name, allowed }
    }

    /// Whether one thing can be taken back by itself; to be signed in goes with the rest.
    fn may_lose(&self, permission: &Permission) -> bool {
        permission.scope != scope::OPENID
    }
}

// === impl AccountPage ===

impl AccountPage {
    pub(crate) fn new(
        reader: &Reader<'_>,
        person: &SignedIn,
        held: &Held,
        proof: String,
        notice: Notice,
    ) -> Self {
        let (own, words) = (&person.session().id, &*reader.words);
        let session = |session: &Session| SessionShown {
            id: session.id.to_string(),
            browser: user_agent::Software::kept(session.browser.as_deref()).spoken(words),
            place: session.ip.map(|ip| reader.place(ip)).unwrap_or_default(),
            begun: words.minute(session.created_at),
            used: words.minute(session.last_used_at),
            is_this: session.id == *own,
        };
        Self {
            frame: Frame::new(reader),
            username: person.user().username.clone(),
            email: person.user().email.clone().unwrap_or_default(),
            is_confirmed: person.user().email_verified,
            notice: match notice {
                Notice::Stale => (&words.common.stale).into(),
                _ => String::new(),
            },
            done: match notice {
                Notice::Ended => (&words.account.session_ended).into(),
                Notice::Narrowed => (&words.account.application_narrowed).into(),
                Notice::Withdrawn => (&words.account.application_withdrawn).into(),
                Notice::None | Notice::Stale => String::new(),
            },
            sessions: held.sessions.iter().map(session).collect(),
            applications: held.applications.clone(),
            changes: held.changes.iter().map(|row| Change::of(row, person, reader)).collect(),
            sign_ins: Shown::new(reader, &held.sign_ins, own),
            action: reader.settings.path("/account"),
            proof,
            has_providers: !reader.settings.providers.is_empty(),
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Here)
    }
}

// === impl Change ===

impl Change {
    fn of(row: &AuditRow, person: &SignedIn, reader: &Reader<'_>) -> Self {
        let (entry, words) = (&row.entry, &*reader.words);
        let is_own =
            entry.actor.split_once(':').is_some_and(|(_, id)| id == person.user().id.as_str());
        let what = spoken(&entry.action, words);
        Self {
            at: words.minute(entry.at),
            words: match is_own {
                true => what.to_owned(),
                false => words.happened.by_administrator.fill(&[("what", &what)]),
            },
            // Where an administrator sits is nobody's business.
            place: entry.ip.filter(|_| is_own).map(|ip| reader.place(ip)).unwrap_or_default(),
        }
    }
}

/// What an action of the audit log is to its person.
fn spoken<'a>(action: &'a str, words: &'a Words) -> &'a str {
    let happened = &words.happened;
    let text = match action {
        "application.narrow" => &happened.application_narrowed,
        "application.withdraw" => &happened.application_withdrawn,
        "factor.add" => &happened.factor_added,
        "factor.codes" => &happened.codes_made,
        "factor.forget" => &happened.browsers_forgotten,
        "factor.remove" | "user.factor.remove" => &happened.factor_removed,
        "factor.rename" => &happened.factor_renamed,
        "identity.link" => &happened.identity_connected,
        "identity.tokens" => &happened.identity_read,
        "identity.unlink" | "user.identity.remove" => &happened.identity_disconnected,
        "personal_token.create" => &happened.token_made,
        "personal_token.narrow" => &happened.token_narrowed,
        "personal_token.revoke" => &happened.token_revoked,
        "personal_token.rotate" => &happened.token_rotated,
        "session.disown" => &happened.disowned,
        "session.end" | "session.end_others" => &happened.signed_out,
        "session.everywhere" => &happened.signed_out_everywhere,
        "sign_in.disown" => &happened.sign_in_disowned,
        "user.create" => &happened.account_made,
        "user.factors.remove" => &happened.factors_removed,
        "user.address" => &happened.address_confirmed,
        "user.address.ask" => &happened.address_asked,
        "user.password" => &happened.password_set,
        "user.password.reset" => &happened.password_reset,
        changed::DISABLE => &happened.disabled,
        changed::ENABLE => &happened.enabled,
        "user.update" => &happened.account_changed,
        other => return other,
    };
    text.as_str()
}
