//! Between the factors: what a browser carries while more than a password is still to be proven, and while
//! an application for codes is being set up. Both are sealed, and good where they were given alone.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError, Upstream};
use token::base64url;
use token::id::SubjectId;
use token::random::Random;
use token::time::Timestamp;
use zeroize::Zeroizing;

use crate::login::browser::Browser;
use crate::login::factor::totp;
use crate::login::session::{Method, Proven};

/// How long somebody may take.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// Bytes of the name that a factor gets.
pub(super) const ID_BYTES: usize = 12;

/// Somebody who has shown their password, or whom a provider vouches for, and who has more to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HalfSignedIn {
    /// Who.
    pub(crate) subject: SubjectId,
    /// When they showed it here.
    pub(crate) at: Timestamp,
    /// The provider's word, where that came in place of a password.
    pub(crate) word: Option<Word>,
}

/// A provider's word for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Word {
    /// The provider's name here.
    pub(crate) provider: String,
    /// Who it is there.
    pub(crate) subject: String,
    /// The session there.
    pub(crate) session: Option<String>,
    /// When they signed in there.
    pub(crate) auth_time: Timestamp,
    /// Whether they showed two factors there.
    pub(crate) is_sure: bool,
}

/// A secret that is shown to somebody and counts when a first code of it comes back. The page has it in the
/// clear.
#[derive(Serialize, Deserialize)]
pub(crate) struct Offer {
    /// Whose it will be.
    pub(crate) subject: SubjectId,
    /// The name of the factor that it becomes: it becomes one once.
    pub(crate) id: String,
    /// The secret.
    pub(crate) secret: Vec<u8>,
    /// When it was made.
    pub(crate) at: Timestamp,
}

// === impl HalfSignedIn ===

impl HalfSignedIn {
    /// What the form carries: good in this browser, for what is signed in for.
    pub(crate) fn seal(
        &self,
        store: &Store,
        browser: &Browser,
        about: &str,
    ) -> Result<String, StoreError> {
        seal(store, &label("half sign-in", browser, about), self)
    }

    /// Reads it; `None` when it was given elsewhere, or too long ago.
    pub(crate) fn open(
        store: &Store,
        browser: &Browser,
        about: &str,
        text: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let half: Self = open(store, &label("half sign-in", browser, about), text)?;
        (now.since(half.at) < LIFE).then_some(half)
    }
}

// === impl Word ===

impl Word {
    /// What the session stands on.
    pub(crate) fn upstream(&self) -> Upstream {
        let Self { provider, subject, session, .. } = self.clone();
        Upstream { provider, subject, session }
    }

    /// What was proven by it.
    pub(crate) fn proven(&self, second: Option<Method>) -> Proven {
        let first = Method::Provider { is_sure: self.is_sure };
        Proven { at: self.auth_time, first, second }
    }
}

// === impl Offer ===

impl Offer {
    /// A new secret.
    pub(crate) fn new(subject: SubjectId, random: &dyn Random, now: Timestamp) -> Self {
        let mut id = [0; ID_BYTES];
        random.fill(&mut id);
        Self { subject, id: base64url::encode(id), secret: totp::secret(random), at: now }
    }

    /// What the form carries.
    pub(crate) fn seal(&self, store: &Store, browser: &Browser) -> Result<String, StoreError> {
        seal(store, &label("offered factor", browser, ""), self)
    }

    /// Reads it; `None` when it was given elsewhere, to somebody else, or too long ago.
    pub(crate) fn open(
        store: &Store,
        browser: &Browser,
        subject: &SubjectId,
        text: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let offer: Self = open(store, &label("offered factor", browser, ""), text)?;
        (offer.subject == *subject && now.since(offer.at) < LIFE).then_some(offer)
    }
}

pub(crate) fn seal(
    store: &Store,
    label: &str,
    value: &impl Serialize,
) -> Result<String, StoreError> {
    let text = serde_json::to_vec(value).map_err(|_| StoreError::Crypto)?;
    store.sealer().seal(label, &Zeroizing::new(text)).map(base64url::encode)
}

pub(crate) fn open<T: DeserializeOwned>(store: &Store, label: &str, text: &str) -> Option<T> {
    let sealed = base64url::decode(text)?;
    let opened = store.sealer().open(label, &sealed).ok()?;
    serde_json::from_slice(&opened).ok()
}

/// The browser's name has one length always, so that no two pairs are one label.
pub(crate) fn label(purpose: &str, browser: &Browser, about: &str) -> String {
    format!("{purpose} {} {about}", browser.name())
}
