//! How the content key gets to who decrypts (RFC 7518 §4): agreed on, wrapped, encrypted, or shared.

use aws_lc_rs::agreement;
use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap as _};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::content::{self, KEY_BYTES, Sealed};
use super::{Header, NotDecrypted};
use crate::base64url;
use crate::encryption_key::{Curve, DecryptionKey, Holder, Recipient};
use crate::jwk::{self, BadKey};
use crate::random::{OsRandom, Random as _};
use crate::term::{ContentEncryption, KeyManagement};

/// What AES key wrap adds (RFC 3394 §2.2.1).
const WRAP_BYTES: usize = 8;

type ContentKey = Zeroizing<Vec<u8>>;

/// A content key, and what carries it.
pub(super) struct Encapsulated {
    pub(super) content_key: ContentKey,
    pub(super) encrypted_key: Vec<u8>,
}

/// A content key for the holder of a public key; what they need beside it goes into the header.
pub(super) fn encapsulate(
    algorithm: KeyManagement,
    recipient: &Recipient,
    members: &mut Map<String, Value>,
) -> Result<Encapsulated, BadKey> {
    match recipient {
        Recipient::Rsa { key, .. } => {
            let key = OaepPublicEncryptingKey::new(key.clone()).map_err(|_| BadKey::Library)?;
            let content_key = random_key();
            let mut encrypted = vec![0; key.ciphertext_size()];
            let length = key
                .encrypt(&OAEP_SHA256_MGF1SHA256, &content_key, &mut encrypted, None)
                .map_err(|_| BadKey::Library)?
                .len();
            encrypted.truncate(length);
            Ok(Encapsulated { content_key, encrypted_key: encrypted })
        }
        Recipient::Agreement { curve, point } => {
            let agreed = agree_with_new(*curve, point, algorithm, members)?;
            if algorithm == KeyManagement::EcdhEs {
                return Ok(Encapsulated { content_key: agreed, encrypted_key: Vec::new() });
            }
            let content_key = random_key();
            let mut wrapped = vec![0; KEY_BYTES + WRAP_BYTES];
            AesKek::new(&AES_256, &agreed)
                .and_then(|kek| kek.wrap(&content_key, &mut wrapped).map(|_| ()))
                .map_err(|_| BadKey::Library)?;
            Ok(Encapsulated { content_key, encrypted_key: wrapped })
        }
    }
}

fn agree_with_new(
    curve: Curve,
    point: &[u8],
    algorithm: KeyManagement,
    members: &mut Map<String, Value>,
) -> Result<ContentKey, BadKey> {
    let library = |_| BadKey::Library;
    let ephemeral = agreement::PrivateKey::generate(curve.algorithm()).map_err(library)?;
    let own = ephemeral.compute_public_key().map_err(library)?.as_ref().to_vec();
    let epk = Recipient::Agreement { curve, point: own }.required().into_iter();
    let epk: Map<String, Value> = epk.map(|(name, text)| (name.to_owned(), text.into())).collect();
    members.insert("epk".to_owned(), epk.into());
    let derivation = Derivation::new(algorithm, ContentEncryption::A256Gcm, &[], &[]);
    agree(&ephemeral, point, &derivation).ok_or(BadKey::Library)
}

/// A content key for who shares the secret.
pub(super) fn wrap(
    algorithm: KeyManagement,
    secret: &[u8],
    members: &mut Map<String, Value>,
) -> Result<Encapsulated, BadKey> {
    if algorithm == KeyManagement::Dir {
        let content_key = Zeroizing::new(secret.to_vec());
        return Ok(Encapsulated { content_key, encrypted_key: Vec::new() });
    }
    let content_key = random_key();
    let Sealed { iv, ciphertext, tag } = content::seal(secret, &[], &content_key)?;
    members.insert("iv".to_owned(), base64url::encode(iv).into());
    members.insert("tag".to_owned(), base64url::encode(tag).into());
    Ok(Encapsulated { content_key, encrypted_key: ciphertext })
}

/// The content key of a text, as far as its header, its encrypted key and our key give one.
pub(super) fn recover(
    header: &Header,
    key: &DecryptionKey,
    encrypted_key: &[u8],
) -> Result<ContentKey, NotDecrypted> {
    match (header.algorithm, &key.holder) {
        (KeyManagement::Dir, Holder::Secret(secret)) => {
            empty(encrypted_key)?;
            Ok(secret.clone())
        }
        (KeyManagement::A256GcmKw, Holder::Secret(secret)) => {
            let iv = header.bytes("iv")?.ok_or(NotDecrypted::Member("iv"))?;
            let tag = header.bytes("tag")?.ok_or(NotDecrypted::Member("tag"))?;
            // RFC 7518 §4.7: the same cipher as for contents, over the key.
            let sealed = Sealed { iv, ciphertext: encrypted_key.to_vec(), tag };
            content::open(ContentEncryption::A256Gcm, secret, &[], &sealed).ok_or(NotDecrypted::Key)
        }
        (KeyManagement::EcdhEs, Holder::Agreement { key, public }) => {
            empty(encrypted_key)?;
            agree_with_sender(header, key, public)
        }
        (KeyManagement::EcdhEsA256Kw, Holder::Agreement { key, public }) => {
            let agreed = agree_with_sender(header, key, public)?;
            unwrap_aes(&agreed, encrypted_key).ok_or(NotDecrypted::Key)
        }
        (KeyManagement::RsaOaep256, Holder::Rsa { key, .. }) => Ok(decrypt_rsa(key, encrypted_key)),
        _ => Err(NotDecrypted::Algorithm),
    }
}

/// RFC 7516 §5.2 step 10: nothing may stand where no key is sent.
fn empty(encrypted_key: &[u8]) -> Result<(), NotDecrypted> {
    if encrypted_key.is_empty() { Ok(()) } else { Err(NotDecrypted::Key) }
}

fn unwrap_aes(kek: &[u8], wrapped: &[u8]) -> Option<ContentKey> {
    if wrapped.len() != KEY_BYTES + WRAP_BYTES {
        return None;
    }
    let mut content_key = Zeroizing::new(vec![0; wrapped.len()]);
    let length = AesKek::new(&AES_256, kek).ok()?.unwrap(wrapped, &mut content_key).ok()?.len();
    content_key.truncate(length);
    Some(content_key)
}

/// A key that cannot be decrypted is replaced by one that nobody knows, so that the answer is that
/// of a wrong tag, and comes after the same work (RFC 7516 §11.5).
fn decrypt_rsa(key: &OaepPrivateDecryptingKey, encrypted_key: &[u8]) -> ContentKey {
    let stand_in = random_key();
    let mut buffer = Zeroizing::new(vec![0; key.min_output_size()]);
    match key.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted_key, &mut buffer, None) {
        Ok(found) if found.len() == KEY_BYTES => Zeroizing::new(found.to_vec()),
        _ => stand_in,
    }
}

fn agree_with_sender(
    header: &Header,
    key: &agreement::PrivateKey,
    public: &Recipient,
) -> Result<ContentKey, NotDecrypted> {
    let wrong = NotDecrypted::Member("epk");
    let members = header.members.get("epk").and_then(Value::as_object).ok_or(wrong)?;
    if jwk::has_private_member(members) {
        return Err(wrong);
    }
    let (Ok(Recipient::Agreement { curve, point }), Recipient::Agreement { curve: own, .. }) =
        (Recipient::agreement(members), public)
    else {
        return Err(wrong);
    };
    if curve != *own {
        return Err(wrong);
    }
    let apu = header.bytes("apu")?.unwrap_or_default();
    let apv = header.bytes("apv")?.unwrap_or_default();
    let derivation = Derivation::new(header.algorithm, header.content, &apu, &apv);
    agree(key, &point, &derivation).ok_or(NotDecrypted::Key)
}

/// What the agreed secret becomes a key with (RFC 7518 §4.6.2).
struct Derivation {
    info: Vec<u8>,
    bytes: usize,
}

// === impl Derivation ===

impl Derivation {
    fn new(algorithm: KeyManagement, content: ContentEncryption, apu: &[u8], apv: &[u8]) -> Self {
        let id = match algorithm {
            KeyManagement::EcdhEs => content.as_str(),
            _ => algorithm.as_str(),
        };
        Self::for_id(id, KEY_BYTES, apu, apv)
    }

    fn for_id(id: &str, bytes: usize, apu: &[u8], apv: &[u8]) -> Self {
        // Headers are far shorter than what would not fit.
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let mut info = Vec::new();
        for part in [id.as_bytes(), apu, apv] {
            info.extend_from_slice(&number(part.len()));
            info.extend_from_slice(part);
        }
        info.extend_from_slice(&number(bytes * 8));
        Self { info, bytes }
    }
}

/// ECDH and the Concat KDF with SHA-256, which is the one-step KDF of NIST SP 800-56C.
fn agree(key: &agreement::PrivateKey, point: &[u8], derivation: &Derivation) -> Option<ContentKey> {
    let peer = agreement::UnparsedPublicKey::new(key.algorithm(), point);
    agreement::agree(key, peer, (), |secret| {
        let mut derived = Zeroizing::new(vec![0; derivation.bytes]);
        let digest = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).ok_or(())?;
        sskdf_digest(digest, secret, &derivation.info, &mut derived).map_err(|_| ())?;
        Ok(derived)
    })
    .ok()
}

fn random_key() -> ContentKey {
    let mut key = Zeroizing::new(vec![0; KEY_BYTES]);
    OsRandom::new().fill(&mut key);
    key
}

#[cfg(test)]
mod tests;
