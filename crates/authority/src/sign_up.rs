//! Who may make an account without an administrator.

use mail::Address;
use serde::{Deserialize, Serialize};

/// How accounts come to be, besides those that an administrator makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By invitation of an administrator.
    Invitation,
    /// Not at all.
    #[default]
    Off,
    /// By invitation, and by whoever shows that an address is theirs.
    Open,
}

/// Who may make an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignUp {
    /// How.
    pub mode: Mode,
    /// Domains that addresses have to be of, in lower case; none: any. Invitations go to any address.
    pub email_domains: Vec<String>,
}

// === impl SignUp ===

impl SignUp {
    /// Whether there is a page for everybody.
    pub(crate) fn is_open(&self) -> bool {
        self.mode == Mode::Open
    }

    /// Whether administrators invite.
    pub fn has_invitations(&self) -> bool {
        self.mode != Mode::Off
    }

    /// Whether this address may be used.
    pub(crate) fn takes(&self, address: &Address) -> bool {
        self.email_domains.is_empty() || self.email_domains.contains(&address.domain())
    }
}
