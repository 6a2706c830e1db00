//! The page where people see what they sign in with beside a password.

use askama::Template;
use http::StatusCode;
use store::{Factors, Passkey, TotpFactor, User};

use super::passkey::PasskeyPrompt;
use super::policy::Leads;
use super::{Frame, Rendered, day, render_with};
use crate::settings::Settings;

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
    added: String,
    used: String,
}

/// A passkey.
struct PasskeyShown {
    id: String,
    name: String,
    is_backed_up: bool,
    added: String,
    used: String,
}

/// The page.
#[derive(Template)]
#[template(path = "factors.html")]
pub(crate) struct FactorsPage {
    frame: Frame,
    username: String,
    notice: &'static str,
    done: &'static str,
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

    fn words(self) -> &'static str {
        match self {
            Self::Forgotten | Self::None | Self::Removed => "",
            Self::Full => "You have as many as there can be. Remove one first.",
            Self::Last => {
                "Your account has to have one way beside the password. Set up another one first."
            }
            Self::Name => "A name has 1 to 64 characters that can be seen.",
            Self::PasskeyHeld => "This passkey is in use already.",
            Self::PasskeyRefused => {
                "This passkey was not accepted. Check that your device asks for your PIN, face or \
                 finger, then try again."
            }
            Self::Stale => "This page was open for a long time. Please try again.",
        }
    }
}

// === impl FactorsPage ===

impl FactorsPage {
    pub(crate) fn new(
        settings: &Settings,
        person: &User,
        held: &Held,
        proof: String,
        notice: Notice,
    ) -> Self {
        let applications = &held.factors.totp;
        Self {
            frame: Frame::new(settings),
            username: person.username.clone(),
            notice: notice.words(),
            done: match notice {
                Notice::Forgotten => "No browser is remembered any more.",
                Notice::Removed => "It was removed, and opens nothing any more.",
                _ => "",
            },
            passkeys: held.factors.passkeys.iter().map(PasskeyShown::of).collect(),
            passkey: None,
            applications: applications.iter().map(Application::of).collect(),
            may_add: applications.len() < held.most,
            recovery_codes: held.factors.recovery_codes,
            remembered: held.remembered,
            account: settings.path("/account"),
            action: settings.path("/account/factors"),
            proof,
        }
    }

    /// With the invitation for another passkey.
    pub(crate) fn inviting(self, passkey: Option<PasskeyPrompt>) -> Self {
        Self { passkey, ..self }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render_with(self, Leads::Here, self.passkey.as_ref())
    }
}

// === impl PasskeyShown ===

impl PasskeyShown {
    fn of(passkey: &Passkey) -> Self {
        Self {
            id: passkey.id.clone(),
            name: passkey.name.clone(),
            is_backed_up: passkey.is_backed_up,
            added: day(passkey.created_at),
            used: passkey.last_used_at.map(day).unwrap_or_default(),
        }
    }
}

// === impl Application ===

impl Application {
    fn of(factor: &TotpFactor) -> Self {
        Self {
            id: factor.id.clone(),
            added: day(factor.created_at),
            used: factor.last_used_at.map(day).unwrap_or_default(),
        }
    }
}
