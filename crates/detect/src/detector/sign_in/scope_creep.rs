//! A client asks for what it never asked for before.
//!
//! One more scope is a new release. Three within a day, or one that is administrative or moves
//! money, of a client that is known for a week and for twenty requests, are worth a question; of a client that speaks
//! for itself, whose role is made by its owner and not by people, a day and four requests are enough: a nightly
//! export asks seldom. So is less than that for one that tries what it may have: three that it had not, some of them
//! refused, after its first hour. Only token requests and given consent count: a link with a client's name and any scopes can be made
//! by anybody. What was told is known from then on. State: 5,000 clients of at most 1.4 kB.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind, GrantCause};
use token::finding::Whom;
use token::id::ClientId;
use token::scope::ScopeSet;
use token::term::GrantType;
use token::time::Timestamp;

use crate::detector::sign_in::known::Known;
use crate::detector::sign_in::source::number;
use crate::detector::sign_in::{SignIn, sensitive};
use crate::detector::{Detector, Kind, Sighting};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const CLIENTS: usize = 5_000;
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const REQUESTS: u32 = 20;
const OWN_REQUESTS: u32 = 4;
/// Its first requests show what a client needs.
const BEGINNING: Duration = Duration::from_secs(3600);
const MANY: usize = 3;

/// Scopes that are new to a client.
pub(super) struct ScopeCreep {
    clients: Recent<ClientId, Client>,
}

#[derive(Default)]
struct Client {
    since: Option<Timestamp>,
    requests: u32,
    /// People use it too.
    people: bool,
    scopes: Known<48>,
    /// Scopes that it had not, and whether they were refused.
    tried: Tally<(u64, bool), 8>,
    told: Told,
}

impl Default for ScopeCreep {
    fn default() -> Self {
        Self { clients: Recent::new(CLIENTS) }
    }
}

impl Detector for ScopeCreep {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let scopes = match &event.kind {
            EventKind::Grant { scopes, result, cause, .. }
                if result == "ok"
                    || result == "invalid_scope"
                    || *cause == Some(GrantCause::ScopeExceeded) =>
            {
                scopes
            }
            EventKind::Consent { scopes, result, .. } if result == "granted" => scopes,
            _ => return None,
        };
        let client = event.who.client.as_ref()?;
        let held = self.clients.touch(client);
        let since = *held.since.get_or_insert(event.ts);
        held.requests = held.requests.saturating_add(1);
        let speaks_for_itself = matches!(&event.kind, EventKind::Grant { grant_type, .. }
            if grant_type == GrantType::ClientCredentials.as_str());
        held.people |= !speaks_for_itself;
        let (long, often) = if held.people { (WEEK, REQUESTS) } else { (DAY, OWN_REQUESTS) };
        let age = event.ts.since(since);
        let is_known = age >= long && held.requests > often;
        let scope_is_new = |held: &mut Client, scope: &str| {
            let is_held = held.scopes.holds(number(scope));
            let is_strange = held.scopes.note(event.ts, number(scope));
            if held.people { is_strange } else { !is_held }
        };
        let new: Vec<&str> = scopes.iter().filter(|scope| scope_is_new(held, scope)).collect();
        if age >= BEGINNING && !held.people {
            let refused = !matches!(&event.kind, EventKind::Grant { result, .. } if result == "ok");
            new.iter().for_each(|scope| held.tried.note(event.ts, (number(scope), refused)));
        }
        let worth = new.len() >= MANY || new.iter().any(|scope| sensitive::is_sensitive(scope));
        if !(is_known && worth || held.tries(event.ts)) || !held.told.is_news(event.ts, 1) {
            return None;
        }
        Some(sighting(event, client, &new, scopes, held))
    }
}

// === impl Client ===

impl Client {
    /// Whether it goes through scopes to see which it gets.
    fn tries(&self, now: Timestamp) -> bool {
        let lately = || self.tried.within(now, DAY).map(|(_, tried)| tried);
        lately().count() >= MANY && lately().any(|(_, refused)| *refused)
    }
}

fn sighting(
    event: &Event,
    client: &ClientId,
    new: &[&str],
    scopes: &ScopeSet,
    held: &Client,
) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::ScopeCreep),
        actor: format!("client:{client}"),
        whom: Whom { client: Some(client.clone()), ip: event.ip, ..Whom::default() },
        summary: format!(
            "the client {client} asked for {}, which it had not asked for before today in {} requests",
            new.join(" "),
            held.requests
        ),
        facts: BTreeMap::from([
            ("new", json!(new)),
            ("asked", json!(scopes.iter().collect::<Vec<_>>())),
            ("known_since", json!(held.since)),
            ("scopes_known", json!(held.scopes.len())),
        ]),
    }
}
