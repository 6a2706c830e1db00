//! Step 3, bind: whoever presents the token is the one whom it was issued to.

use std::sync::Arc;

use http::Method;
use token::cnf::Confirmation;
use token::dpop::ProofDesk;
use token::id::KeyId;
use token::reason::Reason;
use token::time::Timestamp;

use crate::present::{Presented, Proof, Scheme};
use crate::refusal::{Fault, Refusal};
use crate::target::Target;
use crate::verify::{Known, Verified};

/// A verified token that its sender may use.
pub struct Bound(Arc<Known>);

/// What proofs are held against.
pub(crate) struct Binder {
    /// Where proofs are handed in.
    pub(crate) desk: Arc<ProofDesk>,
    /// `https://api.example.com`, as configured: a Host field is the sender's word only.
    pub(crate) origin: String,
}

// === impl Binder ===

impl Binder {
    /// Holds the token's sender constraint (`cnf`, RFC 7800 §3.1) against what came with the request:
    /// a bound token is never taken from whoever bears it, and an unbound one is never taken for a
    /// bound one (RFC 9449 §7.1 and §7.2).
    ///
    /// # Errors
    /// [`Refusal`] with the rule broken.
    pub(crate) fn bind(
        &self,
        verified: Verified,
        presented: &Presented<'_>,
        method: &Method,
        target: &Target,
        now: Timestamp,
    ) -> Result<Bound, Refusal> {
        let known = verified.into_known();
        let fault = match known.token.confirmation() {
            None => unbound(presented.scheme()).err(),
            Some(Confirmation { unknown: true, .. }) => Some(Fault::Unbound(Reason::Policy)),
            // Bound to both, it needs both.
            Some(Confirmation { jkt, x5t_s256, .. }) => {
                let shown = x5t_s256.as_deref().map_or(Ok(()), |bound| show(bound, presented));
                let proven = || match jkt {
                    Some(jkt) => self.prove(jkt, presented, method, target, now),
                    None => unbound(presented.scheme()),
                };
                shown.and_then(|()| proven()).err()
            }
        };
        match fault {
            None => Ok(Bound(known)),
            Some(fault) => Err(Refusal::of_verified(fault, known)),
        }
    }

    fn prove(
        &self,
        jkt: &KeyId,
        presented: &Presented<'_>,
        method: &Method,
        target: &Target,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let proof = match (presented.scheme(), presented.proof()) {
            (Scheme::Bearer, _) => return Err(Fault::Unbound(Reason::DpopMissing)),
            (Scheme::Dpop, Proof::Absent) => return Err(Fault::NoProof),
            (Scheme::Dpop, Proof::Odd) => return Err(Fault::TwoProofs),
            (Scheme::Dpop, Proof::One(proof)) => proof,
        };
        let uri = format!("{}{}", self.origin, target.path());
        let token = Some(presented.text());
        let proof =
            self.desk.take(proof, method.as_str(), &uri, token, now).map_err(|refused| {
                Fault::Proof { nonce: self.desk.nonce(now), refused: Box::new(refused) }
            })?;
        if proof.jkt() == jkt { Ok(()) } else { Err(Fault::Unbound(Reason::DpopMismatch)) }
    }
}

/// The certificate that a token is bound to (RFC 8705 §3).
fn show(bound: &str, presented: &Presented<'_>) -> Result<(), Fault> {
    match presented.certificate() {
        None => Err(Fault::Unbound(Reason::MtlsMissing)),
        Some(shown) if shown == bound => Ok(()),
        Some(_) => Err(Fault::Unbound(Reason::MtlsMismatch)),
    }
}

/// A token that is bound to nothing, presented as if it were, is one that lost its binding.
fn unbound(scheme: Scheme) -> Result<(), Fault> {
    match scheme {
        Scheme::Bearer => Ok(()),
        Scheme::Dpop => Err(Fault::NotBound),
    }
}

// === impl Bound ===

impl Bound {
    pub(crate) fn into_known(self) -> Arc<Known> {
        self.0
    }
}
