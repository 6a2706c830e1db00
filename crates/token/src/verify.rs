//! Any signed token of a known kind + keys + policy + time → [`Verified`], or the claim and the rule it broke.
//!
//! Access tokens at the gateway have [`crate::validate`], which also knows the words of its events.

use std::time::Duration;

use crate::claims::Audience;
use crate::json::{self, Names};
use crate::jws::{Jws, NotJws};
use crate::key::{KeySet, PublicKey};
use crate::kind::Kind;
use crate::reason::{Reason, Refused};
use crate::signature;
use crate::term::Algorithm;
use crate::time::Timestamp;

/// How far clocks may differ at most.
const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// What a token must be to be accepted: built once, used for every token.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) issuer: String,
    pub(crate) audiences: Vec<String>,
    algorithms: Option<Vec<Algorithm>>,
    leeway: Duration,
    max_age: Option<Duration>,
    pub(crate) nonce: Option<String>,
    pub(crate) subject: Option<String>,
    required: Vec<String>,
}

/// A token whose signature, type and claims have been checked. There is no other way to make one
/// than [`verify`].
#[derive(Debug)]
pub struct Verified<K> {
    claims: K,
}

/// Why a token was refused. It repeats nothing of the token, and is safe to log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The algorithm is not one of the policy's.
    #[error("the token's algorithm is not accepted here")]
    Algorithm,
    /// A claim breaks a rule.
    #[error("claim `{claim}`: {rule}")]
    Claim {
        /// The claim.
        claim: &'static str,
        /// The rule.
        rule: Rule,
    },
    /// The policy wants a claim that is not there.
    #[error("claim `{0}`: {rule}", rule = Rule::Missing)]
    Demanded(String),
    /// It is no compact JWS.
    #[error(transparent)]
    Form(#[from] NotJws),
    /// The key or the signature is not good.
    #[error("{detail} ({rule})")]
    Signature {
        /// The rule, by the word that events have for it.
        rule: Refused,
        /// For who made the token.
        detail: &'static str,
    },
    /// The header's `typ` is another kind's.
    #[error("the token's `typ` is that of another kind of token")]
    Type,
    /// The payload is no strict JSON object, or a claim has a wrong type.
    #[error("the payload is no strict JSON object, or a claim in it has the wrong type")]
    Payload,
}

/// What a claim can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Its time has passed.
    #[error("the time is over")]
    Expired,
    /// It must not be there.
    #[error("must not be there")]
    Forbidden,
    /// Its value is none that it may have.
    #[error("has a value that it may not have")]
    Invalid,
    /// It has to be there.
    #[error("is missing")]
    Missing,
    /// It is not the value that was asked for.
    #[error("is not the expected value")]
    Mismatch,
    /// Its time has not come.
    #[error("the time has not come")]
    NotYet,
    /// It is older than the policy takes.
    #[error("is too long ago")]
    TooOld,
}

/// The claims that every kind is checked by.
#[derive(Clone, Copy, Debug)]
pub struct Common<'a> {
    /// Issuer; a kind that has to have one says so in [`Kind::REQUIRED`].
    pub iss: Option<&'a str>,
    /// Audiences; likewise.
    pub aud: Option<&'a Audience>,
    /// End of life, seconds since the epoch.
    pub exp: Option<i64>,
    /// Not before, seconds since the epoch.
    pub nbf: Option<i64>,
    /// Issue time, seconds since the epoch.
    pub iat: Option<i64>,
}

// === impl Policy ===

impl Policy {
    /// Tokens of this issuer for this audience, both compared exactly.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audiences: vec![audience.into()],
            algorithms: None,
            leeway: Duration::ZERO,
            max_age: None,
            nonce: None,
            subject: None,
            required: Vec::new(),
        }
    }

    /// Another audience that is as good.
    #[must_use]
    pub fn or_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Only these algorithms; without this, whatever the keys are for.
    #[must_use]
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = Some(algorithms.to_vec());
        self
    }

    /// How far clocks may differ; more than 60 s is taken for 60 s.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(MAX_LEEWAY);
        self
    }

    /// How long ago the token may have been issued; `iat` is then required.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The `nonce` that an ID token has to bring back.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// The URI that a status list has to be of.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// A claim that has to be there, whatever its value.
    #[must_use]
    pub fn require(mut self, claim: impl Into<String>) -> Self {
        self.required.push(claim.into());
        self
    }

    fn check_times(&self, common: Common<'_>, now: Timestamp) -> Result<(), Refusal> {
        let broken = |claim, rule| Err(Refusal::Claim { claim, rule });
        let (early, late) = (now.plus(self.leeway), now.minus(self.leeway));
        if common.exp.is_some_and(|exp| late >= Timestamp::from_secs(exp)) {
            return broken("exp", Rule::Expired);
        }
        if common.nbf.is_some_and(|nbf| Timestamp::from_secs(nbf) > early) {
            return broken("nbf", Rule::NotYet);
        }
        if common.iat.is_some_and(|iat| Timestamp::from_secs(iat) > early) {
            return broken("iat", Rule::NotYet);
        }
        match (self.max_age, common.iat) {
            (None, _) => Ok(()),
            (Some(_), None) => broken("iat", Rule::Missing),
            (Some(most), Some(iat)) if late.since(Timestamp::from_secs(iat)) > most => {
                broken("iat", Rule::TooOld)
            }
            _ => Ok(()),
        }
    }

    fn check_claims(&self, common: Common<'_>, names: &Names<'_>) -> Result<(), Refusal> {
        if common.iss.is_some_and(|iss| iss != self.issuer) {
            return Err(Refusal::Claim { claim: "iss", rule: Rule::Mismatch });
        }
        let ours = |aud: &Audience| self.audiences.iter().any(|audience| aud.contains(audience));
        if common.aud.is_some_and(|aud| !ours(aud)) {
            return Err(Refusal::Claim { claim: "aud", rule: Rule::Mismatch });
        }
        match self.required.iter().find(|name| !names.has(name)) {
            Some(name) => Err(Refusal::Demanded(name.clone())),
            None => Ok(()),
        }
    }
}

// === impl Refusal ===

impl Refusal {
    /// The word that events, logs and metrics have for it.
    pub fn reason(&self) -> Refused {
        match self {
            Self::Signature { rule, .. } => rule.clone(),
            Self::Algorithm | Self::Demanded(_) => Reason::Policy.into(),
            Self::Type | Self::Form(NotJws::Encrypted) => Reason::WrongType.into(),
            Self::Form(NotJws::TooLong) => Reason::TooLarge.into(),
            Self::Claim { claim: "iss", rule: Rule::Mismatch } => Reason::WrongIssuer.into(),
            Self::Claim { claim: "aud", rule: Rule::Mismatch } => Reason::WrongAudience.into(),
            Self::Claim { rule: Rule::Expired | Rule::TooOld, .. } => Reason::Expired.into(),
            Self::Claim { rule: Rule::NotYet, .. } => Reason::NotYetValid.into(),
            Self::Claim { .. } | Self::Form(_) | Self::Payload => Reason::Malformed.into(),
        }
    }
}

// === impl Verified ===

impl<K> Verified<K> {
    /// The claims.
    pub fn claims(&self) -> &K {
        &self.claims
    }
}

/// Checks a token of the kind `K`: form, signature, algorithm, type, claims, times, in this order.
///
/// # Errors
/// [`Refusal`] with the first rule broken.
pub fn verify<K: Kind>(
    text: &str,
    keys: &KeySet,
    policy: &Policy,
    now: Timestamp,
) -> Result<Verified<K>, Refusal> {
    let jws = Jws::parse_for(text, keys)?;
    let key = signature::verify_by_any_name(&jws, keys)
        .map_err(|(rule, detail)| Refusal::Signature { rule, detail })?;
    judge(&jws, key.algorithm(), policy, now)
}

/// The same of a token that has to be of this key, whatever its header calls it.
///
/// # Errors
/// [`Refusal`] with the first rule broken.
pub fn verify_with_key<K: Kind>(
    text: &str,
    key: &PublicKey,
    policy: &Policy,
    now: Timestamp,
) -> Result<Verified<K>, Refusal> {
    let jws = Jws::parse(text)?;
    signature::verify_with_key(&jws, key)
        .map_err(|(rule, detail)| Refusal::Signature { rule, detail })?;
    judge(&jws, key.algorithm(), policy, now)
}

/// All but the signature, which has been checked.
fn judge<K: Kind>(
    jws: &Jws<'_>,
    algorithm: Algorithm,
    policy: &Policy,
    now: Timestamp,
) -> Result<Verified<K>, Refusal> {
    if policy.algorithms.as_ref().is_some_and(|known| !known.contains(&algorithm)) {
        return Err(Refusal::Algorithm);
    }
    let typed = match jws.header().typ.as_deref() {
        Some(typ) => K::TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ)),
        None => K::UNTYPED,
    };
    if !typed {
        return Err(Refusal::Type);
    }
    let (mut claims, names) = read::<K>(jws.unverified_payload())?;
    if K::KEEPS {
        claims.keep(json::parse_object(jws.unverified_payload()).map_err(|_| Refusal::Payload)?);
    }
    policy.check_claims(claims.common(), &names)?;
    policy.check_times(claims.common(), now)?;
    claims.check(policy, &names)?;
    Ok(Verified { claims })
}

fn read<K: Kind>(payload: &[u8]) -> Result<(K, Names<'_>), Refusal> {
    if let Ok(read) = json::parse_with_names(payload) {
        return Ok(read);
    }
    let members = json::parse_object(payload).map_err(|_| Refusal::Payload)?;
    match K::REQUIRED.iter().find(|name| !members.contains_key(**name)) {
        Some(claim) => Err(Refusal::Claim { claim, rule: Rule::Missing }),
        None => Err(Refusal::Payload),
    }
}

#[cfg(test)]
mod tests;
