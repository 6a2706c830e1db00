//! The page for a request that cannot go on: plain words for a person, exact ones for a developer.

use std::fmt::Display;

use askama::Template;
use http::StatusCode;

use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::language::words::ProblemWords;
use crate::language::{Reader, Text};

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
    title: String,
    words: String,
    advice: String,
    status: u16,
    detail: String,
    mend: String,
}

// === impl Problem ===

impl Problem {
    /// Its title, what has happened, what to do now, and what its developers have to mend.
    fn texts(self, words: &ProblemWords) -> [&Text; 4] {
        let w = words;
        match self {
            Self::Blocked => [&w.blocked_title, &w.blocked, &w.advice_later, &w.blocked_mend],
            Self::ClientDisabled => [
                &w.client_disabled_title,
                &w.client_disabled,
                &w.advice_tell,
                &w.client_disabled_mend,
            ],
            Self::ClientUnknown => {
                [&w.client_unknown_title, &w.client_unknown, &w.advice_tell, &w.client_unknown_mend]
            }
            Self::Malformed => {
                [&w.malformed_title, &w.malformed, &w.advice_tell, &w.malformed_mend]
            }
            Self::Ours => [&w.ours_title, &w.ours, &w.advice_ours, &w.ours_mend],
            Self::OutOfTurn => {
                [&w.out_of_turn_title, &w.out_of_turn, &w.advice_out_of_turn, &w.out_of_turn_mend]
            }
            Self::Overtaken => {
                [&w.overtaken_title, &w.overtaken, &w.advice_overtaken, &w.overtaken_mend]
            }
            Self::Returned => {
                [&w.returned_title, &w.returned, &w.advice_returned, &w.returned_mend]
            }
            Self::ReturnAddress => [
                &w.return_address_title,
                &w.return_address,
                &w.advice_return,
                &w.return_address_mend,
            ],
        }
    }
}

// === impl ProblemPage ===

impl ProblemPage {
    /// The page about a problem; `detail` is what exactly is wrong.
    pub(crate) fn new(
        reader: &Reader<'_>,
        problem: Problem,
        detail: &dyn Display,
        status: StatusCode,
    ) -> Self {
        let [title, words, advice, mend] = problem.texts(&reader.words.problem);
        Self {
            frame: Frame::new(reader),
            title: title.into(),
            words: words.into(),
            advice: advice.into(),
            status: status.as_u16(),
            detail: detail.to_string(),
            mend: mend.into(),
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Nowhere)
    }
}
