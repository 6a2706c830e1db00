//! Bodies that are inspected: whatever comes, an answer, and the same answer again.
#![no_main]

use inspect::{Anything, Inspector, Limits};
use libfuzzer_sys::fuzz_target;

const TYPES: [&str; 6] = [
    "application/json",
    "application/graphql",
    "application/x-www-form-urlencoded",
    "application/xml",
    "multipart/form-data; boundary=b",
    "text/plain",
];

// The first byte says which form the others have.
fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let kind = TYPES.get(usize::from(first.wrapping_sub(b'0'))).copied();
    let inspector = Inspector::new(Limits::default());
    let answer = inspector.body(kind, body, &Anything);
    assert_eq!(inspector.body(kind, body, &Anything), answer);
});
