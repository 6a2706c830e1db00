//! The page for a request that cannot go on: plain words for a person, exact ones for a developer.

use std::fmt::Display;

use askama::Template;
use http::StatusCode;

use super::policy::Leads;
use super::{Frame, Rendered, provider_texts, render};
use crate::settings::Settings;

/// What is wrong, as far as a person needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The network is blocked.
    Blocked,
    /// The application is turned away.
    ClientDisabled,
    /// Nobody knows the application.
    ClientUnknown,
    /// The request cannot be read.
    Malformed,
    /// Something of ours failed.
    Ours,
    /// A page was opened by itself.
    OutOfTurn,
    /// The request was answered before, or lay too long.
    Overtaken,
    /// Somebody comes from a provider to which this browser was not sent.
    Returned,
    /// The application wants people sent to a place that is not its own.
    ReturnAddress,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage {
    frame: Frame,
    title: &'static str,
    words: &'static str,
    advice: &'static str,
    status: u16,
    detail: String,
    mend: &'static str,
}

// === impl Problem ===

impl Problem {
    fn title(self) -> &'static str {
        match self {
            Self::Blocked => "You cannot sign in from here just now",
            Self::ClientDisabled => "This application is switched off",
            Self::ClientUnknown => "We do not know this application",
            Self::Malformed => "This link is broken",
            Self::Ours => "Something failed on our side",
            Self::OutOfTurn => "Start from your application",
            Self::Overtaken => "This sign-in is over",
            Self::Returned => provider_texts::RETURNED_TITLE,
            Self::ReturnAddress => "We stopped this to protect you",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Blocked => {
                "Something that looked like an attack came from your network, so sign-in from it \
                 is closed for a while."
            }
            Self::ClientDisabled => {
                "The application that sent you here may not sign anybody in at the moment."
            }
            Self::ClientUnknown => {
                "The application that sent you here is not registered with us, so we cannot sign \
                 you in to it."
            }
            Self::Malformed => {
                "The application that sent you here made a request that we cannot read."
            }
            Self::Ours => "You did nothing wrong. We could not finish what you started.",
            Self::Overtaken => {
                "It was finished before, or it took too long. Nothing has happened to your account."
            }
            Self::Returned => provider_texts::RETURNED_WORDS,
            Self::OutOfTurn => "This page only works as a step of signing in to an application.",
            Self::ReturnAddress => {
                "The request asks us to send you to an address that does not belong to the \
                 application. It may be a mistake, or somebody may be trying to get into your \
                 account."
            }
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Blocked => "Try again later, or from another network.",
            Self::ClientDisabled | Self::ClientUnknown | Self::Malformed => {
                "Go back and start again. If that does not help, tell the makers of the \
                 application, and show them what is written below."
            }
            Self::Ours => "Wait a moment, then go back and start again.",
            Self::Overtaken => "Go to the application and sign in there once more.",
            Self::Returned => provider_texts::RETURNED_ADVICE,
            Self::OutOfTurn => "Go to the application and choose “Sign in” there.",
            Self::ReturnAddress => {
                "If a link in a message brought you here, close this page. Otherwise tell the \
                 makers of the application, and show them what is written below."
            }
        }
    }

    fn mend(self) -> &'static str {
        match self {
            Self::Blocked => {
                "An administrator can lift the restriction on the network before it ends by \
                 itself."
            }
            Self::ClientDisabled => "An administrator can switch the client on again.",
            Self::ClientUnknown => {
                "Send the client_id that registration gave you, to the issuer that gave it."
            }
            Self::Malformed => {
                "Send each parameter once (only resource may be repeated), percent-encoded, in \
                 the query of a GET or in the form body of a POST."
            }
            Self::Ours => "The log of the server has the cause.",
            Self::OutOfTurn => "Send people to the authorization endpoint.",
            Self::Returned => provider_texts::RETURNED_MEND,
            Self::Overtaken => {
                "Push the request again for every sign-in, and send the person within a minute. A \
                 request_uri is good once, for the client that pushed it."
            }
            Self::ReturnAddress => {
                "Send a redirect_uri that is registered for this client, character by character. \
                 Only the port of 127.0.0.1, [::1] and localhost is free."
            }
        }
    }
}

// === impl ProblemPage ===

impl ProblemPage {
    /// The page about a problem; `detail` is what exactly is wrong.
    pub(crate) fn new(
        settings: &Settings,
        problem: Problem,
        detail: &dyn Display,
        status: StatusCode,
    ) -> Self {
        Self {
            frame: Frame::new(settings),
            title: problem.title(),
            words: problem.words(),
            advice: problem.advice(),
            status: status.as_u16(),
            detail: detail.to_string(),
            mend: problem.mend(),
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Nowhere)
    }
}
