//! Which findings belong together: those of one actor, and those of many networks that do the same at once.

use std::collections::VecDeque;
use std::time::Duration;

use token::time::Timestamp;

use crate::detector::Sighting;
use crate::sketch::recent::Recent;

/// An actor that was quiet for so long starts a new incident.
pub const INCIDENT_ENDS: Duration = Duration::from_secs(24 * 3600);
const ACTORS: usize = 20_000;
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
    /// The campaign that it is part of.
    pub campaign: Option<String>,
}

/// Groups findings.
pub struct Incidents {
    actors: Recent<String, Option<Incident>>,
    campaigns: Recent<&'static str, Networks>,
}

struct Incident {
    id: String,
    last: Timestamp,
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
        Self { actors: Recent::new(ACTORS), campaigns: Recent::new(DETECTORS) }
    }
}

impl Incidents {
    /// Where this belongs.
    pub fn place(&mut self, sighting: &Sighting, now: Timestamp) -> Place {
        let incident = self.incident(&sighting.actor, now);
        // Networks alone: people whom a detector finds at the same time have nothing in common by that.
        let network = sighting.actor.starts_with("ip:");
        let campaign = network.then(|| {
            let detector = sighting.kind.detector();
            self.campaigns.touch(&detector).place(detector, &sighting.actor, now)
        });
        Place { incident, campaign: campaign.flatten() }
    }

    /// Takes up an incident of an earlier run.
    pub fn resume(&mut self, id: &str, last: Timestamp) {
        if let Some((actor, _)) = id.rsplit_once('@') {
            *self.actors.touch(&actor.to_owned()) = Some(Incident { id: id.to_owned(), last });
        }
    }

    /// Named by the actor and the time of its first finding.
    fn incident(&mut self, actor: &String, now: Timestamp) -> String {
        let slot = self.actors.touch(actor);
        let id = match slot {
            Some(held) if now.since(held.last) < INCIDENT_ENDS => held.id.clone(),
            _ => format!("{actor}@{now}"),
        };
        *slot = Some(Incident { id: id.clone(), last: now });
        id
    }
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
