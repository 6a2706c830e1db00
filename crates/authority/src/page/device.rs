//! The pages for a device without a keyboard: type its code, then decide (RFC 8628 §3.3).

use askama::Template;
use store::{Client, User, Waiting};
use token::scope::ScopeSet;
use token::time::Timestamp;

use super::consent::{Choice, Permission, choices, details, permissions};
use super::policy::Leads;
use super::{Frame, Rendered, initial, render};
use crate::language::Reader;
use crate::rule::optional_scopes::Split;

/// What the first page says above its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Nothing.
    None,
    /// The form is not one that this session was given.
    Stale,
    /// Too many wrong codes.
    Throttled,
    /// There is no such code, or its time is over.
    Unknown,
}

/// Where the code is typed.
#[derive(Debug, Template)]
#[template(path = "device_code.html")]
pub(crate) struct CodePage {
    frame: Frame,
    notice: String,
    action: String,
    proof: String,
    user_code: String,
    username: String,
}

/// Where it is decided.
#[derive(Debug, Template)]
#[template(path = "device_confirm.html")]
pub(crate) struct ConfirmPage {
    frame: Frame,
    client: String,
    client_id: String,
    client_initial: String,
    person_initial: String,
    username: String,
    user_code: String,
    permissions: Vec<Permission>,
    choices: Vec<Choice>,
    audiences: Vec<String>,
    is_elsewhere: bool,
    asked: String,
    asked_from: String,
    asked_by: String,
    action: String,
    proof: String,
}

/// What a person decides about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The device's request.
    pub(crate) request: &'a Waiting,
    /// Its client.
    pub(crate) client: &'a Client,
    /// Who decides.
    pub(crate) person: &'a User,
    /// The code that the device shows.
    pub(crate) user_code: &'a str,
    /// Where the person is.
    pub(crate) from: Option<&'a str>,
}

// === impl CodePage ===

impl CodePage {
    pub(crate) fn new(
        reader: &Reader<'_>,
        person: &User,
        user_code: &str,
        proof: String,
        notice: Notice,
    ) -> Self {
        Self {
            frame: Frame::new(reader),
            notice: match notice {
                Notice::None => String::new(),
                Notice::Stale => (&reader.words.common.stale).into(),
                Notice::Throttled => (&reader.words.device.throttled).into(),
                Notice::Unknown => (&reader.words.device.unknown).into(),
            },
            action: reader.settings.path("/device"),
            proof,
            user_code: user_code.to_owned(),
            username: person.username.clone(),
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Here)
    }
}

// === impl ConfirmPage ===

impl ConfirmPage {
    pub(crate) fn new(
        reader: &Reader<'_>,
        asked: &Asked<'_>,
        proof: String,
        now: Timestamp,
    ) -> Self {
        let Asked { request, client, person, .. } = asked;
        let optional = &client.options.optional_scopes;
        let split = Split::of(optional, &request.scopes, &reader.settings.ladder);
        let unknown = || String::from(&reader.words.common.unknown);
        let place = |text: &str| reader.settings.places.shown_of(text);
        Self {
            frame: Frame::new(reader),
            client: client.name.clone(),
            client_id: client.id.to_string(),
            client_initial: initial(&client.name),
            person_initial: initial(&person.username),
            username: person.username.clone(),
            user_code: asked.user_code.to_owned(),
            permissions: details(&request.details, reader)
                .into_iter()
                .chain(permissions(&split.fixed, reader))
                .collect(),
            choices: choices(&split.optional, &ScopeSet::default(), reader),
            audiences: request.audiences.clone(),
            is_elsewhere: request.asked_from.as_deref() != asked.from,
            asked: reader.words.ago(now.since(request.asked_at).as_secs()),
            asked_from: request.asked_from.as_deref().map_or_else(unknown, place),
            asked_by: request.asked_by.clone().unwrap_or_else(unknown),
            action: reader.settings.path("/device/decision"),
            proof,
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Here)
    }
}
