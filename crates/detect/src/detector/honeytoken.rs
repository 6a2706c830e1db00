//! Bait was taken: a token that nobody has a reason to use was presented at a door.
//!
//! Certain: the token was handed to nobody, and its name cannot be guessed. Holds no state.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::id::TokenId;
use token::reason::{Reason, Refused};

use crate::detector::{Detector, Kind, Sighting, network};

/// Uses of honeytokens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honeytoken;

impl Detector for Honeytoken {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        if request.refused != Some(Refused::Plain(Reason::Honeytoken)) {
            return None;
        }
        // Bait that has expired, or whose key is gone, verifies no longer: its name is a claim.
        let claimed = || event.who.claimed_token.as_deref().map(TokenId::from);
        let token = event.who.token.clone().or_else(claimed);
        let from = event.ip.map_or("an unknown address".to_owned(), |ip| ip.to_string());
        let mut facts =
            BTreeMap::from([("method", json!(request.method)), ("path", json!(request.path))]);
        if let Some(ua) = &event.ua {
            facts.insert("ua", json!(ua));
        }
        Some(Sighting {
            kind: Kind::Honeytoken,
            actor: event.ip.map_or_else(|| "unknown".to_owned(), network::actor),
            // The bait's own subject and client are inventions: nobody is concerned but the thief.
            whom: Whom { token, ip: event.ip, ..Whom::default() },
            summary: format!(
                "a honeytoken was used from {from} for {} {}: whoever holds it found where it was hidden",
                request.method, request.path
            ),
            facts,
        })
    }
}
