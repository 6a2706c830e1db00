//! Redirect URIs that are not registered, tried by one network for many clients or with many hosts.
//!
//! Whoever looks for a loose comparison (RFC 9700 §4.1) varies client and host. A client that was
//! set up wrongly is one pair, however many people meet it; after a change of domain many clients
//! fail together, but for people of many networks: a pair that three networks have tried within a
//! day does not count. A host that has one of the client's own in its name and is not below it counts once more: nobody
//! has that by mistake. Default: four within three days from one network. And six domains and such names within a day for
//! one client from several networks, told without a name but for one that tried two of them; who has a host for
//! each customer has them in one domain. State: 20,000 networks of at most 400 bytes, 5,000 pairs of 200, 5,000 clients
//! of 1.5 kB.

use std::collections::BTreeMap;
use std::net::IpAddr;
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
const CLIENTS: usize = 5_000;
const DAY: Duration = Duration::from_secs(24 * 3600);
const DAYS: Duration = Duration::from_secs(72 * 3600);
const TRIED: usize = 4;
const EVERYBODY: usize = 3;
const FROM_ALL: usize = 6;
/// Of a network before it is named as a part of that.
const PART: usize = 2;
/// Longer names of hosts are none (RFC 1035 §2.3.4).
const LONGEST: usize = 255;

/// Tries of redirect URIs.
pub(super) struct RedirectProbing {
    networks: Recent<IpNet, Network>,
    pairs: Recent<u64, Tally<IpNet, EVERYBODY>>,
    clients: Recent<u64, Client>,
}

#[derive(Default)]
struct Network {
    tried: Tally<u64, 16>,
    told: Told,
}

#[derive(Default)]
struct Client {
    /// Hosts that are registered, as far as they were used.
    own: Tally<String, 8>,
    /// Domains that were tried, and names that look like its own.
    tried: Tally<u64, 16>,
    networks: Tally<IpNet, PART>,
    told: Told,
}

impl Default for RedirectProbing {
    fn default() -> Self {
        Self {
            networks: Recent::new(NETWORKS),
            pairs: Recent::new(PAIRS),
            clients: Recent::new(CLIENTS),
        }
    }
}

impl Detector for RedirectProbing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Authorize { result, redirect_host, .. } = &event.kind else { return None };
        let client = event.who.client.as_ref().map(|client| client.as_str());
        let client = client.or(event.who.claimed_client.as_deref());
        let host = redirect_host.as_deref().filter(|host| host.len() <= LONGEST);
        let owner = self.clients.touch(&number(client));
        if result != "bad_redirect_uri" {
            // An unknown client has none, and who was refused before that was looked at shows none.
            if let Some(host) = host.filter(|_| matches!(result.as_str(), "ok" | "login_required"))
                && !owner.own.contains(&host.to_owned())
            {
                owner.own.push(event.ts, host.to_owned());
            }
            return None;
        }
        let network = network::of(event.ip?);
        let pair = number((client, redirect_host));
        let likeness =
            host.filter(|host| owner.is_imitated(host)).map(|host| number((client, host, "like")));
        self.pairs.touch(&pair).note(event.ts, network);
        let held = self.networks.touch(&network);
        held.tried.note(event.ts, pair);
        owner.networks.note(event.ts, network);
        owner.tried.note(event.ts, number(host.map(domain)));
        if let Some(likeness) = likeness {
            held.tried.note(event.ts, likeness);
            owner.tried.note(event.ts, likeness);
        }
        let everybodys = |pair: &u64| {
            let networks = self.pairs.peek(pair);
            networks.is_some_and(|held| held.within(event.ts, DAY).count() >= EVERYBODY)
        };
        let own = held.tried.within(event.ts, DAYS).filter(|(_, pair)| !everybodys(pair)).count();
        if own >= TRIED {
            owner.told.is_news(event.ts, 1);
            let is_news = held.told.is_news(event.ts, 1);
            let from = (source::actor(event), event.ip, source::shown(event));
            return is_news.then(|| sighting(from, own, redirect_host.as_ref()));
        }
        let all = owner.tried.within(event.ts, DAY).count();
        let networks = owner.networks.within(event.ts, DAY).count();
        if all < FROM_ALL || networks < PART {
            return None;
        }
        let is_part = held.tried.within(event.ts, DAY).count() >= PART;
        let is_news = if is_part { &mut held.told } else { &mut owner.told }.is_news(event.ts, 1);
        owner.told.is_news(event.ts, 1);
        let actor = "campaign:redirect".to_owned();
        let from = (actor, event.ip.filter(|_| is_part), "several networks".to_owned());
        is_news.then(|| sighting(from, all, redirect_host.as_ref()))
    }
}

// === impl Client ===

impl Client {
    /// Whether the host has one of the client's own in its name without being below it.
    fn is_imitated(&self, host: &str) -> bool {
        self.own.iter().any(|own| {
            own.contains('.')
                && host.contains(own.as_str())
                && host.strip_suffix(own.as_str()).is_none_or(|rest| !rest.ends_with('.'))
        })
    }
}

/// The last two names of a host: what one owner has, as far as that can be known without a list.
pub(super) fn domain(host: &str) -> &str {
    host.rmatch_indices('.').nth(1).map_or(host, |(at, _)| &host[at + 1..])
}

fn sighting(
    (actor, ip, from): (String, Option<IpAddr>, String),
    tried: usize,
    host: Option<&String>,
) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::RedirectProbing),
        actor,
        // The clients are who is probed.
        whom: Whom { ip, ..Whom::default() },
        summary: format!(
            "{from} tried {tried} pairs of client and redirect host that are not registered, names that look like \
             registered ones counted twice, and hardly anybody else tried them"
        ),
        facts: BTreeMap::from([
            ("tried", json!(tried)),
            ("thresholds", json!({ "network": TRIED, "everywhere": FROM_ALL })),
            ("redirect_host", json!(host)),
        ]),
    }
}
