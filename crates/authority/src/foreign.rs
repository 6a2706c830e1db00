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
use token::kind::{IdentityAssertion, WorkloadToken};
use token::term::token_type;
use token::time::Timestamp;
use token::verify::{Policy, Refusal, Verified, verify};

pub(crate) use self::issuer_keys::IssuerKeys;
pub use self::rule::{Pattern, PatternRefused, WorkloadRule};
use crate::state::Authority;

/// How far clocks may differ.
const LEEWAY: std::time::Duration = std::time::Duration::from_secs(30);

/// An issuer whose tokens are taken.
#[derive(Clone)]
pub struct TrustedIssuer {
    /// Its identifier, as its tokens have it.
    pub issuer: String,
    /// Where its keys are; without it, its metadata says.
    pub jwks_uri: Option<url::Url>,
    /// Its keys, where they cannot be fetched.
    pub keys: Option<Arc<token::key::KeySet>>,
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
    #[error("`assertion` is not a JWT with `iss` and `sub`")]
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

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// The issuer that a token names, and whether it is an identity assertion.
pub(crate) fn announced(text: &str) -> Option<(String, bool)> {
    let jws = Jws::parse(text).ok()?;
    let members = json::parse_object(jws.unverified_payload()).ok()?;
    let issuer = members.get("iss").and_then(Value::as_str)?.to_owned();
    let typ = jws.header().typ.as_deref().unwrap_or_default();
    Some((issuer, typ.eq_ignore_ascii_case(token_type::IDENTITY_ASSERTION)))
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
    let (issuer, _) = announced(text).ok_or(ForeignRefused::Form)?;
    let trusted = find(authority, &issuer).ok_or(ForeignRefused::Untrusted)?;
    let token = check::<WorkloadToken>(authority, trusted, text, now).await?;
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
    let (issuer, _) = announced(text).ok_or(ForeignRefused::Form)?;
    let trusted = find(authority, &issuer).filter(|trusted| trusted.people.is_some());
    let trusted = trusted.ok_or(ForeignRefused::Untrusted)?;
    let token = check::<IdentityAssertion>(authority, trusted, text, now).await?;
    let name = trusted.people.as_deref().and_then(|claim| token.claims().members.get(claim));
    let name = name.and_then(Value::as_str).ok_or(ForeignRefused::NoRule)?.to_owned();
    Ok((token, name))
}

fn find<'a>(authority: &'a Authority, issuer: &str) -> Option<&'a TrustedIssuer> {
    authority.settings().trusted_issuers.iter().find(|trusted| trusted.issuer == issuer)
}

async fn check<K: token::kind::Kind>(
    authority: &Authority,
    trusted: &TrustedIssuer,
    text: &str,
    now: Timestamp,
) -> Result<Verified<K>, ForeignRefused> {
    let kid = Jws::parse(text).ok().and_then(|jws| jws.header().kid.named().map(str::to_owned));
    let keys = authority.issuer_keys().of(trusted, kid.as_deref()).await;
    let ours = authority.settings().issuer.as_str();
    let audience = trusted.audience.as_deref().unwrap_or(ours);
    let policy = Policy::new(trusted.issuer.as_str(), audience).leeway(LEEWAY);
    Ok(verify::<K>(text, &keys, &policy, now)?)
}
