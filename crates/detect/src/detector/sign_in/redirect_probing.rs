//! Redirect URIs that are not registered, tried by one network for many clients or with many hosts.
//!
//! Whoever looks for a loose comparison (RFC 9700 §4.1) varies client and host. A client that was
//! set up wrongly is one pair, however many people meet it; after a change of domain many clients
//! fail together, but for people of many networks: a pair that three networks have tried within a
//! day does not count. Default: five pairs within a day from one network.
//! State: 20,000 networks of at most 400 bytes, 5,000 pairs of 200.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source::{self, number};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NETWORKS: usize = 20_000;
const PAIRS: usize = 5_000;
const DAY: Duration = Duration::from_secs(24 * 3600);
const TRIED: usize = 5;
const EVERYBODY: usize = 3;

/// Tries of redirect URIs.
pub(super) struct RedirectProbing {
    networks: Recent<IpNet, Network>,
    pairs: Recent<u64, Tally<IpNet, EVERYBODY>>,
}

#[derive(Default)]
struct Network {
    tried: Tally<u64, 16>,
    told: Told,
}

impl Default for RedirectProbing {
    fn default() -> Self {
        Self { networks: Recent::new(NETWORKS), pairs: Recent::new(PAIRS) }
    }
}

impl Detector for RedirectProbing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Authorize { result, redirect_host, .. } = &event.kind else { return None };
        if result != "bad_redirect_uri" {
            return None;
        }
        let network = network::of(event.ip?);
        let client = event.who.client.as_ref().map(|client| client.as_str());
        let pair = number((client.or(event.who.claimed_client.as_deref()), redirect_host));
        self.pairs.touch(&pair).note(event.ts, network);
        let held = self.networks.touch(&network);
        held.tried.note(event.ts, pair);
        let everybodys = |pair: &u64| {
            let networks = self.pairs.peek(pair);
            networks.is_some_and(|held| held.within(event.ts, DAY).count() >= EVERYBODY)
        };
        let own = held.tried.within(event.ts, DAY).filter(|(_, pair)| !everybodys(pair)).count();
        if own < TRIED || !held.told.is_news(event.ts, 1) {
            return None;
        }
        Some(Sighting {
            kind: Kind::SignIn(SignIn::RedirectProbing),
            actor: source::actor(event),
            // The clients are who is probed.
            whom: Whom { ip: event.ip, ..Whom::default() },
            summary: format!(
                "{} tried {own} pairs of client and redirect host that are not registered, within a \
                 day, and hardly anybody else tried them",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("pairs", json!(own)),
                ("threshold", json!(TRIED)),
                ("redirect_host", json!(redirect_host)),
            ]),
        })
    }
}
