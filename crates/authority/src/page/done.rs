//! The page at the end: what has happened, and what to do now.

use askama::Template;

use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::language::Reader;

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
    title: String,
    words: String,
    is_good: bool,
    /// Where the account is, when it goes on there.
    account: String,
}

// === impl DonePage ===

impl DonePage {
    pub(crate) fn new(reader: &Reader<'_>, done: Done) -> Self {
        let words = &reader.words.done;
        let (title, words) = match done {
            Done::AccountMade => (&words.account_made_title, &words.account_made),
            Done::AddressConfirmed => (&words.address_confirmed_title, &words.address_confirmed),
            Done::DeviceAllowed => (&words.device_allowed_title, &words.device_allowed),
            Done::DeviceRefused => (&words.device_refused_title, &words.device_refused),
            Done::Disowned => (&words.disowned_title, &words.disowned),
            Done::LetterSent => (&words.letter_sent_title, &words.letter_sent),
            Done::LinkOver => (&words.link_over_title, &words.link_over),
            Done::NotHere => (&words.not_here_title, &words.not_here),
            Done::NothingChanged => (&words.nothing_title, &words.nothing),
            Done::PasswordChanged => (&words.password_changed_title, &words.password_changed),
            Done::SignedOut => (&words.signed_out_title, &words.signed_out),
        };
        let goes_on = matches!(
            done,
            Done::AccountMade | Done::AddressConfirmed | Done::Disowned | Done::PasswordChanged
        );
        let is_good = goes_on || matches!(done, Done::DeviceAllowed | Done::SignedOut);
        let account = if goes_on { reader.settings.path("/account") } else { String::new() };
        let (title, words) = (title.into(), words.into());
        Self { frame: Frame::new(reader), title, words, is_good, account }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Nowhere)
    }
}
