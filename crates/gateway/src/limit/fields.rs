//! What an answer says of limits: `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers-10 §3 and §4).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

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
        let (mut policies, mut limits) = (String::new(), String::new());
        for (number, item) in self.0.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            policies.push_str(comma);
            policies.push_str(&item.policy);
            let (Item { quoted, left, .. }, secs) = (item, seconds(item.reset));
            // Writing into a string cannot fail.
            let _ = write!(limits, "{comma}{quoted};r={left};t={secs}");
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
