//! A client's assertion of who it is: `private_key_jwt` (RFC 7523 §2.2, OpenID Connect Core 1.0 §9).

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use store::Client;
use token::claims::Audience;
use token::id::ClientId;
use token::json;
use token::jws::Jws;
use token::kind::ClientAssertion;
use token::time::Timestamp;
use token::verify::{Policy, verify};

use super::ClientAuthRefused;
use crate::rule::profile;
use crate::state::Authority;

/// `client_assertion_type` (RFC 7523 §2.2).
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The same for a JWT-SVID (draft-ietf-oauth-spiffe-client-auth-02).
pub(super) const SPIFFE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";
/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_secs(30);
/// How long an assertion may be good at most.
const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// How long its name has to be remembered.
pub(crate) const REMEMBERED: Duration = LONGEST_LIFE.saturating_add(LEEWAY);

/// Who says it and whom it speaks of, before anybody believes it.
pub(super) fn claimed(assertion: &str) -> Option<(String, ClientId)> {
    let jws = Jws::parse(assertion).ok()?;
    let members = json::parse_object(jws.unverified_payload()).ok()?;
    let subject = members.get("sub").and_then(Value::as_str)?;
    let issuer = members.get("iss").and_then(Value::as_str).unwrap_or(subject);
    Some((issuer.to_owned(), subject.into()))
}

/// Checks an assertion: by the client's own key, for this issuer alone, and once.
pub(super) async fn check(
    authority: &Authority,
    client: &Arc<Client>,
    assertion: &str,
    now: Timestamp,
) -> Result<(), ClientAuthRefused> {
    let kid =
        Jws::parse(assertion).ok().and_then(|jws| jws.header().kid.named().map(str::to_owned));
    let keys = authority.client_keys().of(client, kid.as_deref()).await;
    // The issuer as the only audience: with the token endpoint's URL beside it, an assertion made
    // for a server that lies about its endpoint could be used here (RFC 7523bis §4).
    let issuer = authority.settings().issuer.as_str();
    let mut policy = Policy::new(client.id.as_str(), issuer).leeway(LEEWAY);
    let fapi2 = profile::is_fapi2(authority.settings(), &client.options);
    if fapi2 {
        policy = policy.algorithms(&profile::ALGORITHMS);
    }
    if let Some(algorithm) = client.options.token_endpoint_auth_signing_alg {
        policy = policy.algorithms(&[algorithm]);
    }
    let assertion = verify::<ClientAssertion>(assertion, &keys, &policy, now)
        .map_err(ClientAuthRefused::Assertion)?;
    let claims = assertion.claims();
    // FAPI 2.0 Security Profile §5.3.2.1: the issuer identifier as a string, not in a list.
    if fapi2 && !matches!(claims.aud, Audience::One(_)) {
        return Err(ClientAuthRefused::AssertionAudience);
    }
    if Timestamp::from_secs(claims.exp) > now.plus(LONGEST_LIFE) {
        return Err(ClientAuthRefused::AssertionTooLong);
    }
    let until = Timestamp::from_secs(claims.exp).plus(LEEWAY);
    if !authority.use_assertion([client.id.as_str(), &claims.jti], until, now) {
        return Err(ClientAuthRefused::AssertionReplayed);
    }
    Ok(())
}
