//! Token parser: any text is refused or was signed by the one key; nothing panics.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use token::key::{KeySet, PrivateKey};
use token::time::Timestamp;
use token::validate::{AccessTokenPolicy, verify_access_token};

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let key = PrivateKey::generate(token::term::Algorithm::Es256).expect("key");
    [Arc::clone(key.public())].into_iter().collect()
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let policy = AccessTokenPolicy {
        issuer: "https://issuer.example".to_owned(),
        audiences: vec!["https://api.example".to_owned()],
        leeway: Duration::from_secs(5),
    };
    let now = Timestamp::from_secs(1_790_000_000);
    // The private key is gone: nothing can be valid.
    assert!(verify_access_token(text, &KEYS, &policy, now).is_err());
});
