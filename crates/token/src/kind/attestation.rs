//! What an attester says of one instance of a client, and what that instance says of itself
//! (draft-ietf-oauth-attestation-based-client-auth-10).

use serde::Deserialize;
use serde_json::Value;

use super::{Kind, absent, broken, named};
use crate::claims::Audience;
use crate::dpop;
use crate::json::Names;
use crate::jwk::has_private_member;
use crate::jws::Jws;
use crate::key::PublicKey;
use crate::numeric_date;
use crate::term::token_type;
use crate::verify::{Common, Policy, Refusal, Rule};

/// A client attestation (§4): this key belongs to an instance of that client. The policy's issuer is the
/// attester, who need not be named; its audience, where there is one, the authorization server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ClientAttestation {
    /// The attester, where it names itself.
    pub iss: Option<String>,
    /// The client.
    pub sub: String,
    /// For whom it is, where it is not for everybody.
    pub aud: Option<Audience>,
    /// End of life, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub exp: i64,
    /// Not before, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub nbf: Option<i64>,
    /// Issue time, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub iat: Option<i64>,
    /// What the instance has to show.
    pub cnf: InstanceConfirmation,
}

/// The key of an instance (RFC 7800 §3.2).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct InstanceConfirmation {
    /// Its public half.
    pub jwk: Value,
}

/// A proof that its sender has the key of an attestation (§5.1). It names no issuer: the key says whose
/// it is. The policy's audience is the authorization server's issuer, and it is for nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AttestationProof {
    /// The authorization server.
    pub aud: Audience,
    /// Its own name: it is used once.
    pub jti: String,
    /// When it was made, seconds since the epoch.
    #[serde(deserialize_with = "numeric_date::whole")]
    pub iat: i64,
    /// End of life, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub exp: Option<i64>,
    /// Not before, seconds since the epoch.
    #[serde(default, deserialize_with = "numeric_date::maybe")]
    pub nbf: Option<i64>,
    /// What the authorization server gave to be brought back.
    pub challenge: Option<String>,
}

// === impl ClientAttestation ===

impl ClientAttestation {
    /// The instance's key, for the algorithm of its proof.
    ///
    /// # Errors
    /// [`Refusal`] when it is no key for that.
    pub fn instance_key(&self, proof: &str) -> Result<PublicKey, Refusal> {
        let proof = Jws::parse(proof)?;
        dpop::key(Some(&self.cnf.jwk), &proof.header().alg)
    }
}

impl Kind for ClientAttestation {
    const TYPES: &'static [&'static str] = &[token_type::CLIENT_ATTESTATION];
    const UNTYPED: bool = false;
    const REQUIRED: &'static [&'static str] = &["sub", "exp", "cnf"];

    fn common(&self) -> Common<'_> {
        let Self { iss, aud, exp, nbf, iat, .. } = self;
        Common { iss: iss.as_deref(), aud: aud.as_ref(), exp: Some(*exp), nbf: *nbf, iat: *iat }
    }

    fn check(&self, _: &Policy, _: &Names<'_>) -> Result<(), Refusal> {
        // §7.1: whoever has read it would be the instance.
        match self.cnf.jwk.as_object() {
            Some(members) if !has_private_member(members) => Ok(()),
            _ => broken("cnf", Rule::Invalid),
        }
    }
}

// === impl AttestationProof ===

impl Kind for AttestationProof {
    const TYPES: &'static [&'static str] = &[token_type::CLIENT_ATTESTATION_PROOF];
    const UNTYPED: bool = false;
    const REQUIRED: &'static [&'static str] = &["aud", "jti", "iat"];

    fn common(&self) -> Common<'_> {
        let Self { aud, iat, exp, nbf, .. } = self;
        Common { iss: None, aud: Some(aud), exp: *exp, nbf: *nbf, iat: Some(*iat) }
    }

    fn check(&self, _: &Policy, names: &Names<'_>) -> Result<(), Refusal> {
        // What attests a key is no proof of it, whatever its type says.
        absent(names, &["cnf"])?;
        // §5.1: for a single audience; each of several could use it at the others.
        if self.aud.iter().count() != 1 {
            return broken("aud", Rule::Invalid);
        }
        named(&self.jti)
    }
}
