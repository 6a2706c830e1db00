//! Step 2, verify: form, signature, issuer, audience and times of the token.

use std::sync::Arc;

use token::encryption_key::DecryptionKey;
use token::keyring::Keyring;
use token::opaque::OpaqueHash;
use token::reference::{self, References, Unavailable};
use token::secret::Secret;
use token::time::Timestamp;
use token::validate::{AccessTokenPolicy, VerifiedAccessToken, verify_access_token};

use crate::cache::{Remembered, TokenCache};
use crate::identity::Identity;
use crate::limit::Doubt;
use crate::meters::CacheMeters;
use crate::open::open;
use crate::present::Presented;
use crate::refusal::{Fault, Refusal};

/// A token that was verified at least once, with all that is derived from it.
pub(crate) struct Known {
    pub(crate) token: VerifiedAccessToken,
    pub(crate) identity: Identity,
}

/// A token whose signature, issuer, audience and times are good just now.
pub struct Verified(Arc<Known>);

/// What verification needs, made once.
pub(crate) struct Verifier {
    pub(crate) policy: AccessTokenPolicy,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) decryption: Vec<Arc<DecryptionKey>>,
    pub(crate) references: Option<Arc<dyn References>>,
    pub(crate) cache: TokenCache,
    pub(crate) meters: CacheMeters,
}

// === impl Verifier ===

impl Verifier {
    /// Verifies the presented token, or remembers that it was; `doubt` is asked before the work of
    /// verifying is done.
    ///
    /// # Errors
    /// [`Refusal`] with what the token says of itself.
    pub(crate) fn verify<'d>(
        &self,
        presented: &Presented<'_>,
        now: Timestamp,
        doubt: impl FnOnce() -> Result<Doubt<'d>, Fault>,
    ) -> Result<Verified, Refusal> {
        let hash = OpaqueHash::of(presented.text());
        // Read before the keys: what is stored under an older version is only asked again.
        let keys = self.keyring.version();
        match self.cache.find(&hash, keys) {
            Some(Remembered::Good(known)) => {
                self.meters.hit.increment(1);
                if known.token.expired(now) {
                    return Err(Refusal::of_known(Fault::Expired, known));
                }
                Ok(Verified(known))
            }
            Some(Remembered::Refused(refused)) => {
                self.meters.hit.increment(1);
                Err(Fault::Token(refused).into())
            }
            None => {
                self.meters.miss.increment(1);
                let doubt = doubt()?;
                let verified = self.verify_afresh(presented, hash, keys, now);
                if !verified.as_ref().is_err_and(|refusal| refusal.fault().is_garbage()) {
                    doubt.settle();
                }
                verified
            }
        }
    }

    fn verify_afresh(
        &self,
        presented: &Presented<'_>,
        hash: OpaqueHash,
        keys: u64,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        match self.check(presented.text(), now) {
            Ok(token) => {
                let identity = Identity::of(&token);
                let known = Arc::new(Known { token, identity });
                self.cache.remember(hash, keys, &known);
                Ok(Verified(known))
            }
            Err(Fault::Token(refused)) => {
                self.cache.remember_refused(hash, keys, &refused);
                Err(Fault::Token(refused).into())
            }
            Err(fault) => Err(fault.into()),
        }
    }
}

impl Verifier {
    fn check(&self, text: &str, now: Timestamp) -> Result<VerifiedAccessToken, Fault> {
        let kept = if reference::is_reference(text)? { Some(self.resolve(text)?) } else { None };
        let text = kept.as_ref().map_or(text, |jwt| jwt.expose());
        let opened = open(text, &self.decryption)?;
        let text = opened.as_ref().map_or(text, |inside| inside.as_str());
        Ok(verify_access_token(text, &self.keyring.current(), &self.policy, now)?)
    }

    /// What an opaque token stands for, which is checked as if it had come itself.
    fn resolve(&self, opaque: &str) -> Result<Secret, Fault> {
        let kept = match &self.references {
            Some(references) => {
                references.resolve(opaque).map_err(|Unavailable| Fault::Unavailable)?
            }
            None => None,
        };
        Ok(kept.ok_or_else(reference::unknown)?)
    }
}

// === impl Verified ===

impl Verified {
    pub(crate) fn into_known(self) -> Arc<Known> {
        self.0
    }
}
