//! What somebody does after a sign-in by a recovery code, in a network or by software that they did not have an hour
//! ago.
//!
//! Whoever has stolen a number gets in so, and so does whoever lost a telephone: that one sets up another factor, and
//! does not begin with an act that decides who has the account or its money. Both come from one part of the net, within
//! an hour. State: 5,000 persons of about 100 bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind};
use token::id::SubjectId;
use token::time::Timestamp;

use crate::detector::sign_in::{SignIn, sensitive, source};
use crate::detector::{Kind, Sighting};
use crate::sketch::recent::Recent;

const PERSONS: usize = 5_000;
const HOUR: Duration = Duration::from_secs(3600);
/// The factor of whoever has no other.
const RECOVERY: &str = "recovery_code";

/// Who signed in by a recovery code, when and where.
pub(super) struct Recoveries(Recent<SubjectId, Option<(Timestamp, u64)>>);

impl Default for Recoveries {
    fn default() -> Self {
        Self(Recent::new(PERSONS))
    }
}

// === impl Recoveries ===

impl Recoveries {
    /// Notes a sign-in, if it was by a recovery code.
    pub(super) fn note(&mut self, event: &Event) {
        if let EventKind::Login { factor, .. } = &event.kind
            && let Some((subject, place)) = event.who.subject.as_ref().zip(source::place(event))
            && factor == RECOVERY
        {
            *self.0.touch(subject) = Some((event.ts, place));
        }
    }

    /// Whether somebody signed in here by a recovery code within the last hour, and the request is about no factor.
    pub(super) fn explain(&self, event: &Event) -> bool {
        let EventKind::Request(request) = &event.kind else { return false };
        let held = event.who.subject.as_ref().and_then(|it| self.0.peek(it)).copied().flatten();
        held.is_some_and(|(since, place)| {
            event.ts.since(since) < HOUR && source::place(event) == Some(place)
        }) && !sensitive::is_factor(request.route.as_deref().unwrap_or(&request.path))
    }
}

/// What is said of it.
pub(super) fn sighting(event: &Event, subject: &SubjectId, act: &str) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::NewPlace),
        actor: format!("subject:{subject}"),
        whom: source::whom(event),
        summary: format!(
            "{subject} uses {act} from {}, by a network or software that was first seen within the last hour, after a \
             sign-in by a recovery code",
            source::shown(event)
        ),
        facts: BTreeMap::from([
            ("new", json!(["network or software"])),
            ("sensitive", json!(act)),
            ("factor", json!(RECOVERY)),
        ]),
    }
}
