//! Answers that are signed for one client, and encrypted to its key where it wants that.

use std::sync::Arc;

use serde::Serialize;
use store::ClientOptions;
use token::encryption_key::EncryptionKey;
use token::jwe::{self, Description};
use token::jwk::BadKey;
use token::jws;
use token::key::PrivateKey;
use token::term::{Algorithm, KeyManagement, token_type};

use crate::client_keys;
use crate::rule::profile;
use crate::settings::Settings;
use crate::state::Authority;

/// What a client's answers are signed with where it has not said: RS256, as the specifications of them
/// all have it (OpenID Connect Dynamic Client Registration 1.0 §2, JARM §3, RFC 9701 §6); the first that
/// is configured where that is not, and under FAPI 2.0, which forbids it (§5.4.1).
pub(crate) fn usual(settings: &Settings, options: &ClientOptions) -> Option<Algorithm> {
    let rs256 = settings.signing_algs.contains(&Algorithm::Rs256);
    if rs256 && !profile::is_fapi2(settings, options) {
        return Some(Algorithm::Rs256);
    }
    settings.signing_algs.first().copied()
}

/// The key for what a client wants. An algorithm that is not configured any more gives way to the one
/// that always is.
pub(crate) fn key(
    authority: &Authority,
    options: &ClientOptions,
    wanted: Option<Algorithm>,
) -> Arc<PrivateKey> {
    let algorithm = wanted.or_else(|| usual(authority.settings(), options));
    let key = algorithm.and_then(|algorithm| authority.keys().active_for(algorithm));
    key.unwrap_or_else(|| authority.keys().active())
}

/// Signs an answer.
///
/// # Errors
/// [`BadKey::Library`] when the library fails to sign.
pub(crate) fn sign(
    authority: &Authority,
    options: &ClientOptions,
    wanted: Option<Algorithm>,
    typ: &str,
    claims: &impl Serialize,
) -> Result<String, BadKey> {
    let payload = serde_json::to_vec(claims).map_err(|_| BadKey::Library)?;
    jws::sign(&key(authority, options, wanted), typ, &payload)
}

/// Signed, then encrypted (OpenID Connect Core 1.0 §10.2), for a client that wants it so.
///
/// # Errors
/// [`BadKey`] when the client has no key for it, or the library fails.
pub(crate) fn encrypt(
    options: &ClientOptions,
    how: Option<KeyManagement>,
    signed: String,
) -> Result<String, BadKey> {
    match how {
        Some(how) => sealed(&recipient(options, how)?, &signed),
        None => Ok(signed),
    }
}

/// Claims that a client wants encrypted and not signed (OpenID Connect Core 1.0 §5.3.2).
///
/// # Errors
/// As [`encrypt`].
pub(crate) fn encrypt_claims(
    options: &ClientOptions,
    how: KeyManagement,
    claims: &impl Serialize,
) -> Result<String, BadKey> {
    let claims = serde_json::to_vec(claims).map_err(|_| BadKey::Library)?;
    let description = Description { typ: None, cty: None };
    jwe::encrypt(&recipient(options, how)?, &claims, description).map_err(|_| BadKey::Library)
}

fn recipient(options: &ClientOptions, how: KeyManagement) -> Result<EncryptionKey, BadKey> {
    let key = options.jwks.as_ref().and_then(|jwks| client_keys::encryption_key(jwks, how));
    key.ok_or(BadKey::Unfit)
}

/// A signed token inside an encrypted one (RFC 7519 §5.2).
///
/// # Errors
/// [`BadKey::Library`] when the library fails.
pub(crate) fn sealed(recipient: &EncryptionKey, signed: &str) -> Result<String, BadKey> {
    let description = Description { typ: None, cty: Some(token_type::ID_TOKEN) };
    jwe::encrypt(recipient, signed.as_bytes(), description).map_err(|_| BadKey::Library)
}
