//! The page of the personal tokens, and the one that shows a new token.

use askama::Template;
use http::StatusCode;
use store::User;
use token::scope::ScopeSet;

use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::language::Reader;
use crate::language::words::Words;
use crate::personal::{MAX_NAME_CHARS, MOST, Made, OrderRefused, PersonalView, State};

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
    Refused(Why),
    /// A token is good no more.
    Revoked,
    /// The form is not one that this session was given.
    Stale,
}

/// Why a token is not made, or not changed so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Closed,
    Ended,
    /// It would live longer than so many days, or not at all.
    Life(u64),
    Many,
    Name,
    NoScope,
    Other,
    Restrained,
    /// This scope cannot be had.
    Scope(String),
    Unknown,
    Unused,
}

/// A token.
struct TokenShown {
    id: String,
    name: String,
    scopes: String,
    unused: String,
    state: String,
    times: String,
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
    done: String,
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
        reader: &Reader<'_>,
        person: &User,
        tokens: &[PersonalView],
        scopes: &ScopeSet,
        proof: String,
        notice: Notice,
    ) -> Self {
        let (policy, words) = (&reader.settings.personal_tokens, &*reader.words);
        let offered = |name: &str| Offered { words: reader.scope(name), name: name.to_owned() };
        let longest = policy.max_life.as_secs() / DAY_SECS;
        Self {
            frame: Frame::new(reader),
            username: person.username.clone(),
            done: match notice {
                Notice::Narrowed => (&words.tokens.narrowed).into(),
                Notice::Revoked => (&words.tokens.revoked).into(),
                _ => String::new(),
            },
            notice: match notice {
                Notice::Refused(why) => why.words(words),
                Notice::Stale => (&words.common.stale).into(),
                _ => String::new(),
            },
            tokens: tokens.iter().map(|view| TokenShown::of(view, words)).collect(),
            scopes: match policy.enabled {
                true => scopes.iter().map(offered).collect(),
                false => Vec::new(),
            },
            lives: LIVES.into_iter().filter(|days| *days <= longest).collect(),
            account: reader.settings.path("/account"),
            action: reader.settings.path("/account/tokens"),
            proof,
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Here)
    }
}

// === impl MadePage ===

impl MadePage {
    pub(crate) fn new(reader: &Reader<'_>, made: &Made) -> Self {
        Self {
            frame: Frame::new(reader),
            name: made.stored.name.clone(),
            token: made.token.expose().to_owned(),
            ends: reader.words.day(made.stored.terms.expires_at),
            onward: reader.settings.path("/account/tokens"),
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Nowhere)
    }
}

// === impl TokenShown ===

impl TokenShown {
    fn of(view: &PersonalView, words: &Words) -> Self {
        let unused = view.scope.difference(&view.used_scope);
        let could_narrow = view.last_used_at.is_some() && view.used_scope.iter().next().is_some();
        Self {
            id: view.jti.to_string(),
            name: view.name.clone(),
            scopes: view.scope.to_string(),
            unused: if could_narrow { unused.to_string() } else { String::new() },
            state: match view.state {
                State::Active => String::new(),
                State::Disabled => (&words.tokens.disabled).into(),
                State::Expired => (&words.tokens.expired).into(),
                State::Idle => (&words.tokens.idle).into(),
                State::Revoked => (&words.tokens.state_revoked).into(),
                State::Suspended => (&words.tokens.suspended).into(),
            },
            times: times(view, words),
            may_rotate: view.state == State::Active && view.rotated_to.is_none(),
        }
    }
}

/// When a token ends, and when it was used.
fn times(view: &PersonalView, words: &Words) -> String {
    let day = words.day(view.expires_at);
    match view.last_used_at {
        Some(used) => words.tokens.ends.fill(&[("day", &day), ("used", &words.day(used))]),
        None => words.tokens.ends_unused.fill(&[("day", &day)]),
    }
}

// === impl Why ===

impl Why {
    /// Why, of what one can be told; the rest is no choice that the page offers.
    pub(crate) fn of(refused: &OrderRefused) -> Self {
        match refused {
            OrderRefused::Closed => Self::Closed,
            OrderRefused::Ended => Self::Ended,
            OrderRefused::Life(most) => Self::Life(most.as_secs() / DAY_SECS),
            OrderRefused::Many => Self::Many,
            OrderRefused::Name => Self::Name,
            OrderRefused::NoScope => Self::NoScope,
            OrderRefused::Restrained => Self::Restrained,
            OrderRefused::Scope(scope)
            | OrderRefused::ScopeExceeded(scope)
            | OrderRefused::ScopeElsewhere(scope) => Self::Scope(scope.clone()),
            OrderRefused::Unknown => Self::Unknown,
            OrderRefused::Unused => Self::Unused,
            OrderRefused::Idle
            | OrderRefused::Networks
            | OrderRefused::NoService
            | OrderRefused::Owner
            | OrderRefused::Places
            | OrderRefused::Resource(_)
            | OrderRefused::Store(_)
            | OrderRefused::Thumbprint => Self::Other,
        }
    }

    fn words(&self, words: &Words) -> String {
        let words = &words.tokens;
        let text = match self {
            Self::Closed => &words.refused_closed,
            Self::Ended => &words.refused_ended,
            Self::Life(days) => return words.refused_life.fill(&[("count", days)]),
            Self::Many => return words.refused_many.fill(&[("count", &MOST)]),
            Self::Name => return words.refused_name.fill(&[("count", &MAX_NAME_CHARS)]),
            Self::NoScope => &words.refused_no_scope,
            Self::Other => &words.refused,
            Self::Restrained => &words.refused_restrained,
            Self::Scope(scope) => return words.refused_scope.fill(&[("scope", scope)]),
            Self::Unknown => &words.refused_unknown,
            Self::Unused => &words.refused_unused,
        };
        text.into()
    }
}
