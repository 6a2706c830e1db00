//! One page for all short forms: a few fields and a button.

use askama::Template;
use http::StatusCode;

use super::login::spoken;
use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::login::password::PasswordError;
use crate::login::throttle::Throttled;
use crate::settings::Settings;

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
    label: &'static str,
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
    title: &'static str,
    lead: String,
    about: String,
    notice: String,
    action: String,
    button: &'static str,
    /// For programs that keep passwords: whose it is.
    username: String,
    fields: Vec<Field>,
    hidden: Vec<(&'static str, String)>,
    links: Vec<(&'static str, String)>,
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
    pub(crate) fn new(name: &'static str, label: &'static str, kind: Kind) -> Self {
        let (value, hint) = (String::new(), String::new());
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
    pub(crate) fn stale() -> Self {
        Self::wrong(
            "This page was open for a long time, or your browser keeps no cookies. Please try again.",
        )
    }

    /// Too many tries.
    pub(crate) fn throttled(throttled: Throttled) -> Self {
        let wait = throttled.wait.as_secs().max(1);
        let words = format!("That was tried too often. Wait {}, then try again.", spoken(wait));
        Self { words, status: StatusCode::TOO_MANY_REQUESTS, wait: Some(wait) }
    }

    /// Why a new password is not taken.
    pub(crate) fn of_password(error: &PasswordError) -> Self {
        match error {
            PasswordError::Policy(refused) => Self::wrong(sentence(&refused.to_string())),
            PasswordError::Busy => Self {
                words: "Many people are here right now. Try again in a moment.".to_owned(),
                status: StatusCode::SERVICE_UNAVAILABLE,
                wait: Some(1),
            },
            PasswordError::Hashing(_) | PasswordError::List(_) | PasswordError::StoredHash => {
                tracing::error!(cause = %error, "a password could not be handled");
                Self {
                    words: "Something failed on our side. Try again in a moment.".to_owned(),
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    wait: None,
                }
            }
        }
    }
}

/// The words of an error as people read them.
pub(crate) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

// === impl FieldsPage ===

impl FieldsPage {
    /// A page of this title, whose form is sent to this path.
    pub(crate) fn new(
        settings: &Settings,
        title: &'static str,
        path: &str,
        button: &'static str,
        notice: &Notice,
    ) -> Self {
        let frame = Frame::new(settings);
        Self {
            lead: format!("at {}", frame.host),
            frame,
            title,
            about: String::new(),
            notice: notice.words.clone(),
            action: settings.path(path),
            button,
            username: String::new(),
            fields: Vec::new(),
            hidden: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Whose account it is about.
    pub(crate) fn of(self, username: &str) -> Self {
        let lead = format!("for {username} at {}", self.frame.host);
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
    pub(crate) fn link(mut self, words: &'static str, url: String) -> Self {
        self.links.push((words, url));
        self
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Here)
    }
}
