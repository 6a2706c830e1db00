//! The page of the personal tokens, and the one that shows a new token.

use askama::Template;
use http::StatusCode;
use store::User;
use token::scope::ScopeSet;

use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::language::Reader;
use crate::language::words::Words;
use crate::personal::{
    MAX_NAME_CHARS, MAX_NETWORKS, MOST, Made, OrderRefused, PersonalView, State,
};

/// Lives that are offered, in days.
const LIVES: [u64; 4] = [7, 30, 90, 365];
/// The one that is chosen where nothing else is.
const USUAL_LIFE: u64 = 30;
/// Idle times that are offered, in days.
const IDLE: [u64; 4] = [7, 30, 90, 180];
const DAY_SECS: u64 = 24 * 3600;

/// What the page says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// A token has less than it had.
    Narrowed,
    /// Nothing.
    None,
    /// A rule forbids what the form asks for.
    Refused(Why, Box<Typed>),
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
    /// One of them cannot be read, or there are too many.
    Networks,
    NoScope,
    Other,
    Restrained,
    /// This scope cannot be had.
    Scope(String),
    Unknown,
    Unused,
}

/// What a form had in its fields; shown again when it is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) name: String,
    pub(crate) days: u64,
    pub(crate) scopes: ScopeSet,
    /// Days without use; 0 where nothing was chosen.
    pub(crate) idle: u64,
    pub(crate) networks: String,
    pub(crate) resources: Vec<String>,
}

/// A token.
struct TokenShown {
    id: String,
    name: String,
    scopes: String,
    unused: String,
    state: String,
    times: String,
    limits: Vec<String>,
    may_rotate: bool,
}

/// A scope that can be given, or a resource that it can be for.
struct Offered {
    name: String,
    words: String,
    is_chosen: bool,
}

/// A number of days that can be chosen.
struct Days {
    count: u64,
    words: String,
    is_chosen: bool,
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
    lives: Vec<Days>,
    idle: Vec<Days>,
    /// Empty where there is no choice.
    resources: Vec<Offered>,
    typed: Typed,
    has_limits: bool,
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
            Self::Refused(..) | Self::Stale => StatusCode::BAD_REQUEST,
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
        let (typed, notice) = match notice {
            Notice::Refused(why, typed) => (*typed, Notice::Refused(why, Box::default())),
            other => (Typed::default(), other),
        };
        let offered = |name: &str| Offered {
            words: reader.scope(name),
            name: name.to_owned(),
            is_chosen: typed.scopes.contains(name),
        };
        let longest = policy.max_life.as_secs() / DAY_SECS;
        let life = if typed.days == 0 { USUAL_LIFE } else { typed.days };
        Self {
            frame: Frame::new(reader),
            username: person.username.clone(),
            done: match notice {
                Notice::Narrowed => (&words.tokens.narrowed).into(),
                Notice::Revoked => (&words.tokens.revoked).into(),
                _ => String::new(),
            },
            notice: match notice {
                Notice::Refused(why, _) => why.words(words),
                Notice::Stale => (&words.common.stale).into(),
                _ => String::new(),
            },
            tokens: tokens.iter().map(|view| TokenShown::of(view, reader)).collect(),
            scopes: match policy.enabled {
                true => scopes.iter().map(offered).collect(),
                false => Vec::new(),
            },
            lives: days(&LIVES, longest, life, words),
            idle: idle(policy.idle.map(|idle| idle.as_secs()), longest, typed.idle, words),
            resources: resources(reader, &typed.resources),
            has_limits: typed.has_limits(),
            typed,
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

fn days(offered: &[u64], longest: u64, chosen: u64, words: &Words) -> Vec<Days> {
    let one = |count: u64| Days { count, words: words.days(count), is_chosen: count == chosen };
    offered.iter().copied().filter(|days| *days <= longest).map(one).collect()
}

/// First what holds where nothing is chosen.
fn idle(usual: Option<u64>, longest: u64, chosen: u64, words: &Words) -> Vec<Days> {
    let usual = usual.map_or_else(|| (&words.tokens.idle_any).into(), |secs| time(secs, words));
    let first = Days { count: 0, words: usual, is_chosen: chosen == 0 };
    std::iter::once(first).chain(days(&IDLE, longest, chosen, words)).collect()
}

/// Resources, where there are several; the first one is the usual one.
fn resources(reader: &Reader<'_>, chosen: &[String]) -> Vec<Offered> {
    let known = reader.settings.resource_identifiers();
    if known.len() < 2 {
        return Vec::new();
    }
    let offered = |(place, name): (usize, String)| {
        let is_chosen = if chosen.is_empty() { place == 0 } else { chosen.contains(&name) };
        Offered { words: name.clone(), name, is_chosen }
    };
    known.into_iter().enumerate().map(offered).collect()
}

fn time(secs: u64, words: &Words) -> String {
    match secs % DAY_SECS {
        0 => words.days(secs / DAY_SECS),
        _ => words.wait(secs),
    }
}

// === impl Typed ===

impl Typed {
    /// Whether something is limited that is not of usual.
    fn has_limits(&self) -> bool {
        self.idle > 0 || !self.networks.is_empty()
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
    fn of(view: &PersonalView, reader: &Reader<'_>) -> Self {
        let words = &*reader.words;
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
            times: times(view, reader),
            limits: limits(view, words),
            may_rotate: view.state == State::Active && view.rotated_to.is_none(),
        }
    }
}

/// When a token ends, and when it was used.
fn times(view: &PersonalView, reader: &Reader<'_>) -> String {
    let words = &*reader.words;
    let day = words.day(view.expires_at);
    let Some(used) = view.last_used_at.map(|used| words.day(used)) else {
        return words.tokens.ends_unused.fill(&[("day", &day)]);
    };
    match (view.last_used_ip.map(|ip| reader.place(ip)), &view.last_used_route) {
        (Some(place), Some(route)) => words.tokens.ends_used.fill(&[
            ("day", &day),
            ("used", &used),
            ("place", &place),
            ("route", route),
        ]),
        _ => words.tokens.ends.fill(&[("day", &day), ("used", &used)]),
    }
}

/// What a token is bound by beside its scopes and its end.
fn limits(view: &PersonalView, words: &Words) -> Vec<String> {
    let networks: Vec<String> = view.networks.iter().map(ToString::to_string).collect();
    let networks = (!networks.is_empty())
        .then(|| words.tokens.only_from.fill(&[("networks", &networks.join(", "))]));
    let idle = view.idle.map(|secs| words.tokens.idle_shown.fill(&[("time", &time(secs, words))]));
    networks.into_iter().chain(idle).collect()
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
            OrderRefused::Networks => Self::Networks,
            OrderRefused::NoScope => Self::NoScope,
            OrderRefused::Restrained => Self::Restrained,
            OrderRefused::Scope(scope)
            | OrderRefused::ScopeExceeded(scope)
            | OrderRefused::ScopeElsewhere(scope) => Self::Scope(scope.clone()),
            OrderRefused::Unknown => Self::Unknown,
            OrderRefused::Unused => Self::Unused,
            OrderRefused::Idle
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
            Self::Networks => return words.refused_networks.fill(&[("count", &MAX_NETWORKS)]),
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
