//! Public keys on the wire (RFC 7517): read strictly, written as they were, named by their thumbprint.

use aws_lc_rs::digest;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::algorithm::Scheme;
use crate::base64url;
use crate::id::KeyId;
use crate::json;
use crate::members::{bytes, text};
use crate::term::Algorithm;

/// Members that belong to private and secret keys alone (RFC 7518 §6.2.2, §6.3.2, §6.4.1,
/// RFC 9964 §3): in a public key they are a leak.
const PRIVATE_MEMBERS: [&str; 9] = ["d", "dp", "dq", "k", "oth", "p", "priv", "q", "qi"];
const MAX_KID_CHARS: usize = 256;

/// A public key as published: one algorithm, one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    /// The key's name; its thumbprint when it was published without one.
    pub kid: KeyId,
    /// The only algorithm that the key is for.
    pub alg: Algorithm,
    /// The key itself.
    pub material: Material,
}

/// The members of each key type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// A key of the type that its algorithm names: `AKP` (RFC 9964 §3).
    Akp {
        /// The public key.
        public: Vec<u8>,
    },
    /// A point on a curve: `EC` (RFC 7518 §6.2).
    Ec {
        /// X coordinate, of the curve's full length.
        x: Vec<u8>,
        /// Y coordinate, of the curve's full length.
        y: Vec<u8>,
    },
    /// A point on Curve25519: `OKP` (RFC 8037 §2).
    Okp {
        /// The public key.
        x: Vec<u8>,
    },
    /// `RSA` (RFC 7518 §6.3).
    Rsa {
        /// Modulus, big-endian, without leading zeros.
        n: Vec<u8>,
        /// Exponent, big-endian, without leading zeros.
        e: Vec<u8>,
    },
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// `alg` names no algorithm of this kind of key.
    #[error("the key's `alg` is unknown, or for another kind of key")]
    Algorithm,
    /// The library could not make or sign with a key.
    #[error("the cryptographic library refused to make or use the key")]
    Library,
    /// A member is missing or has no good value.
    #[error("the key's `{0}` is missing, or is not what it must be")]
    Member(&'static str),
    /// The text is no strict JSON object.
    #[error("the key is {0}")]
    Json(#[from] json::NotAnObject),
    /// The stored private key is not PKCS #8 of such a key.
    #[error("the private key is not PKCS #8 of a key for this algorithm")]
    Pkcs8,
    /// The numbers are no key of this type: not on the curve, even, too small.
    #[error("the key's numbers are no public key of this type")]
    Point,
    /// A private member in a public key.
    #[error("the key has a private member: a public key must not")]
    Private,
    /// The private half is not of the public half beside it.
    #[error("the key's private members do not fit its public ones")]
    Unfit,
    /// The secret is shorter than its hash (RFC 7518 §3.2).
    #[error("the secret is shorter than the hash of its algorithm")]
    Short,
    /// Another type, curve or use.
    #[error("the key is of a type, curve or use that is not known here")]
    Unsupported,
}

// === impl PublicJwk ===

impl PublicJwk {
    /// Reads a published signature key. Members that nobody knows are ignored (RFC 7517 §4).
    /// Without `alg`, an RSA key is for RS256, which OpenID Connect has for its default.
    ///
    /// # Errors
    /// [`BadKey`] names the member that is wrong, or the kind of key that cannot be used.
    pub fn parse(text: &[u8]) -> Result<Self, BadKey> {
        Self::from_members(&json::parse_object(text)?)
    }

    /// The same of an object that was parsed.
    ///
    /// # Errors
    /// [`BadKey`] as [`PublicJwk::parse`].
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, BadKey> {
        Self::from_members_for("verify", members)
    }

    /// The same, of a key that is for `operation` (RFC 7517 §4.3).
    pub(crate) fn from_members_for(
        operation: &str,
        members: &Map<String, Value>,
    ) -> Result<Self, BadKey> {
        if has_private_member(members) {
            return Err(BadKey::Private);
        }
        // What SPIFFE calls the keys of its JWT-SVIDs (SPIFFE Trust Domain and Bundle §4.2.2).
        let svid = text(members, "use")? == Some("jwt-svid");
        check_use(members, if svid { "jwt-svid" } else { "sig" }, &[operation])?;
        let (implied, material) = material(members)?;
        let alg = match text(members, "alg")? {
            None => implied,
            Some(name) => {
                let alg: Algorithm = name.parse().map_err(|_| BadKey::Algorithm)?;
                if !same_kind(alg, implied) {
                    return Err(BadKey::Algorithm);
                }
                alg
            }
        };
        check_sizes(alg, &material)?;
        let kid = match text(members, "kid")? {
            None => thumbprint(alg, &material),
            Some(kid) if is_name(kid) => KeyId::from(kid),
            Some(_) => return Err(BadKey::Member("kid")),
        };
        Ok(Self { kid, alg, material })
    }

    /// A key named by its thumbprint.
    pub(crate) fn named_by_thumbprint(alg: Algorithm, material: Material) -> Self {
        Self { kid: thumbprint(alg, &material), alg, material }
    }

    /// SHA-256 thumbprint, base64url (RFC 7638 §3).
    pub fn thumbprint(&self) -> KeyId {
        thumbprint(self.alg, &self.material)
    }

    /// The members of the key itself, those that RFC 7638 §3.2 hashes.
    pub(crate) fn required(&self) -> Vec<(&'static str, String)> {
        required(self.alg, &self.material)
    }
}

/// `kid`, `alg` and `use` with the members of the key type.
impl Serialize for PublicJwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members: Map<String, Value> = self
            .required()
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.into()))
            .collect();
        members.insert("kid".to_owned(), self.kid.as_str().into());
        members.insert("alg".to_owned(), self.alg.as_str().into());
        members.insert("use".to_owned(), "sig".into());
        members.serialize(serializer)
    }
}

/// Whether a member is there that a public key must not have.
pub(crate) fn has_private_member(members: &Map<String, Value>) -> bool {
    PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name))
}

/// RFC 7517 §4.2 and §4.3: what a key says that it is for must be what it is used for.
pub(crate) fn check_use(
    members: &Map<String, Value>,
    usage: &str,
    operations: &[&str],
) -> Result<(), BadKey> {
    if text(members, "use")?.is_some_and(|named| named != usage) {
        return Err(BadKey::Unsupported);
    }
    let known = |op: &Value| op.as_str().is_some_and(|op| operations.contains(&op));
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(ops)) if ops.iter().any(known) => Ok(()),
        Some(Value::Array(_)) => Err(BadKey::Unsupported),
        Some(_) => Err(BadKey::Member("key_ops")),
    }
}

/// The key's numbers, and the algorithm that such a key is for when it does not say.
fn material(members: &Map<String, Value>) -> Result<(Algorithm, Material), BadKey> {
    let kty = text(members, "kty")?.ok_or(BadKey::Member("kty"))?;
    let curve = text(members, "crv")?;
    match (kty, curve) {
        ("EC", Some("P-256" | "P-384")) => {
            let alg = if curve == Some("P-256") { Algorithm::Es256 } else { Algorithm::Es384 };
            Ok((alg, Material::Ec { x: bytes(members, "x")?, y: bytes(members, "y")? }))
        }
        ("OKP", Some("Ed25519")) => {
            Ok((Algorithm::EdDsa, Material::Okp { x: bytes(members, "x")? }))
        }
        ("RSA", _) => {
            let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
            Ok((Algorithm::Rs256, Material::Rsa { n, e }))
        }
        ("AKP", _) => {
            // The algorithm is what makes the type: RFC 9964 §3 requires it.
            let alg = text(members, "alg")?.ok_or(BadKey::Member("alg"))?;
            let alg = alg.parse().map_err(|_| BadKey::Algorithm)?;
            Ok((alg, Material::Akp { public: bytes(members, "pub")? }))
        }
        _ => Err(BadKey::Unsupported),
    }
}

/// Whether two algorithms take the same kind of key.
fn same_kind(alg: Algorithm, implied: Algorithm) -> bool {
    match (alg.scheme(), implied.scheme()) {
        (Scheme::Ecdsa(one), Scheme::Ecdsa(other)) => one.curve == other.curve,
        (Scheme::MlDsa(_), Scheme::MlDsa(_)) => alg == implied,
        (Scheme::Ed25519, Scheme::Ed25519) | (Scheme::Rsa(_), Scheme::Rsa(_)) => true,
        _ => false,
    }
}

fn check_sizes(alg: Algorithm, material: &Material) -> Result<(), BadKey> {
    match (alg.scheme(), material) {
        (Scheme::Ecdsa(scheme), Material::Ec { x, y }) => {
            if x.len() != scheme.size {
                return Err(BadKey::Member("x"));
            }
            if y.len() != scheme.size {
                return Err(BadKey::Member("y"));
            }
            Ok(())
        }
        (Scheme::Ed25519, Material::Okp { x }) if x.len() == 32 => Ok(()),
        (Scheme::Ed25519, Material::Okp { .. }) => Err(BadKey::Member("x")),
        (Scheme::MlDsa(scheme), Material::Akp { public }) => {
            if public.len() == scheme.public_bytes { Ok(()) } else { Err(BadKey::Member("pub")) }
        }
        (Scheme::Rsa(_), Material::Rsa { n, e }) => check_rsa(n, e),
        _ => Err(BadKey::Algorithm),
    }
}

/// 2048 to 8192 bits (RFC 7518 §3.3), both numbers odd, a small exponent: larger ones only make
/// whoever verifies work longer.
pub(crate) fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), BadKey> {
    let minimal = |number: &[u8]| number.first().is_some_and(|byte| *byte != 0);
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !minimal(n) || !odd(n) || !(2048..=8192).contains(&bits) {
        return Err(BadKey::Member("n"));
    }
    if !minimal(e) || !odd(e) || e.len() > 4 || e == [1] {
        return Err(BadKey::Member("e"));
    }
    Ok(())
}

/// RFC 7638 §3.2, RFC 8037 §2 and RFC 9964 §6: the members that make the key, by name.
fn required(alg: Algorithm, material: &Material) -> Vec<(&'static str, String)> {
    let of = |bytes: &[u8]| base64url::encode(bytes);
    match material {
        Material::Akp { public } => {
            vec![("alg", alg.to_string()), ("kty", "AKP".to_owned()), ("pub", of(public))]
        }
        Material::Ec { x, y } => {
            let curve = match alg.scheme() {
                Scheme::Ecdsa(scheme) => scheme.curve,
                _ => "",
            };
            vec![("crv", curve.to_owned()), ("kty", "EC".to_owned()), ("x", of(x)), ("y", of(y))]
        }
        Material::Okp { x } => {
            vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", of(x))]
        }
        Material::Rsa { n, e } => vec![("e", of(e)), ("kty", "RSA".to_owned()), ("n", of(n))],
    }
}

fn thumbprint(alg: Algorithm, material: &Material) -> KeyId {
    hash(&required(alg, material))
}

/// SHA-256 over the required members, which stand in the order of their names (RFC 7638 §3.3).
pub(crate) fn hash(required: &[(&'static str, String)]) -> KeyId {
    // No value needs escaping: names of ours, and base64url.
    let members: Vec<String> =
        required.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
    let canonical = format!("{{{}}}", members.join(","));
    let hash = digest::digest(&digest::SHA256, canonical.as_bytes());
    KeyId::from(base64url::encode(hash.as_ref()))
}

/// A thumbprint as a URI (RFC 9278 §3).
pub fn thumbprint_uri(thumbprint: &KeyId) -> String {
    format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{thumbprint}")
}

/// Whether a key may be called so.
pub(crate) fn is_name(kid: &str) -> bool {
    !kid.is_empty() && kid.chars().count() <= MAX_KID_CHARS && !kid.contains(char::is_control)
}

#[cfg(test)]
mod tests;
