//! Bait was taken: a token that nobody has a reason to use was presented at a door.
//!
//! Certain: the token was handed to nobody, and its name cannot be guessed. Whoever passes it on, a client that asks
//! about it or a browser that another site had send it, is nobody's thief: then no address is named. A thief who is
//! answered is gone; what is passed on goes on, so it is told once, and again when it has grown tenfold or after a
//! quiet day. State: 10,000 pairs of bait and whoever passed it on.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind, Request};
use token::finding::Whom;
use token::id::TokenId;
use token::reason::{Reason, Refused};

use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::told::Told;

const PAIRS: usize = 10_000;

/// Uses of honeytokens.
pub struct Honeytoken {
    /// Bait that was passed on, by bait and by whom.
    passed_on: Recent<(Option<TokenId>, Box<str>), PassedOn>,
}

#[derive(Default)]
struct PassedOn {
    times: u32,
    told: Told,
}

impl Default for Honeytoken {
    fn default() -> Self {
        Self { passed_on: Recent::new(PAIRS) }
    }
}

impl Detector for Honeytoken {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        if request.refused != Some(Refused::Plain(Reason::Honeytoken)) {
            return None;
        }
        // Bait that has expired, or whose key is gone, verifies no longer: its name is a claim.
        let claimed = || event.who.claimed_token.as_deref().map(TokenId::from);
        let token = event.who.token.clone().or_else(claimed);
        let mut facts =
            BTreeMap::from([("method", json!(request.method)), ("path", json!(request.path))]);
        if let Some(ua) = &event.ua {
            facts.insert("ua", json!(ua));
        }
        if let Some(by) = &request.passed_on_by {
            return self.passed_on(event, request, token, by, facts);
        }
        let from = event.ip.map_or("an unknown address".to_owned(), |ip| ip.to_string());
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

// === impl Honeytoken ===

impl Honeytoken {
    fn passed_on(
        &mut self,
        event: &Event,
        request: &Request,
        token: Option<TokenId>,
        by: &str,
        mut facts: BTreeMap<&'static str, serde_json::Value>,
    ) -> Option<Sighting> {
        let held = self.passed_on.touch(&(token.clone(), by.into()));
        held.times = held.times.saturating_add(1);
        if !held.told.is_news(event.ts, held.times) {
            return None;
        }
        facts.insert("passed_on_by", json!(by));
        facts.insert("times", json!(held.times));
        if let Some(ip) = event.ip {
            facts.insert("browser", json!(ip));
        }
        let (method, path) = (&request.method, &request.path);
        let how = match by.strip_prefix("client:") {
            Some(client) => format!(
                "the client `{client}` came with a honeytoken that somebody has shown it ({method} {path}): they \
                 found where it was hidden, and that client alone knows who they are"
            ),
            None if by == "site" => format!(
                "another site, or a link, had a browser use a honeytoken ({method} {path}): whoever made that found \
                 where it was hidden; whoever sits at the browser may know nothing of it"
            ),
            None => format!(
                "somebody who could not prove to be a client of ours came with a honeytoken ({method} {path}): \
                 whoever had it first found where it was hidden"
            ),
        };
        let summary = format!("{how}; nobody is blocked for it");
        let actor =
            token.as_ref().map_or_else(|| "unknown".to_owned(), |one| format!("token:{one}"));
        let whom = Whom { token, ..Whom::default() };
        Some(Sighting { kind: Kind::Honeytoken, actor, whom, summary, facts })
    }
}
