//! The page that asks whether somebody wants to sign out.

use askama::Template;
use store::User;

use super::policy::Leads;
use super::{Frame, Rendered, initial, render};
use crate::language::Reader;

/// The page.
#[derive(Debug, Template)]
#[template(path = "logout.html")]
pub(crate) struct LogoutPage {
    frame: Frame,
    username: String,
    person_initial: String,
    client: String,
    action: String,
    request: String,
    proof: String,
}

// === impl LogoutPage ===

impl LogoutPage {
    pub(crate) fn new(
        reader: &Reader<'_>,
        person: &User,
        client: Option<&str>,
        request: &str,
        proof: String,
    ) -> Self {
        Self {
            frame: Frame::new(reader),
            username: person.username.clone(),
            person_initial: initial(&person.username),
            client: client.unwrap_or_default().to_owned(),
            action: reader.settings.path("/logout/decision"),
            request: request.to_owned(),
            proof,
        }
    }

    /// The page as it is sent; it leads to a client, or to a page of ours.
    pub(crate) fn finish(&self, onward: Option<&str>) -> Rendered {
        render(&self.frame, self, onward.map_or(Leads::Here, Leads::To))
    }
}
