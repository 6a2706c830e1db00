//! The content of a JWE: AES-256-GCM, and AES-128-CBC with HMAC-SHA-256 for reading (RFC 7518 §5).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use crate::jwk::BadKey;
use crate::random::{OsRandom, Random as _};
use crate::term::ContentEncryption;

/// Both encryptions take a key of as many bytes, and give a tag of half as many.
pub(super) const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// What was sealed, a content or a key: its three parts belong together.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

/// AES-256-GCM under a random nonce.
pub(super) fn seal(key: &[u8], aad: &[u8], content: &[u8]) -> Result<Sealed, BadKey> {
    let mut iv = [0; NONCE_LEN];
    OsRandom::new().fill(&mut iv);
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| BadKey::Library)?;
    let mut ciphertext = content.to_vec();
    let tag = LessSafeKey::new(key)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(iv),
            Aad::from(aad),
            &mut ciphertext,
        )
        .map_err(|_| BadKey::Library)?;
    Ok(Sealed { iv: iv.to_vec(), ciphertext, tag: tag.as_ref().to_vec() })
}

/// The content; `None` when anything is not as it was sealed.
pub(super) fn open(
    encryption: ContentEncryption,
    key: &[u8],
    aad: &[u8],
    sealed: &Sealed,
) -> Option<Zeroizing<Vec<u8>>> {
    // A short tag is quickly guessed (RFC 7518 §5.2.2.2, §5.3).
    if sealed.tag.len() != TAG_BYTES || key.len() != KEY_BYTES {
        return None;
    }
    match encryption {
        ContentEncryption::A256Gcm => open_gcm(key, aad, sealed),
        ContentEncryption::A128CbcHs256 => open_cbc(key, aad, sealed),
    }
}

fn open_gcm(key: &[u8], aad: &[u8], sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(&sealed.iv).ok()?;
    let mut both = Zeroizing::new([sealed.ciphertext.as_slice(), &sealed.tag].concat());
    let length = key.open_in_place(nonce, Aad::from(aad), &mut both).ok()?.len();
    both.truncate(length);
    Some(both)
}

/// RFC 7518 §5.2.2.2. The padding is looked at after the tag has vouched for it, so that it tells
/// nobody anything.
fn open_cbc(key: &[u8], aad: &[u8], sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
    let (mac_key, cipher_key) = key.split_at_checked(KEY_BYTES / 2)?;
    let iv: [u8; 16] = sealed.iv.as_slice().try_into().ok()?;
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, mac_key));
    let aad_bits = u64::try_from(aad.len()).ok()?.checked_mul(8)?;
    for part in [aad, &iv, &sealed.ciphertext, &aad_bits.to_be_bytes()] {
        mac.update(part);
    }
    verify_slices_are_equal(mac.sign().as_ref().get(..TAG_BYTES)?, &sealed.tag).ok()?;
    let key = UnboundCipherKey::new(&AES_128, cipher_key).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let mut buffer = Zeroizing::new(sealed.ciphertext.clone());
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let length = key.decrypt(&mut buffer, context).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

#[cfg(test)]
mod tests;
