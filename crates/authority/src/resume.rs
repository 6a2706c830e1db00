//! What an earlier run of this authority has left behind, and this one has to know before it serves.

use store::{StoreError, UsedKind};
use token::replay::UsedName;
use token::time::Timestamp;

use crate::state::Authority;

// === impl Authority ===

impl Authority {
    /// Takes up what an earlier run has left: which assertions, events and proofs were used, and the status lists
    /// of its tokens. Makes a status list ready where one is needed. To be called once, before anything is
    /// served.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read or written.
    pub async fn resume(&self) -> Result<(), StoreError> {
        let now = self.now();
        for name in self.store().used_names(UsedKind::Assertion, now)? {
            self.assertions().first_use(&name, now);
        }
        for name in self.store().used_names(UsedKind::Event, now)? {
            self.received().resume(&name, now);
        }
        for name in self.store().used_names(UsedKind::Proof, now)? {
            self.proofs().remember(&name, now);
        }
        self.status_lists().close_earlier(now).await?;
        if self.settings().publishes_status() {
            self.status_lists().make_ready(now).await?;
        }
        Ok(())
    }

    /// Notes the use of an assertion that is good until `until`; `false` when it was used before.
    pub(crate) fn use_assertion(&self, parts: [&str; 2], until: Timestamp, now: Timestamp) -> bool {
        let name = UsedName::of(parts);
        let first = self.assertions().first_use(&name, now);
        if first {
            self.store().record_used(UsedKind::Assertion, name, until);
        }
        first
    }
}
