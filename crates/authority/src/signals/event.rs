//! The kinds of security events, by their names here and by their URIs.

use std::fmt;
use std::str::FromStr;

/// By which a receiver sees that it is reached (Shared Signals Framework 1.0 §8.1.4.1).
pub const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// What can have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// Somebody may not come in for the time being (RISC 1.0 §2.3).
    AccountDisabled,
    /// They may again (§2.4).
    AccountEnabled,
    /// Somebody is here no more (§2.2).
    AccountPurged,
    /// What somebody shows to prove who they are was changed (CAEP 1.0 §3.3).
    CredentialChange,
    /// A token of somebody was found in public (RISC 1.0 §2.7).
    CredentialCompromise,
    /// A sign-in of somebody was ended, or all of them (CAEP 1.0 §3.1).
    SessionRevoked,
}

/// A text that names no kind of event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no kind of event: `account_disabled`, `account_enabled`, `account_purged`, \
     `credential_change`, `credential_compromise` or `session_revoked`"
)]
pub struct NotEventType(String);

// === impl EventType ===

impl EventType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::AccountPurged,
        Self::CredentialChange,
        Self::CredentialCompromise,
        Self::SessionRevoked,
    ];

    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountDisabled => "account_disabled",
            Self::AccountEnabled => "account_enabled",
            Self::AccountPurged => "account_purged",
            Self::CredentialChange => "credential_change",
            Self::CredentialCompromise => "credential_compromise",
            Self::SessionRevoked => "session_revoked",
        }
    }

    /// The kind of this name in tokens.
    pub fn of_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.uri() == uri)
    }

    /// Its name in tokens.
    pub fn uri(self) -> &'static str {
        match self {
            Self::AccountDisabled => {
                "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
            }
            Self::AccountEnabled => {
                "https://schemas.openid.net/secevent/risc/event-type/account-enabled"
            }
            Self::AccountPurged => {
                "https://schemas.openid.net/secevent/risc/event-type/account-purged"
            }
            Self::CredentialChange => {
                "https://schemas.openid.net/secevent/caep/event-type/credential-change"
            }
            Self::CredentialCompromise => {
                "https://schemas.openid.net/secevent/risc/event-type/credential-compromise"
            }
            Self::SessionRevoked => {
                "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
            }
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = NotEventType;

    fn from_str(text: &str) -> Result<Self, NotEventType> {
        let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| NotEventType(text.to_owned()))
    }
}
