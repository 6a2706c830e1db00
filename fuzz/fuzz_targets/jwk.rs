//! Published keys: whatever is read is written and read again the same, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token::jwk::PublicJwk;
use token::key::PublicKey;

fuzz_target!(|data: &[u8]| {
    let Ok(jwk) = PublicJwk::parse(data) else { return };
    let text = serde_json::to_vec(&jwk).expect("a key is serializable");
    assert_eq!(PublicJwk::parse(&text).expect("a key of ours"), jwk);
    if let Ok(key) = PublicKey::from_jwk(jwk) {
        assert!(!key.verifies(b"message", b"no signature"));
    }
});
