//! Keys that encrypt and keys that decrypt: each has one algorithm, and none of them signs.

use std::fmt;

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, X25519};
use aws_lc_rs::encoding::{
    AsBigEndian as _, AsDer as _, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der,
};
use aws_lc_rs::rsa::{
    KeySize, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair, RsaPublicKeyComponents};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::base62;
use crate::base64url;
use crate::id::KeyId;
use crate::json;
use crate::jwk::{self, BadKey};
use crate::members::{Private, bytes, text};
use crate::private_jwk;
use crate::random::{OsRandom, Random as _};
use crate::rsa_der;
use crate::secret::Secret;
use crate::term::{ContentEncryption, KeyManagement};

const ENCRYPTING: [&str; 4] = ["encrypt", "wrapKey", "deriveKey", "deriveBits"];
const DECRYPTING: [&str; 4] = ["decrypt", "unwrapKey", "deriveKey", "deriveBits"];
const PRIVATE: [&str; 7] = ["d", "dp", "dq", "k", "p", "q", "qi"];

/// A public key that a token is encrypted to. There is none for a shared secret: whoever holds
/// that can also decrypt, which is a [`DecryptionKey`].
#[derive(Debug)]
pub struct EncryptionKey {
    kid: Option<KeyId>,
    algorithm: KeyManagement,
    recipient: Recipient,
}

/// A private key or a shared secret that decrypts.
pub struct DecryptionKey {
    kid: Option<KeyId>,
    algorithm: KeyManagement,
    pub(crate) holder: Holder,
}

/// A curve for key agreement (RFC 7518 §6.2.1.1, RFC 8037 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    X25519,
}

/// The public half.
#[derive(Clone)]
pub(crate) enum Recipient {
    /// A point, in the library's form: uncompressed, or the 32 bytes of X25519.
    Agreement {
        curve: Curve,
        point: Vec<u8>,
    },
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
        key: PublicEncryptingKey,
    },
}

/// The half that decrypts.
pub(crate) enum Holder {
    Agreement { key: agreement::PrivateKey, public: Recipient },
    Rsa { key: OaepPrivateDecryptingKey, pkcs8: Zeroizing<Vec<u8>>, public: Recipient },
    Secret(Zeroizing<Vec<u8>>),
}

// === impl EncryptionKey ===

impl EncryptionKey {
    /// Reads a published key for encryption; `algorithm` is what it is for when it does not say.
    ///
    /// # Errors
    /// [`BadKey`] names the member that is wrong; `alg` when neither says what the key is for.
    pub fn from_jwk(text: &[u8], algorithm: Option<KeyManagement>) -> Result<Self, BadKey> {
        let members = &json::parse_object(text)?;
        if jwk::has_private_member(members) {
            return Err(BadKey::Private);
        }
        jwk::check_use(members, "enc", &ENCRYPTING)?;
        let algorithm = algorithm_of(members, algorithm)?;
        let recipient = Recipient::from_members(algorithm, members)?;
        Ok(Self { kid: kid_of(members)?, algorithm, recipient })
    }

    /// The key's one algorithm.
    pub fn algorithm(&self) -> KeyManagement {
        self.algorithm
    }

    /// The key's name, when it was published with one.
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// SHA-256 thumbprint, base64url (RFC 7638 §3).
    pub fn thumbprint(&self) -> KeyId {
        jwk::hash(&self.recipient.required())
    }

    pub(crate) fn recipient(&self) -> &Recipient {
        &self.recipient
    }
}

/// As published: the members of the key type with `alg`, `use` and, when it has one, `kid`.
impl Serialize for EncryptionKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let required = self.recipient.required().into_iter();
        let mut members: Map<String, Value> =
            required.map(|(name, text)| (name.to_owned(), text.into())).collect();
        if let Some(kid) = &self.kid {
            members.insert("kid".to_owned(), kid.as_str().into());
        }
        members.insert("alg".to_owned(), self.algorithm.as_str().into());
        members.insert("use".to_owned(), "enc".into());
        members.serialize(serializer)
    }
}

// === impl DecryptionKey ===

impl DecryptionKey {
    /// A new key, named by its thumbprint: P-256 for key agreement, RSA with 3072 bits, 256 random
    /// bits for a shared secret, whose name is random too.
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails.
    pub fn generate(algorithm: KeyManagement) -> Result<Self, BadKey> {
        let library = |_| BadKey::Library;
        let holder = match algorithm {
            KeyManagement::Dir | KeyManagement::A256GcmKw => {
                let mut secret = Zeroizing::new(vec![0; 32]);
                OsRandom::new().fill(&mut secret);
                Holder::Secret(secret)
            }
            KeyManagement::EcdhEs | KeyManagement::EcdhEsA256Kw => {
                let key = agreement::PrivateKey::generate(&ECDH_P256).map_err(library)?;
                Holder::agreement(Curve::P256, key)?
            }
            KeyManagement::RsaOaep256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(library)?;
                let document: Pkcs8V1Der<'_> = pair.as_der().map_err(library)?;
                Holder::rsa(Zeroizing::new(document.as_ref().to_vec()))?
            }
        };
        let kid = match holder.public() {
            Some(public) => jwk::hash(&public.required()),
            // A thumbprint would be a hash of the secret.
            None => KeyId::from(base62::random(22, &OsRandom::new())),
        };
        Ok(Self { kid: Some(kid), algorithm, holder })
    }

    /// Reads a private key or a shared secret (`kty` `oct`); `algorithm` is what it is for when it
    /// does not say.
    ///
    /// # Errors
    /// [`BadKey`] names the member that is wrong; [`BadKey::Unfit`] when the private half belongs
    /// to another key; `k` when a secret does not have 256 bits.
    pub fn from_jwk(text: &[u8], algorithm: Option<KeyManagement>) -> Result<Self, BadKey> {
        let mut members = json::parse_object(text)?;
        let private = Private::take(&mut members, &PRIVATE);
        if jwk::has_private_member(&members) {
            return Err(BadKey::Private);
        }
        let algorithm = algorithm_of(&members, algorithm)?;
        let kid = kid_of(&members)?;
        let holder = match algorithm {
            KeyManagement::Dir | KeyManagement::A256GcmKw => {
                jwk::check_use(&members, "enc", &[&ENCRYPTING[..], &DECRYPTING[..]].concat())?;
                secret(&members, &private)?
            }
            _ => {
                jwk::check_use(&members, "enc", &DECRYPTING)?;
                Holder::from_members(Recipient::from_members(algorithm, &members)?, &private)?
            }
        };
        Ok(Self { kid, algorithm, holder })
    }

    /// The key as JSON with its private members: whoever reads it can decrypt.
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library cannot give the key out.
    pub fn expose_jwk(&self) -> Result<Secret, BadKey> {
        let library = |_| BadKey::Library;
        let (public, private) = match &self.holder {
            Holder::Secret(secret) => {
                (vec![("kty", "oct".to_owned())], vec![("k", secret.clone())])
            }
            Holder::Rsa { pkcs8, public, .. } => {
                (public.required(), rsa_der::private_members(pkcs8)?)
            }
            Holder::Agreement { key, public } => {
                let d = if *key.algorithm() == X25519 {
                    let d: Curve25519SeedBin<'_> = key.as_be_bytes().map_err(library)?;
                    Zeroizing::new(d.as_ref().to_vec())
                } else {
                    let d: EcPrivateKeyBin<'_> = key.as_be_bytes().map_err(library)?;
                    Zeroizing::new(d.as_ref().to_vec())
                };
                (public.required(), vec![("d", d)])
            }
        };
        let mut head = vec![("alg", self.algorithm.to_string()), ("use", "enc".to_owned())];
        head.extend(public);
        Ok(private_jwk::write(self.kid.as_ref(), &head, &private))
    }

    /// The public half; `None` for a shared secret, which has none.
    pub fn public(&self) -> Option<EncryptionKey> {
        let recipient = self.holder.public()?.clone();
        Some(EncryptionKey { kid: self.kid.clone(), algorithm: self.algorithm, recipient })
    }

    /// The key's one algorithm.
    pub fn algorithm(&self) -> KeyManagement {
        self.algorithm
    }

    /// The key's name, when it has one.
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptionKey({}, [redacted])", self.algorithm)
    }
}

// === impl Curve ===

impl Curve {
    pub(crate) fn of(kty: &str, crv: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::X25519]
            .into_iter()
            .find(|curve| curve.kty() == kty && curve.name() == crv)
    }

    pub(crate) fn kty(self) -> &'static str {
        if self == Self::X25519 { "OKP" } else { "EC" }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::X25519 => "X25519",
        }
    }

    /// Bytes of a coordinate, and of a private key.
    fn size(self) -> usize {
        if self == Self::P384 { 48 } else { 32 }
    }

    pub(crate) fn algorithm(self) -> &'static agreement::Algorithm {
        match self {
            Self::P256 => &ECDH_P256,
            Self::P384 => &ECDH_P384,
            Self::X25519 => &X25519,
        }
    }
}

// === impl Recipient ===

impl Recipient {
    fn from_members(
        algorithm: KeyManagement,
        members: &Map<String, Value>,
    ) -> Result<Self, BadKey> {
        match algorithm {
            KeyManagement::Dir | KeyManagement::A256GcmKw => Err(BadKey::Algorithm),
            KeyManagement::EcdhEs | KeyManagement::EcdhEsA256Kw => Self::agreement(members),
            KeyManagement::RsaOaep256 => {
                if text(members, "kty")? != Some("RSA") {
                    return Err(BadKey::Algorithm);
                }
                Self::rsa(bytes(members, "n")?, bytes(members, "e")?)
            }
        }
    }

    /// A point on a curve that is known here; also what an `epk` header holds.
    pub(crate) fn agreement(members: &Map<String, Value>) -> Result<Self, BadKey> {
        let kty = text(members, "kty")?.ok_or(BadKey::Member("kty"))?;
        if !matches!(kty, "EC" | "OKP") {
            return Err(BadKey::Algorithm);
        }
        let crv = text(members, "crv")?.ok_or(BadKey::Member("crv"))?;
        let curve = Curve::of(kty, crv).ok_or(BadKey::Unsupported)?;
        let coordinate = |name| match bytes(members, name) {
            Ok(bytes) if bytes.len() == curve.size() => Ok(bytes),
            _ => Err(BadKey::Member(name)),
        };
        let point = match curve {
            Curve::X25519 => coordinate("x")?,
            _ => [&[0x04], coordinate("x")?.as_slice(), coordinate("y")?.as_slice()].concat(),
        };
        // Off the curve it could draw a private key out of us (RFC 7518 §8.6).
        let unparsed = agreement::UnparsedPublicKey::new(curve.algorithm(), &point);
        agreement::ParsedPublicKey::try_from(&unparsed).map_err(|_| BadKey::Point)?;
        Ok(Self::Agreement { curve, point })
    }

    fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, BadKey> {
        jwk::check_rsa(&n, &e)?;
        let components = RsaPublicKeyComponents { n: &n, e: &e };
        let key: PublicEncryptingKey = components.try_into().map_err(|_| BadKey::Point)?;
        OaepPublicEncryptingKey::new(key.clone()).map_err(|_| BadKey::Point)?;
        Ok(Self::Rsa { n, e, key })
    }

    /// The members of the key itself, by name (RFC 7638 §3.2).
    pub(crate) fn required(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Rsa { n, e, .. } => vec![
                ("e", base64url::encode(e)),
                ("kty", "RSA".to_owned()),
                ("n", base64url::encode(n)),
            ],
            Self::Agreement { curve, point } => {
                let mut members =
                    vec![("crv", curve.name().to_owned()), ("kty", curve.kty().to_owned())];
                match point.get(1..).map(|both| both.split_at_checked(curve.size())) {
                    Some(Some((x, y))) if *curve != Curve::X25519 => {
                        members.push(("x", base64url::encode(x)));
                        members.push(("y", base64url::encode(y)));
                    }
                    _ => members.push(("x", base64url::encode(point))),
                }
                members
            }
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.required()).finish()
    }
}

// === impl Holder ===

impl Holder {
    fn from_members(public: Recipient, private: &Private) -> Result<Self, BadKey> {
        match &public {
            Recipient::Agreement { curve, point } => {
                let d = private.bytes("d")?;
                let key = agreement::PrivateKey::from_private_key(curve.algorithm(), &d)
                    .map_err(|_| BadKey::Member("d"))?;
                let own = key.compute_public_key().map_err(|_| BadKey::Library)?;
                if own.as_ref() != point.as_slice() {
                    return Err(BadKey::Unfit);
                }
                Ok(Self::Agreement { key, public })
            }
            Recipient::Rsa { n, e, .. } => Self::rsa(private_jwk::rsa_pkcs8(n, e, private)?),
        }
    }

    fn agreement(curve: Curve, key: agreement::PrivateKey) -> Result<Self, BadKey> {
        let point = key.compute_public_key().map_err(|_| BadKey::Library)?.as_ref().to_vec();
        Ok(Self::Agreement { key, public: Recipient::Agreement { curve, point } })
    }

    fn rsa(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, BadKey> {
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).map_err(|_| BadKey::Pkcs8)?;
        let RsaPublicKeyComponents { n, e } = pair.public_key().into();
        let key = PrivateDecryptingKey::from_pkcs8(&pkcs8)
            .map_err(|_| BadKey::Pkcs8)
            .and_then(|key| OaepPrivateDecryptingKey::new(key).map_err(|_| BadKey::Pkcs8))?;
        Ok(Self::Rsa { key, pkcs8, public: Recipient::rsa(n, e)? })
    }

    fn public(&self) -> Option<&Recipient> {
        match self {
            Self::Agreement { public, .. } | Self::Rsa { public, .. } => Some(public),
            Self::Secret(_) => None,
        }
    }
}

fn algorithm_of(
    members: &Map<String, Value>,
    given: Option<KeyManagement>,
) -> Result<KeyManagement, BadKey> {
    let named = match text(members, "alg")? {
        // A secret that is the content key itself may be named by the content encryption
        // (RFC 7517 §4.4 with RFC 7518 §7.1).
        Some(name) if name.parse::<ContentEncryption>().is_ok() => Some(KeyManagement::Dir),
        Some(name) => Some(name.parse().map_err(|_| BadKey::Algorithm)?),
        None => None,
    };
    match (named, given) {
        (Some(named), Some(given)) if named != given => Err(BadKey::Algorithm),
        (named, given) => named.or(given).ok_or(BadKey::Member("alg")),
    }
}

fn kid_of(members: &Map<String, Value>) -> Result<Option<KeyId>, BadKey> {
    match text(members, "kid")? {
        None => Ok(None),
        Some(kid) if jwk::is_name(kid) => Ok(Some(KeyId::from(kid))),
        Some(_) => Err(BadKey::Member("kid")),
    }
}

/// Both of our contents take 256 bits, and so does the wrapping.
fn secret(members: &Map<String, Value>, private: &Private) -> Result<Holder, BadKey> {
    if text(members, "kty")? != Some("oct") {
        return Err(BadKey::Algorithm);
    }
    let secret = private.bytes("k")?;
    if secret.len() == 32 { Ok(Holder::Secret(secret)) } else { Err(BadKey::Member("k")) }
}

#[cfg(test)]
mod tests;
