//! What we hand to a browser and recognise again: an HMAC over what it was made for.

use aws_lc_rs::hmac;
use store::Store;
use token::base64url;

/// What a proof is for: that of one purpose cannot be used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The forms of the pages about the account, bound to the sign-in session.
    Account,
    /// The answer to a question by the back channel, bound to the sign-in session and the question.
    Approval,
    /// The consent form, bound to the sign-in session and to the request it answers.
    Consent,
    /// The forms about a device, bound to the sign-in session and to the device's code.
    Device,
    /// The forms about what somebody proves beside a password, bound to the browser and to the request.
    Factor,
    /// The forms behind links in letters, bound to the browser and to the link.
    Link,
    /// The forms that have letters sent, bound to the browser.
    Letter,
    /// A browser in which somebody signed in, bound to their name.
    KnownBrowser,
    /// The question whether to sign out, bound to the sign-in session and to the request.
    Logout,
    /// The sign-in form, bound to the browser and to the request it continues: without it a
    /// stranger could sign a person in to the stranger's own account (RFC 9700 §4.7).
    Login,
    /// Work that is asked before a password is looked at, bound to the browser and to the name.
    Puzzle,
}

/// Makes and checks proofs.
pub struct Proofs(hmac::Key);

// === impl Proofs ===

impl Proofs {
    /// With a key derived from the store's master key, so that forms outlive a restart.
    pub fn new(store: &Store) -> Self {
        Self::with_key(store.derive_key("form proofs").as_slice())
    }

    pub(crate) fn with_key(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The proof for a purpose: whose it is, and what it is about.
    pub fn make(&self, purpose: Purpose, bearer: &str, about: &str) -> String {
        base64url::encode(hmac::sign(&self.0, &message(purpose, bearer, about)))
    }

    /// Whether the proof is the one for this purpose, bearer and matter.
    pub fn check(&self, purpose: Purpose, bearer: &str, about: &str, proof: &str) -> bool {
        let Some(tag) = base64url::decode(proof) else { return false };
        hmac::verify(&self.0, &message(purpose, bearer, about), &tag).is_ok()
    }
}

fn message(purpose: Purpose, bearer: &str, about: &str) -> Vec<u8> {
    let name = match purpose {
        Purpose::Account => "account",
        Purpose::Approval => "approval",
        Purpose::Consent => "consent",
        Purpose::Device => "device",
        Purpose::Factor => "factor",
        Purpose::KnownBrowser => "known browser",
        Purpose::Letter => "letter",
        Purpose::Link => "link",
        Purpose::Login => "login",
        Purpose::Logout => "logout",
        Purpose::Puzzle => "puzzle",
    };
    // Lengths stand before the parts, so that no two lists of parts are one message.
    let mut message = Vec::with_capacity(bearer.len() + about.len() + 40);
    for part in [name, bearer, about] {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    message
}

#[cfg(test)]
mod tests {
    use super::{Proofs, Purpose};

    #[test]
    fn a_proof_is_for_one_purpose_one_bearer_and_one_matter() {
        let proofs = Proofs::with_key(&[7; 32]);
        let proof = proofs.make(Purpose::Login, "browser", "client_id=a");
        assert!(proofs.check(Purpose::Login, "browser", "client_id=a", &proof));
        assert!(!proofs.check(Purpose::Consent, "browser", "client_id=a", &proof));
        assert!(!proofs.check(Purpose::Login, "other", "client_id=a", &proof));
        assert!(!proofs.check(Purpose::Login, "browser", "client_id=b", &proof));
        assert!(!proofs.check(Purpose::Login, "browserclient_id=a", "", &proof));
        assert!(!Proofs::with_key(&[8; 32]).check(
            Purpose::Login,
            "browser",
            "client_id=a",
            &proof
        ));
        for altered in ["", "x", &proof[1..], &format!("{proof}=")] {
            assert!(!proofs.check(Purpose::Login, "browser", "client_id=a", altered), "{altered}");
        }
    }
}
