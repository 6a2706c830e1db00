//! Pushed authorization requests (RFC 9126): kept here, so that nobody on the way can read or change them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use token::base62;
use token::id::ClientId;
use token::random::Random;
use token::time::Timestamp;

/// What every `request_uri` of ours begins with (RFC 9126 §2.2).
pub(crate) const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a request may lie before its person arrives (FAPI 2.0 Security Profile §5.3.2.2: less
/// than 600 seconds).
pub(crate) const LIFE: Duration = Duration::from_mins(1);
/// How long its person may take from there.
const OPEN_LIFE: Duration = Duration::from_mins(30);
/// Requests that are kept at the same time; each is at most 16 KiB.
const MOST: usize = 20_000;

/// The requests that were pushed and not answered yet.
#[derive(Default)]
pub(crate) struct PushedRequests(Mutex<HashMap<String, Kept>>);

struct Kept {
    client: ClientId,
    text: String,
    until: Timestamp,
    opened: bool,
}

// === impl PushedRequests ===

impl PushedRequests {
    /// Keeps a request; `None` when too many are kept already.
    pub(crate) fn push(
        &self,
        client: &ClientId,
        text: String,
        now: Timestamp,
        random: &dyn Random,
    ) -> Option<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, kept| now < kept.until);
        }
        if kept.len() >= MOST {
            return None;
        }
        let uri = format!("{PREFIX}{}", base62::random(43, random));
        let until = now.plus(LIFE);
        kept.insert(uri.clone(), Kept { client: client.clone(), text, until, opened: false });
        Some(uri)
    }

    /// The request of this name, for the client that pushed it.
    pub(crate) fn open(&self, uri: &str, client: &str, now: Timestamp) -> Option<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get_mut(uri).filter(|kept| kept.client.as_str() == client)?;
        if now >= found.until {
            kept.remove(uri);
            return None;
        }
        if !found.opened {
            (found.opened, found.until) = (true, now.plus(OPEN_LIFE));
        }
        Some(found.text.clone())
    }

    /// Forgets a request that was answered: it is good once (RFC 9126 §7.3).
    pub(crate) fn consume(&self, uri: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uri);
    }
}
