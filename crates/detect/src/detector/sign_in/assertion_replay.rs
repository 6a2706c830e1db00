//! A client's signed assertion that was used before (RFC 7523 §3, item 7).
//!
//! Certain when it comes from a network from which that client never authenticated: the assertion
//! was read on its way. The replay itself was refused, and who used it first cannot be told, so
//! nobody is blocked. From a network of the client's own it is a retry: five within ten minutes
//! are told, as trouble. State: 5,000 clients with eight networks each, under 1 kB.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::id::ClientId;

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const CLIENTS: usize = 5_000;
const WINDOW: Duration = Duration::from_secs(600);
const RETRIES: usize = 5;

/// Assertions in two hands.
pub(super) struct AssertionReplay {
    clients: Recent<ClientId, Held>,
}

#[derive(Default)]
struct Held {
    homes: Tally<IpNet, 8>,
    repeated: Tally<(), RETRIES>,
    theft: Told,
    trouble: Told,
}

impl Default for AssertionReplay {
    fn default() -> Self {
        Self { clients: Recent::new(CLIENTS) }
    }
}

impl Detector for AssertionReplay {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::ClientAuth { method, result } = &event.kind else { return None };
        let client = &source::named_client(event)?;
        let network = event.ip.map(network::of);
        match result.as_str() {
            "ok" => {
                if let Some(network) = network {
                    self.clients.touch(client).homes.note(event.ts, network);
                }
                return None;
            }
            "replayed_assertion" => {}
            _ => return None,
        }
        let held = self.clients.touch(client);
        let home = network.is_some_and(|network| held.homes.contains(&network));
        let kind = if home {
            held.repeated.push(event.ts, ());
            let often = held.repeated.within(event.ts, WINDOW).count() >= RETRIES;
            (often && held.trouble.is_news(event.ts, 1)).then_some(SignIn::AssertionRepeated)?
        } else {
            held.theft.is_news(event.ts, 1).then_some(SignIn::AssertionReplay)?
        };
        let whence = if home {
            "where that client signs in itself: it may be its own retry"
        } else {
            "where that client never signed in"
        };
        Some(Sighting {
            kind: Kind::SignIn(kind),
            actor: format!("client:{client}"),
            // The assertion's signature fitted, so the name is the client's own.
            whom: Whom { client: Some(client.clone()), ip: event.ip, ..Whom::default() },
            summary: format!(
                "an assertion of the client {client} that was used before came from {}, {whence}",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("method", json!(method)),
                ("networks_known", json!(held.homes.len())),
            ]),
        })
    }
}
