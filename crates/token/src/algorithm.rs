//! What each signature algorithm means: its key type, its sizes, its name in the library.

use aws_lc_rs::hmac;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, ML_DSA_44,
    ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, PqdsaSigningAlgorithm,
    PqdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaParameters, RsaSignatureEncoding,
};

use crate::term::{Algorithm, MacAlgorithm};

/// The family of an algorithm, with the library's parameters.
#[derive(Clone, Copy)]
pub(crate) enum Scheme {
    Ecdsa(&'static EcdsaScheme),
    Ed25519,
    MlDsa(&'static MlDsaScheme),
    Rsa(&'static RsaScheme),
}

pub(crate) struct EcdsaScheme {
    /// The curve's JOSE name (RFC 7518 §6.2.1.1).
    pub(crate) curve: &'static str,
    /// Bytes of a coordinate, and of each half of a signature.
    pub(crate) size: usize,
    pub(crate) verification: &'static EcdsaVerificationAlgorithm,
    pub(crate) signing: &'static EcdsaSigningAlgorithm,
}

pub(crate) struct MlDsaScheme {
    pub(crate) public_bytes: usize,
    pub(crate) verification: &'static PqdsaVerificationAlgorithm,
    pub(crate) signing: &'static PqdsaSigningAlgorithm,
}

pub(crate) struct RsaScheme {
    pub(crate) verification: &'static RsaParameters,
    pub(crate) encoding: &'static RsaSignatureEncoding,
    /// The modulus of new keys.
    pub(crate) new_keys: KeySize,
}

const P256: EcdsaScheme = EcdsaScheme {
    curve: "P-256",
    size: 32,
    verification: &ECDSA_P256_SHA256_FIXED,
    signing: &ECDSA_P256_SHA256_FIXED_SIGNING,
};
const P384: EcdsaScheme = EcdsaScheme {
    curve: "P-384",
    size: 48,
    verification: &ECDSA_P384_SHA384_FIXED,
    signing: &ECDSA_P384_SHA384_FIXED_SIGNING,
};
const ML_DSA_44_SCHEME: MlDsaScheme =
    MlDsaScheme { public_bytes: 1312, verification: &ML_DSA_44, signing: &ML_DSA_44_SIGNING };
const ML_DSA_65_SCHEME: MlDsaScheme =
    MlDsaScheme { public_bytes: 1952, verification: &ML_DSA_65, signing: &ML_DSA_65_SIGNING };
const PS256: RsaScheme = RsaScheme {
    verification: &RSA_PSS_2048_8192_SHA256,
    encoding: &RSA_PSS_SHA256,
    new_keys: KeySize::Rsa2048,
};
const PS384: RsaScheme = RsaScheme {
    verification: &RSA_PSS_2048_8192_SHA384,
    encoding: &RSA_PSS_SHA384,
    new_keys: KeySize::Rsa3072,
};
const PS512: RsaScheme = RsaScheme {
    verification: &RSA_PSS_2048_8192_SHA512,
    encoding: &RSA_PSS_SHA512,
    new_keys: KeySize::Rsa4096,
};
const RS256: RsaScheme = RsaScheme {
    verification: &RSA_PKCS1_2048_8192_SHA256,
    encoding: &RSA_PKCS1_SHA256,
    new_keys: KeySize::Rsa2048,
};
const RS384: RsaScheme = RsaScheme {
    verification: &RSA_PKCS1_2048_8192_SHA384,
    encoding: &RSA_PKCS1_SHA384,
    new_keys: KeySize::Rsa3072,
};
const RS512: RsaScheme = RsaScheme {
    verification: &RSA_PKCS1_2048_8192_SHA512,
    encoding: &RSA_PKCS1_SHA512,
    new_keys: KeySize::Rsa4096,
};

// === impl Algorithm ===

impl Algorithm {
    pub(crate) fn scheme(self) -> Scheme {
        match self {
            Self::Ed25519 | Self::EdDsa => Scheme::Ed25519,
            Self::Es256 => Scheme::Ecdsa(&P256),
            Self::Es384 => Scheme::Ecdsa(&P384),
            Self::MlDsa44 => Scheme::MlDsa(&ML_DSA_44_SCHEME),
            Self::MlDsa65 => Scheme::MlDsa(&ML_DSA_65_SCHEME),
            Self::Ps256 => Scheme::Rsa(&PS256),
            Self::Ps384 => Scheme::Rsa(&PS384),
            Self::Ps512 => Scheme::Rsa(&PS512),
            Self::Rs256 => Scheme::Rsa(&RS256),
            Self::Rs384 => Scheme::Rsa(&RS384),
            Self::Rs512 => Scheme::Rsa(&RS512),
        }
    }

    /// Whether a header's `alg` names this algorithm: exactly, but for the two names of EdDSA on
    /// Curve25519, which mean the same for such a key.
    pub fn is_named(self, alg: &str) -> bool {
        match self {
            Self::Ed25519 | Self::EdDsa => {
                alg == Self::Ed25519.as_str() || alg == Self::EdDsa.as_str()
            }
            _ => alg == self.as_str(),
        }
    }
}

// === impl MacAlgorithm ===

impl MacAlgorithm {
    /// The hash's length in bytes, which is also the shortest secret (RFC 7518 §3.2).
    pub const fn bytes(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
        }
    }

    pub(crate) fn hash(self) -> hmac::Algorithm {
        match self {
            Self::Hs256 => hmac::HMAC_SHA256,
            Self::Hs384 => hmac::HMAC_SHA384,
            Self::Hs512 => hmac::HMAC_SHA512,
        }
    }
}
