//! The names of an event that comes soon, as the numbers by which the largest tables know them.

use token::event::{Event, EventKind};

use crate::detector::traffic::seen::Seen;
use crate::sketch::hash;

/// `None` where the event has no such name, or no detector asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names {
    pub(in crate::detector) subject: Option<u64>,
    pub(in crate::detector) token: Option<u64>,
    /// The session and its client, or else the token.
    pub(in crate::detector) session: Option<u64>,
    pub(in crate::detector) principal: Option<u64>,
    pub(in crate::detector) client: u64,
    pub(in crate::detector) object: Option<u64>,
}

// === impl Names ===

impl Names {
    /// Only of requests: other events are few.
    pub(crate) fn of(event: &Event) -> Self {
        let EventKind::Request(_) = &event.kind else { return Self::default() };
        let Some(seen) = Seen::of(event) else { return Self::default() };
        let who = &event.who;
        let token = who.token.as_ref().map(|token| hash::of(token.as_str()));
        Self {
            subject: who.subject.as_ref().map(|subject| hash::of(subject.as_str())),
            token,
            session: token.map(|token| match (&who.session, &who.client) {
                (Some(session), Some(client)) => hash::of((session.as_str(), client.as_str())),
                _ => token,
            }),
            principal: seen.principal,
            client: seen.client,
            object: seen.object,
        }
    }
}
