//! What the authority tells the watcher.

use aws_lc_rs::hmac;
use store::Store;
use token::base64url;
use token::event::{Event, EventKind, Origin, Who};
use token::opaque::OpaqueHash;
use token::time::Timestamp;

use crate::caller::Caller;
use crate::state::Authority;

/// Turns what people type as their name into what events may carry: the same name gives the
/// same text, and nobody without the master key can go back.
pub struct NameHasher(hmac::Key);

// === impl NameHasher ===

impl NameHasher {
    pub(crate) fn new(store: &Store) -> Self {
        let key = store.derive_key("event username");
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
    }

    /// 32 hexadecimal digits: half of HMAC-SHA256 over the trimmed, lower-cased name.
    pub fn hash(&self, name: &str) -> String {
        let tag = hmac::sign(&self.0, name.trim().to_lowercase().as_bytes());
        tag.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

// === impl Authority ===

impl Authority {
    /// Hands one event over; never waits.
    pub fn emit(&self, caller: &Caller, who: Who, kind: EventKind, now: Timestamp) {
        let (ip, ua) = (caller.ip, caller.user_agent.clone());
        let ja4 = caller.ja4.as_ref().map(|ja4| ja4.as_str().to_owned());
        let origin = Origin { ja4, ..Origin::default() };
        self.events().emit(Event { ts: now, ip, who, ua, origin, kind });
    }

    /// What a `login` event carries in place of the name that was typed.
    pub(crate) fn hashed_name(&self, name: &str) -> String {
        self.names().hash(name)
    }

    /// What a `device` event carries in place of the device code.
    pub(crate) fn hashed_code(&self, code: &OpaqueHash) -> String {
        self.names().hash(&base64url::encode(code.as_bytes()))
    }
}
