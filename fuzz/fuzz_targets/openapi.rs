//! OpenAPI documents: whatever an operator hands in is read or refused, and what was read judges requests.
#![no_main]

use contract::{Contract, UnknownQuery};
use http::{HeaderMap, HeaderValue, header};
use inspect::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // A document is read from a file, since it may refer to others beside it.
    let file = std::env::temp_dir().join(format!("fuzz-openapi-{}.yaml", std::process::id()));
    std::fs::write(&file, data).expect("a file in the folder for such files");
    let Ok(contract) = Contract::read(&file, None) else { return };
    let wanted: Vec<_> = contract.operations().iter().collect();
    let Ok(checks) = contract.checks(&wanted, UnknownQuery::Refuse) else { return };
    assert_eq!(checks.len(), wanted.len());
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for check in &checks {
        let _ = check.head("/a/b", Some("c=1&d"), &headers, &Limits::default());
        let _ = check.body(&headers, br#"{"a":[1,"b",null]}"#, &Limits::default());
    }
});
