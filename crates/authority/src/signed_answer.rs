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
use crate::state::Authority;

/// The key for an algorithm. One that is not configured any more gives way to the one that always is.
pub(crate) fn key(authority: &Authority, wanted: Option<Algorithm>) -> Arc<PrivateKey> {
    let key = wanted.and_then(|algorithm| authority.keys().active_for(algorithm));
    key.unwrap_or_else(|| authority.keys().active())
}

/// Signs an answer.
///
/// # Errors
/// [`BadKey::Library`] when the library fails to sign.
pub(crate) fn sign(
    authority: &Authority,
    wanted: Option<Algorithm>,
    typ: &str,
    claims: &impl Serialize,
) -> Result<String, BadKey> {
    let payload = serde_json::to_vec(claims).map_err(|_| BadKey::Library)?;
    jws::sign(&key(authority, wanted), typ, &payload)
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
    let Some(how) = how else { return Ok(signed) };
    let key = options.jwks.as_ref().and_then(|jwks| client_keys::encryption_key(jwks, how));
    sealed(&key.ok_or(BadKey::Unfit)?, &signed)
}

/// A signed token inside an encrypted one (RFC 7519 §5.2).
///
/// # Errors
/// [`BadKey::Library`] when the library fails.
pub(crate) fn sealed(recipient: &EncryptionKey, signed: &str) -> Result<String, BadKey> {
    let description = Description { typ: None, cty: Some(token_type::ID_TOKEN) };
    jwe::encrypt(recipient, signed.as_bytes(), description).map_err(|_| BadKey::Library)
}
