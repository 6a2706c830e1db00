//! What an act has in its hands: the transaction, and what is to happen once it is on disk.

use rusqlite::Connection;
use token::id::{ClientId, GrantId, SubjectId, TokenId};
use token::index::Ahead;
use token::restriction::LogEntry;

use crate::shared::Shared;

/// One act under way.
pub(crate) struct Act<'a> {
    /// The transaction.
    pub(crate) db: &'a Connection,
    /// Memory, to be read; it is changed by [`Act::after_commit`] alone.
    pub(crate) shared: &'a Shared,
    after: Vec<AfterCommit>,
}

/// A change of memory that follows the disk, made before the act is answered.
pub(crate) enum AfterCommit {
    /// The client was changed or is gone.
    Client(ClientId),
    /// The grant gives less than before.
    Grant(GrantId),
    /// What was held ahead of the log needs to be no longer.
    Held(Ahead),
    /// A token was made as bait.
    Honeytoken(TokenId),
    /// The log has grown.
    Log(LogEntry),
    /// A personal token was changed.
    Personal,
    /// The person was changed or is gone.
    User(SubjectId),
}

// === impl Act ===

impl<'a> Act<'a> {
    pub(super) fn new(db: &'a Connection, shared: &'a Shared) -> Self {
        Self { db, shared, after: Vec::new() }
    }

    /// Has memory changed when, and only when, this act is on disk.
    pub(crate) fn after_commit(&mut self, change: AfterCommit) {
        self.after.push(change);
    }

    pub(super) fn into_changes(self) -> Vec<AfterCommit> {
        self.after
    }
}

// === impl AfterCommit ===

impl AfterCommit {
    pub(super) fn apply(self, shared: &Shared) {
        match self {
            Self::Client(id) => {
                drop(shared.clients.remove(&id));
                shared.personal_changed();
            }
            Self::Grant(id) => {
                drop(shared.claims.remove(&id));
                shared.unused.retain(|_, state| state.grant.id != id);
            }
            Self::Held(ahead) => drop(ahead),
            Self::Honeytoken(id) => shared.honeytokens.add(id),
            Self::Log(entry) => shared.index.apply(&entry),
            Self::Personal => shared.personal_changed(),
            Self::User(id) => {
                drop(shared.users.remove(&id));
                shared.personal_changed();
            }
        }
    }
}
