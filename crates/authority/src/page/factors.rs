//! The page where people see what they sign in with beside a password.

use askama::Template;
use http::StatusCode;
use store::{Factors, Passkey, TotpFactor, User};
use token::time::Timestamp;

use super::passkey::PasskeyPrompt;
use super::policy::Leads;
use super::{Frame, Rendered, render_with};
use crate::language::Reader;
use crate::language::words::Words;

/// What the page says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// No browser is remembered any more.
    Forgotten,
    /// There is room for no more.
    Full,
    /// It is the last one, and one is demanded.
    Last,
    /// The name cannot be read.
    Name,
    /// Nothing.
    None,
    /// The passkey is somebody's already.
    PasskeyHeld,
    /// What the device has made is not taken.
    PasskeyRefused,
    /// One was removed.
    Removed,
    /// The form is not one that this session was given, or what it is about is gone.
    Stale,
}

/// What somebody has.
pub(crate) struct Held {
    pub(crate) factors: Factors,
    /// How many browsers are remembered.
    pub(crate) remembered: u64,
    /// How many applications there can be.
    pub(crate) most: usize,
}

/// An application.
struct Application {
    id: String,
    times: String,
}

/// A passkey.
struct PasskeyShown {
    id: String,
    name: String,
    is_backed_up: bool,
    times: String,
}

/// The page.
#[derive(Template)]
#[template(path = "factors.html")]
pub(crate) struct FactorsPage {
    frame: Frame,
    username: String,
    notice: String,
    done: String,
    passkeys: Vec<PasskeyShown>,
    passkey: Option<PasskeyPrompt>,
    applications: Vec<Application>,
    may_add: bool,
    recovery_codes: usize,
    remembered: u64,
    account: String,
    action: String,
    proof: String,
}

// === impl Notice ===

impl Notice {
    /// The status of the page.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Full
            | Self::Last
            | Self::Name
            | Self::PasskeyHeld
            | Self::PasskeyRefused
            | Self::Stale => StatusCode::BAD_REQUEST,
            Self::Forgotten | Self::None | Self::Removed => StatusCode::OK,
        }
    }

    fn words(self, words: &Words) -> String {
        let (common, words) = (&words.common, &words.factors);
        let text = match self {
            Self::Forgotten | Self::None | Self::Removed => return String::new(),
            Self::Full => &words.full,
            Self::Last => &words.last,
            Self::Name => &words.name_bad,
            Self::PasskeyHeld => &words.passkey_held,
            Self::PasskeyRefused => &words.passkey_refused,
            Self::Stale => &common.stale,
        };
        text.into()
    }
}

// === impl FactorsPage ===

impl FactorsPage {
    pub(crate) fn new(
        reader: &Reader<'_>,
        person: &User,
        held: &Held,
        proof: String,
        notice: Notice,
    ) -> Self {
        let (applications, words) = (&held.factors.totp, &*reader.words);
        Self {
            frame: Frame::new(reader),
            username: person.username.clone(),
            notice: notice.words(words),
            done: match notice {
                Notice::Forgotten => (&words.factors.forgotten).into(),
                Notice::Removed => (&words.factors.removed).into(),
                _ => String::new(),
            },
            passkeys: held
                .factors
                .passkeys
                .iter()
                .map(|one| PasskeyShown::of(one, words))
                .collect(),
            passkey: None,
            applications: applications.iter().map(|one| Application::of(one, words)).collect(),
            may_add: applications.len() < held.most,
            recovery_codes: held.factors.recovery_codes,
            remembered: held.remembered,
            account: reader.settings.path("/account"),
            action: reader.settings.path("/account/factors"),
            proof,
        }
    }

    /// With the invitation for another passkey.
    pub(crate) fn inviting(self, passkey: Option<PasskeyPrompt>) -> Self {
        Self { passkey, ..self }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render_with(&self.frame, self, Leads::Here, self.passkey.is_some())
    }
}

// === impl PasskeyShown ===

impl PasskeyShown {
    fn of(passkey: &Passkey, words: &Words) -> Self {
        Self {
            id: passkey.id.clone(),
            name: passkey.name.clone(),
            is_backed_up: passkey.is_backed_up,
            times: times(passkey.created_at, passkey.last_used_at, words),
        }
    }
}

// === impl Application ===

impl Application {
    fn of(factor: &TotpFactor, words: &Words) -> Self {
        Self { id: factor.id.clone(), times: times(factor.created_at, factor.last_used_at, words) }
    }
}

/// Since when there is something, and when it was used.
fn times(added: Timestamp, used: Option<Timestamp>, words: &Words) -> String {
    let added = words.day(added);
    match used {
        Some(used) => words.factors.added_used.fill(&[("day", &added), ("used", &words.day(used))]),
        None => words.factors.added.fill(&[("day", &added)]),
    }
}
