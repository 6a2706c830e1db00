//! Clients whose instances somebody vouches for: `attest_jwt_client_auth`
//! (draft-ietf-oauth-attestation-based-client-auth-10).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use store::Client;
use token::id::{ClientId, KeyId};
use token::json;
use token::jws::Jws;
use token::kind::attestation::{AttestationProof, ClientAttestation};
use token::secret::Secret;
use token::term::OAuthErrorCode;
use token::time::Timestamp;
use token::verify::{Policy, Refusal, Rule, Verified, verify, verify_with_key};

use crate::foreign::{self, KeySource};
use crate::oauth_error::OAuthError;
use crate::state::Authority;

/// §4 and §5.1.
const ATTESTATION: HeaderName = HeaderName::from_static("oauth-client-attestation");
const PROOF: HeaderName = HeaderName::from_static("oauth-client-attestation-pop");
/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_secs(30);
/// How long ago a proof may have been made.
const PROOF_LIFE: Duration = Duration::from_mins(1);
/// How long a challenge is good.
pub(crate) const CHALLENGE_LIFE: Duration = Duration::from_mins(5);

/// The two fields of a request, as they came.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    attestation: Secret,
    proof: Secret,
}

/// Why an instance of a client is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationRefused {
    /// One field without the other.
    #[error(
        "the fields `OAuth-Client-Attestation` and `OAuth-Client-Attestation-PoP` belong together; \
         send both"
    )]
    Alone,
    /// The attestation is not good.
    #[error("the client attestation is refused: {0}")]
    Attestation(Refusal),
    /// The proof has no challenge of ours, or one that is too old; with a new one (§6).
    #[error(
        "the proof needs the `challenge` of this answer's field `OAuth-Client-Attestation-Challenge`"
    )]
    Challenge(String),
    /// A field twice, or no text.
    #[error(
        "the fields `OAuth-Client-Attestation` and `OAuth-Client-Attestation-PoP` are to be there once"
    )]
    Fields,
    /// It names no client, or another than the request (§7.1).
    #[error("`OAuth-Client-Attestation` is not a JWT whose subject is the client")]
    Form,
    /// The client is registered to be attested, and is not.
    #[error("this client must show the attestation of its instance and a proof of its key")]
    Missing,
    /// The proof is not good.
    #[error("the proof of the attested key is refused: {0}")]
    Proof(Refusal),
    /// The proof was used before.
    #[error("the proof of the attested key was used before; make a new one, with a new `jti`")]
    Replayed,
    /// The attestation has expired (§7.4).
    #[error("the client attestation has expired; have a new one issued")]
    Stale,
    /// Nobody who is trusted for this client has issued it.
    #[error("the attester of this client attestation is not trusted here, or not for this client")]
    Untrusted,
}

/// Finds the two fields; `None` when neither is there (§7.1, §7.2).
pub(super) fn present(headers: &HeaderMap) -> Result<Option<Shown>, AttestationRefused> {
    match (one(headers, ATTESTATION)?, one(headers, PROOF)?) {
        (None, None) => Ok(None),
        (Some(attestation), Some(proof)) => Ok(Some(Shown { attestation, proof })),
        _ => Err(AttestationRefused::Alone),
    }
}

fn one(headers: &HeaderMap, name: HeaderName) -> Result<Option<Secret>, AttestationRefused> {
    let mut fields = headers.get_all(name).iter();
    match (fields.next().map(HeaderValue::to_str), fields.next()) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(Secret::new(text))),
        _ => Err(AttestationRefused::Fields),
    }
}

/// Checks an instance of a client: attested by somebody who is trusted for it, and in possession of the
/// attested key now. Gives that key's name.
///
/// # Errors
/// [`AttestationRefused`] with the first rule broken. A broken proof is not remembered.
pub(super) async fn check(
    authority: &Authority,
    client: &Client,
    shown: &Shown,
    now: Timestamp,
) -> Result<KeyId, AttestationRefused> {
    let attestation = attested(authority, client, shown.attestation.expose(), now).await?;
    if attestation.claims().sub != client.id.as_str() {
        return Err(AttestationRefused::Form);
    }
    let proof = shown.proof.expose();
    let key = attestation.claims().instance_key(proof).map_err(AttestationRefused::Proof)?;
    let issuer = authority.settings().issuer.as_str();
    let policy = Policy::new(client.id.as_str(), issuer).leeway(LEEWAY).max_age(PROOF_LIFE);
    let proof = verify_with_key::<AttestationProof>(proof, &key, &policy, now)
        .map_err(AttestationRefused::Proof)?;
    let claims = proof.claims();
    if let Some(challenges) = authority.challenges() {
        let ours = claims.challenge.as_deref().is_some_and(|text| challenges.knows(text, now));
        if !ours {
            return Err(AttestationRefused::Challenge(challenges.issue(now)));
        }
    }
    let key = key.jwk().thumbprint();
    // The same memory as for assertions, which it keeps longer than a proof is good.
    let until = now.plus(PROOF_LIFE).plus(LEEWAY);
    if !authority.use_assertion([key.as_str(), &claims.jti], until, now) {
        return Err(AttestationRefused::Replayed);
    }
    Ok(key)
}

/// The attestation, by the first attester whose keys fit.
async fn attested(
    authority: &Authority,
    client: &Client,
    text: &str,
    now: Timestamp,
) -> Result<Verified<ClientAttestation>, AttestationRefused> {
    let issuer = authority.settings().issuer.as_str();
    let (named, said) = (client.options.client_attester.as_deref(), claim(text, "iss"));
    let fits = |attester: &&KeySource| {
        named.is_none_or(|named| named == attester.issuer)
            && said.as_ref().is_none_or(|said| *said == attester.issuer)
    };
    let mut refused = AttestationRefused::Untrusted;
    for attester in authority.settings().attesters.iter().filter(fits) {
        let keys = foreign::keys(authority, attester, text).await;
        let policy = Policy::new(attester.issuer.as_str(), issuer).leeway(LEEWAY);
        match verify::<ClientAttestation>(text, &keys, &policy, now) {
            Ok(attestation) => return Ok(attestation),
            Err(refusal) => refused = refusal.into(),
        }
    }
    Err(refused)
}

fn claim(text: &str, name: &str) -> Option<String> {
    let jws = Jws::parse(text).ok()?;
    let members = json::parse_object(jws.unverified_payload()).ok()?;
    members.get(name).and_then(Value::as_str).map(str::to_owned)
}

// === impl Shown ===

impl Shown {
    /// The client that the attestation is about, before anybody believes it.
    pub(super) fn claimed(&self) -> Option<ClientId> {
        claim(self.attestation.expose(), "sub").map(ClientId::from)
    }
}

// === impl AttestationRefused ===

impl AttestationRefused {
    /// Whether somebody may be trying what they do not have; honest clients come with what has grown
    /// old, and are told so.
    pub(super) fn is_guess(&self) -> bool {
        match self {
            Self::Attestation(_)
            | Self::Form
            | Self::Missing
            | Self::Proof(_)
            | Self::Replayed
            | Self::Untrusted => true,
            Self::Alone | Self::Challenge(_) | Self::Fields | Self::Stale => false,
        }
    }
}

impl From<AttestationRefused> for OAuthError {
    fn from(refused: AttestationRefused) -> Self {
        let words = refused.to_string();
        match refused {
            AttestationRefused::Challenge(challenge) => {
                Self::new(OAuthErrorCode::UseAttestationChallenge, words).with_challenge(challenge)
            }
            AttestationRefused::Stale => Self::new(OAuthErrorCode::UseFreshAttestation, words),
            AttestationRefused::Alone
            | AttestationRefused::Attestation(_)
            | AttestationRefused::Fields
            | AttestationRefused::Form
            | AttestationRefused::Missing
            | AttestationRefused::Proof(_)
            | AttestationRefused::Replayed
            | AttestationRefused::Untrusted => Self::new(OAuthErrorCode::InvalidClient, words),
        }
    }
}

impl From<Refusal> for AttestationRefused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // Claims are looked at only when the signature is the attester's.
            Refusal::Claim { claim: "exp", rule: Rule::Expired } => Self::Stale,
            refusal => Self::Attestation(refusal),
        }
    }
}
