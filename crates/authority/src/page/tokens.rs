//! The page of the personal tokens, and the one that shows a new token.

use askama::Template;
use http::StatusCode;
use store::User;
use token::scope::ScopeSet;

use super::policy::Leads;
use super::{Frame, Rendered, day, render};
use crate::personal::{Made, PersonalView, State};
use crate::settings::Settings;

/// Lives that are offered, in days.
const LIVES: [u64; 4] = [7, 30, 90, 365];
const DAY_SECS: u64 = 24 * 3600;

/// What the page says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// A token has less than it had.
    Narrowed,
    /// Nothing.
    None,
    /// A rule forbids it.
    Refused(String),
    /// A token is good no more.
    Revoked,
    /// The form is not one that this session was given.
    Stale,
}

/// A token.
struct TokenShown {
    id: String,
    name: String,
    scopes: String,
    unused: String,
    state: &'static str,
    ends: String,
    used: String,
    may_rotate: bool,
}

/// A scope that can be given.
struct Offered {
    name: String,
    words: String,
}

/// The page.
#[derive(Template)]
#[template(path = "tokens.html")]
pub(crate) struct TokensPage {
    frame: Frame,
    username: String,
    notice: String,
    done: &'static str,
    tokens: Vec<TokenShown>,
    scopes: Vec<Offered>,
    lives: Vec<u64>,
    account: String,
    action: String,
    proof: String,
}

/// The page with a new token.
#[derive(Template)]
#[template(path = "token_made.html")]
pub(crate) struct MadePage {
    frame: Frame,
    name: String,
    token: String,
    ends: String,
    onward: String,
}

// === impl Notice ===

impl Notice {
    /// The status of the page.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Refused(_) | Self::Stale => StatusCode::BAD_REQUEST,
            Self::Narrowed | Self::None | Self::Revoked => StatusCode::OK,
        }
    }
}

// === impl TokensPage ===

impl TokensPage {
    pub(crate) fn new(
        settings: &Settings,
        person: &User,
        tokens: &[PersonalView],
        scopes: &ScopeSet,
        proof: String,
        notice: Notice,
    ) -> Self {
        let policy = &settings.personal_tokens;
        let offered = |name: &str| Offered {
            words: settings.describe_scope(name).unwrap_or(name).to_owned(),
            name: name.to_owned(),
        };
        let longest = policy.max_life.as_secs() / DAY_SECS;
        Self {
            frame: Frame::new(settings),
            username: person.username.clone(),
            done: match notice {
                Notice::Narrowed => "The token can do only what it was used for now.",
                Notice::Revoked => "The token was revoked. It opens nothing any more.",
                _ => "",
            },
            notice: match notice {
                Notice::Refused(words) => capital(&words),
                Notice::Stale => "This page was open for a long time. Please try again.".to_owned(),
                _ => String::new(),
            },
            tokens: tokens.iter().map(TokenShown::of).collect(),
            scopes: match policy.enabled {
                true => scopes.iter().map(offered).collect(),
                false => Vec::new(),
            },
            lives: LIVES.into_iter().filter(|days| *days <= longest).collect(),
            account: settings.path("/account"),
            action: settings.path("/account/tokens"),
            proof,
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Here)
    }
}

// === impl MadePage ===

impl MadePage {
    pub(crate) fn new(settings: &Settings, made: &Made) -> Self {
        Self {
            frame: Frame::new(settings),
            name: made.stored.name.clone(),
            token: made.token.expose().to_owned(),
            ends: day(made.stored.terms.expires_at),
            onward: settings.path("/account/tokens"),
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Nowhere)
    }
}

// === impl TokenShown ===

impl TokenShown {
    fn of(view: &PersonalView) -> Self {
        let unused = view.scope.difference(&view.used_scope);
        let could_narrow = view.last_used_at.is_some() && view.used_scope.iter().next().is_some();
        Self {
            id: view.jti.to_string(),
            name: view.name.clone(),
            scopes: view.scope.to_string(),
            unused: if could_narrow { unused.to_string() } else { String::new() },
            state: match view.state {
                State::Active => "",
                State::Disabled => "switched off with the account",
                State::Expired => "over",
                State::Idle => "over, since it was not used",
                State::Revoked => "revoked",
                State::Suspended => "suspended",
            },
            ends: day(view.expires_at),
            used: view.last_used_at.map(day).unwrap_or_default(),
            may_rotate: view.state == State::Active && view.rotated_to.is_none(),
        }
    }
}

/// The words of a rule as a sentence.
fn capital(words: &str) -> String {
    let mut chars = words.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
