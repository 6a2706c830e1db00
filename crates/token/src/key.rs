//! Keys that sign and keys that check: private and public are two types, a shared secret is a third;
//! each has one algorithm, and keeps it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, PqdsaKeyPair, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::algorithm::Scheme;
use crate::base62;
use crate::id::KeyId;
use crate::json;
use crate::jwk::{BadKey, Material, PublicJwk};
use crate::jws::{self, Header};
use crate::random::{OsRandom, Random as _};
use crate::term::{Algorithm, MacAlgorithm, token_type};

/// No issuer has more; whoever sends more wants us to work.
const MAX_SET_BYTES: usize = 512 * 1024;
const MAX_SET_KEYS: usize = 100;

/// A key that checks signatures.
pub struct PublicKey {
    jwk: PublicJwk,
    parsed: ParsedPublicKey,
}

/// A key that makes signatures.
pub struct PrivateKey {
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
    public: Arc<PublicKey>,
}

/// A secret that makes and checks signatures: whoever can check can make. It is never part of a
/// [`KeySet`], so that no public key can be taken for it.
pub struct MacKey {
    algorithm: MacAlgorithm,
    kid: Option<KeyId>,
    key: hmac::Key,
    secret: Zeroizing<Vec<u8>>,
}

/// Keys that may have signed a token, by name.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: HashMap<KeyId, Arc<PublicKey>>,
    /// Headers as we write them into access tokens, parsed once and not for every token.
    headers: BTreeMap<Box<str>, Arc<Header>>,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(PqdsaKeyPair),
    Rsa(RsaKeyPair),
}

// === impl PublicKey ===

impl PublicKey {
    /// Parses a published key.
    ///
    /// # Errors
    /// [`BadKey::Point`] when its numbers are no key of its type.
    pub fn from_jwk(jwk: PublicJwk) -> Result<Self, BadKey> {
        let parsed = match (jwk.alg.scheme(), &jwk.material) {
            (Scheme::Ecdsa(scheme), Material::Ec { x, y }) => {
                let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
                ParsedPublicKey::new(scheme.verification, point)
            }
            (Scheme::Ed25519, Material::Okp { x }) => ParsedPublicKey::new(&ED25519, x),
            (Scheme::MlDsa(scheme), Material::Akp { public }) => {
                ParsedPublicKey::new(scheme.verification, public)
            }
            (Scheme::Rsa(scheme), Material::Rsa { n, e }) => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(scheme.verification)
            }
            _ => return Err(BadKey::Algorithm),
        };
        Ok(Self { parsed: parsed.map_err(|_| BadKey::Point)?, jwk })
    }

    /// Whether `signature` is this key's over `message`. An ECDSA signature is r‖s of full length
    /// (RFC 7518 §3.4), never ASN.1.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
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
        write!(f, "PublicKey({}, {})", self.jwk.kid, self.jwk.alg)
    }
}

// === impl PrivateKey ===

impl PrivateKey {
    /// A new key, named by its thumbprint. RSA keys have 2048, 3072 or 4096 bits with a hash of
    /// 256, 384 or 512.
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, BadKey> {
        let document = match algorithm.scheme() {
            Scheme::Ecdsa(scheme) => {
                EcdsaKeyPair::generate(scheme.signing).and_then(|pair| pair.to_pkcs8v1())
            }
            Scheme::Ed25519 => Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()),
            Scheme::MlDsa(scheme) => {
                PqdsaKeyPair::generate(scheme.signing).and_then(|pair| pair.to_pkcs8v1())
            }
            Scheme::Rsa(scheme) => return Self::generate_rsa(algorithm, scheme.new_keys),
        };
        Self::from_pkcs8(algorithm, document.map_err(|_| BadKey::Library)?.as_ref())
    }

    fn generate_rsa(algorithm: Algorithm, size: rsa::KeySize) -> Result<Self, BadKey> {
        use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
        let pair = RsaKeyPair::generate(size).map_err(|_| BadKey::Library)?;
        let document: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| BadKey::Library)?;
        Self::from_pkcs8(algorithm, document.as_ref())
    }

    /// Reads a key kept as PKCS #8.
    ///
    /// # Errors
    /// [`BadKey::Pkcs8`] when the bytes are no such key for this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, BadKey> {
        let wrong = |_| BadKey::Pkcs8;
        let (pair, material) = match algorithm.scheme() {
            Scheme::Ecdsa(scheme) => {
                let pair = EcdsaKeyPair::from_pkcs8(scheme.signing, pkcs8).map_err(wrong)?;
                let (x, y) = match pair.public_key().as_ref() {
                    [0x04, point @ ..] if point.len() == 2 * scheme.size => {
                        point.split_at(scheme.size)
                    }
                    _ => return Err(BadKey::Point),
                };
                let material = Material::Ec { x: x.to_vec(), y: y.to_vec() };
                (Pair::Ecdsa(pair), material)
            }
            Scheme::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(wrong)?;
                let material = Material::Okp { x: pair.public_key().as_ref().to_vec() };
                (Pair::Ed25519(pair), material)
            }
            Scheme::MlDsa(scheme) => {
                let pair = PqdsaKeyPair::from_pkcs8(scheme.signing, pkcs8).map_err(wrong)?;
                let material = Material::Akp { public: pair.public_key().as_ref().to_vec() };
                (Pair::MlDsa(pair), material)
            }
            Scheme::Rsa(_) => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(wrong)?;
                let RsaPublicKeyComponents { n, e } = pair.public_key().into();
                (Pair::Rsa(pair), Material::Rsa { n, e })
            }
        };
        let jwk = PublicJwk::named_by_thumbprint(algorithm, material);
        let public = Arc::new(PublicKey::from_jwk(jwk)?);
        Ok(Self { pair, pkcs8: Zeroizing::new(pkcs8.to_vec()), public })
    }

    /// The same key under the name, and with the algorithm's name, that it was published with.
    ///
    /// # Errors
    /// [`BadKey::Unfit`] when `jwk` is another key.
    pub(crate) fn published_as(self, jwk: PublicJwk) -> Result<Self, BadKey> {
        if self.public.jwk.material != jwk.material {
            return Err(BadKey::Unfit);
        }
        Ok(Self { public: Arc::new(PublicKey::from_jwk(jwk)?), ..self })
    }

    /// The key as PKCS #8, for sealed storage.
    pub fn expose_pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BadKey> {
        let library = |_| BadKey::Library;
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(library)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.try_sign(message).map_err(library)?.as_ref().to_vec()),
            Pair::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut signature).map_err(library)?;
                signature.truncate(length);
                Ok(signature)
            }
            Pair::Rsa(pair) => {
                let Scheme::Rsa(scheme) = self.public.algorithm().scheme() else {
                    return Err(BadKey::Algorithm);
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(scheme.encoding, &SystemRandom::new(), message, &mut signature)
                    .map_err(library)?;
                Ok(signature)
            }
        }
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

// === impl MacKey ===

impl MacKey {
    /// A secret with the name that headers call it by.
    ///
    /// # Errors
    /// [`BadKey::Short`] when it is shorter than the algorithm's hash (RFC 7518 §3.2): such
    /// secrets are guessed from one token.
    pub fn new(algorithm: MacAlgorithm, kid: KeyId, secret: &[u8]) -> Result<Self, BadKey> {
        Self::named(algorithm, Some(kid), secret)
    }

    /// The same of a secret that may have no name.
    pub(crate) fn named(
        algorithm: MacAlgorithm,
        kid: Option<KeyId>,
        secret: &[u8],
    ) -> Result<Self, BadKey> {
        if secret.len() < algorithm.bytes() {
            return Err(BadKey::Short);
        }
        let key = hmac::Key::new(algorithm.hash(), secret);
        Ok(Self { algorithm, kid, key, secret: Zeroizing::new(secret.to_vec()) })
    }

    /// A new secret of the hash's length, under a random name.
    ///
    /// # Errors
    /// [`BadKey::Short`] never: the secret has the hash's length.
    pub fn generate(algorithm: MacAlgorithm) -> Result<Self, BadKey> {
        let mut secret = Zeroizing::new(vec![0; algorithm.bytes()]);
        OsRandom::new().fill(&mut secret);
        Self::new(algorithm, KeyId::from(base62::random(22, &OsRandom::new())), &secret)
    }

    /// The secret itself, for storage.
    pub(crate) fn expose(&self) -> &Zeroizing<Vec<u8>> {
        &self.secret
    }

    /// The secret's one algorithm.
    pub fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    /// The secret's name, when it has one.
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key, message).as_ref().to_vec()
    }

    /// Whether `signature` was made with this secret, of full length, in constant time.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.key, message, signature).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kid = self.kid.as_ref().map_or("unnamed", |kid| kid.as_str());
        write!(f, "MacKey({kid}, {}, [redacted])", self.algorithm)
    }
}

// === impl KeySet ===

impl KeySet {
    /// Reads a published set (RFC 7517 §5). Keys of a kind that is not known here are left out, as
    /// §5 has it, and so are shared secrets, which check nothing here; a set with a private key, with
    /// nothing but secrets, or with one name for two keys, is refused whole.
    ///
    /// # Errors
    /// [`BadKey`] with the first thing that is wrong.
    pub fn from_jwks(text: &[u8]) -> Result<Self, BadKey> {
        let members = json::parse_object(text)?;
        let list = members.get("keys").and_then(Value::as_array).ok_or(BadKey::Member("keys"))?;
        if text.len() > MAX_SET_BYTES || list.len() > MAX_SET_KEYS {
            return Err(BadKey::Member("keys"));
        }
        let (mut set, mut secrets) = (Self::default(), false);
        for value in list {
            let members = value.as_object().ok_or(BadKey::Member("keys"))?;
            if members.get("kty").is_some_and(|kty| kty == "oct") {
                secrets = true;
                continue;
            }
            let key = match PublicJwk::from_members(members).and_then(PublicKey::from_jwk) {
                Ok(key) => key,
                Err(BadKey::Private) => return Err(BadKey::Private),
                Err(_) => continue,
            };
            if set.insert(Arc::new(key)).is_some() {
                return Err(BadKey::Member("kid"));
            }
        }
        if set.is_empty() && secrets { Err(BadKey::Private) } else { Ok(set) }
    }

    /// Whether there is no key in it.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether it has the same keys under the same names.
    pub fn is_same(&self, other: &Self) -> bool {
        let twin = |key: &Arc<PublicKey>| {
            other.key(key.kid().as_str()).is_some_and(|other| other.jwk == key.jwk)
        };
        self.keys.len() == other.keys.len() && self.iter().all(twin)
    }

    /// The key of this name.
    pub fn key(&self, kid: &str) -> Option<&Arc<PublicKey>> {
        self.keys.get(kid)
    }

    /// The header whose base64url text this is, when it is one that these keys' owner writes.
    pub(crate) fn header(&self, text: &str) -> Option<&Arc<Header>> {
        self.headers.get(text)
    }

    fn insert(&mut self, key: Arc<PublicKey>) -> Option<Arc<PublicKey>> {
        let text = jws::header_of(&key, token_type::ACCESS_TOKEN);
        if let Ok(header) = Header::parse(&text) {
            self.headers.insert(text.into(), Arc::new(header));
        }
        self.keys.insert(key.kid().clone(), key)
    }

    /// The keys, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<PublicKey>> {
        self.keys.values()
    }
}

impl FromIterator<Arc<PublicKey>> for KeySet {
    fn from_iter<I: IntoIterator<Item = Arc<PublicKey>>>(keys: I) -> Self {
        let mut set = Self::default();
        for key in keys {
            set.insert(key);
        }
        set
    }
}

#[cfg(test)]
mod tests;
