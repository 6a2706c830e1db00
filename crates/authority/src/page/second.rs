//! The page that asks for a passkey or a code after the password.

use askama::Template;
use http::StatusCode;
use store::{Client, User};

use super::client_links::{self, ClientLink};
use super::passkey::PasskeyPrompt;
use super::policy::Leads;
use super::{Frame, Rendered, initial, render_with};
use crate::language::Reader;
use crate::language::words::Words;

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

    pub(super) fn words(self, words: &Words) -> String {
        let second = &words.second;
        let text = match self {
            Self::CopiedPasskey => &second.copied,
            Self::Incomplete => &second.incomplete,
            Self::None => return String::new(),
            Self::NotYet => &second.not_yet,
            Self::Passkey => &second.passkey_refused,
            Self::Replayed => &second.replayed,
            Self::Stale => &second.stale,
            Self::Throttled { wait } => {
                return second.throttled.fill(&[("time", &words.wait(wait))]);
            }
            Self::Wrong => &second.wrong,
        };
        text.into()
    }
}

// === impl CodePage ===

impl CodePage {
    pub(crate) fn new(
        reader: &Reader<'_>,
        client: Option<&Client>,
        person: &User,
        notice: Notice,
    ) -> Self {
        let days = reader.settings.mfa.remember.as_secs().div_ceil(DAY);
        Self {
            frame: Frame::new(reader),
            person_initial: initial(&person.username),
            username: person.username.clone(),
            notice: notice.words(&reader.words),
            is_wrong: matches!(notice, Notice::Incomplete | Notice::Replayed | Notice::Wrong),
            action: reader.settings.path("/login/code"),
            hidden: Vec::new(),
            remember: reader.words.days(days),
            has_app: false,
            passkey: None,
            client: client.map(|client| client.name.clone()).unwrap_or_default(),
            links: client.map(|client| client_links::of(client, &reader.words)).unwrap_or_default(),
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
        render_with(
            &self.frame,
            self,
            return_to.map_or(Leads::Here, Leads::To),
            self.passkey.is_some(),
        )
    }
}
