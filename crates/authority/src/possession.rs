//! Proofs of possession at our own endpoints (RFC 9449 §5 and §7).

use http::{HeaderMap, HeaderName, HeaderValue};
use store::UsedKind;
use token::dpop::{ProofRefused, VerifiedProof};
use token::term::OAuthErrorCode;
use token::time::Timestamp;

use crate::oauth_error::OAuthError;
use crate::state::Authority;

/// RFC 9449 §4.1.
const DPOP: HeaderName = HeaderName::from_static("dpop");

/// One of our endpoints, as clients call it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The method.
    pub method: http::Method,
    /// The whole URL, without query.
    pub url: String,
}

/// The `DPoP` fields of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// None.
    Nothing,
    /// One.
    Proof(String),
    /// Several, or one that is no text: none of them counts (RFC 9449 §4.3).
    Odd,
}

/// Why a proof is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PossessionRefused {
    /// More than one field.
    #[error("the field `DPoP` is to be there once, and a JWT")]
    Odd,
    /// The proof breaks a rule.
    #[error("{refused}")]
    Proof {
        /// Which.
        refused: Box<ProofRefused>,
        /// The nonce that the next one needs.
        nonce: Option<String>,
    },
}

// === impl Shown ===

impl Shown {
    /// Of a request's head.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut fields = headers.get_all(DPOP).iter();
        match (fields.next().map(HeaderValue::to_str), fields.next()) {
            (None, _) => Self::Nothing,
            (Some(Ok(proof)), None) => Self::Proof(proof.to_owned()),
            _ => Self::Odd,
        }
    }

    /// Takes the proof, where there is one.
    ///
    /// # Errors
    /// [`PossessionRefused`] with the rule broken.
    pub(crate) fn take(
        &self,
        authority: &Authority,
        place: &Place,
        access_token: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<VerifiedProof>, PossessionRefused> {
        let proof = match self {
            Self::Nothing => return Ok(None),
            Self::Proof(proof) => proof,
            Self::Odd => return Err(PossessionRefused::Odd),
        };
        let desk = authority.proofs();
        let taken = desk.take(proof, place.method.as_str(), &place.url, access_token, now);
        let taken = taken.map_err(|refused| PossessionRefused::Proof {
            refused: Box::new(refused),
            nonce: desk.nonce(now),
        })?;
        let until = now.plus(desk.memory());
        authority.store().record_used(UsedKind::Proof, taken.used_name(), until);
        Ok(Some(taken))
    }
}

// === impl PossessionRefused ===

impl PossessionRefused {
    /// The registered error code (RFC 9449 §5, §8).
    pub fn code(&self) -> OAuthErrorCode {
        match self {
            Self::Proof { refused, .. } if **refused == ProofRefused::Nonce => {
                OAuthErrorCode::UseDpopNonce
            }
            Self::Odd | Self::Proof { .. } => OAuthErrorCode::InvalidDpopProof,
        }
    }

    /// The nonce for the next proof.
    pub fn nonce(&self) -> Option<&str> {
        match self {
            Self::Proof { nonce, .. } => nonce.as_deref(),
            Self::Odd => None,
        }
    }
}

impl From<PossessionRefused> for OAuthError {
    fn from(refused: PossessionRefused) -> Self {
        let error = Self::new(refused.code(), refused.to_string());
        match refused.nonce() {
            Some(nonce) => error.with_nonce(nonce),
            None => error,
        }
    }
}
