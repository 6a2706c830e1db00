//! The page at the end: what has happened, and what to do now.

use askama::Template;

use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::settings::Settings;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// There is an account more.
    AccountMade,
    /// Somebody has shown that an address is theirs.
    AddressConfirmed,
    /// A letter was sent, or would have been.
    LetterSent,
    /// A link was used before, or is too old.
    LinkOver,
    /// This is done by whoever runs the server.
    NotHere,
    /// An account has a new password.
    PasswordChanged,
    /// Somebody said that it was not them, and every sign-in has ended.
    Disowned,
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
    /// Where the account is, when it goes on there.
    account: String,
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
            Done::AccountMade => {
                ("Your account is made", "You can sign in now. Your address is confirmed.")
            }
            Done::AddressConfirmed => {
                ("Your address is confirmed", "Letters about your account go there now.")
            }
            Done::Disowned => (
                "Every sign-in has ended",
                "Whoever used your account has no access any more, and neither have your own devices. Set a \
                 new password now: choose “Forgot your password?” where you sign in.",
            ),
            Done::LetterSent => (
                "Look into your mailbox",
                "If what you entered is known here or may be, a letter is on its way. Its link is good \
                 once, for 30 minutes. Look among unwanted mail, too.",
            ),
            Done::LinkOver => (
                "This link is over",
                "It was used before, it is too old, or something has changed since. Nothing has happened \
                 to your account. Ask for another link.",
            ),
            Done::NotHere => (
                "This is not done here",
                "Ask whoever runs this server: they make accounts and set passwords themselves.",
            ),
            Done::PasswordChanged => (
                "Your password is changed",
                "Every sign-in of your account has ended, this one too. Sign in with your new password.",
            ),
            Done::NothingChanged => ("Nothing was changed", "You can close this page."),
        };
        let goes_on = matches!(
            done,
            Done::AccountMade | Done::AddressConfirmed | Done::Disowned | Done::PasswordChanged
        );
        let is_good = goes_on || matches!(done, Done::DeviceAllowed | Done::SignedOut);
        let account = if goes_on { settings.path("/account") } else { String::new() };
        Self { frame: Frame::new(settings), title, words, is_good, account }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(self, Leads::Nowhere)
    }
}
