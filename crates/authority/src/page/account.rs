//! The page that leads to what protects an account.

use askama::Template;
use store::User;

use super::policy::Leads;
use super::{Frame, Rendered, initial, render};
use crate::settings::Settings;

/// The page.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub(crate) struct AccountPage {
    frame: Frame,
    person_initial: String,
    username: String,
    email: String,
    is_confirmed: bool,
    path: String,
}

// === impl AccountPage ===

impl AccountPage {
    pub(crate) fn new(settings: &Settings, person: &User) -> Self {
        Self {
            frame: Frame::new(settings),
            person_initial: initial(&person.username),
            username: person.username.clone(),
            email: person.email.clone().unwrap_or_default(),
            is_confirmed: person.email_verified,
            path: settings.path("/account"),
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Nowhere)
    }
}
