//! Which subjects are their clients themselves, whatever they are called: whose tokens are granted to a client for
//! nobody but itself (RFC 6749 §4.4), of which servers say a subject of their own choice, such as `svc-billing` for
//! `billing-sync`. State: 24 bytes for each of 16,384.

use token::event::{Event, EventKind};
use token::term::GrantType;

use crate::detector::Names;
use crate::sketch::hash;
use crate::sketch::table::Table;

const MACHINES: usize = 16_384;

/// Subjects of clients.
pub struct Machines(Table<()>);

impl Default for Machines {
    fn default() -> Self {
        Self(Table::new(MACHINES))
    }
}

// === impl Machines ===

impl Machines {
    /// The names of the event, with what is known of its subject.
    pub fn name(&mut self, event: &Event, names: &Names) -> Names {
        let Some(subject) = names.subject.filter(|_| event.who.client.is_some() && !names.is_own)
        else {
            return *names;
        };
        let key = hash::both(subject, names.client);
        let is_own = match &event.kind {
            EventKind::Grant { result, grant_type, .. }
                if result == "ok" && grant_type == GrantType::ClientCredentials.as_str() =>
            {
                self.0.touch(key, u32::try_from(event.ts.as_secs()).unwrap_or(0));
                true
            }
            _ => self.0.peek(key).is_some(),
        };
        Names { is_own, ..*names }
    }
}
