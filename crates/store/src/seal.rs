//! Encryption at rest: AES-256-GCM under the master key, or under a token that somebody presents.
//!
//! A sealed value is a version byte, a random nonce of 12 bytes, and the ciphertext with its tag.
//! It opens only with the label that it was sealed with: a value moved to another place is refused.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use crate::error::StoreError;

const VERSION: u8 = 1;

/// Seals and opens under one key.
pub struct Sealer(RandomizedNonceKey);

// === impl Sealer ===

impl Sealer {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, StoreError> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| StoreError::Crypto)
    }

    /// Seals `plaintext` for the place that `label` names.
    ///
    /// # Errors
    /// [`StoreError::Crypto`] when the library fails.
    pub fn seal(&self, label: &str, plaintext: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut body = Vec::with_capacity(plaintext.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plaintext);
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(label), &mut body)
            .map_err(|_| StoreError::Crypto)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what was sealed with the same label.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when the value was altered, or sealed under another key or label.
    pub fn open(&self, label: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let Some((&VERSION, rest)) = sealed.split_first() else { return Err(StoreError::Sealed) };
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(StoreError::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreError::Sealed)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .0
            .open_in_place(nonce, Aad::from(label), &mut body)
            .map_err(|_| StoreError::Sealed)?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

/// Seals under a key that only `secret`, such as a refresh token, yields: the store alone, which
/// keeps nothing but its hash, cannot open it.
///
/// # Errors
/// [`StoreError::Crypto`] when the library fails.
pub fn seal_to(secret: &str, label: &str, plaintext: &[u8]) -> Result<Vec<u8>, StoreError> {
    Sealer::new(&derive(secret.as_bytes(), "tokenward seal to a token", label))?
        .seal(label, plaintext)
}

/// Opens what [`seal_to`] sealed.
///
/// # Errors
/// [`StoreError::Sealed`] when the secret, the label or the value is another.
pub fn open_from(
    secret: &str,
    label: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    Sealer::new(&derive(secret.as_bytes(), "tokenward seal to a token", label))?.open(label, sealed)
}

/// A key for one purpose and label (HKDF-SHA256, RFC 5869).
pub(crate) fn derive(secret: &[u8], purpose: &str, label: &str) -> Zeroizing<[u8; 32]> {
    let pseudorandom = Salt::new(HKDF_SHA256, purpose.as_bytes()).extract(secret);
    let mut key = Zeroizing::new([0; 32]);
    // RFC 5869 §2.3 fails only beyond 255 × 32 bytes.
    #[expect(clippy::expect_used, reason = "32 bytes are always within what HKDF can give")]
    pseudorandom
        .expand(&[label.as_bytes()], HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *key))
        .expect("HKDF of 32 bytes");
    key
}
