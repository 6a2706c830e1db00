//! Signing keys: private and public are two types; a key has one algorithm, and keeps it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    ParsedPublicKey,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base64url;
use crate::id::KeyId;

/// Signature algorithms, by their JOSE names (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

/// A public key as published (RFC 7517 §4, RFC 7518 §6.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicJwk {
    /// Key type: `EC`.
    pub kty: String,
    /// Curve: `P-256`.
    pub crv: String,
    /// X coordinate, base64url.
    pub x: String,
    /// Y coordinate, base64url.
    pub y: String,
    /// The key's name.
    pub kid: KeyId,
    /// The only algorithm that the key is for.
    pub alg: Algorithm,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: String,
}

/// A key that checks signatures.
pub struct PublicKey {
    jwk: PublicJwk,
    parsed: ParsedPublicKey,
}

/// A key that makes signatures.
pub struct PrivateKey {
    pair: EcdsaKeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
    public: Arc<PublicKey>,
}

/// Keys that may have signed a token, by name.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: HashMap<KeyId, Arc<PublicKey>>,
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// The library could not make or sign with a key.
    #[error("the cryptographic library refused to make or use the key")]
    Library,
    /// A coordinate is not 32 bytes of base64url, or the point is not on the curve.
    #[error("the key is no point of the curve P-256")]
    Point,
    /// The stored private key is not PKCS #8 of a P-256 key.
    #[error("the private key is not PKCS #8 of a P-256 key")]
    Pkcs8,
    /// Another type, curve or use.
    #[error("the key is not an EC key on P-256 for signatures")]
    Unsupported,
}

// === impl Algorithm ===

impl Algorithm {
    /// The JOSE name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
        }
    }
}

// === impl PublicKey ===

impl PublicKey {
    /// Checks and parses a published key.
    ///
    /// # Errors
    /// [`BadKey`] when type, curve, use or coordinates are not those of a P-256 signing key.
    pub fn from_jwk(jwk: PublicJwk) -> Result<Self, BadKey> {
        if jwk.kty != "EC" || jwk.crv != "P-256" || jwk.usage != "sig" {
            return Err(BadKey::Unsupported);
        }
        let mut point = vec![0x04];
        for coordinate in [&jwk.x, &jwk.y] {
            let bytes = base64url::decode(coordinate).filter(|bytes| bytes.len() == 32);
            point.extend(bytes.ok_or(BadKey::Point)?);
        }
        let parsed =
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(|_| BadKey::Point)?;
        Ok(Self { jwk, parsed })
    }

    /// Whether `signature` (64 bytes, r‖s, RFC 7518 §3.4) is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        signature.len() == 64 && self.parsed.verify_sig(message, signature).is_ok()
    }

    /// The key's name.
    pub fn kid(&self) -> &KeyId {
        &self.jwk.kid
    }

    /// The key's one algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.jwk.alg
    }

    /// The key as published.
    pub fn jwk(&self) -> &PublicJwk {
        &self.jwk
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.jwk.kid)
    }
}

// === impl PrivateKey ===

impl PrivateKey {
    /// A new key, named by its thumbprint.
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails.
    pub fn generate() -> Result<Self, BadKey> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| BadKey::Library)?;
        let document = pair.to_pkcs8v1().map_err(|_| BadKey::Library)?;
        Self::from_pkcs8(document.as_ref())
    }

    /// Reads a key kept as PKCS #8.
    ///
    /// # Errors
    /// [`BadKey::Pkcs8`] when the bytes are not such a key.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, BadKey> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .map_err(|_| BadKey::Pkcs8)?;
        let (x, y) = match pair.public_key().as_ref() {
            [0x04, point @ ..] if point.len() == 64 => point.split_at(32),
            _ => return Err(BadKey::Point),
        };
        let (x, y) = (base64url::encode(x), base64url::encode(y));
        let jwk = PublicJwk {
            kid: thumbprint(&x, &y),
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            x,
            y,
            alg: Algorithm::Es256,
            usage: "sig".to_owned(),
        };
        let public = Arc::new(PublicKey::from_jwk(jwk)?);
        Ok(Self { pair, pkcs8: Zeroizing::new(pkcs8.to_vec()), public })
    }

    /// The key as PKCS #8, for sealed storage.
    pub fn expose_pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Signs `message`: 64 bytes, r‖s.
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BadKey> {
        let signature =
            self.pair.sign(&SystemRandom::new(), message).map_err(|_| BadKey::Library)?;
        Ok(signature.as_ref().to_vec())
    }

    /// The public half.
    pub fn public(&self) -> &Arc<PublicKey> {
        &self.public
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, [redacted])", self.public.kid())
    }
}

// === impl KeySet ===

impl KeySet {
    /// The key of this name.
    pub fn key(&self, kid: &str) -> Option<&Arc<PublicKey>> {
        self.keys.get(kid)
    }

    /// The keys, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<PublicKey>> {
        self.keys.values()
    }
}

impl FromIterator<Arc<PublicKey>> for KeySet {
    fn from_iter<I: IntoIterator<Item = Arc<PublicKey>>>(keys: I) -> Self {
        Self { keys: keys.into_iter().map(|key| (key.kid().clone(), key)).collect() }
    }
}

/// RFC 7638 §3: the required members in alphabetical order, hashed with SHA-256.
fn thumbprint(x: &str, y: &str) -> KeyId {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let hash = digest::digest(&digest::SHA256, canonical.as_bytes());
    KeyId::from(base64url::encode(hash.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::{BadKey, PrivateKey, PublicKey};

    #[test]
    fn a_signature_fits_its_key_and_message_only() {
        let key = PrivateKey::generate().expect("key");
        let other = PrivateKey::generate().expect("key");
        let signature = key.sign(b"message").expect("signature");
        assert!(key.public().verifies(b"message", &signature));
        assert!(!key.public().verifies(b"massage", &signature));
        assert!(!other.public().verifies(b"message", &signature));
        // Psychic signature (CVE-2022-21449), truncation, extension.
        assert!(!key.public().verifies(b"message", &[0; 64]));
        assert!(!key.public().verifies(b"message", &signature[..63]));
        assert!(!key.public().verifies(b"message", &[&signature[..], &[0]].concat()));
        assert!(!key.public().verifies(b"message", &[]));
    }

    #[test]
    fn a_key_survives_storage() {
        let key = PrivateKey::generate().expect("key");
        let again = PrivateKey::from_pkcs8(key.expose_pkcs8()).expect("key");
        assert_eq!(key.public().jwk(), again.public().jwk());
        assert!(!format!("{key:?}").contains("pkcs8"));
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let mut jwk = PrivateKey::generate().expect("key").public().jwk().clone();
        jwk.y = crate::base64url::encode([1u8; 32]);
        assert!(matches!(PublicKey::from_jwk(jwk.clone()), Err(BadKey::Point)));
        jwk.crv = "P-384".to_owned();
        assert!(matches!(PublicKey::from_jwk(jwk), Err(BadKey::Unsupported)));
    }
}
