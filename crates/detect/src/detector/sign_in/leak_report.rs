//! A credential of ours was found where anybody can read it.
//!
//! Certain: the report was signed, and the authority recognised the credential. Holds no state:
//! each report is told, since each is about another place.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting};

/// Reports of leaked credentials.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LeakReport;

impl Detector for LeakReport {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::LeakReport { source, url_hash } = &event.kind else { return None };
        let who = &event.who;
        // The narrowest name that covers the credential decides what is ended.
        let (kind, what, actor) = match (&who.token, &who.grant, &who.client) {
            (Some(token), _, _) => (SignIn::LeakedToken, "a token", format!("token:{token}")),
            (None, Some(grant), _) => {
                (SignIn::LeakedGrant, "a refresh token", format!("grant:{grant}"))
            }
            (None, None, Some(client)) => {
                (SignIn::LeakedClient, "a client's secret", format!("client:{client}"))
            }
            (None, None, None) => (SignIn::LeakedToken, "a credential", "unknown".to_owned()),
        };
        Some(Sighting {
            kind: Kind::SignIn(kind),
            actor,
            whom: Whom { ip: None, ..source::whom(event) },
            summary: format!("{what} was found in public by {source}: whoever read it can use it"),
            facts: BTreeMap::from([("source", json!(source)), ("url_hash", json!(url_hash))]),
        })
    }
}
