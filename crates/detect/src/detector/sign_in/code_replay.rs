//! An authorization code, or a device code, that came a second time.
//!
//! Certain: the authority remembers each code that it redeemed, and ends what came of it in the
//! same act (RFC 6749 §4.1.2, RFC 9700 §4.5). Holds no state.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind, GrantCause};
use token::finding::Whom;

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting};

/// Codes in two hands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CodeReplay;

impl Detector for CodeReplay {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Grant { grant_type, cause: Some(GrantCause::CodeReplayed), .. } =
            &event.kind
        else {
            return None;
        };
        let who = &event.who;
        let mut facts = BTreeMap::from([("grant_type", json!(grant_type))]);
        if let Some(ua) = &event.ua {
            facts.insert("ua", json!(ua));
        }
        let actor = who.grant.as_ref().map(|grant| format!("grant:{grant}"));
        Some(Sighting {
            kind: Kind::SignIn(SignIn::CodeReplay),
            actor: actor.unwrap_or_else(|| source::actor(event)),
            whom: Whom { token: None, ..source::whom(event) },
            summary: format!(
                "a code that was already redeemed was sent again from {}; who had it first cannot \
                 be told, so every token of the grant is ended",
                source::shown(event)
            ),
            facts,
        })
    }
}
