//! Letters to people: what they say, and to whom they go.

mod words;

use std::time::Duration;

use mail::Address;
use store::{LinkPurpose, User};
use token::time::Timestamp;

use crate::doubt::Doubt;
use crate::language::{Language, Reader};
use crate::login::link;
use crate::person_claims;
use crate::state::Authority;

/// How long a letter without a link is tried (RFC 5321 §4.5.4.1).
const NEWS_LIFE: Duration = Duration::from_secs(5 * 24 * 3600);

/// What a letter is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Occasion<'a> {
    /// Somebody asked for an account, and there is one.
    AccountKnown {
        /// Its user name.
        username: &'a str,
    },
    /// The address of an account was changed; to the address before.
    AddressChanged {
        /// The account's user name.
        username: &'a str,
    },
    /// Somebody has to show that an address is theirs. It says nothing that they chose.
    Confirm {
        /// The link.
        url: String,
    },
    /// Somebody else may be using an account.
    Doubt {
        /// The account's user name.
        username: &'a str,
        /// What speaks for that.
        doubt: Doubt,
        /// From which address.
        ip: Option<std::net::IpAddr>,
        /// When.
        at: Timestamp,
        /// The link by which it is ended.
        url: String,
    },
    /// What is proven beside a password was changed.
    FactorsChanged {
        /// The account's user name.
        username: &'a str,
        /// What has happened.
        what: FactorChange,
    },
    /// Somebody is invited.
    Invitation {
        /// The link.
        url: String,
    },
    /// A password was changed.
    PasswordChanged {
        /// The account's user name.
        username: &'a str,
    },
    /// Somebody has forgotten their password.
    Reset {
        /// The account's user name.
        username: &'a str,
        /// The link.
        url: String,
    },
    /// Somebody wants an account.
    SignUp {
        /// The link.
        url: String,
    },
    /// A personal token ends soon.
    TokenEnds {
        /// The owner's user name.
        username: &'a str,
        /// What the token is for.
        token: &'a str,
        /// When it ends.
        at: Timestamp,
    },
    /// A token of theirs was found in a public place, and is worth nothing now.
    TokenLeaked {
        /// The owner's user name.
        username: &'a str,
        /// What it was.
        token: &'a str,
    },
}

/// What has happened to what somebody proves beside a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FactorChange {
    /// An app for codes was added.
    Added,
    /// An account elsewhere was connected.
    Connected,
    /// One was disconnected.
    Disconnected,
    /// There are new recovery codes.
    NewCodes,
    /// Something was removed.
    Removed,
}

// === impl Occasion ===

impl Occasion<'_> {
    /// When a letter that is written now is worth nothing any more: with its link, or when its news is old.
    fn until(&self, now: Timestamp) -> Timestamp {
        let purpose = match self {
            Self::Confirm { .. } => LinkPurpose::Address,
            Self::Doubt { .. } => LinkPurpose::Disown,
            Self::Invitation { .. } => LinkPurpose::Invitation,
            Self::Reset { .. } => LinkPurpose::Reset,
            // Somebody who knows of their account waits for it no longer than for a link.
            Self::AccountKnown { .. } | Self::SignUp { .. } => LinkPurpose::SignUp,
            Self::TokenEnds { at, .. } => return *at,
            Self::AddressChanged { .. }
            | Self::FactorsChanged { .. }
            | Self::PasswordChanged { .. }
            | Self::TokenLeaked { .. } => return now.plus(NEWS_LIFE),
        };
        now.plus(link::life(purpose))
    }
}

// === impl Authority ===

impl Authority {
    /// Whether letters reach anybody.
    pub fn sends_letters(&self) -> bool {
        self.outbox().is_open()
    }

    /// Writes to an address, in this language.
    pub(crate) fn write_to(
        &self,
        address: &str,
        occasion: &Occasion<'_>,
        language: Language,
        now: Timestamp,
    ) {
        // Checked whenever it was set; an older one may not be.
        let Ok(to) = Address::parse(address) else {
            tracing::warn!("a letter is not sent: the person's address is none");
            return;
        };
        match words::letter(&Reader::new(self.settings(), language), to, occasion) {
            Ok(letter) => self.outbox().post(letter, occasion.until(now), now),
            Err(error) => tracing::error!(%error, "a letter could not be written"),
        }
    }

    /// Writes to a person, where they have an address: in the language of their `locale`, else in this one.
    pub(crate) fn write(
        &self,
        user: &User,
        occasion: &Occasion<'_>,
        language: Language,
        now: Timestamp,
    ) {
        let language = person_claims::locale(user).unwrap_or(language);
        if let Some(address) = user.email.as_deref().filter(|_| self.sends_letters()) {
            self.write_to(address, occasion, language, now);
        }
    }

    /// Tells people whose personal tokens end soon, once for each time before that is configured. To be
    /// called every minute.
    ///
    /// # Errors
    /// [`store::StoreError`] when state cannot be read or written; the next call goes on.
    pub async fn tell_of_ends(&self, now: Timestamp) -> Result<(), store::StoreError> {
        if !self.sends_letters() {
            return Ok(());
        }
        for within in &self.settings().notices.token_ends {
            for token in self.store().personal_ending(*within, now).await? {
                let token::personal::Owner::Person(subject) = &token.terms.owner else { continue };
                let Some(user) = self.store().user(subject).await? else { continue };
                let (username, at) = (user.username.as_str(), token.terms.expires_at);
                let occasion = Occasion::TokenEnds { username, token: &token.name, at };
                self.write(&user, &occasion, self.settings().catalogue.usual(), now);
            }
        }
        Ok(())
    }
}
