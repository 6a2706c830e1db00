//! DPoP proofs: only what names this request, by its key's own signature, passes; nothing panics.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use token::dpop::{Request, verify_proof};
use token::time::Timestamp;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let request = Request {
        method: "GET",
        uri: "https://api.example/orders",
        access_token: Some("token"),
        nonces: None,
        max_age: Duration::from_secs(60),
        leeway: Duration::from_secs(5),
    };
    assert!(verify_proof(text, request, Timestamp::from_secs(1_790_000_000)).is_err());
});
