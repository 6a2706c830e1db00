//! Bursts of forged tokens: no signature, a foreign key, key confusion, tricks with `kid`.
//!
//! Certain: each of these claims our issuer and was not signed by us. Counted by network (an IPv4 address or IPv6
//! /64), because names inside a forgery are anybody's; by claimed client only to see a campaign, which harms nobody.
//! Defaults and their reason: three tokens that no honest program makes (`alg: none`, key confusion, `kid` tricks,
//! embedded keys) are a burst, and the first one is told, though nothing is done about it, since nobody sends one by
//! accident; a wrong signature may be one truncated token, so five. An unknown key may be a relic of an earlier
//! installation that a program keeps sending: five different tokens are a burst, five times the same one is only
//! remembered. Whoever takes time is counted as well: three forgeries without an honest cause within a day, or five
//! different tokens with a wrong signature within an hour; ten of any kind within a day are remembered like a relic,
//! whatever is in them. A campaign that takes time names its networks: five forgeries without an honest cause within
//! an hour in one client's name, from three networks; a wrong signature has none where nobody is let in. Where nobody
//! is let in there is no honest program whose tokens are cut off on the way: from there two different tokens with a
//! wrong signature within a day are told, or three of an unknown key; of nameless ones different routes count. Nothing
//! is done about these either. From several of these together, one client's name in all of them, five different tokens
//! of three networks within four hours are a campaign; of an unknown key two more than networks, since what relics
//! send is one token each. State: 20,000 networks and 5,000 clients, and 256 KiB for the networks where somebody was
//! let in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::{Value, json};
use token::event::{Event, EventKind, Request};
use token::finding::Whom;
use token::reason::{Forgery, Refused};
use token::time::Timestamp;

use crate::detector::{Kind, Names, Record, RecordDetector, Sighting, network};
use crate::sketch::hash;
use crate::sketch::lately::Lately;
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NETWORKS: usize = 20_000;
const CLIENTS: usize = 5_000;
/// The length of a burst.
const WINDOW: Duration = Duration::from_secs(60);
/// How many forgeries that have no honest cause make a burst.
const DELIBERATE: usize = 3;
/// How many that might have one.
const DOUBTFUL: usize = 5;
/// How long forgeries without an honest cause are remembered, and wrong signatures.
const SLOW: Duration = Duration::from_secs(24 * 3600);
const SLOW_DOUBTFUL: Duration = Duration::from_secs(3600);
/// How many within a day are remembered, even if they are one token that is sent again.
const PERSISTENT: usize = 10;
/// How many different tokens are told where nobody is let in: with a wrong signature, and of an unknown key.
const STRANGE: [usize; 2] = [2, 3];
/// How long such tokens of several networks are remembered, and how many more than networks those of an unknown key are.
const STRANGE_WINDOW: Duration = Duration::from_secs(4 * 3600);
const RELICS: usize = 2;
/// From how many networks forgeries in one name are a campaign.
const CAMPAIGN: usize = 3;
/// Forgeries remembered for a key: more change nothing.
const HELD: usize = 32;

/// Bursts of forged tokens.
pub struct ForgedToken {
    networks: Recent<IpNet, (Burst, Patience)>,
    clients: Recent<String, (Burst, Spread)>,
    /// Where somebody was let in.
    homes: Lately,
}

/// Forgeries without an honest cause in one client's name, slowly and from many networks.
#[derive(Default)]
struct Spread {
    from: Tally<IpNet, HELD>,
    named: Tally<IpNet, HELD>,
    /// Different tokens that may have a cause, from where nobody is let in.
    strange: Tally<(IpNet, u64), HELD>,
}

/// Different forgeries of one network that come slowly.
#[derive(Default)]
struct Patience {
    deliberate: Tally<u64, DELIBERATE>,
    unsigned: Tally<u64, DOUBTFUL>,
    all: Tally<(), PERSISTENT>,
    /// Wrong signatures and unknown keys of a network where nobody is let in.
    strange: [Tally<u64, 3>; 2],
    told: Told,
    first: Told,
}

/// Forgeries of one key within the window.
#[derive(Default)]
struct Burst {
    seen: VecDeque<Seen>,
    last_sighting: Option<Timestamp>,
}

struct Seen {
    ts: Timestamp,
    forgery: Forgery,
    token: Option<String>,
    network: IpNet,
}

impl Default for ForgedToken {
    fn default() -> Self {
        Self {
            networks: Recent::new(NETWORKS),
            clients: Recent::new(CLIENTS),
            homes: Lately::default(),
        }
    }
}

impl RecordDetector for ForgedToken {
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        _record: &mut Record<'_>,
    ) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        let (ip, network) = (event.ip?, names.prefix?);
        if request.refused.is_none() && names.token.is_some() {
            self.homes.note(names.network?);
        }
        let Some(Refused::Forged(forgery)) = request.refused else { return None };
        let seen =
            || Seen { ts: event.ts, forgery, token: event.who.claimed_token.clone(), network };
        let (burst, patience) = self.networks.touch(&network);
        burst.add(seen());
        let slow = patience.count(event, forgery);
        let fast = burst.judge(event.ts).map(|kind| burst.sighting(kind, event, ip));
        let is_news = (fast.is_some() || slow.is_some()) && patience.told.is_news(event.ts, 1);
        let is_strange = names.network.is_some_and(|network| !self.homes.holds(network));
        let by_network = fast
            .or_else(|| slow.filter(|_| is_news).map(|count| slowly(count, forgery, ip)))
            .or_else(|| patience.stranger(event, request, forgery).filter(|_| is_strange))
            .or_else(|| patience.less(event, forgery, ip));
        let by_client = event.who.claimed_client.as_ref().and_then(|client| {
            let (burst, spread) = self.clients.touch(client);
            burst.add(seen());
            let is_sure = is_strange || is_deliberate(forgery);
            let fast = burst.campaign(event.ts).then(|| burst.named(client, event, is_sure));
            let slow = spread.judge(event.ts, network, forgery, is_strange);
            let slow = slow.or_else(|| {
                let token = event.who.claimed_token.as_deref().filter(|_| is_strange)?;
                spread.judge_strange(event.ts, (network, hash::text(token)), forgery)
            });
            let slow = slow.filter(|_| by_network.is_none());
            if slow.is_some() {
                spread.named.note(event.ts, network);
            }
            fast.or_else(|| slow.map(|count| spread_out(count, client, ip)))
        });
        by_network.or(by_client)
    }
}

// === impl Patience ===

impl Patience {
    /// How many there are, when these are enough.
    fn count(&mut self, event: &Event, forgery: Forgery) -> Option<usize> {
        let named = event.who.claimed_token.as_deref().map(hash::text);
        let (held, limit) = if is_deliberate(forgery) {
            // The same text twice is still forged twice.
            self.deliberate.push(event.ts, named.unwrap_or(0));
            (self.deliberate.within(event.ts, SLOW).count(), DELIBERATE)
        } else if let (Forgery::BadSignature, Some(name)) = (forgery, named) {
            self.unsigned.note(event.ts, name);
            (self.unsigned.within(event.ts, SLOW_DOUBTFUL).count(), DOUBTFUL)
        } else {
            return None;
        };
        (held >= limit).then_some(held)
    }

    /// What is told of a network where nobody is let in.
    fn stranger(&mut self, event: &Event, request: &Request, forgery: Forgery) -> Option<Sighting> {
        let kind = match forgery {
            Forgery::BadSignature => 0,
            Forgery::UnknownKey => 1,
            _ => return None,
        };
        let named = event.who.claimed_token.as_deref().or(request.route.as_deref());
        let (seen, enough) = self.strange.get_mut(kind).zip(STRANGE.get(kind))?;
        seen.note(event.ts, named.map_or(0, hash::text));
        let count = seen.within(event.ts, SLOW).count();
        let is_told = self.told.is_open(event.ts) || count < *enough;
        (!is_told && self.first.is_news(event.ts, 1))
            .then_some(from_nowhere(count, forgery, event.ip?))
    }

    /// What is told and no more: the first that no honest program makes, and many of a network that
    /// was not told for worse.
    fn less(&mut self, event: &Event, forgery: Forgery, ip: IpAddr) -> Option<Sighting> {
        self.all.push(event.ts, ());
        let all = self.all.within(event.ts, SLOW).count();
        if self.told.is_open(event.ts) {
            return None;
        }
        if is_deliberate(forgery) {
            return self.first.is_news(event.ts, 1).then(|| once(forgery, ip));
        }
        (all >= PERSISTENT && self.told.is_news(event.ts, 1)).then(|| again(all, forgery, ip))
    }
}

// === impl Spread ===

impl Spread {
    /// Forgeries and networks, when they are a campaign that this network was not told of yet.
    fn judge(
        &mut self,
        now: Timestamp,
        network: IpNet,
        forgery: Forgery,
        is_strange: bool,
    ) -> Option<[usize; 2]> {
        let is_unsigned = forgery == Forgery::BadSignature && is_strange;
        if !is_deliberate(forgery) && !is_unsigned {
            return None;
        }
        self.from.push(now, network);
        let lately = || self.from.within(now, SLOW_DOUBTFUL).map(|(_, network)| *network);
        let (count, networks) = (lately().count(), lately().collect::<BTreeSet<_>>().len());
        let is_named = self.named.within(now, SLOW).any(|(_, named)| *named == network);
        if count < DOUBTFUL || networks < CAMPAIGN || is_named {
            return None;
        }
        Some([count, networks])
    }

    /// The same of different tokens that may have a cause, from where nobody is let in. What relics of an earlier
    /// installation send is one token each.
    fn judge_strange(
        &mut self,
        now: Timestamp,
        (network, token): (IpNet, u64),
        forgery: Forgery,
    ) -> Option<[usize; 2]> {
        let relics = match forgery {
            Forgery::BadSignature => 0,
            Forgery::UnknownKey => RELICS,
            _ => return None,
        };
        self.strange.note(now, (network, token));
        let lately = || self.strange.within(now, STRANGE_WINDOW).map(|(_, held)| *held);
        let networks = lately().map(|held| held.0).collect::<BTreeSet<_>>().len();
        let tokens = lately().map(|held| held.1).collect::<BTreeSet<_>>().len();
        let is_named = self.named.within(now, SLOW).any(|(_, named)| *named == network);
        let is_campaign = networks >= CAMPAIGN && tokens >= DOUBTFUL.max(networks + relics);
        (is_campaign && !is_named).then_some([tokens, networks])
    }
}

fn spread_out([count, networks]: [usize; 2], client: &str, ip: IpAddr) -> Sighting {
    Sighting {
        kind: Kind::ForgedTokenCampaign,
        actor: format!("claimed_client:{client}"),
        whom: Whom { ip: Some(ip), ..Whom::default() },
        summary: format!(
            "{count} forged tokens claim the client \
             `{client}`, from {networks} networks, {ip} among them; the client itself did nothing"
        ),
        facts: BTreeMap::from([
            ("count", json!(count)),
            ("claimed_client", json!(client)),
            ("networks", json!(networks)),
            ("networks_threshold", json!(CAMPAIGN)),
        ]),
    }
}

/// What is told of one network.
fn of_network(
    kind: Kind,
    ip: IpAddr,
    summary: String,
    facts: BTreeMap<&'static str, Value>,
) -> Sighting {
    let whom = Whom { ip: Some(ip), ..Whom::default() };
    Sighting { kind, actor: network::actor(ip), whom, summary, facts }
}

fn once(forgery: Forgery, ip: IpAddr) -> Sighting {
    let summary =
        format!("a forged token from {ip}, {}: no honest program makes one", forgery.code());
    let facts = BTreeMap::from([("count", json!(1)), ("threshold_deliberate", json!(DELIBERATE))]);
    of_network(Kind::ForgedTokenOnce, ip, summary, facts)
}

fn from_nowhere(count: usize, forgery: Forgery, ip: IpAddr) -> Sighting {
    let summary = format!(
        "{count} different tokens that we did not sign within 24 h from {ip}, lately {}, and nobody is let in \
             from there",
        forgery.code()
    );
    let facts = BTreeMap::from([
        ("count", json!(count)),
        ("window_seconds", json!(SLOW.as_secs())),
        ("threshold", json!(STRANGE)),
    ]);
    of_network(Kind::ForgedTokenOnce, ip, summary, facts)
}

fn again(count: usize, forgery: Forgery, ip: IpAddr) -> Sighting {
    let summary = format!(
        "at least {count} tokens that we did not sign within 24 h from {ip}, lately {}: guesses, or \
             one broken token again and again",
        forgery.code()
    );
    let facts = BTreeMap::from([
        ("count", json!(count)),
        ("window_seconds", json!(SLOW.as_secs())),
        ("threshold", json!(PERSISTENT)),
    ]);
    of_network(Kind::ForgedTokenRelic, ip, summary, facts)
}

fn slowly(count: usize, forgery: Forgery, ip: IpAddr) -> Sighting {
    let (hours, what) = if is_deliberate(forgery) {
        (24, "forged tokens without an honest cause")
    } else {
        (1, "different tokens with a wrong signature")
    };
    let summary = format!(
        "{count} {what} within {hours} h from {ip}, lately {}: slowly, but on purpose",
        forgery.code()
    );
    let facts = BTreeMap::from([
        ("count", json!(count)),
        ("window_seconds", json!(hours * 3600)),
        ("threshold_deliberate", json!(DELIBERATE)),
        ("threshold_doubtful", json!(DOUBTFUL)),
    ]);
    of_network(Kind::ForgedToken, ip, summary, facts)
}

// === impl Burst ===

impl Burst {
    fn add(&mut self, seen: Seen) {
        let start = seen.ts.minus(WINDOW);
        self.seen.push_back(seen);
        while self.seen.len() > HELD || self.seen.front().is_some_and(|first| first.ts < start) {
            self.seen.pop_front();
        }
    }

    /// What the burst is by now, at most one sighting a window.
    fn judge(&mut self, now: Timestamp) -> Option<Kind> {
        if self.last_sighting.is_some_and(|last| now.since(last) < WINDOW) {
            return None;
        }
        let deliberate = self.seen.iter().filter(|seen| is_deliberate(seen.forgery)).count();
        let count = |wanted| self.seen.iter().filter(|seen| seen.forgery == wanted).count();
        let (unsigned, strange) = (count(Forgery::BadSignature), count(Forgery::UnknownKey));
        let kind =
            if deliberate >= DELIBERATE || deliberate + unsigned + self.different() >= DOUBTFUL {
                Kind::ForgedToken
            } else if deliberate + unsigned + strange >= DOUBTFUL {
                Kind::ForgedTokenRelic
            } else {
                return None;
            };
        self.last_sighting = Some(now);
        Some(kind)
    }

    /// Different tokens among those of an unknown key; nameless ones all count.
    fn different(&self) -> usize {
        let strange = || self.seen.iter().filter(|seen| seen.forgery == Forgery::UnknownKey);
        let named: BTreeSet<&String> = strange().filter_map(|seen| seen.token.as_ref()).collect();
        named.len() + strange().filter(|seen| seen.token.is_none()).count()
    }

    fn campaign(&mut self, now: Timestamp) -> bool {
        let quiet = self.last_sighting.is_some_and(|last| now.since(last) < WINDOW);
        let networks: BTreeSet<IpNet> = self.seen.iter().map(|seen| seen.network).collect();
        if quiet || networks.len() < CAMPAIGN || self.seen.len() < DOUBTFUL {
            return false;
        }
        self.last_sighting = Some(now);
        true
    }

    fn sighting(&self, kind: Kind, event: &Event, ip: IpAddr) -> Sighting {
        let wanted = if kind == Kind::ForgedToken {
            "no honest cause"
        } else {
            "one token, perhaps a relic of another installation"
        };
        let summary = format!(
            "{} forged tokens within {} s from {ip} ({}): {wanted}",
            self.seen.len(),
            WINDOW.as_secs(),
            self.kinds().join(", ")
        );
        of_network(kind, ip, summary, self.facts(event))
    }

    fn named(&self, client: &str, event: &Event, is_sure: bool) -> Sighting {
        let networks: BTreeSet<IpNet> = self.seen.iter().map(|seen| seen.network).collect();
        let mut facts = self.facts(event);
        facts.insert("claimed_client", json!(client));
        facts.insert("networks", json!(networks.len()));
        facts.insert("networks_threshold", json!(CAMPAIGN));
        Sighting {
            kind: Kind::ForgedTokenCampaign,
            actor: format!("claimed_client:{client}"),
            // Whoever sends one that no honest program makes belongs to it, and so does who is let in nowhere; a
            // cut-off token may be anybody's.
            whom: Whom { ip: event.ip.filter(|_| is_sure), ..Whom::default() },
            summary: format!(
                "{} forged tokens within {} s claim the client `{client}`, from {} networks; the client itself did nothing",
                self.seen.len(),
                WINDOW.as_secs(),
                networks.len()
            ),
            facts,
        }
    }

    fn facts(&self, event: &Event) -> BTreeMap<&'static str, Value> {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for seen in &self.seen {
            *kinds.entry(seen.forgery.code()).or_default() += 1;
        }
        let mut facts = BTreeMap::from([
            ("count", json!(self.seen.len())),
            ("window_seconds", json!(WINDOW.as_secs())),
            ("threshold_deliberate", json!(DELIBERATE)),
            ("threshold_doubtful", json!(DOUBTFUL)),
            ("kinds", json!(kinds)),
        ]);
        if let Some(first) = self.seen.front() {
            facts.insert("first_at", json!(first.ts));
        }
        if let Some(ua) = &event.ua {
            facts.insert("ua", json!(ua));
        }
        facts
    }

    fn kinds(&self) -> Vec<&'static str> {
        let kinds: BTreeSet<&str> = self.seen.iter().map(|seen| seen.forgery.code()).collect();
        kinds.into_iter().map(|code| code.trim_start_matches("forged:")).collect()
    }
}

fn is_deliberate(forgery: Forgery) -> bool {
    match forgery {
        Forgery::AlgNone
        | Forgery::Crit
        | Forgery::Jku
        | Forgery::Jwk
        | Forgery::KeyConfusion
        | Forgery::Kid => true,
        Forgery::BadSignature | Forgery::UnknownKey => false,
    }
}
