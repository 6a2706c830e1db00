//! Keys at work: other people's vectors, our own round trips, and what must not pass.

mod vectors;
mod wycheproof;

use super::{MacKey, PrivateKey};
use crate::jwk::BadKey;
use crate::term::{Algorithm, MacAlgorithm};

#[test]
fn a_signature_fits_its_key_and_message_only() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(*algorithm).expect("key");
        let other = PrivateKey::generate(*algorithm).expect("key");
        let signature = key.sign(b"message").expect("signature");
        let passes = |message: &[u8], signature: &[u8]| key.public().verifies(message, signature);
        assert!(passes(b"message", &signature), "{algorithm}");
        assert!(!passes(b"massage", &signature), "{algorithm}");
        assert!(!other.public().verifies(b"message", &signature), "{algorithm}");
        // Psychic signature (CVE-2022-21449), truncation, extension.
        assert!(!passes(b"message", &vec![0; signature.len()]), "{algorithm}");
        assert!(!passes(b"message", &signature[..signature.len() - 1]), "{algorithm}");
        assert!(!passes(b"message", &[&signature[..], &[0]].concat()), "{algorithm}");
        assert!(!passes(b"message", &[]), "{algorithm}");
        let mut changed = signature.clone();
        changed[signature.len() / 2] ^= 1;
        assert!(!passes(b"message", &changed), "{algorithm}");
    }
}

#[test]
fn a_key_survives_storage_for_its_own_algorithm_alone() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(*algorithm).expect("key");
        let again = PrivateKey::from_pkcs8(*algorithm, key.expose_pkcs8()).expect("key");
        assert_eq!(key.public().jwk(), again.public().jwk());
        let signature = again.sign(b"message").expect("signature");
        assert!(key.public().verifies(b"message", &signature));
        assert!(format!("{key:?}").contains("redacted"));
        assert!(PrivateKey::from_pkcs8(*algorithm, b"").is_err());
        let foreign = match algorithm {
            Algorithm::Es256 => Algorithm::Es384,
            _ => Algorithm::Es256,
        };
        let wrong = PrivateKey::from_pkcs8(foreign, key.expose_pkcs8());
        assert!(matches!(wrong, Err(BadKey::Pkcs8)), "{algorithm} as {foreign}");
    }
}

#[test]
fn the_same_rsa_key_under_another_padding_or_hash_checks_nothing() {
    use Algorithm::{Ps256, Rs256, Rs384};
    let key = PrivateKey::generate(Rs256).expect("key");
    let signature = key.sign(b"message").expect("signature");
    for algorithm in [Ps256, Rs384] {
        let other = PrivateKey::from_pkcs8(algorithm, key.expose_pkcs8()).expect("key");
        assert!(!other.public().verifies(b"message", &signature), "{algorithm}");
    }
}

#[test]
fn a_short_secret_is_refused_and_a_shortened_tag_does_not_fit() {
    for algorithm in MacAlgorithm::ALL {
        let short = vec![7; algorithm.bytes() - 1];
        assert!(matches!(MacKey::new(*algorithm, "k".into(), &short), Err(BadKey::Short)));
        let key = MacKey::new(*algorithm, "k".into(), &vec![7; algorithm.bytes()]).expect("key");
        let tag = key.sign(b"message");
        assert_eq!(tag.len(), algorithm.bytes());
        assert!(key.verifies(b"message", &tag));
        assert!(!key.verifies(b"massage", &tag));
        assert!(!key.verifies(b"message", &tag[..tag.len() / 2]));
        assert!(!key.verifies(b"message", &[]));
        assert_eq!(format!("{key:?}"), format!("MacKey(k, {algorithm}, [redacted])"));
    }
}

#[test]
fn eddsa_has_two_names_and_nothing_else_has() {
    for one in Algorithm::ALL {
        for other in Algorithm::ALL {
            let both_eddsa = one.as_str().starts_with("Ed") && other.as_str().starts_with("Ed");
            assert_eq!(one.is_named(other.as_str()), one == other || both_eddsa);
        }
        assert!(!one.is_named(&one.as_str().to_lowercase()) && !one.is_named("none"));
    }
}
