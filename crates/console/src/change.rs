//! Changes: each is written to the audit log and told to the watcher before it is answered.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use store::{AuditEntry, NewRestriction, Store, StoreError};
use token::event::{EventKind, Who};
use token::restriction::{Effect, Restriction, Selector};
use token::time::Timestamp;

use crate::Console;
use crate::access::Administrator;
use crate::problem::Problem;

/// The answer to a change that is in the audit log.
pub(crate) struct Recorded(Response);

/// What was changed.
pub(crate) struct Change<'a> {
    /// What was done, such as `client.create`.
    pub(crate) action: &'static str,
    /// On what.
    pub(crate) target: &'a str,
    /// When.
    pub(crate) at: Timestamp,
}

// === impl Console ===

impl Console {
    /// Writes a change to the audit log and gives out its answer.
    pub(crate) async fn record(
        &self,
        administrator: &Administrator,
        change: Change<'_>,
        answer: Response,
    ) -> Result<Recorded, Problem> {
        let Change { action, target, at } = change;
        let entry = AuditEntry {
            at,
            actor: administrator.actor().to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            ip: administrator.caller().ip,
        };
        self.authority.store().append_audit(&entry).await?;
        let AuditEntry { actor, action, target, .. } = entry;
        let kind = EventKind::Admin { actor, action, target };
        self.authority.emit(administrator.caller(), Who::default(), kind, at);
        Ok(Recorded(answer))
    }

    /// Appends a restriction in an administrator's name and tells the watcher.
    pub(crate) async fn restrict(
        &self,
        administrator: &Administrator,
        new: NewRestriction,
        now: Timestamp,
    ) -> Result<Arc<Restriction>, StoreError> {
        let restriction = self.authority.store().restrict(new, now).await?;
        let kind = EventKind::Revoke {
            result: "ok".to_owned(),
            selector: Some(restriction.selector.to_string()),
            actor: Some(restriction.actor.clone()),
            reason: Some(restriction.reason.clone()),
        };
        self.authority.emit(administrator.caller(), Who::default(), kind, now);
        Ok(restriction)
    }

    /// Revokes everything that was issued until now, so that nothing issued before a change
    /// outlives it.
    pub(crate) async fn revoke_until_now(
        &self,
        administrator: &Administrator,
        selector: Selector,
        reason: &str,
    ) -> Result<(), StoreError> {
        // Read again: a token that was signed while the change was written must be covered.
        let now = self.authority.now();
        let new = NewRestriction {
            selector,
            effect: Effect::Revoke,
            from: now,
            until: None,
            reason: reason.to_owned(),
            actor: administrator.actor().to_owned(),
        };
        self.restrict(administrator, new, now).await.map(drop)
    }

    pub(crate) fn store(&self) -> &Store {
        self.authority.store()
    }
}

// === impl Recorded ===

impl IntoResponse for Recorded {
    fn into_response(self) -> Response {
        self.0
    }
}
