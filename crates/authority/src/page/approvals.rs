//! The page with what applications ask a person by the back channel (CIBA Core 1.0 §8).

use askama::Template;
use store::{Client, User, Waiting};
use token::scope::ScopeSet;
use token::time::Timestamp;

use super::consent::{Choice, Permission, choices, details, permissions};
use super::policy::Leads;
use super::{Frame, Rendered, initial, render};
use crate::language::Reader;
use crate::rule::optional_scopes::Split;

/// What the page says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The last question was answered with yes.
    Allowed,
    /// With no.
    Denied,
    /// Nothing.
    None,
    /// The question is over, or the form was not given to this session.
    Stale,
}

/// One question.
#[derive(Debug)]
pub(crate) struct Question {
    client: String,
    client_initial: String,
    message: String,
    permissions: Vec<Permission>,
    choices: Vec<Choice>,
    asked: String,
    name: String,
    proof: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "approvals.html")]
pub(crate) struct ApprovalsPage {
    frame: Frame,
    username: String,
    questions: Vec<Question>,
    action: String,
    account: String,
    notice: String,
    done: String,
}

// === impl Question ===

impl Question {
    pub(crate) fn new(
        reader: &Reader<'_>,
        request: &Waiting,
        client: &Client,
        name: String,
        proof: String,
        now: Timestamp,
    ) -> Self {
        let optional = &client.options.optional_scopes;
        let split = Split::of(optional, &request.scopes, &reader.settings.ladder);
        Self {
            client: client.name.clone(),
            client_initial: initial(&client.name),
            message: request.message.clone().unwrap_or_default(),
            permissions: details(&request.details, reader)
                .into_iter()
                .chain(permissions(&split.fixed, reader))
                .collect(),
            choices: choices(&split.optional, &ScopeSet::default(), reader),
            asked: reader.words.ago(now.since(request.asked_at).as_secs()),
            name,
            proof,
        }
    }
}

// === impl ApprovalsPage ===

impl ApprovalsPage {
    pub(crate) fn new(
        reader: &Reader<'_>,
        person: &User,
        questions: Vec<Question>,
        notice: Notice,
    ) -> Self {
        let words = &reader.words.approvals;
        Self {
            frame: Frame::new(reader),
            username: person.username.clone(),
            questions,
            action: reader.settings.path("/approvals/decision"),
            account: reader.settings.path("/account"),
            notice: match notice {
                Notice::Stale => (&words.over).into(),
                Notice::Allowed | Notice::Denied | Notice::None => String::new(),
            },
            done: match notice {
                Notice::Allowed => (&words.allowed).into(),
                Notice::Denied => (&words.denied).into(),
                Notice::None | Notice::Stale => String::new(),
            },
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Here)
    }
}
