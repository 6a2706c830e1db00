//! Which findings belong together: those of one actor, and those of many networks that do the same at once.
//!
//! An attack shows itself to several detectors under several names: a network that tries passwords, a session that
//! comes of it, a person whose things are taken. So a finding joins the incident of its actor, or of any name that
//! it concerns: subject, session, grant, token, or the network where the stranger is. Addresses of carriers, VPNs
//! and Tor are many people's and join nothing but findings about themselves. A finding about a person's habit names
//! no network; it joins that of the network where it happened, and the other way round, only within an hour and only
//! where nothing better is known. A client is everybody who uses it and joins nothing but findings about itself.
//! Where a finding belongs to two incidents they are one from then on, named after the one that began first, and
//! the finding says so. State: 50,000 names of about 200 bytes.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use token::event::{Event, NetworkKind};
use token::time::Timestamp;

use crate::detector::{Kind, Sighting, actor_of};
use crate::sketch::recent::Recent;

/// An actor that was quiet for so long starts a new incident.
pub const INCIDENT_ENDS: Duration = Duration::from_secs(24 * 3600);
/// How long what happened at a network and what is said of the network are taken for the same.
const BESIDE: Duration = Duration::from_secs(3600);
const NAMES: usize = 50_000;
/// So many networks, found by one detector within this time, are a campaign; it ends when no new finding
/// comes for as long.
const CAMPAIGN_NETWORKS: usize = 5;
const CAMPAIGN_WINDOW: Duration = Duration::from_secs(3600);
const DETECTORS: usize = 100;
/// More networks of a campaign are not told apart.
const NETWORKS: usize = 1_000;

/// Where a finding belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The incident of its actor.
    pub incident: String,
    /// Incidents that turned out to be parts of that one.
    pub joins: Vec<String>,
    /// The campaign that it is part of.
    pub campaign: Option<String>,
}

/// Groups findings.
pub struct Incidents {
    /// By name, such as `subject:alice` or `ip:192.0.2.1`.
    names: Recent<String, Option<Incident>>,
    /// Incidents that are parts of older ones.
    joined: Recent<String, Option<Incident>>,
    campaigns: Recent<&'static str, Networks>,
}

/// An incident as one name knows it.
#[derive(Clone)]
struct Incident {
    began: Timestamp,
    id: String,
    last: Timestamp,
}

/// The names of one sighting.
struct Names {
    /// Each says by itself whose sighting it is.
    own: BTreeSet<String>,
    /// Says it only within an hour: looked up, and left for others.
    beside: Option<String>,
    trace: Option<String>,
}

/// The networks that a detector found lately, each once.
#[derive(Default)]
struct Networks {
    seen: VecDeque<(Timestamp, String)>,
    campaign: Option<(String, Timestamp)>,
}

/// When a campaign began: its name says so.
pub(crate) fn since(campaign: Option<&str>) -> Option<Timestamp> {
    let (_, since) = campaign?.rsplit_once('@')?;
    Timestamp::parse(since).ok()
}

// === impl Incidents ===

impl Default for Incidents {
    fn default() -> Self {
        Self {
            names: Recent::new(NAMES),
            joined: Recent::new(NAMES),
            campaigns: Recent::new(DETECTORS),
        }
    }
}

impl Incidents {
    /// Where what is seen in this event belongs.
    pub fn place(&mut self, sighting: &Sighting, event: &Event) -> Place {
        let now = event.ts;
        let (incident, joins) = self.incident(sighting, event);
        // Networks alone: people whom a detector finds at the same time have nothing in common by that.
        let network = sighting.actor.starts_with("ip:");
        let campaign = network.then(|| {
            let detector = sighting.kind.detector();
            self.campaigns.touch(&detector).place(detector, &sighting.actor, now)
        });
        Place { incident, joins, campaign: campaign.flatten() }
    }

    /// Takes up an incident of an earlier run.
    pub fn resume(&mut self, id: &str, last: Timestamp) {
        if let Some((actor, began)) = id.rsplit_once('@')
            && let Ok(began) = Timestamp::parse(began)
        {
            let incident = Incident { began, id: id.to_owned(), last };
            *self.names.touch(&actor.to_owned()) = Some(incident);
        }
    }

    /// Named by the actor and the time of its first finding.
    fn incident(&mut self, sighting: &Sighting, event: &Event) -> (String, Vec<String>) {
        let now = event.ts;
        let names = Names::of(sighting, event);
        let mut held: Vec<Incident> =
            names.own.iter().filter_map(|name| self.held(name, now, INCIDENT_ENDS)).collect();
        if held.is_empty() {
            held.extend(names.beside.iter().filter_map(|name| self.held(name, now, BESIDE)));
        }
        held.sort_by(|one, two| (one.began, &one.id).cmp(&(two.began, &two.id)));
        held.dedup_by(|one, two| one.id == two.id);
        let mut held = held.into_iter();
        let mut incident = held.next().unwrap_or_else(|| Incident {
            began: now,
            id: format!("{}@{now}", sighting.actor),
            last: now,
        });
        incident.last = now;
        let joins: Vec<String> = held.map(|newer| newer.id).collect();
        for newer in &joins {
            *self.joined.touch(newer) = Some(incident.clone());
        }
        for name in names.own.iter().chain(&names.trace) {
            *self.names.touch(name) = Some(incident.clone());
        }
        (incident.id, joins)
    }

    /// The incident that a name belongs to, if that was lately.
    fn held(&self, name: &String, now: Timestamp, lately: Duration) -> Option<Incident> {
        let mut incident =
            self.names.peek(name)?.as_ref().filter(|it| now.since(it.last) < lately)?;
        // Each is part of an older one, so this ends.
        while let Some(Some(older)) = self.joined.peek(&incident.id) {
            incident = older;
        }
        Some(incident.clone())
    }
}

// === impl Names ===

impl Names {
    fn of(sighting: &Sighting, event: &Event) -> Self {
        let whom = &sighting.whom;
        let is_machine = matches!((&whom.subject, &whom.client), (Some(subject), Some(client))
            if subject.as_str() == client.as_str());
        let subject = whom.subject.as_ref().map(|subject| {
            let kind = if is_machine { "client" } else { "subject" };
            format!("{kind}:{subject}")
        });
        let named = [
            subject,
            whom.session.as_ref().map(|session| format!("session:{session}")),
            whom.grant.as_ref().map(|grant| format!("grant:{grant}")),
            // Bait that is out comes from strangers to each other.
            whom.token
                .as_ref()
                .filter(|_| sighting.kind != Kind::Honeytoken)
                .map(|token| format!("token:{token}")),
        ];
        let mut own: BTreeSet<String> = named.into_iter().flatten().collect();
        own.insert(sighting.actor.clone());
        let at = event.ip.filter(|_| !is_shared(event)).map(actor_of);
        // Of another address than the event's it is not known whose it is.
        let place = whom.ip.map(actor_of);
        own.extend(place.filter(|place| at.as_ref() == Some(place) || !is_here(place, event)));
        let beside = |kind: &str, ip: IpAddr| format!("{kind} {}", actor_of(ip));
        let is_network = sighting.actor.starts_with("ip:");
        let ip = event.ip.filter(|_| !is_shared(event) && (is_network || whom.ip.is_none()));
        let (beside, trace) = match ip {
            Some(ip) if is_network => (Some(beside("at", ip)), Some(beside("by", ip))),
            Some(ip) => (Some(beside("by", ip)), Some(beside("at", ip))),
            None => (None, None),
        };
        Self { own, beside, trace }
    }
}

fn is_here(place: &String, event: &Event) -> bool {
    event.ip.map(actor_of).as_ref() == Some(place)
}

/// Whether strangers to each other come by this address.
fn is_shared(event: &Event) -> bool {
    matches!(event.origin.net, Some(NetworkKind::Mobile | NetworkKind::Tor | NetworkKind::Vpn))
}

// === impl Networks ===

impl Networks {
    fn place(&mut self, detector: &str, actor: &str, now: Timestamp) -> Option<String> {
        let start = now.minus(CAMPAIGN_WINDOW);
        if self.campaign.as_ref().is_some_and(|(_, last)| *last <= start) {
            self.campaign = None;
        }
        self.seen.retain(|(at, other)| *at > start && other != actor);
        if self.seen.len() >= NETWORKS {
            self.seen.pop_front();
        }
        self.seen.push_back((now, actor.to_owned()));
        if self.campaign.is_none() && self.seen.len() >= CAMPAIGN_NETWORKS {
            let since = self.seen.front().map_or(now, |(at, _)| *at);
            self.campaign = Some((format!("campaign:{detector}@{since}"), now));
        }
        let (campaign, last) = self.campaign.as_mut()?;
        *last = now;
        Some(campaign.clone())
    }
}

#[cfg(test)]
mod tests;
