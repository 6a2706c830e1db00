//! Where proofs are handed in: each is good for its request, and good once.

use std::sync::Arc;
use std::time::Duration;

use super::{Nonces, Request, VerifiedProof, verify_proof};
use crate::reason::Reason;
use crate::replay::{UsedName, UsedOnce};
use crate::time::Timestamp;
use crate::verify::{Refusal, Rule};

/// What a proof may be.
#[derive(Clone, Copy, Debug)]
pub struct ProofRules {
    /// How long ago it may have been made.
    pub max_age: Duration,
    /// How far in the future it may say that it was made.
    pub leeway: Duration,
}

/// Takes proofs, and remembers those that it took.
pub struct ProofDesk {
    rules: ProofRules,
    nonces: Option<Arc<Nonces>>,
    used: UsedOnce,
}

/// Why a proof is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefused {
    /// It breaks a rule.
    #[error(transparent)]
    Broken(#[from] Refusal),
    /// It has no nonce of ours, or one that is too old (RFC 9449 §8).
    #[error("the proof needs the nonce of this answer's DPoP-Nonce field")]
    Nonce,
    /// It was used before.
    #[error("the proof was used before; make a new one, with a new `jti`, for every request")]
    Replayed,
}

// === impl ProofRules ===

/// A minute back, ten seconds ahead.
impl Default for ProofRules {
    fn default() -> Self {
        Self { max_age: Duration::from_mins(1), leeway: Duration::from_secs(10) }
    }
}

// === impl ProofDesk ===

impl ProofDesk {
    /// A desk; with `nonces`, every proof has to have one.
    pub fn new(rules: ProofRules, nonces: Option<Arc<Nonces>>) -> Self {
        Self { rules, nonces, used: UsedOnce::new(rules.max_age + rules.leeway) }
    }

    /// Takes a proof for `method` and `uri`, beside `access_token` where there is one.
    ///
    /// # Errors
    /// [`ProofRefused`] with the first rule broken. A broken proof is not remembered.
    pub fn take(
        &self,
        proof: &str,
        method: &str,
        uri: &str,
        access_token: Option<&str>,
        now: Timestamp,
    ) -> Result<VerifiedProof, ProofRefused> {
        let ProofRules { max_age, leeway } = self.rules;
        let nonces = self.nonces.as_deref();
        let request = Request { method, uri, access_token, nonces, max_age, leeway };
        let verified = verify_proof(proof, request, now).map_err(|refusal| match refusal {
            Refusal::Claim { claim: "nonce", .. } => ProofRefused::Nonce,
            refusal => ProofRefused::Broken(refusal),
        })?;
        if self.used.first_use(&verified.used_name(), now) {
            Ok(verified)
        } else {
            Err(ProofRefused::Replayed)
        }
    }

    /// Remembers a proof that was taken before this desk was made.
    pub fn remember(&self, name: &UsedName, now: Timestamp) {
        self.used.first_use(name, now);
    }

    /// How long after its use a proof would be good again, if it were forgotten.
    pub fn memory(&self) -> Duration {
        self.rules.max_age + self.rules.leeway
    }

    /// A nonce for the client's next proof; none where none is wanted.
    pub fn nonce(&self, now: Timestamp) -> Option<String> {
        self.nonces.as_ref().map(|nonces| nonces.issue(now))
    }
}

// === impl ProofRefused ===

impl ProofRefused {
    /// The word that events have for it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Nonce => Reason::DpopMissing,
            Self::Replayed => Reason::DpopReplayed,
            Self::Broken(Refusal::Claim { claim: "iat", rule: Rule::TooOld | Rule::NotYet }) => {
                Reason::DpopStale
            }
            Self::Broken(_) => Reason::DpopMismatch,
        }
    }
}
