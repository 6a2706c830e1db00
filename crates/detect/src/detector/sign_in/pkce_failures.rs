//! Codes redeemed with the wrong verifier, again and again: codes that were stolen and injected, or
//! a search for clients that let PKCE be left out (RFC 9700 §4.5, §4.8).
//!
//! A client that has a mistake in it fails everywhere and never succeeds; one tab that overwrites
//! another's verifier fails now and then between successes. Default: five failures within an hour
//! of one client from one network, half as many as its successes there or more, while the client
//! succeeds elsewhere or did within a day; or failures of four clients from one network within an
//! hour. State: 20,000 pairs of client and network and 20,000 networks of at most 600 bytes, 5,000
//! clients.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::{Value, json};
use token::event::{Event, EventKind, GrantCause};
use token::finding::Whom;
use token::id::ClientId;
use token::time::Timestamp;

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const PAIRS: usize = 20_000;
const NETWORKS: usize = 20_000;
const CLIENTS: usize = 5_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const FAILED: usize = 5;
const MANY_CLIENTS: usize = 4;

/// Verifiers that do not fit.
pub(super) struct PkceFailures {
    /// `true` for a success.
    pairs: Recent<(ClientId, IpNet), Tally<bool, 24>>,
    networks: Recent<IpNet, (Tally<ClientId, 8>, Told)>,
    healthy: Recent<ClientId, Option<Timestamp>>,
}

impl Default for PkceFailures {
    fn default() -> Self {
        Self {
            pairs: Recent::new(PAIRS),
            networks: Recent::new(NETWORKS),
            healthy: Recent::new(CLIENTS),
        }
    }
}

impl Detector for PkceFailures {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let good = match &event.kind {
            EventKind::Grant { cause: Some(GrantCause::PkceFailed), .. } => false,
            EventKind::Grant { grant_type, result, .. } if grant_type == "authorization_code" => {
                (result == "ok").then_some(true)?
            }
            EventKind::Authorize { result, .. } if result == "bad_pkce" => false,
            _ => return None,
        };
        let client = event.who.client.as_ref()?;
        let network = network::of(event.ip?);
        let pair = self.pairs.touch(&(client.clone(), network));
        pair.push(event.ts, good);
        if good {
            *self.healthy.touch(client) = Some(event.ts);
            return None;
        }
        let succeeded = pair.within(event.ts, HOUR).filter(|(_, good)| **good).count();
        let failed = pair.within(event.ts, HOUR).count() - succeeded;
        let last = self.healthy.peek(client).copied().flatten();
        let is_healthy = last.is_some_and(|last| event.ts.since(last) <= DAY);
        let (clients, told) = self.networks.touch(&network);
        clients.note(event.ts, client.clone());
        let many = clients.within(event.ts, HOUR).count();
        let much = is_healthy && failed >= FAILED && failed * 2 >= succeeded;
        if (!much && many < MANY_CLIENTS) || !told.is_news(event.ts, 1) {
            return None;
        }
        let facts = [
            ("failed", json!(failed)),
            ("succeeded", json!(succeeded)),
            ("clients", json!(many)),
            ("thresholds", json!({ "failed": FAILED, "clients": MANY_CLIENTS })),
        ];
        Some(sighting(event, client, failed, many, BTreeMap::from(facts)))
    }
}

fn sighting(
    event: &Event,
    client: &ClientId,
    failed: usize,
    many: usize,
    facts: BTreeMap<&'static str, Value>,
) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::PkceFailures),
        actor: source::actor(event),
        whom: Whom { ip: event.ip, ..Whom::default() },
        summary: format!(
            "PKCE failed {failed} times within an hour for the client {client}, and for {many} \
             clients in all, from {}, while it works elsewhere: codes may have been stolen",
            source::shown(event)
        ),
        facts,
    }
}
