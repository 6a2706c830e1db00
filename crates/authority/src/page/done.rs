//! The page at the end: what has happened, and what to do now.

use askama::Template;

use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::settings::Settings;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// A device may use the account.
    DeviceAllowed,
    /// A device may not.
    DeviceRefused,
    /// Nothing.
    NothingChanged,
    /// Somebody signed out.
    SignedOut,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "done.html")]
pub(crate) struct DonePage {
    frame: Frame,
    title: &'static str,
    words: &'static str,
    is_good: bool,
}

// === impl DonePage ===

impl DonePage {
    pub(crate) fn new(settings: &Settings, done: Done) -> Self {
        let (title, words) = match done {
            Done::DeviceAllowed => {
                ("Your device is connected", "You can close this page and go on at your device.")
            }
            Done::DeviceRefused => (
                "The device was refused",
                "It has no access to your account. You can close this page.",
            ),
            Done::SignedOut => (
                "You are signed out",
                "Every application that you used with this sign-in was told. You can close this page.",
            ),
            Done::NothingChanged => ("Nothing was changed", "You can close this page."),
        };
        let is_good = matches!(done, Done::DeviceAllowed | Done::SignedOut);
        Self { frame: Frame::new(settings), title, words, is_good }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Nowhere)
    }
}
