//! Software statements: what a trusted publisher says of its software goes before what a client says of itself
//! (RFC 7591 §2.3).

use serde_json::{Map, Value};
use token::kind::software_statement::SoftwareStatement;
use token::time::Timestamp;
use token::verify::{Policy, Refusal, verify};

use crate::foreign::{self, LEEWAY};
use crate::register::RegistrationRefused;
use crate::register::policy;
use crate::state::Authority;

/// The member of a registration that has the statement.
pub(crate) const MEMBER: &str = "software_statement";
/// Claims that are about the statement, not about the software (RFC 7519 §4.1).
const ABOUT_ITSELF: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
/// Where a client's keys are; one of them.
const KEYS: [&str; 2] = ["jwks", "jwks_uri"];

/// Why a software statement is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementRefused {
    /// No JWT with an issuer.
    #[error("`software_statement` is not a JWT with `iss`")]
    Form,
    /// The policy wants one.
    #[error(
        "`software_statement` is missing; clients register here with that of a trusted publisher"
    )]
    Missing,
    /// It is not good.
    #[error("`software_statement` is refused: {0}")]
    Token(#[from] Refusal),
    /// Nobody here trusts its publisher.
    #[error("the publisher of `software_statement` is not trusted here")]
    Unapproved,
}

/// Puts what the publisher says in the place of what the client says; the publisher, where there is one.
///
/// # Errors
/// [`StatementRefused`] when the statement is not taken, or is missing where the policy wants one.
pub(crate) async fn apply(
    authority: &Authority,
    members: &mut Map<String, Value>,
    now: Timestamp,
) -> Result<Option<String>, RegistrationRefused> {
    let wanted = authority.settings().registration.policy == policy::Policy::Statement;
    let text = match members.get(MEMBER) {
        None | Some(Value::Null) if wanted => return Err(StatementRefused::Missing.into()),
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err(StatementRefused::Form.into()),
    };
    let (publisher, said) = check(authority, text, now).await?;
    if KEYS.iter().any(|name| said.contains_key(*name)) {
        members.retain(|name, _| !KEYS.contains(&name.as_str()));
    }
    let about_software = |(name, _): &(String, Value)| !ABOUT_ITSELF.contains(&name.as_str());
    members.extend(said.into_iter().filter(about_software));
    Ok(Some(publisher))
}

async fn check(
    authority: &Authority,
    text: &str,
    now: Timestamp,
) -> Result<(String, Map<String, Value>), StatementRefused> {
    let settings = authority.settings();
    let announced = foreign::announced(text).map_err(|_| StatementRefused::Form)?;
    let issuer = announced.issuer.ok_or(StatementRefused::Form)?;
    let publisher = settings.software_publishers.iter().find(|known| known.issuer == issuer);
    let publisher = publisher.ok_or(StatementRefused::Unapproved)?;
    let keys = foreign::keys(authority, publisher, text).await;
    let policy = Policy::new(issuer.as_str(), settings.issuer.as_str()).leeway(LEEWAY);
    let statement = verify::<SoftwareStatement>(text, &keys, &policy, now)?;
    Ok((issuer, statement.claims().members.clone()))
}
