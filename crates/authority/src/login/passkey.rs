//! Passkeys (Web Authentication Level 3): what an authenticator is asked, and whether its answer is believed.
//!
//! A passkey always checks who holds it (user verification), so that it is two factors by itself: something
//! somebody has, and something they know or are. Attestation is not asked for: whoever makes the
//! authenticator learns nothing, and what it says of itself is its own word.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{PasskeyUse, Store, StoreError, User};
use token::base64url;
use token::id::SubjectId;
use token::random::Random;
use token::time::Timestamp;
use url::{Host, Url};
use webauthn_rs::prelude::{
    Credential, CredentialID, DiscoverableAuthentication, Passkey, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, Uuid, Webauthn, WebauthnBuilder,
    WebauthnError,
};

use crate::login::browser::Browser;
use crate::login::half::{self, ID_BYTES};
use crate::login::session::Method;

/// How long somebody may take to answer.
const LIFE: Duration = Duration::from_secs(15 * 60);
const HANDLE_BYTES: usize = 16;

/// Whose passkeys are taken: those of the issuer's host.
pub(crate) struct RelyingParty(Webauthn);

/// A challenge that waits for a signature; it counts once.
#[derive(Serialize, Deserialize)]
pub(crate) struct Challenge {
    state: DiscoverableAuthentication,
    id: String,
    at: Timestamp,
}

/// A challenge that waits for a new passkey; it counts once.
#[derive(Serialize, Deserialize)]
pub(crate) struct Invitation {
    state: PasskeyRegistration,
    subject: SubjectId,
    handle: Vec<u8>,
    id: String,
    at: Timestamp,
}

/// Why a passkey is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasskeyRefused {
    /// The signature is good, and its counter went back: there seems to be a copy of the passkey (Web
    /// Authentication §6.1.1).
    #[error("the counter of the passkey went back")]
    Copied {
        /// Whose passkey it is.
        subject: SubjectId,
    },
    /// The answer cannot be read.
    #[error("the answer is not one of a passkey: {0}")]
    Form(#[from] serde_json::Error),
    /// The library refuses it.
    #[error(transparent)]
    Library(#[from] WebauthnError),
    /// The challenge was given elsewhere, too long ago, or was answered before.
    #[error("the challenge is not one that waits for an answer")]
    Stale,
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody has such a passkey, or somebody else than who is asked.
    #[error("there is no such passkey")]
    Unknown,
}

// === impl RelyingParty ===

impl RelyingParty {
    /// For the passkeys of an issuer; there are none where its host is an address, since passkeys belong to
    /// a name (Web Authentication §5.1.2).
    pub(crate) fn of(issuer: &str) -> Option<Self> {
        let url = Url::parse(issuer).ok()?;
        let Some(Host::Domain(host)) = url.host() else { return None };
        let host = host.to_owned();
        WebauthnBuilder::new(&host, &url).ok()?.rp_name(&host).build().ok().map(Self)
    }

    /// Asks for any passkey, or for one of these: options of Web Authentication §5.5, and what their answer
    /// is checked with.
    ///
    /// # Errors
    /// [`PasskeyRefused::Library`] when no challenge can be made.
    pub(crate) fn ask(
        &self,
        allowed: &[store::Passkey],
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<(Value, Challenge), PasskeyRefused> {
        let (question, state) = self.0.start_discoverable_authentication()?;
        let mut options = serde_json::to_value(question.public_key)?;
        let listed = allowed.iter().map(
            |passkey| json!({ "type": "public-key", "id": base64url::encode(&passkey.credential) }),
        );
        options["allowCredentials"] = listed.collect();
        Ok((options, Challenge { state, id: id(random), at: now }))
    }

    /// Asks for a new passkey of a person who has these: options of Web Authentication §5.4, and what their
    /// answer is checked with.
    ///
    /// # Errors
    /// [`PasskeyRefused::Library`] when no challenge can be made.
    pub(crate) fn invite(
        &self,
        user: &User,
        held: &[store::Passkey],
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<(Value, Invitation), PasskeyRefused> {
        // An authenticator keeps one passkey for a handle, and shows what has one handle as one account.
        let handle = held.first().map(|passkey| passkey.handle.clone());
        let handle = handle.unwrap_or_else(|| bytes::<HANDLE_BYTES>(random).to_vec());
        let uuid = Uuid::from_slice(&handle).map_err(|_| PasskeyRefused::Unknown)?;
        let known = held.iter().map(|passkey| CredentialID::from(passkey.credential.clone()));
        let shown = user.name.as_deref().unwrap_or(&user.username);
        let (question, state) = self.0.start_passkey_registration(
            uuid,
            &user.username,
            shown,
            Some(known.collect()),
        )?;
        let mut options = serde_json::to_value(question.public_key)?;
        // One that is found without a name is better; one that is not still does after the password.
        options["authenticatorSelection"]["residentKey"] = "preferred".into();
        let subject = user.id.clone();
        Ok((options, Invitation { state, subject, handle, id: id(random), at: now }))
    }

    /// The passkey that has answered an invitation, and what that proves.
    ///
    /// # Errors
    /// [`PasskeyRefused`] says why it is not taken.
    pub(crate) fn accept(
        &self,
        invitation: Invitation,
        answer: &str,
        name: String,
        now: Timestamp,
    ) -> Result<(store::Passkey, Method), PasskeyRefused> {
        let answer: RegisterPublicKeyCredential = serde_json::from_str(answer)?;
        let passkey = self.0.finish_passkey_registration(&answer, &invitation.state)?;
        let record = serde_json::to_vec(&passkey)?;
        let made = Credential::from(passkey);
        let method = Method::Passkey { is_synced: made.backup_eligible };
        let passkey = store::Passkey {
            id: invitation.id,
            subject: invitation.subject,
            credential: made.cred_id.to_vec(),
            handle: invitation.handle,
            name,
            record,
            counter: made.counter,
            is_backed_up: made.backup_state,
            created_at: now,
            last_used_at: None,
        };
        Ok((passkey, method))
    }

    /// Checks a signature, and says by what somebody has proven who they are. The use of the passkey is
    /// written down before this returns.
    ///
    /// # Errors
    /// [`PasskeyRefused`] says why it is not believed.
    pub(crate) async fn check(
        &self,
        store: &Store,
        challenge: Challenge,
        answer: &PublicKeyCredential,
        held: &store::Passkey,
        now: Timestamp,
    ) -> Result<Method, PasskeyRefused> {
        let mut passkey: Passkey = serde_json::from_slice(&held.record)?;
        let copied = || PasskeyRefused::Copied { subject: held.subject.clone() };
        let seen = self.0.finish_discoverable_authentication_v2(answer, challenge.state, &passkey);
        let seen = seen.map_err(|error| match error {
            WebauthnError::CredentialPossibleCompromise => copied(),
            error => PasskeyRefused::Library(error),
        })?;
        passkey.update_credential(&seen);
        let used = PasskeyUse {
            record: serde_json::to_vec(&passkey)?,
            counter: seen.counter(),
            is_backed_up: seen.backup_state(),
            at: now,
        };
        match store.use_passkey(held, used).await? {
            true => Ok(Method::Passkey { is_synced: seen.backup_eligible() }),
            // Another signature with this counter came first.
            false => Err(copied()),
        }
    }
}

/// Reads a signature.
///
/// # Errors
/// [`PasskeyRefused::Form`] when it is none.
pub(crate) fn read(answer: &str) -> Result<PublicKeyCredential, PasskeyRefused> {
    Ok(serde_json::from_str(answer)?)
}

// === impl Challenge ===

impl Challenge {
    /// What the form carries: good in this browser, for what is signed in for.
    pub(crate) fn seal(
        &self,
        store: &Store,
        browser: &Browser,
        about: &str,
    ) -> Result<String, StoreError> {
        half::seal(store, &half::label("passkey challenge", browser, about), self)
    }

    /// Reads it; `None` when it was given elsewhere, or too long ago.
    pub(crate) fn open(
        store: &Store,
        browser: &Browser,
        about: &str,
        text: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let label = half::label("passkey challenge", browser, about);
        let challenge: Self = half::open(store, &label, text)?;
        (now.since(challenge.at) < LIFE).then_some(challenge)
    }

    /// Its name, and until when it could be answered.
    pub(crate) fn once(&self) -> (&str, Timestamp) {
        (&self.id, self.at.plus(LIFE))
    }
}

// === impl Invitation ===

impl Invitation {
    /// What the form carries.
    pub(crate) fn seal(&self, store: &Store, browser: &Browser) -> Result<String, StoreError> {
        half::seal(store, &half::label("new passkey", browser, ""), self)
    }

    /// Reads it; `None` when it was given elsewhere, to somebody else, or too long ago.
    pub(crate) fn open(
        store: &Store,
        browser: &Browser,
        subject: &SubjectId,
        text: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let label = half::label("new passkey", browser, "");
        let invitation: Self = half::open(store, &label, text)?;
        let fits = invitation.subject == *subject && now.since(invitation.at) < LIFE;
        fits.then_some(invitation)
    }

    /// Its name, and until when it could be answered.
    pub(crate) fn once(&self) -> (&str, Timestamp) {
        (&self.id, self.at.plus(LIFE))
    }
}

// === impl PasskeyRefused ===

impl PasskeyRefused {
    /// The word that events carry.
    pub(crate) fn event_result(&self) -> &'static str {
        match self {
            Self::Copied { .. } => "copied_passkey",
            Self::Store(_) => "error",
            Self::Form(_) | Self::Library(_) | Self::Stale | Self::Unknown => "bad_passkey",
        }
    }
}

fn id(random: &dyn Random) -> String {
    base64url::encode(bytes::<ID_BYTES>(random))
}

fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::RelyingParty;

    #[test]
    fn passkeys_belong_to_a_name() {
        for issuer in ["https://id.example", "https://id.example:8443/a", "http://localhost:9"] {
            assert!(RelyingParty::of(issuer).is_some(), "{issuer}");
        }
        for issuer in ["http://127.0.0.1:9", "https://[2001:db8::1]", "no url"] {
            assert!(RelyingParty::of(issuer).is_none(), "{issuer}");
        }
    }
}
