//! DPoP proofs (RFC 9449 §4): one request, signed with the key that its token is bound to.

use std::time::Duration;

pub use crate::dpop::desk::{ProofDesk, ProofRefused, ProofRules};
pub use crate::dpop::nonce::Nonces;

use aws_lc_rs::digest;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::base64url;
use crate::id::KeyId;
use crate::json;
use crate::jwk::PublicJwk;
use crate::jws::Jws;
use crate::key::PublicKey;
use crate::numeric_date;
use crate::replay::UsedName;
use crate::signature;
use crate::term::token_type;
use crate::time::Timestamp;
use crate::verify::{Refusal, Rule};

mod desk;
mod nonce;

/// Longer names would only fill the memory of those already used.
const MAX_JTI_BYTES: usize = 256;

/// The request that a proof has to be for.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, exactly.
    pub method: &'a str,
    /// The URI that the client called, as it sees it from outside; query and fragment do not count.
    pub uri: &'a str,
    /// The access token beside it; `None` at the token endpoint.
    pub access_token: Option<&'a str>,
    /// The nonces that we hand out; with them, the proof has to have one.
    pub nonces: Option<&'a Nonces>,
    /// How long ago it may have been made, clocks that differ included.
    pub max_age: Duration,
    /// How far in the future it may say that it was made.
    pub leeway: Duration,
}

/// A proof that fits its request. Whether it was used before is for who remembers `(jkt, jti)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    jkt: KeyId,
    jti: String,
    issued_at: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    #[serde(deserialize_with = "numeric_date::whole")]
    iat: i64,
    ath: Option<String>,
    nonce: Option<String>,
}

// === impl VerifiedProof ===

impl VerifiedProof {
    /// The thumbprint of the key, to be held against `cnf.jkt` (RFC 9449 §6.1).
    pub fn jkt(&self) -> &KeyId {
        &self.jkt
    }

    /// The proof's own name.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// What is remembered of it, so that it is good once.
    pub fn used_name(&self) -> UsedName {
        UsedName::of([self.jkt.as_str(), &self.jti])
    }

    /// When it says that it was made.
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }
}

/// Checks a proof by the steps of RFC 9449 §4.3.
///
/// # Errors
/// [`Refusal`] with the first rule broken.
pub fn verify_proof(
    text: &str,
    request: Request<'_>,
    now: Timestamp,
) -> Result<VerifiedProof, Refusal> {
    let jws = Jws::parse(text)?;
    let header = jws.header();
    if header.typ.as_deref() != Some(token_type::DPOP_PROOF) {
        return Err(Refusal::Type);
    }
    let key = key(header.jwk.as_ref(), &header.alg)?;
    signature::verify_proof_of(&jws, &key)
        .map_err(|(rule, detail)| Refusal::Signature { rule, detail })?;
    let claims = claims(jws.unverified_payload())?;
    check(&claims, request, now)?;
    Ok(VerifiedProof {
        jkt: key.jwk().thumbprint(),
        jti: claims.jti,
        issued_at: Timestamp::from_secs(claims.iat),
    })
}

/// A key that a proof is made with, for the algorithm of its header.
pub(crate) fn key(jwk: Option<&Value>, alg: &str) -> Result<PublicKey, Refusal> {
    let wrong = Refusal::Claim { claim: "jwk", rule: Rule::Invalid };
    let missing = Refusal::Claim { claim: "jwk", rule: Rule::Missing };
    let mut members = jwk.and_then(Value::as_object).ok_or(missing)?.clone();
    // An RSA key does not show which algorithm it is for.
    members.entry("alg").or_insert_with(|| alg.into());
    PublicJwk::from_members(&members).and_then(PublicKey::from_jwk).map_err(|_| wrong)
}

fn claims(payload: &[u8]) -> Result<Claims, Refusal> {
    if let Ok(claims) = json::parse(payload) {
        return Ok(claims);
    }
    let members = json::parse_object(payload).map_err(|_| Refusal::Payload)?;
    match ["jti", "htm", "htu", "iat"].into_iter().find(|name| !members.contains_key(*name)) {
        Some(claim) => Err(Refusal::Claim { claim, rule: Rule::Missing }),
        None => Err(Refusal::Payload),
    }
}

fn check(claims: &Claims, request: Request<'_>, now: Timestamp) -> Result<(), Refusal> {
    let broken = |claim, rule| Err(Refusal::Claim { claim, rule });
    if !(1..=MAX_JTI_BYTES).contains(&claims.jti.len()) {
        return broken("jti", Rule::Invalid);
    }
    if claims.htm != request.method {
        return broken("htm", Rule::Mismatch);
    }
    match (normal_uri(&claims.htu), normal_uri(request.uri)) {
        (Some(said), Some(called)) if said == called => {}
        (None, _) => return broken("htu", Rule::Invalid),
        _ => return broken("htu", Rule::Mismatch),
    }
    match (request.nonces, &claims.nonce) {
        (Some(_), None) => return broken("nonce", Rule::Missing),
        (Some(ours), Some(nonce)) if !ours.knows(nonce, now) => {
            return broken("nonce", Rule::Mismatch);
        }
        _ => {}
    }
    let made = Timestamp::from_secs(claims.iat);
    if made > now.plus(request.leeway) {
        return broken("iat", Rule::NotYet);
    }
    if now.since(made) > request.max_age {
        return broken("iat", Rule::TooOld);
    }
    match (request.access_token, &claims.ath) {
        (None, _) => Ok(()),
        (Some(_), None) => broken("ath", Rule::Missing),
        (Some(token), Some(ath)) if *ath != token_hash(token) => broken("ath", Rule::Mismatch),
        _ => Ok(()),
    }
}

/// `ath` of a token: its SHA-256, base64url (RFC 9449 §4.2).
pub fn token_hash(token: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

/// A URI without query and fragment, by the syntax and scheme of RFC 3986 §6.2: host in lower case,
/// default port and needless escapes gone, dots resolved.
fn normal_uri(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    Some(without_needless_escapes(url.as_str()))
}

/// RFC 3986 §6.2.2.1 and §6.2.2.2: escapes in upper case, none where none is needed.
fn without_needless_escapes(uri: &str) -> String {
    let mut parts = uri.split('%');
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let hex = part.get(..2).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (escaped, part.get(2..)) {
            (Some(byte), Some(rest)) => {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    normal.push(char::from(byte));
                } else {
                    normal.push_str(&format!("%{byte:02X}"));
                }
                normal.push_str(rest);
            }
            _ => {
                normal.push('%');
                normal.push_str(part);
            }
        }
    }
    normal
}

#[cfg(test)]
mod tests;
