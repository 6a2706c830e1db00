//! A client that asks for tokens which are none: an oracle for whoever has a list of them (RFC 7662 §4).
//!
//! Introspection answers whoever may ask, and says nothing of what was tried. A resource server asks for what it was
//! sent, of which some has expired. So: thirty answers within ten minutes that a token is not active, of one client,
//! that are three in four of all its answers then; of whoever names no client, from one network, also answers that they
//! may not ask. State: 2,000 clients and networks of about 100 bytes.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind};

use crate::detector::sign_in::source;
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::told::Told;

const ASKERS: usize = 2_000;
const WINDOW: u32 = 600;
const INACTIVE: u32 = 30;

/// Guesses by introspection.
pub(super) struct IntrospectionGuessing {
    /// By client, or by network.
    askers: Recent<String, Asked>,
}

/// Answers to one client since then.
#[derive(Default)]
struct Asked {
    since: u32,
    inactive: u32,
    all: u32,
    told: Told,
}

impl Default for IntrospectionGuessing {
    fn default() -> Self {
        Self { askers: Recent::new(ASKERS) }
    }
}

impl Detector for IntrospectionGuessing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Introspect { result } = &event.kind else { return None };
        let client = event.who.client.as_ref();
        let actor = match client {
            Some(client) => format!("client:{client}"),
            None => network::actor(event.ip?),
        };
        let asked = self.askers.touch(&actor);
        let now = source::seconds(event);
        if now.saturating_sub(asked.since) > WINDOW {
            (asked.since, asked.inactive, asked.all) = (now, 0, 0);
        }
        asked.all += 1;
        let is_refused = client.is_none() && result == "unauthorized";
        asked.inactive += u32::from(result == "inactive" || is_refused);
        let (inactive, all) = (asked.inactive, asked.all);
        if inactive < INACTIVE || inactive * 4 < all * 3 || !asked.told.is_news(event.ts, 1) {
            return None;
        }
        Some(Sighting {
            kind: Kind::TokenGuessing,
            summary: format!(
                "{} asked for {all} tokens within ten minutes, lately from {}, and {inactive} were not active, or not \
                 for them: somebody may try a list of them",
                client.map_or_else(
                    || "somebody without a client".to_owned(),
                    |it| format!("the client {it}")
                ),
                source::shown(event)
            ),
            whom: source::whom(event),
            actor,
            facts: BTreeMap::from([
                ("inactive", json!(inactive)),
                ("asked", json!(all)),
                ("threshold", json!(INACTIVE)),
                ("window_seconds", json!(WINDOW)),
            ]),
        })
    }
}
