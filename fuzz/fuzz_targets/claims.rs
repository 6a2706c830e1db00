//! Claims: what is taken as claims is a strict JSON object, and reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token::claims::AccessTokenClaims;
use token::json;

fuzz_target!(|data: &[u8]| {
    let Ok((claims, names)) = json::parse_with_names::<AccessTokenClaims>(data) else { return };
    let members = json::parse_object(data).expect("claims are an object");
    assert!(members.keys().all(|name| names.has(name)));
    let text = serde_json::to_vec(&claims).expect("claims are JSON");
    let again: AccessTokenClaims = json::parse(&text).expect("what was written is read");
    assert_eq!(claims, again);
});
