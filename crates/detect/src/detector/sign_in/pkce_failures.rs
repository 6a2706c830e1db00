//! Codes redeemed with the wrong verifier, again and again: codes that were stolen and injected, or a search for
//! clients that let PKCE be left out (RFC 9700 §4.5, §4.8).
//!
//! A client that has a mistake in it fails everywhere and never succeeds; one tab that overwrites another's verifier
//! fails now and then between successes. Default: five failures of one client from one network, within an hour and
//! half as many as its successes there or more, or within a day without any success, while the client works: tokens of
//! it were issued within a week, and on this day it fails for no more than three networks, or for half as many as it
//! works for; or ten within a day by an HTTP library that nobody gave a name and that never succeeds there; or
//! failures of four clients from one network within an hour; or eight failures within a day from six networks by one
//! HTTP library that nobody gave a name, in none of which a code was redeemed since. Neighbours in data centres and
//! behind VPNs are one network. State: 20,000 pairs of client and network and 20,000 networks of at most 600 bytes,
//! 5,000 clients of at most 300, 200 programs of 3 kB.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind, GrantCause};
use token::finding::Whom;
use token::id::ClientId;
use token::term::GrantType;
use token::time::Timestamp;

use crate::detector::sign_in::source::number;
use crate::detector::sign_in::{SignIn, group, source};
use crate::detector::{Detector, Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const PAIRS: usize = 20_000;
const NETWORKS: usize = 20_000;
const CLIENTS: usize = 5_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const FAILED: usize = 5;
/// Of one library that never succeeds there, whether the client works or not.
const FAILED_SCRIPT: usize = 10;
const MANY_CLIENTS: usize = 4;
/// Who fails is more than one who steals, where it fails for so many networks, and for one of so many that work.
const FAILING: usize = 4;
const FEW: usize = 2;
const HELD: usize = 32;

/// Of one library that never succeeds, and from how many networks.
const OF_LIBRARY: usize = 8;
const NETWORKS_OF_LIBRARY: usize = 6;
const LIBRARIES: usize = 200;

/// Verifiers that do not fit.
pub(super) struct PkceFailures {
    /// `true` for a success.
    pairs: Recent<(ClientId, IpNet), Tally<bool, 24>>,
    networks: Recent<IpNet, (Tally<ClientId, 8>, Told)>,
    clients: Recent<ClientId, Health>,
    /// Where libraries failed and did not succeed since.
    libraries: Recent<u64, Library>,
}

#[derive(Default)]
struct Library {
    failed: Tally<IpNet, 16>,
    /// Networks that were told as part of it.
    named: Tally<IpNet, 64>,
}

/// Whether a client works.
#[derive(Default)]
struct Health {
    /// When tokens of it were issued last.
    issued: Option<Timestamp>,
    failing: Tally<IpNet, HELD>,
    /// Networks where codes were redeemed on that day.
    day: i64,
    working: Distinct<2>,
}

impl Default for PkceFailures {
    fn default() -> Self {
        Self {
            pairs: Recent::new(PAIRS),
            networks: Recent::new(NETWORKS),
            clients: Recent::new(CLIENTS),
            libraries: Recent::new(LIBRARIES),
        }
    }
}

impl Detector for PkceFailures {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let client = &source::named_client(event)?;
        let good = match &event.kind {
            EventKind::Grant { cause: Some(GrantCause::PkceFailed), .. } => false,
            EventKind::Grant { grant_type, result, .. } if result == "ok" => {
                let is_code = grant_type == GrantType::AuthorizationCode.as_str();
                self.clients.touch(client).succeeded(event, is_code);
                (grant_type == GrantType::AuthorizationCode.as_str()).then_some(true)?
            }
            EventKind::Authorize { result, .. } if result == "bad_pkce" => false,
            _ => return None,
        };
        let network = group::neighbours(event)?;
        let pair = self.pairs.touch(&(client.clone(), network));
        pair.push(event.ts, good);
        let library = source::software(event).filter(|_| source::is_library(event));
        let library = library.map(|library| self.libraries.touch(&library));
        if good {
            library.into_iter().for_each(|library| library.failed.forget(&network));
            return None;
        }
        if let Some(library) = library {
            library.failed.push(event.ts, network);
            let lately: Vec<_> =
                library.failed.within(event.ts, DAY).map(|(_, network)| *network).collect();
            let networks = lately.iter().collect::<BTreeSet<_>>().len();
            let is_search = lately.len() >= OF_LIBRARY && networks >= NETWORKS_OF_LIBRARY;
            let is_named = library.named.within(event.ts, DAY).any(|(_, held)| *held == network);
            if is_search && !is_named {
                library.named.note(event.ts, network);
                return Some(by_library(event, lately.len(), networks));
            }
        }
        let count = |window, wanted: bool| {
            pair.within(event.ts, window).filter(|(_, good)| **good == wanted).count()
        };
        let (failed, succeeded) = (count(HOUR, false), count(HOUR, true));
        let is_fast = failed >= FAILED && failed * 2 >= succeeded;
        let is_slow = count(DAY, false) >= FAILED && count(DAY, true) == 0;
        let health = self.clients.touch(client);
        health.failing.note(event.ts, network);
        let is_script = source::is_library(event)
            && count(DAY, false) >= FAILED_SCRIPT
            && count(DAY, true) == 0;
        let much = (is_fast || is_slow) && health.is_good(event.ts) || is_script;
        let (failed, window) =
            if is_fast { (failed, "an hour") } else { (count(DAY, false), "a day") };
        let (clients, told) = self.networks.touch(&network);
        clients.note(event.ts, client.clone());
        let many = clients.within(event.ts, HOUR).count();
        if (!much && many < MANY_CLIENTS) || !told.is_news(event.ts, 1) {
            return None;
        }
        let facts = [
            ("failed", json!(failed)),
            ("succeeded", json!(succeeded)),
            ("clients", json!(many)),
            ("thresholds", json!({ "failed": FAILED, "clients": MANY_CLIENTS })),
        ];
        let elsewhere = if is_script { "by a library" } else { "while it works elsewhere" };
        let summary = format!(
            "PKCE failed {failed} times within {window} for the client {client}, and for {many} \
             clients in all, from {}, {elsewhere}: codes may have been stolen",
            source::shown(event)
        );
        Some(Sighting {
            kind: Kind::SignIn(SignIn::PkceFailures),
            actor: source::actor(event),
            whom: Whom { ip: event.ip, ..Whom::default() },
            summary,
            facts: BTreeMap::from(facts),
        })
    }
}

fn by_library(event: &Event, failed: usize, networks: usize) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::PkceFailures),
        actor: "campaign:pkce_failures".to_owned(),
        whom: Whom { ip: event.ip, ..Whom::default() },
        summary: format!(
            "PKCE failed {failed} times within a day for one HTTP library from {networks} networks, lately from {}, \
             where none was redeemed since: codes may have been stolen",
            source::shown(event)
        ),
        facts: BTreeMap::from([
            ("failed", json!(failed)),
            ("networks", json!(networks)),
            ("thresholds", json!({ "failed": OF_LIBRARY, "networks": NETWORKS_OF_LIBRARY })),
        ]),
    }
}

// === impl Health ===

impl Health {
    fn is_good(&self, now: Timestamp) -> bool {
        self.issued.is_some_and(|issued| now.since(issued) <= WEEK) && {
            let failing = self.failing.within(now, DAY).count();
            failing < FAILING || failing * FEW <= self.working.count() as usize
        }
    }

    fn succeeded(&mut self, event: &Event, is_code: bool) {
        self.issued = Some(event.ts);
        if !is_code {
            return;
        }
        if day(event.ts) > self.day {
            (self.day, self.working) = (day(event.ts), Distinct::default());
        }
        if let Some(network) = group::neighbours(event) {
            self.working.add(number(network));
        }
    }
}

fn day(now: Timestamp) -> i64 {
    now.as_secs() / DAY.as_secs().cast_signed()
}
