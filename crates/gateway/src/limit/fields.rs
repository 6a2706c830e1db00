//! What an answer says of limits: `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers-10 §3 and §4).

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Room for what is said of one limit, in bytes.
const ITEM: usize = 48;

/// What is to be said of each limit that was asked.
#[derive(Default)]
pub(crate) struct Told(Vec<Item>);

struct Item {
    quoted: Arc<str>,
    policy: Arc<str>,
    left: u32,
    reset: Duration,
}

// === impl Told ===

impl Told {
    pub(crate) fn add(&mut self, quoted: &Arc<str>, policy: &Arc<str>, left: u32, reset: Duration) {
        let (quoted, policy) = (Arc::clone(quoted), Arc::clone(policy));
        self.0.push(Item { quoted, policy, left, reset });
    }

    /// Writes the fields, beside those of an API that has limits of its own.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        let mut policies = String::with_capacity(self.0.len() * ITEM);
        let mut limits = String::with_capacity(self.0.len() * ITEM);
        let mut number_of = itoa::Buffer::new();
        for (number, item) in self.0.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            policies.push_str(comma);
            policies.push_str(&item.policy);
            // By hand: formatting costs more than the rest of a limit.
            limits.push_str(comma);
            limits.push_str(&item.quoted);
            limits.push_str(";r=");
            limits.push_str(number_of.format(item.left));
            limits.push_str(";t=");
            limits.push_str(number_of.format(seconds(item.reset)));
        }
        for (name, text) in [(POLICY, policies), (LIMIT, limits)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.append(name, value);
            }
        }
    }
}

/// Rounded up: whoever waits so long does not come too early.
pub(crate) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
