//! Scopes that were granted and are never used: an offer for a narrower setting, no accusation.
//!
//! What a route needs is not in the events, so it is learnt: the scopes that every token had with
//! which the route was ever used. What one client with one set of scopes uses is the union over
//! its routes; the rest was never needed. Said after fourteen days and five hundred requests, and
//! again after thirty days. Where all clients have the same scopes nothing can be told apart, and
//! nothing is said. Scopes that work at other places than routes are left out. State: 2,000 pairs of
//! client and scopes with 64 routes each, and 4,096 routes.

use std::collections::BTreeSet;

use serde_json::json;
use token::finding::Whom;
use token::scope::ScopeSet;

use crate::detector::traffic::seen::{Facts, Seen};
use crate::detector::{Kind, Sighting};
use crate::sketch::hash;
use crate::sketch::table::Table;

const ROUTES: usize = 64;
const DAY: u32 = 86_400;
/// How long use is watched before anything is said: two weeks hold most monthly habits' halves.
const WATCHED: u32 = 14 * DAY;
const AGAIN: u32 = 30 * DAY;
const REQUESTS: u32 = 500;
/// They are asked for by the authority's own endpoints.
const ELSEWHERE: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Use of one client's set of scopes.
#[derive(Default)]
struct Use {
    first: u32,
    said: u32,
    requests: u32,
    routes: BTreeSet<u64>,
    overflow: bool,
}

/// Scopes never used.
pub(super) struct LeastPrivilege {
    uses: Table<Use>,
    /// The scopes that all tokens had in common.
    routes: Table<Option<ScopeSet>>,
}

impl Default for LeastPrivilege {
    fn default() -> Self {
        Self { uses: Table::new(2000), routes: Table::new(4096) }
    }
}

// === impl LeastPrivilege ===

impl LeastPrivilege {
    pub(super) fn observe(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let client = seen.event.who.client.as_ref()?;
        let route = seen.route.filter(|_| seen.is_ok())?;
        let scopes = &seen.request.scopes;
        if scopes.is_empty() {
            return None;
        }
        let common = self.routes.touch(route, seen.now);
        match common {
            Some(common) if scopes.contains_all(common) => {}
            Some(common) => *common = common.intersection(scopes),
            None => *common = Some(scopes.clone()),
        }
        let key = hash::both(seen.client, hash::text(scopes.as_str()));
        let held = self.uses.touch(key, seen.now);
        if held.first == 0 {
            held.first = seen.now;
        }
        held.requests = held.requests.saturating_add(1);
        if held.routes.len() < ROUTES {
            held.routes.insert(route);
        } else if !held.routes.contains(&route) {
            held.overflow = true;
        }
        let days = seen.now.saturating_sub(held.first);
        let is_time =
            days >= WATCHED && (held.said == 0 || seen.now.saturating_sub(held.said) >= AGAIN);
        if !is_time || held.requests < REQUESTS || held.overflow {
            return None;
        }
        held.said = seen.now;
        let used: Vec<&ScopeSet> =
            held.routes.iter().filter_map(|route| self.routes.peek(*route)?.as_ref()).collect();
        let unused = scopes.only(|scope| {
            !ELSEWHERE.contains(&scope) && !used.iter().any(|common| common.contains(scope))
        });
        if unused.is_empty() {
            return None;
        }
        let facts = Facts::from([
            ("unused", json!(unused)),
            ("granted", json!(scopes)),
            ("days", json!(days / DAY)),
            ("requests", json!(held.requests)),
            ("routes", json!(held.routes.len())),
        ]);
        let summary = format!(
            "client {client} has the scopes `{scopes}` and in {} days and {} requests never needed `{unused}`: \
             it can do with less",
            days / DAY,
            held.requests
        );
        let whom = Whom { client: Some(client.clone()), ..Whom::default() };
        let actor = format!("client:{client}");
        Some(Sighting { kind: Kind::LeastPrivilege, actor, whom, summary, facts })
    }
}
