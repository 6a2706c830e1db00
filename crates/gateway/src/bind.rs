//! Step 3, bind: whoever presents the token is the one whom it was issued to.

use std::sync::Arc;

use crate::refusal::{Fault, Refusal};
use crate::verify::{Known, Verified};

/// A verified token that its bearer may use.
pub struct Bound(Arc<Known>);

/// A token with `cnf` (RFC 7800 §3.1) must not be taken from whoever bears it (RFC 9449 §7.2).
/// No proof of possession is understood here, so every such token is refused.
///
/// # Errors
/// [`Refusal`] for a sender-constrained token.
pub(crate) fn bind(verified: Verified) -> Result<Bound, Refusal> {
    let known = verified.into_known();
    if known.token.confirmation().is_some() {
        return Err(Refusal::of_verified(Fault::Unbound, known));
    }
    Ok(Bound(known))
}

// === impl Bound ===

impl Bound {
    pub(crate) fn into_known(self) -> Arc<Known> {
        self.0
    }
}
