//! The page where people see what they prove beside a password.

use askama::Template;
use http::StatusCode;
use store::{Factors, TotpFactor, User};
use token::time::Timestamp;

use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::settings::Settings;

/// What the page says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// No browser is remembered any more.
    Forgotten,
    /// There is room for no more.
    Full,
    /// Nothing.
    None,
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

/// The page.
#[derive(Template)]
#[template(path = "factors.html")]
pub(crate) struct FactorsPage {
    frame: Frame,
    username: String,
    notice: &'static str,
    done: &'static str,
    applications: Vec<Application>,
    may_add: bool,
    recovery_codes: usize,
    remembered: u64,
    action: String,
    proof: String,
}

// === impl Notice ===

impl Notice {
    /// The status of the page.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Full | Self::Stale => StatusCode::BAD_REQUEST,
            Self::Forgotten | Self::None | Self::Removed => StatusCode::OK,
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
            notice: match notice {
                Notice::Full => "You have as many apps as there can be. Remove one first.",
                Notice::Stale => "This page was open for a long time. Please try again.",
                Notice::Forgotten | Notice::None | Notice::Removed => "",
            },
            done: match notice {
                Notice::Forgotten => "No browser is remembered any more.",
                Notice::Removed => "The app was removed. Its codes are worth nothing now.",
                Notice::Full | Notice::None | Notice::Stale => "",
            },
            applications: applications.iter().map(Application::of).collect(),
            may_add: applications.len() < held.most,
            recovery_codes: held.factors.recovery_codes,
            remembered: held.remembered,
            action: settings.path("/account/factors"),
            proof,
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Here)
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

fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
