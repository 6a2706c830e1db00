//! Which client an administrator gave another secret.

use token::event::{Event, EventKind};
use token::id::ClientId;

/// The client, where the event is such a change. What changes are called is up to who writes the events: here it is
/// `client.secret`.
pub(super) fn of(event: &Event) -> Option<ClientId> {
    let EventKind::Admin { action, target, .. } = &event.kind else { return None };
    let is_rotation = ["secret", "rotat"].iter().any(|word| action.contains(word));
    let target = target.strip_prefix("client:").unwrap_or(target);
    is_rotation.then(|| ClientId::from(target))
}
