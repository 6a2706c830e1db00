//! The pages where an application for codes is set up: the picture, and the recovery codes behind it.

use askama::Template;
use store::User;
use token::secret::Secret;

use super::policy::Leads;
use super::second::Notice;
use super::{Frame, Rendered, qr, render};
use crate::login::factor::totp;
use crate::settings::Settings;

/// Where the picture is.
#[derive(Template)]
#[template(path = "enrolment.html")]
pub(crate) struct EnrolmentPage {
    frame: Frame,
    lead: &'static str,
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
    pub(crate) fn new(settings: &Settings, person: &User, secret: &[u8], notice: Notice) -> Self {
        let frame = Frame::new(settings);
        let uri = totp::uri(&frame.host, &person.username, secret);
        Self {
            frame,
            lead: "",
            username: person.username.clone(),
            notice: notice.words(),
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
        settings: &Settings,
    ) -> Self {
        let lead = "A password is not enough here. Set up an app that shows codes; you need it once \
                    now and whenever you sign in.";
        Self { lead, hidden, action: settings.path("/login/enrol"), ..self }
    }

    /// By somebody who is signed in.
    pub(crate) fn for_account(
        self,
        hidden: Vec<(&'static str, String)>,
        settings: &Settings,
    ) -> Self {
        let lead = "Whoever has your password then also needs your device.";
        let (action, back) = ("/account/factors/add", "/account/factors");
        Self { lead, hidden, action: settings.path(action), back: settings.path(back), ..self }
    }

    /// The page as it is sent; it leads to a client, or to a page of ours.
    pub(crate) fn finish(&self, return_to: Option<&str>) -> Rendered {
        render(self, return_to.map_or(Leads::Here, Leads::To))
    }
}

// === impl RecoveryPage ===

impl<'a> RecoveryPage<'a> {
    pub(crate) fn new(settings: &Settings, codes: &'a [Secret], onward: String) -> Self {
        let codes = codes.iter().map(Secret::expose).collect();
        Self { frame: Frame::new(settings), codes, onward }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Nowhere)
    }
}
