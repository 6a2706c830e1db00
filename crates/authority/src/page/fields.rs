//! One page for all short forms: a few fields and a button.

use askama::Template;
use http::StatusCode;

use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::language::words::Words;
use crate::language::{Reader, Text};
use crate::login::password::PasswordError;
use crate::login::password::policy::PolicyRefused;
use crate::login::throttle::Throttled;

/// What is typed into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A code that is good once.
    Code,
    /// The password that somebody has.
    CurrentPassword,
    /// A mail address.
    Email,
    /// A name as others see it.
    Name,
    /// A password to be.
    NewPassword,
    /// The name somebody signs in with.
    Username,
    /// The same, or a mail address.
    UsernameOrEmail,
}

/// A field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    name: &'static str,
    label: String,
    kind: Kind,
    value: String,
    hint: String,
    is_optional: bool,
}

/// What the page says above the form, and how that is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    words: String,
    /// The status of the page.
    pub(crate) status: StatusCode,
    /// Seconds until another try makes sense.
    pub(crate) wait: Option<u64>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "fields.html")]
pub(crate) struct FieldsPage {
    frame: Frame,
    title: String,
    lead: String,
    about: String,
    notice: String,
    action: String,
    button: String,
    /// For programs that keep passwords: whose it is.
    username: String,
    fields: Vec<Field>,
    hidden: Vec<(&'static str, String)>,
    links: Vec<(String, String)>,
}

// === impl Kind ===

impl Kind {
    fn input(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::CurrentPassword | Self::NewPassword => "password",
            Self::Code | Self::Name | Self::Username | Self::UsernameOrEmail => "text",
        }
    }

    /// HTML §4.10.18.7.
    fn autocomplete(self) -> &'static str {
        match self {
            Self::Code => "one-time-code",
            Self::CurrentPassword => "current-password",
            Self::Email => "email",
            Self::Name => "name",
            Self::NewPassword => "new-password",
            Self::Username | Self::UsernameOrEmail => "username",
        }
    }

    fn longest(self) -> u16 {
        match self {
            Self::Code => 32,
            Self::CurrentPassword | Self::NewPassword => 1024,
            Self::Email | Self::UsernameOrEmail => 254,
            Self::Name | Self::Username => 128,
        }
    }
}

// === impl Field ===

impl Field {
    /// One that has to be filled in.
    pub(crate) fn new(name: &'static str, label: &Text, kind: Kind) -> Self {
        let (label, value, hint) = (label.into(), String::new(), String::new());
        Self { name, label, kind, value, hint, is_optional: false }
    }

    /// One that may be left empty.
    pub(crate) fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    /// With this in it.
    pub(crate) fn holding(self, value: &str) -> Self {
        Self { value: value.to_owned(), ..self }
    }

    /// With this below its label.
    pub(crate) fn with_hint(self, hint: String) -> Self {
        Self { hint, ..self }
    }
}

// === impl Notice ===

impl Notice {
    /// Nothing is wrong.
    pub(crate) fn none() -> Self {
        Self { words: String::new(), status: StatusCode::OK, wait: None }
    }

    /// What was typed cannot be taken.
    pub(crate) fn wrong(words: impl Into<String>) -> Self {
        Self { words: words.into(), status: StatusCode::BAD_REQUEST, wait: None }
    }

    /// The form is not one that this browser was given.
    pub(crate) fn stale(words: &Words) -> Self {
        Self::wrong(&words.common.stale_or_no_cookies)
    }

    /// Too many tries.
    pub(crate) fn throttled(throttled: Throttled, words: &Words) -> Self {
        let wait = throttled.wait.as_secs().max(1);
        let words = words.tried_too_often(wait);
        Self { words, status: StatusCode::TOO_MANY_REQUESTS, wait: Some(wait) }
    }

    /// Why a new password is not taken.
    pub(crate) fn of_password(error: &PasswordError, words: &Words) -> Self {
        match error {
            PasswordError::Policy(refused) => Self::wrong(refused_password(*refused, words)),
            PasswordError::Busy => Self {
                words: (&words.password.busy).into(),
                status: StatusCode::SERVICE_UNAVAILABLE,
                wait: Some(1),
            },
            PasswordError::Hashing(_) | PasswordError::List(_) | PasswordError::StoredHash => {
                tracing::error!(cause = %error, "a password could not be handled");
                Self {
                    words: (&words.common.failed).into(),
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    wait: None,
                }
            }
        }
    }
}

/// Which rule a new password breaks.
fn refused_password(refused: PolicyRefused, words: &Words) -> String {
    let words = &words.password;
    match refused {
        PolicyRefused::Breached => (&words.breached).into(),
        PolicyRefused::Common => (&words.common).into(),
        PolicyRefused::Predictable => (&words.predictable).into(),
        PolicyRefused::TooLong => (&words.too_long).into(),
        PolicyRefused::TooShort(least) => words.too_short.fill(&[("count", &least)]),
    }
}

// === impl FieldsPage ===

impl FieldsPage {
    /// A page of this title, whose form is sent to this path.
    pub(crate) fn new(
        reader: &Reader<'_>,
        title: &Text,
        path: &str,
        button: &Text,
        notice: &Notice,
    ) -> Self {
        let frame = Frame::new(reader);
        Self {
            lead: reader.words.common.host.fill(&[("host", &frame.host)]),
            frame,
            title: title.into(),
            about: String::new(),
            notice: notice.words.clone(),
            action: reader.settings.path(path),
            button: button.into(),
            username: String::new(),
            fields: Vec::new(),
            hidden: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Whose account it is about.
    pub(crate) fn of(self, username: &str) -> Self {
        let (host, words) = (&self.frame.host, &self.frame.words.common);
        let lead = words.for_at.fill(&[("username", &username), ("host", host)]);
        Self { lead, username: username.to_owned(), ..self }
    }

    /// What there is to know before.
    pub(crate) fn about(self, about: impl Into<String>) -> Self {
        Self { about: about.into(), ..self }
    }

    /// With a field more.
    pub(crate) fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// With something that the form carries.
    pub(crate) fn hidden(mut self, name: &'static str, value: String) -> Self {
        self.hidden.push((name, value));
        self
    }

    /// With a way to go elsewhere.
    pub(crate) fn link(mut self, words: &Text, url: String) -> Self {
        self.links.push((words.into(), url));
        self
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Here)
    }
}
