//! The pages where an application for codes is set up: the picture, and the recovery codes behind it.

use askama::Template;
use store::User;
use token::secret::Secret;

use super::policy::Leads;
use super::second::Notice;
use super::{Frame, Rendered, qr, render};
use crate::language::Reader;
use crate::login::factor::totp;

/// Where the picture is.
#[derive(Template)]
#[template(path = "enrolment.html")]
pub(crate) struct EnrolmentPage {
    frame: Frame,
    lead: String,
    username: String,
    notice: String,
    is_wrong: bool,
    /// An image of our own making: shapes alone.
    picture: String,
    uri: String,
    secret: String,
    action: String,
    hidden: Vec<(&'static str, String)>,
    /// Where who changes their mind goes; nowhere, where the form itself has a button for it.
    back: String,
}

/// Where the recovery codes are, once.
#[derive(Template)]
#[template(path = "recovery.html")]
pub(crate) struct RecoveryPage<'a> {
    frame: Frame,
    codes: Vec<&'a str>,
    onward: String,
}

// === impl EnrolmentPage ===

impl EnrolmentPage {
    pub(crate) fn new(reader: &Reader<'_>, person: &User, secret: &[u8], notice: Notice) -> Self {
        let frame = Frame::new(reader);
        let uri = totp::uri(&frame.host, &person.username, secret);
        Self {
            frame,
            lead: String::new(),
            username: person.username.clone(),
            notice: notice.words(&reader.words),
            is_wrong: notice == Notice::NotYet,
            picture: qr::inline(&uri).unwrap_or_default(),
            uri,
            secret: totp::written(secret),
            action: String::new(),
            hidden: Vec::new(),
            back: String::new(),
        }
    }

    /// While signing in.
    pub(crate) fn at_sign_in(
        self,
        hidden: Vec<(&'static str, String)>,
        reader: &Reader<'_>,
    ) -> Self {
        let lead = String::from(&reader.words.enrolment.lead_sign_in);
        Self { lead, hidden, action: reader.settings.path("/login/enrol"), ..self }
    }

    /// By somebody who is signed in.
    pub(crate) fn for_account(
        self,
        hidden: Vec<(&'static str, String)>,
        reader: &Reader<'_>,
    ) -> Self {
        let lead = String::from(&reader.words.enrolment.lead_account);
        let settings = reader.settings;
        let (action, back) = ("/account/factors/add", "/account/factors");
        Self { lead, hidden, action: settings.path(action), back: settings.path(back), ..self }
    }

    /// The page as it is sent; it leads to a client, or to a page of ours.
    pub(crate) fn finish(&self, return_to: Option<&str>) -> Rendered {
        render(&self.frame, self, return_to.map_or(Leads::Here, Leads::To))
    }
}

// === impl RecoveryPage ===

impl<'a> RecoveryPage<'a> {
    pub(crate) fn new(reader: &Reader<'_>, codes: &'a [Secret], onward: String) -> Self {
        let codes = codes.iter().map(Secret::expose).collect();
        Self { frame: Frame::new(reader), codes, onward }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Nowhere)
    }
}
