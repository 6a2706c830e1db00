//! The sign-in page.

use askama::Template;
use store::Client;

use super::client_links::{self, ClientLink};
use super::passkey::PasskeyPrompt;
use super::policy::Leads;
use super::providers::{ProviderOffer, Trouble};
use super::puzzle::PuzzlePrompt;
use super::{Frame, Rendered, initial, render_with};
use crate::language::Reader;
use crate::language::words::Words;
use crate::login::puzzle::Puzzle;
use crate::settings::Settings;

/// What the page says above the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Too many people at once.
    Busy {
        /// The name that was typed.
        username: String,
    },
    /// The account is switched off.
    Disabled {
        /// The name that was typed.
        username: String,
    },
    /// A passkey seems to have been copied.
    CopiedPasskey,
    /// Something of ours failed.
    Failed {
        /// The name that was typed.
        username: String,
    },
    /// A field was left empty.
    Incomplete {
        /// The name that was typed.
        username: String,
    },
    /// A second factor is demanded, there is none, and none may be set up here.
    NoFactor {
        /// The name that was typed.
        username: String,
    },
    /// Nothing.
    None,
    /// Nobody came of a sign-in at a provider.
    Provider(Trouble),
    /// A passkey that nobody has here, or that is not believed.
    Passkey,
    /// A puzzle has to be solved first, or some time to go by.
    Puzzle {
        /// The name that was typed.
        username: String,
        /// Which one.
        puzzle: Puzzle,
        /// Seconds until it is good without an answer.
        wait: u64,
    },
    /// The form is not one that this browser was given for this request.
    Stale,
    /// Too many failures.
    Throttled {
        /// The name that was typed.
        username: String,
        /// Seconds until the next try.
        wait: u64,
    },
    /// The name or the password is wrong.
    Wrong {
        /// The name that was typed.
        username: String,
    },
}

/// The sign-in page.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage {
    frame: Frame,
    client: String,
    client_initial: String,
    action: String,
    request: String,
    proof: String,
    username: String,
    notice: String,
    /// Whether the fields themselves are to be corrected.
    is_wrong: bool,
    is_again: bool,
    passkey: Option<PasskeyPrompt>,
    puzzle: Option<PuzzlePrompt>,
    providers: Option<ProviderOffer>,
    links: Vec<ClientLink>,
    /// Where a new password is asked for; empty where none is.
    forgotten: String,
    /// Where an account is asked for; empty where none is.
    sign_up: String,
}

// === impl Notice ===

impl Notice {
    /// Seconds until another try makes sense.
    pub(crate) fn wait(&self) -> Option<u64> {
        match self {
            Self::Busy { .. } => Some(1),
            Self::Puzzle { wait, .. } | Self::Throttled { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    fn username(&self) -> &str {
        match self {
            Self::Busy { username }
            | Self::Disabled { username }
            | Self::Failed { username }
            | Self::Incomplete { username }
            | Self::NoFactor { username }
            | Self::Puzzle { username, .. }
            | Self::Throttled { username, .. }
            | Self::Wrong { username } => username,
            Self::CopiedPasskey | Self::None | Self::Passkey | Self::Provider(_) | Self::Stale => {
                ""
            }
        }
    }

    fn words(&self, host: &str, words: &Words) -> String {
        let (common, sign_in) = (&words.common, &words.sign_in);
        let text = match self {
            Self::Busy { .. } => &sign_in.busy,
            Self::CopiedPasskey => &sign_in.copied,
            Self::Disabled { .. } => return sign_in.disabled.fill(&[("host", &host)]),
            Self::Failed { .. } => &common.failed,
            Self::Incomplete { .. } => &sign_in.incomplete,
            Self::NoFactor { .. } => return sign_in.no_factor.fill(&[("host", &host)]),
            Self::None => return String::new(),
            Self::Passkey => &sign_in.passkey,
            Self::Puzzle { .. } => &sign_in.puzzle,
            Self::Provider(trouble) => return trouble.words(host, words),
            Self::Stale => &common.stale_or_no_cookies,
            Self::Throttled { wait, .. } => {
                return sign_in.throttled.fill(&[("time", &words.wait(*wait))]);
            }
            Self::Wrong { .. } => &sign_in.wrong,
        };
        text.into()
    }
}

// === impl LoginPage ===

impl LoginPage {
    /// The page for signing in to a client, or to us.
    pub(crate) fn new(reader: &Reader<'_>, client: Option<&Client>, notice: &Notice) -> Self {
        let frame = Frame::new(reader);
        let links =
            client.map(|client| client_links::of(client, &reader.words)).unwrap_or_default();
        let client = client.map_or(&frame.host, |client| &client.name).clone();
        Self {
            notice: notice.words(&frame.host, &reader.words),
            frame,
            client_initial: initial(&client),
            client,
            action: reader.settings.path("/login"),
            request: String::new(),
            proof: String::new(),
            username: notice.username().to_owned(),
            is_wrong: matches!(notice, Notice::Incomplete { .. } | Notice::Wrong { .. }),
            is_again: false,
            passkey: None,
            puzzle: None,
            providers: None,
            links,
            forgotten: String::new(),
            sign_up: String::new(),
        }
    }

    /// With the name that is probably meant: what was typed before, else who is signed in, else
    /// what the client thinks.
    pub(crate) fn asking(self, current: Option<&str>, hint: Option<&str>) -> Self {
        let is_again = current.is_some();
        if !self.username.is_empty() {
            return Self { is_again, ..self };
        }
        let username = hint.or(current).unwrap_or_default().to_owned();
        Self { is_again, username, ..self }
    }

    /// With ways for somebody who cannot sign in.
    pub(crate) fn helping(self, settings: &Settings, forgotten: bool, sign_up: bool) -> Self {
        let path = |is_there, path| if is_there { settings.path(path) } else { String::new() };
        Self {
            forgotten: path(forgotten, "/forgotten"),
            sign_up: path(sign_up, "/sign-up"),
            ..self
        }
    }

    /// With the request that goes on after sign-in.
    pub(crate) fn continuing(self, request: &str, proof: String) -> Self {
        Self { request: request.to_owned(), proof, ..self }
    }

    /// The name that is probably meant; may be empty.
    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    /// With work for the browser.
    pub(crate) fn working(self, puzzle: PuzzlePrompt) -> Self {
        Self { puzzle: Some(puzzle), ..self }
    }

    /// With the question for a passkey.
    pub(crate) fn or_by(self, passkey: Option<PasskeyPrompt>) -> Self {
        Self { passkey, ..self }
    }

    /// With the providers that somebody may sign in with.
    pub(crate) fn or_at(self, providers: Option<ProviderOffer>) -> Self {
        Self { providers, ..self }
    }

    /// The page as it is sent; it leads to a client, or to a page of ours, perhaps by way of a provider.
    pub(crate) fn finish(&self, return_to: Option<&str>) -> Rendered {
        let has_script = self.passkey.is_some() || self.puzzle.is_some();
        let Some(providers) = &self.providers else {
            let leads = return_to.map_or(Leads::Here, Leads::To);
            return render_with(&self.frame, self, leads, has_script);
        };
        let places: Vec<&str> = return_to.into_iter().chain([providers.scheme()]).collect();
        render_with(&self.frame, self, Leads::Several(&places), has_script)
    }
}
