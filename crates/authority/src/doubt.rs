//! Somebody else may be using an account: its person is asked, and can end that with one link.

use std::net::IpAddr;

use store::{LinkPurpose, StoreError};
use token::id::SubjectId;
use token::time::Timestamp;

use crate::approve;
use crate::language::Language;
use crate::letters::Occasion;
use crate::login::link::Draft;
use crate::state::Authority;

/// What speaks for somebody else using an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A sign-in with a browser that was not used before.
    Browser,
    /// Many requests to confirm a sign-in.
    Codes,
    /// A token was used that had been replaced.
    Copied,
    /// A device was connected by what looks like a trick.
    Device,
    /// A passkey of which there may be a copy.
    Passkey,
    /// Something important from a new place.
    Place,
    /// Several places at the same time.
    Shared,
    /// Two places that are too far from each other.
    Travel,
}

/// What a person is asked about.
#[derive(Clone, Debug)]
pub struct Concern {
    /// Whose account it is.
    pub subject: SubjectId,
    /// What speaks for somebody else.
    pub doubt: Doubt,
    /// From which address.
    pub ip: Option<IpAddr>,
    /// When.
    pub at: Timestamp,
}

// === impl Doubt ===

impl Doubt {
    /// The names of the detectors that a person can be asked about.
    pub const DETECTORS: [(&'static str, Self); 7] = [
        ("copied_passkey", Self::Passkey),
        ("device_phishing", Self::Device),
        ("impossible_travel", Self::Travel),
        ("mfa_fatigue", Self::Codes),
        ("new_place", Self::Place),
        ("refresh_reuse", Self::Copied),
        ("token_sharing", Self::Shared),
    ];

    /// What a finding of this detector speaks for; `None` where its person could not tell.
    pub fn of(detector: &str) -> Option<Self> {
        let found = Self::DETECTORS.iter().find(|(name, _)| *name == detector);
        found.map(|(_, doubt)| *doubt)
    }
}

// === impl Authority ===

impl Authority {
    /// Asks a person by a letter whether it was them, with a link that ends every sign-in of theirs; `false`
    /// where there is nobody to ask: a service, or somebody without an address.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read or written.
    pub async fn ask_whether_it_was_them(
        &self,
        concern: &Concern,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.ask(concern, self.settings().catalogue.usual(), now).await
    }

    /// The same, in this language where the person has chosen none.
    pub(crate) async fn ask(
        &self,
        concern: &Concern,
        language: Language,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let user = approve::active_person(self.store(), &concern.subject, now).await?;
        let Some(user) = user.filter(|_| self.sends_letters()) else { return Ok(false) };
        let Some(address) = user.email.as_deref() else { return Ok(false) };
        let draft = Draft {
            purpose: LinkPurpose::Disown,
            subject: Some(&user.id),
            address,
            username: None,
            name: None,
            created_by: "authority".to_owned(),
        };
        let (_, url) = self.make_link(draft, now).await?;
        let Concern { doubt, ip, at, .. } = *concern;
        let username = user.username.as_str();
        self.write(&user, &Occasion::Doubt { username, doubt, ip, at, url }, language, now);
        Ok(true)
    }
}
