//! Private keys: whatever is read is written and read again as the same key, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token::encryption_key::DecryptionKey;
use token::key::{MacKey, PrivateKey};
use token::term::KeyManagement;

fuzz_target!(|data: &[u8]| {
    if let Ok(key) = PrivateKey::from_jwk(data) {
        let text = key.expose_jwk().expect("text");
        let again = PrivateKey::from_jwk(text.expose().as_bytes()).expect("a key of ours");
        assert_eq!(again.public().jwk(), key.public().jwk());
    }
    if let Ok(key) = MacKey::from_jwk(data) {
        let again = MacKey::from_jwk(key.expose_jwk().expose().as_bytes()).expect("a key of ours");
        assert!(again.verifies(b"message", &key.sign(b"message")));
    }
    for algorithm in KeyManagement::ALL {
        if let Ok(key) = DecryptionKey::from_jwk(data, Some(*algorithm)) {
            let text = key.expose_jwk().expect("text");
            assert!(DecryptionKey::from_jwk(text.expose().as_bytes(), None).is_ok());
        }
    }
});
