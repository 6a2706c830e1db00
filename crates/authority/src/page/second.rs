//! The page that asks for a passkey or a code after the password.

use askama::Template;
use http::StatusCode;
use store::{Client, User};

use super::client_links::{self, ClientLink};
use super::login::spoken;
use super::passkey::PasskeyPrompt;
use super::policy::Leads;
use super::{Frame, Rendered, initial, render_with};
use crate::settings::Settings;

const DAY: u64 = 24 * 3600;

/// What the page says above the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The passkey seems to have been copied.
    CopiedPasskey,
    /// A field was left empty.
    Incomplete,
    /// Nothing.
    None,
    /// The passkey is not theirs, or is not believed.
    Passkey,
    /// The first code of what is being set up is wrong.
    NotYet,
    /// The code was used before.
    Replayed,
    /// The form is not one that this browser was given, or it is too late for it.
    Stale,
    /// Too many failures.
    Throttled {
        /// Seconds until the next try.
        wait: u64,
    },
    /// The code is wrong.
    Wrong,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "second.html")]
pub(crate) struct CodePage {
    frame: Frame,
    person_initial: String,
    username: String,
    notice: String,
    is_wrong: bool,
    action: String,
    hidden: Vec<(&'static str, String)>,
    /// For how long the browser can be remembered, in words.
    remember: String,
    has_app: bool,
    passkey: Option<PasskeyPrompt>,
    client: String,
    links: Vec<ClientLink>,
}

// === impl Notice ===

impl Notice {
    /// Seconds until another try makes sense.
    pub(crate) fn wait(self) -> Option<u64> {
        match self {
            Self::Throttled { wait } => Some(wait),
            _ => None,
        }
    }

    /// The status of the page.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::None => StatusCode::OK,
            Self::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::CopiedPasskey
            | Self::Incomplete
            | Self::NotYet
            | Self::Passkey
            | Self::Replayed
            | Self::Stale
            | Self::Wrong => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn words(self) -> String {
        match self {
            Self::CopiedPasskey => "This passkey was refused: there seems to be a copy of it. Use \
                                    another way, and remove it."
                .to_owned(),
            Self::Incomplete => "Enter the code that your app shows.".to_owned(),
            Self::None => String::new(),
            Self::NotYet => "This is not the code that your app should show now. Check that the \
                             time of your device is right, then enter the newest code."
                .to_owned(),
            Self::Passkey => {
                "This passkey was not accepted. Use another one, or another way.".to_owned()
            }
            Self::Replayed => {
                "This code was used already. Wait until your app shows another.".to_owned()
            }
            Self::Stale => "This page was open for a long time. Please set up your app anew with \
                            the picture below."
                .to_owned(),
            Self::Throttled { wait } => {
                format!("Too many wrong codes. Wait {}, then try again.", spoken(wait))
            }
            Self::Wrong => {
                "This code is wrong. Enter the newest one that your app shows.".to_owned()
            }
        }
    }
}

// === impl CodePage ===

impl CodePage {
    pub(crate) fn new(
        settings: &Settings,
        client: Option<&Client>,
        person: &User,
        notice: Notice,
    ) -> Self {
        let days = settings.mfa.remember.as_secs().div_ceil(DAY);
        Self {
            frame: Frame::new(settings),
            person_initial: initial(&person.username),
            username: person.username.clone(),
            notice: notice.words(),
            is_wrong: matches!(notice, Notice::Incomplete | Notice::Replayed | Notice::Wrong),
            action: settings.path("/login/code"),
            hidden: Vec::new(),
            remember: match days {
                0 => String::new(),
                1 => "a day".to_owned(),
                days => format!("{days} days"),
            },
            has_app: false,
            passkey: None,
            client: client.map(|client| client.name.clone()).unwrap_or_default(),
            links: client.map(client_links::of).unwrap_or_default(),
        }
    }

    /// For whoever has an app for codes, a passkey, or both.
    pub(crate) fn asking(self, has_app: bool, passkey: Option<PasskeyPrompt>) -> Self {
        let passkey = passkey.map(|passkey| PasskeyPrompt { is_only: !has_app, ..passkey });
        Self { has_app, passkey, ..self }
    }

    /// With what the form brings back.
    pub(crate) fn continuing(self, hidden: Vec<(&'static str, String)>) -> Self {
        Self { hidden, ..self }
    }

    /// The page as it is sent; it leads to a client, or to a page of ours.
    pub(crate) fn finish(&self, return_to: Option<&str>) -> Rendered {
        render_with(self, return_to.map_or(Leads::Here, Leads::To), self.passkey.as_ref())
    }
}
