//! Encrypted texts: nothing that was not encrypted with the key opens, and nothing panics.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use token::encryption_key::DecryptionKey;
use token::jwe::Jwe;
use token::term::KeyManagement;

static KEYS: LazyLock<Vec<DecryptionKey>> = LazyLock::new(|| {
    let key = |algorithm: &KeyManagement| DecryptionKey::generate(*algorithm).expect("key");
    KeyManagement::ALL.iter().map(key).collect()
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(jwe) = Jwe::parse(text) else { return };
    for key in KEYS.iter() {
        assert!(jwe.decrypt(key).is_err(), "opened without having been encrypted");
    }
});
