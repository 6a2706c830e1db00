//! A sealed value opens with its key, in its place, unaltered, and otherwise not at all.

use super::support::Fixture;
use crate::StoreError;
use crate::seal::{derive, open_from, seal_to};

#[test]
fn derivation_is_hkdf() {
    // RFC 5869 appendix A.3: neither salt nor info; its first 32 bytes.
    let key = derive(&[0x0b; 22], "", "");
    let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d";
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected);
    for (purpose, label) in [("a", ""), ("", "a"), ("a", "a")] {
        assert_ne!(derive(&[0x0b; 22], purpose, label), key);
    }
}

#[test]
fn the_master_key_opens_what_it_sealed() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let sealer = fixture.store.sealer();
    for plaintext in [&b""[..], b"x", &[7; 5000]] {
        let sealed = sealer.seal("place", plaintext).expect("sealed");
        assert_eq!(*sealer.open("place", &sealed).expect("opened"), plaintext);
        assert!(matches!(sealer.open("elsewhere", &sealed), Err(StoreError::Sealed)));
        assert!(matches!(other.store.sealer().open("place", &sealed), Err(StoreError::Sealed)));
    }
}

#[test]
fn the_same_value_never_looks_the_same() {
    let fixture = Fixture::new();
    let seal = || fixture.store.sealer().seal("place", b"value").expect("sealed");
    assert_ne!(seal(), seal());
    assert!(!seal().windows(5).any(|part| part == b"value"));
}

#[test]
fn one_altered_byte_is_noticed() {
    let fixture = Fixture::new();
    let sealed = fixture.store.sealer().seal("place", b"value").expect("sealed");
    for position in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[position] ^= 1;
        let refused = fixture.store.sealer().open("place", &altered);
        assert!(matches!(refused, Err(StoreError::Sealed)), "byte {position}");
    }
    for length in 0..sealed.len() {
        let refused = fixture.store.sealer().open("place", &sealed[..length]);
        assert!(matches!(refused, Err(StoreError::Sealed)), "length {length}");
    }
}

#[test]
fn a_token_opens_what_was_sealed_to_it() {
    let sealed = seal_to("twr_old", "refresh answer", b"{}").expect("sealed");
    assert_eq!(*open_from("twr_old", "refresh answer", &sealed).expect("opened"), b"{}");
    for (secret, label) in [("twr_other", "refresh answer"), ("twr_old", "code"), ("", "")] {
        assert!(matches!(open_from(secret, label, &sealed), Err(StoreError::Sealed)));
    }
    let fixture = Fixture::new();
    let alone = fixture.store.sealer().open("refresh answer", &sealed);
    assert!(matches!(alone, Err(StoreError::Sealed)), "the store alone must not open it");
}
