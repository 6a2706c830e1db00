//! Tokens of other issuers that an administrator trusts: of workloads by rules on their claims, of people by
//! an identity assertion (RFC 7523 §2.1, draft-ietf-oauth-identity-assertion-authz-grant).

mod issuer_keys;
mod rule;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use store::{Client, StoreError};
use token::id::ClientId;
use token::json;
use token::jws::Jws;
use token::key::KeySet;
use token::kind::{IdentityAssertion, WorkloadToken};
use token::term::token_type;
use token::time::Timestamp;
use token::verify::{Policy, Refusal, Verified, verify};

pub(crate) use self::issuer_keys::IssuerKeys;
pub use self::rule::WorkloadRule;
use crate::state::Authority;

/// How a SPIFFE trust domain begins.
pub const TRUST_DOMAIN: &str = "spiffe://";
/// How far clocks may differ.
pub(crate) const LEEWAY: std::time::Duration = std::time::Duration::from_secs(30);

/// Somebody who signs, and where their keys are.
#[derive(Clone)]
pub struct KeySource {
    /// Their identifier, as their tokens have it.
    pub issuer: String,
    /// Where their keys are; without it, their metadata says.
    pub jwks_uri: Option<url::Url>,
    /// Their keys, where they cannot be fetched.
    pub keys: Option<Arc<KeySet>>,
}

/// An issuer whose tokens are taken.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// Who it is; or a SPIFFE trust domain, `spiffe://example.org`, whose tokens are known by their
    /// subject.
    pub source: KeySource,
    /// Whom its tokens have to be for; without it, for us.
    pub audience: Option<String>,
    /// Which workloads are which clients.
    pub rules: Vec<WorkloadRule>,
    /// The claim of its identity assertions that names one of our people; without it, it speaks for
    /// nobody.
    pub people: Option<String>,
}

/// Why a token of another issuer is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ForeignRefused {
    /// Its claims fit no rule.
    #[error("the token's claims fit no rule of its issuer")]
    NoRule,
    /// Not a JWT with an issuer and a subject.
    #[error("`assertion` is not a JWT with `iss` and `sub`, or a JWT-SVID with `sub`")]
    Form,
    /// The token is not good.
    #[error("the token is refused: {0}")]
    Token(#[from] Refusal),
    /// Nobody here trusts its issuer.
    #[error("the token's issuer is not trusted here")]
    Untrusted,
    /// The rule names a client that is not there.
    #[error("the client `{0}` of the rule is unknown here")]
    ClientUnknown(ClientId),
    /// State could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl TrustedIssuer ===

impl TrustedIssuer {
    /// Whether it is a SPIFFE trust domain (SPIFFE-ID §2.1).
    fn is_trust_domain(&self) -> bool {
        self.source.issuer.starts_with(TRUST_DOMAIN)
    }

    /// Whether a subject is a workload of this trust domain.
    fn has_member(&self, subject: &str) -> bool {
        let path = subject.strip_prefix(self.source.issuer.as_str());
        self.is_trust_domain() && path.is_some_and(|path| path.len() > 1 && path.starts_with('/'))
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySource").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What a token says of where it comes from, before anybody believes it.
pub(crate) struct Announced {
    pub(crate) issuer: Option<String>,
    subject: Option<String>,
}

/// Whether a token says that it is an identity assertion.
pub(crate) fn is_identity(text: &str) -> bool {
    let typ = Jws::parse(text).ok().and_then(|jws| jws.header().typ.clone());
    typ.is_some_and(|typ| typ.eq_ignore_ascii_case(token_type::IDENTITY_ASSERTION))
}

/// Reads what a token says of where it comes from.
///
/// # Errors
/// [`ForeignRefused::Form`] when it is no JWT, or says nothing.
pub(crate) fn announced(text: &str) -> Result<Announced, ForeignRefused> {
    let jws = Jws::parse(text).map_err(|_| ForeignRefused::Form)?;
    let members = json::parse_object(jws.unverified_payload()).map_err(|_| ForeignRefused::Form)?;
    let member = |name| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let (issuer, subject) = (member("iss"), member("sub"));
    if issuer.is_none() && subject.is_none() {
        return Err(ForeignRefused::Form);
    }
    Ok(Announced { issuer, subject })
}

/// The client that a workload is, by the first rule of its issuer that its token's claims fit.
///
/// # Errors
/// [`ForeignRefused`] with the first rule broken.
pub(crate) async fn workload(
    authority: &Authority,
    text: &str,
    now: Timestamp,
) -> Result<Arc<Client>, ForeignRefused> {
    let announced = announced(text)?;
    let trusted = find(authority, &announced).ok_or(ForeignRefused::Untrusted)?;
    let issuer = trusted.source.issuer.as_str();
    let token = if trusted.is_trust_domain() {
        // SPIFFE: the subject's trust domain is what the keys vouch for; `iss` says nothing.
        let iss = announced.issuer.as_deref().unwrap_or(issuer);
        let token = check::<WorkloadToken>(authority, trusted, iss, text, now).await?;
        if !trusted.has_member(&token.claims().sub) {
            return Err(ForeignRefused::Untrusted);
        }
        token
    } else {
        check::<WorkloadToken>(authority, trusted, issuer, text, now).await?
    };
    let claims = &token.claims().members;
    let rule = trusted.rules.iter().find(|rule| rule.fits(claims));
    let client = &rule.ok_or(ForeignRefused::NoRule)?.client;
    let found = authority.store().client(client).await?;
    tracing::info!(client = %client, issuer = %issuer, subject = %token.claims().sub, "workload known");
    found.ok_or_else(|| ForeignRefused::ClientUnknown(client.clone()))
}

/// An identity assertion, and the claim that names its person.
///
/// # Errors
/// [`ForeignRefused`] with the first rule broken.
pub(crate) async fn identity(
    authority: &Authority,
    text: &str,
    now: Timestamp,
) -> Result<(Verified<IdentityAssertion>, String), ForeignRefused> {
    let announced = announced(text)?;
    let speaks = |trusted: &&TrustedIssuer| trusted.people.is_some() && !trusted.is_trust_domain();
    let trusted = find(authority, &announced).filter(speaks).ok_or(ForeignRefused::Untrusted)?;
    let token =
        check::<IdentityAssertion>(authority, trusted, &trusted.source.issuer, text, now).await?;
    let name = trusted.people.as_deref().and_then(|claim| token.claims().members.get(claim));
    let name = name.and_then(Value::as_str).ok_or(ForeignRefused::NoRule)?.to_owned();
    Ok((token, name))
}

/// By the issuer that the token names, else by the trust domain of its subject.
fn find<'a>(authority: &'a Authority, announced: &Announced) -> Option<&'a TrustedIssuer> {
    let trusted = &authority.settings().trusted_issuers;
    let issuer = announced.issuer.as_deref();
    let named = trusted.iter().find(|trusted| Some(trusted.source.issuer.as_str()) == issuer);
    let member = |trusted: &&TrustedIssuer| {
        announced.subject.as_deref().is_some_and(|subject| trusted.has_member(subject))
    };
    named.or_else(|| trusted.iter().find(member))
}

/// The keys that may have signed a token of this issuer; empty when none can be had.
pub(crate) async fn keys(authority: &Authority, source: &KeySource, text: &str) -> Arc<KeySet> {
    let kid = Jws::parse(text).ok().and_then(|jws| jws.header().kid.named().map(str::to_owned));
    authority.issuer_keys().of(source, kid.as_deref()).await
}

async fn check<K: token::kind::Kind>(
    authority: &Authority,
    trusted: &TrustedIssuer,
    issuer: &str,
    text: &str,
    now: Timestamp,
) -> Result<Verified<K>, ForeignRefused> {
    let keys = keys(authority, &trusted.source, text).await;
    let ours = authority.settings().issuer.as_str();
    let audience = trusted.audience.as_deref().unwrap_or(ours);
    let mut policy = Policy::new(issuer, audience).leeway(LEEWAY);
    if !trusted.is_trust_domain() {
        policy = policy.require("iss");
    }
    Ok(verify::<K>(text, &keys, &policy, now)?)
}
