//! Keys in files that the configuration names.

use std::path::Path;

use token::encryption_key::{DecryptionKey, EncryptionKey};
use token::key::{KeySet, PrivateKey};
use zeroize::Zeroizing;

use crate::command::Failure;

/// The public key in a file.
///
/// # Errors
/// [`Failure`] names the file and what is wrong with it.
pub(super) fn public(path: &Path) -> Result<EncryptionKey, Failure> {
    let text = read(path)?;
    EncryptionKey::from_jwk(&text, None).map_err(|error| wrong(path, &error))
}

/// The private key in a file.
///
/// # Errors
/// [`Failure`] names the file and what is wrong with it.
pub(crate) fn private(path: &Path) -> Result<DecryptionKey, Failure> {
    let text = read(path)?;
    DecryptionKey::from_jwk(&text, None).map_err(|error| wrong(path, &error))
}

/// The private key in a file that signs.
///
/// # Errors
/// [`Failure`] names the file and what is wrong with it.
pub(crate) fn signing(path: &Path) -> Result<PrivateKey, Failure> {
    let text = read(path)?;
    PrivateKey::from_jwk(&text).map_err(|error| wrong(path, &error))
}

/// The public keys in a file.
///
/// # Errors
/// [`Failure`] names the file and what is wrong with it.
pub(crate) fn set(path: &Path) -> Result<KeySet, Failure> {
    let text = read(path)?;
    KeySet::from_jwks(&text).map_err(|error| wrong(path, &error))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    std::fs::read(path).map(Zeroizing::new).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format_args!("{}: {error}", path.display()))
}
