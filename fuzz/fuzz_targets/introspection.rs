//! Answers about tokens of another issuer: whatever it says, its names stay its own, and only what is accepted
//! opens something.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use token::foreign::{
    AcceptedAudience, AcceptedType, ForeignRules, ScopeSource, claimed_issuer, read_introspection,
};
use token::opaque::OpaqueHash;
use token::time::Timestamp;

const ISSUER: &str = "https://idp.example";
const PREFIX: &str = "https://idp.example|";

static RULES: LazyLock<ForeignRules> = LazyLock::new(|| {
    let path = |text: &str| text.parse().expect("path");
    ForeignRules {
        issuer: ISSUER.into(),
        audiences: vec![AcceptedAudience { named: "api".to_owned(), stands_for: "here".to_owned() }],
        algorithms: Vec::new(),
        types: vec![AcceptedType::Absent],
        scopes: vec![ScopeSource { claim: path("a.b"), prefix: "x:".to_owned() }],
        subject: path("sub"),
        client: vec![path("client_id"), path("azp")],
        required: Vec::new(),
        longest_life: Duration::from_secs(86_400),
        leeway: Duration::from_secs(5),
    }
});

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = claimed_issuer(text);
    }
    let now = Timestamp::from_secs(1_790_000_000);
    let Ok(token) = read_introspection(data, &OpaqueHash::of("t"), &RULES, now) else { return };
    let facts = token.facts();
    for name in [facts.subject.as_str(), facts.client.as_str(), facts.token.as_str()] {
        assert!(name.starts_with(PREFIX) && name.len() > PREFIX.len());
    }
    assert!(facts.grant.is_none() && facts.foreign.as_deref() == Some(ISSUER));
    assert_eq!(token.claims().aud.iter().collect::<Vec<_>>(), ["here"]);
    assert!(token.scopes().iter().all(|scope| scope.starts_with("x:")));
    assert!(!token.expired(now));
});
