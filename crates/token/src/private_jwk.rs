//! Private signature keys on the wire (RFC 7517): read strictly, held against their public half, written on purpose only.

use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _, Curve25519SeedBin, EcPrivateKeyBin};
use aws_lc_rs::rsa::KeyPairComponents;
use aws_lc_rs::signature::{
    EcdsaKeyPair, Ed25519KeyPair, PqdsaKeyPair, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::algorithm::Scheme;
use crate::base64url;
use crate::id::KeyId;
use crate::json;
use crate::jwk::{self, BadKey, Material, PublicJwk};
use crate::key::{MacKey, PrivateKey};
use crate::members::{Private, PrivateMembers, text as text_member};
use crate::rsa_der;
use crate::secret::Secret;
use crate::term::Algorithm;

/// Every member that makes a signature key private; multi-prime RSA (`oth`) stays, and is refused.
const PRIVATE: [&str; 7] = ["d", "dp", "dq", "p", "priv", "q", "qi"];
/// Bytes of an ML-DSA seed (RFC 9964 §3).
const SEED_BYTES: usize = 32;

// === impl PrivateKey ===

impl PrivateKey {
    /// Reads a private key. It keeps its `kid`, and is named by its thumbprint without one; without
    /// `alg` it is for what [`PublicJwk::parse`] takes such a key for.
    ///
    /// # Errors
    /// [`BadKey`] names the member that is wrong; [`BadKey::Unfit`] when the private half belongs
    /// to another key.
    pub fn from_jwk(text: &[u8]) -> Result<Self, BadKey> {
        let mut members = json::parse_object(text)?;
        let private = Private::take(&mut members, &PRIVATE);
        let jwk = PublicJwk::from_members_for("sign", &members)?;
        let pkcs8 = pkcs8(&jwk, &private)?;
        Self::from_pkcs8(jwk.alg, &pkcs8)?.published_as(jwk)
    }

    /// The Ed25519 key of a seed, named by its thumbprint: the same seed is always the same key. It is for
    /// `EdDSA`, the name of the algorithm that every library knows.
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library fails.
    pub fn ed25519_of_seed(seed: &[u8; 32]) -> Result<Self, BadKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| BadKey::Library)?;
        let document = pair.to_pkcs8v1().map_err(|_| BadKey::Library)?;
        Self::from_pkcs8(Algorithm::EdDsa, document.as_ref())
    }

    /// The key with its private members, as JSON: whoever reads it can sign.
    ///
    /// # Errors
    /// [`BadKey::Library`] when the library cannot give the key out.
    pub fn expose_jwk(&self) -> Result<Secret, BadKey> {
        let jwk = self.public().jwk();
        let mut public = jwk.required();
        // Of an `AKP` key it is a member of the key itself.
        public.retain(|(name, _)| *name != "alg");
        public.extend([("alg", jwk.alg.to_string()), ("use", "sig".to_owned())]);
        Ok(write(Some(&jwk.kid), &public, &private_members(self)?))
    }
}

// === impl MacKey ===

impl MacKey {
    /// Reads a shared secret (`kty` `oct`). Without `kid` it has no name, and neither have the
    /// headers that it signs.
    ///
    /// # Errors
    /// [`BadKey`] names the member that is wrong: `alg` has to be there, because a secret does not
    /// show what it is for.
    pub fn from_jwk(text: &[u8]) -> Result<Self, BadKey> {
        let mut members = json::parse_object(text)?;
        let private = Private::take(&mut members, &["k"]);
        if jwk::has_private_member(&members) {
            return Err(BadKey::Private);
        }
        jwk::check_use(&members, "sig", &["sign", "verify"])?;
        if text_member(&members, "kty")? != Some("oct") {
            return Err(BadKey::Algorithm);
        }
        let alg = text_member(&members, "alg")?.ok_or(BadKey::Member("alg"))?;
        let kid = match text_member(&members, "kid")? {
            None => None,
            Some(kid) if jwk::is_name(kid) => Some(KeyId::from(kid)),
            Some(_) => return Err(BadKey::Member("kid")),
        };
        Self::named(alg.parse().map_err(|_| BadKey::Algorithm)?, kid, &private.bytes("k")?)
    }

    /// The secret as JSON: whoever reads it can sign.
    pub fn expose_jwk(&self) -> Secret {
        let public = [
            ("kty", "oct".to_owned()),
            ("alg", self.algorithm().to_string()),
            ("use", "sig".to_owned()),
        ];
        write(self.kid(), &public, &[("k", self.expose().clone())])
    }
}

/// Puts a private key together; no value but `kid` can need escaping.
pub(crate) fn write(
    kid: Option<&KeyId>,
    public: &[(&str, String)],
    private: &[(&str, Zeroizing<Vec<u8>>)],
) -> Secret {
    // Room for an RSA key of 8192 bits: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(8192));
    let mut member = |name: &str, value: &str| {
        let first = text.is_empty();
        text.push(if first { '{' } else { ',' });
        for part in ["\"", name, "\":", value] {
            text.push_str(part);
        }
    };
    if let Some(kid) = kid {
        member("kid", &Value::from(kid.as_str()).to_string());
    }
    for (name, value) in public {
        member(name, &format!("\"{value}\""));
    }
    for (name, value) in private {
        let encoded = Zeroizing::new(base64url::encode(value.as_slice()));
        member(name, &Zeroizing::new(format!("\"{}\"", encoded.as_str())));
    }
    text.push('}');
    Secret::new(text.as_str())
}

/// The private half as PKCS #8, which every kind of key can be read from.
fn pkcs8(jwk: &PublicJwk, private: &Private) -> Result<Zeroizing<Vec<u8>>, BadKey> {
    let document = match (jwk.alg.scheme(), &jwk.material) {
        (Scheme::Ecdsa(scheme), Material::Ec { x, y }) => {
            let d = private.bytes("d")?;
            if d.len() != scheme.size {
                return Err(BadKey::Member("d"));
            }
            let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
            EcdsaKeyPair::from_private_key_and_public_key(scheme.signing, &d, &point)
                .map_err(|_| BadKey::Unfit)?
                .to_pkcs8v1()
        }
        (Scheme::Ed25519, Material::Okp { x }) => {
            let d = private.bytes("d")?;
            Ed25519KeyPair::from_seed_and_public_key(&d, x).map_err(|_| BadKey::Unfit)?.to_pkcs8v1()
        }
        (Scheme::MlDsa(scheme), Material::Akp { .. }) => {
            let seed = private.bytes("priv")?;
            PqdsaKeyPair::from_seed(scheme.signing, &seed)
                .map_err(|_| BadKey::Member("priv"))?
                .to_pkcs8v1()
        }
        (Scheme::Rsa(_), Material::Rsa { n, e }) => return rsa_pkcs8(n, e, private),
        _ => return Err(BadKey::Algorithm),
    };
    let document = document.map_err(|_| BadKey::Library)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// An RSA private key as PKCS #8; both primes and what follows from them have to be there.
pub(crate) fn rsa_pkcs8(
    n: &[u8],
    e: &[u8],
    private: &Private,
) -> Result<Zeroizing<Vec<u8>>, BadKey> {
    use aws_lc_rs::encoding::Pkcs8V1Der;
    let components = KeyPairComponents {
        public_key: RsaPublicKeyComponents { n, e },
        d: private.bytes("d")?,
        p: private.bytes("p")?,
        q: private.bytes("q")?,
        dP: private.bytes("dp")?,
        dQ: private.bytes("dq")?,
        qInv: private.bytes("qi")?,
    };
    let pair = RsaKeyPair::from_components(&as_slices(&components)).map_err(|_| BadKey::Unfit)?;
    let document: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| BadKey::Library)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

type Slices<'a> = KeyPairComponents<&'a [u8], &'a [u8]>;

fn as_slices<'a>(of: &'a KeyPairComponents<&'a [u8], Zeroizing<Vec<u8>>>) -> Slices<'a> {
    KeyPairComponents {
        public_key: RsaPublicKeyComponents { n: of.public_key.n, e: of.public_key.e },
        d: &of.d,
        p: &of.p,
        q: &of.q,
        dP: &of.dP,
        dQ: &of.dQ,
        qInv: &of.qInv,
    }
}

/// The private members of a key, by name.
fn private_members(key: &PrivateKey) -> Result<PrivateMembers, BadKey> {
    let pkcs8 = key.expose_pkcs8();
    match key.public().algorithm().scheme() {
        Scheme::Ecdsa(scheme) => {
            let pair = EcdsaKeyPair::from_pkcs8(scheme.signing, pkcs8);
            let pair = pair.map_err(|_| BadKey::Library)?;
            let d: EcPrivateKeyBin<'_> =
                pair.private_key().as_be_bytes().map_err(|_| BadKey::Library)?;
            Ok(vec![("d", Zeroizing::new(d.as_ref().to_vec()))])
        }
        Scheme::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8);
            let seed = pair.map_err(|_| BadKey::Library)?.seed().map_err(|_| BadKey::Library)?;
            let d: Curve25519SeedBin<'_> = seed.as_be_bytes().map_err(|_| BadKey::Library)?;
            Ok(vec![("d", Zeroizing::new(d.as_ref().to_vec()))])
        }
        Scheme::MlDsa(scheme) => {
            // The seed is what such a document ends with; that it is the seed is then seen.
            let seed = pkcs8.len().checked_sub(SEED_BYTES).and_then(|from| pkcs8.get(from..));
            let seed = Zeroizing::new(seed.ok_or(BadKey::Library)?.to_vec());
            let pair = PqdsaKeyPair::from_seed(scheme.signing, &seed);
            let again = pair.map(|pair| {
                use aws_lc_rs::signature::KeyPair as _;
                pair.public_key().as_ref().to_vec()
            });
            match (&key.public().jwk().material, again) {
                (Material::Akp { public }, Ok(again)) if *public == again => {
                    Ok(vec![("priv", seed)])
                }
                _ => Err(BadKey::Library),
            }
        }
        Scheme::Rsa(_) => rsa_der::private_members(pkcs8),
    }
}

#[cfg(test)]
mod tests;
