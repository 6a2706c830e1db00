//! Device codes started in one place and approved by many people in others (RFC 8628 §5.4).
//!
//! A television and a telephone are in one country; a server in a data centre is started by a few
//! people who sit together. Default: four people within three days approve codes that one network
//! started, from three different places that are all far from it and, where countries are known,
//! at least half of them in other countries. One is told alone where the client is known by ten people and hardly
//! any of them, one in ten, approves from another country than the device is in; carriers, VPNs and companies'
//! networks may stand anywhere and do not count. State: 20,000 codes of 200 bytes, 20,000 networks of
//! at most 1 kB, 5,000 clients of 150 bytes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind, NetworkKind};
use token::finding::Whom;
use token::id::{ClientId, SubjectId};

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source::{Source, number};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::distinct::Distinct;
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const CODES: usize = 20_000;
const NETWORKS: usize = 20_000;
const DAYS: Duration = Duration::from_secs(72 * 3600);
const PEOPLE: usize = 4;
const PLACES: usize = 3;
const CLIENTS: usize = 5_000;
/// People whose approvals show how a client is used.
const KNOWN: u32 = 10;
/// One of so many, and two in any case, may approve from abroad, and it is rare.
const RARE: u32 = 10;
const FEW: u32 = 2;

/// Codes approved elsewhere.
pub(super) struct DevicePhishing {
    codes: Recent<u64, Option<Started>>,
    networks: Recent<IpNet, Network>,
    clients: Recent<Option<ClientId>, Approvals>,
}

/// How people approve a client's devices.
#[derive(Default)]
struct Approvals {
    people: Distinct<2>,
    abroad: Distinct<1>,
}

#[derive(Clone, Copy)]
struct Started {
    source: Source,
    ip: IpAddr,
    country: Option<u64>,
    stands_still: bool,
}

#[derive(Default)]
struct Network {
    approved: Tally<Approval, 16>,
    told: Told,
}

/// One person's last approval; two are the same if the person is.
struct Approval {
    subject: SubjectId,
    source: Source,
    is_far: bool,
    is_abroad: Option<bool>,
}

impl PartialEq for Approval {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject
    }
}

impl Default for DevicePhishing {
    fn default() -> Self {
        Self {
            codes: Recent::new(CODES),
            networks: Recent::new(NETWORKS),
            clients: Recent::new(CLIENTS),
        }
    }
}

impl Detector for DevicePhishing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Device { step, code: Some(code) } = &event.kind else { return None };
        let (source, ip) = (Source::of(event)?, event.ip?);
        let country = event.origin.country.as_ref().map(number);
        let code = number(code);
        match step.as_str() {
            "started" => {
                *self.codes.touch(&code) =
                    Some(Started { source, ip, country, stands_still: stands_still(event) });
                return None;
            }
            "approved" => {}
            _ => return None,
        }
        let started = self.codes.peek(&code).copied().flatten()?;
        let approval = Approval {
            subject: event.who.subject.clone()?,
            source,
            is_far: source.is_far(&started.source),
            is_abroad: country.zip(started.country).map(|(here, there)| here != there),
        };
        let is_abroad = approval.is_far
            && approval.is_abroad == Some(true)
            && started.stands_still
            && stands_still(event);
        let person = number(approval.subject.as_str());
        let is_rare = self.clients.touch(&event.who.client).note(person, is_abroad);
        let held = self.networks.touch(&network::of(started.ip));
        held.approved.note(event.ts, approval);
        held.judge(event, started.ip)
            .or_else(|| (is_abroad && is_rare).then(|| held.one(event, started.ip)).flatten())
    }
}

/// Whether the network says in which country somebody is.
fn stands_still(event: &Event) -> bool {
    let net = event.origin.net;
    net.is_some_and(|net| {
        !matches!(net, NetworkKind::Business | NetworkKind::Mobile | NetworkKind::Vpn)
    })
}

// === impl Approvals ===

impl Approvals {
    /// Notes an approval; whether those from abroad are known to be rare.
    fn note(&mut self, person: u64, is_abroad: bool) -> bool {
        self.people.add(person);
        if is_abroad {
            self.abroad.add(person);
        }
        let people = self.people.count();
        people >= KNOWN && self.abroad.count() <= (people / RARE).max(FEW)
    }
}

// === impl Network ===

impl Network {
    /// One approval from a country in which the device is not.
    fn one(&mut self, event: &Event, started: IpAddr) -> Option<Sighting> {
        let subject = event.who.subject.as_ref()?;
        self.told.is_news(event.ts, 1).then(|| Sighting {
            kind: Kind::SignIn(SignIn::DevicePhishing),
            actor: network::actor(started),
            whom: Whom {
                subject: Some(subject.clone()),
                client: event.who.client.clone(),
                ip: Some(started),
                ..Whom::default()
            },
            summary: format!(
                "{subject} approved in another country a device code that {started} started, which people of \
                 this client hardly ever do: they may have been sent the code"
            ),
            facts: BTreeMap::from([("approved_from", json!(event.ip))]),
        })
    }

    fn judge(&mut self, event: &Event, started: IpAddr) -> Option<Sighting> {
        let far: Vec<&Approval> = self
            .approved
            .within(event.ts, DAYS)
            .map(|(_, approval)| approval)
            .filter(|approval| approval.is_far)
            .collect();
        let mut places: Vec<&Source> = Vec::new();
        for approval in &far {
            if places.iter().all(|place| place.is_far(&approval.source)) {
                places.push(&approval.source);
            }
        }
        let known = far.iter().filter(|approval| approval.is_abroad.is_some()).count();
        let abroad = far.iter().filter(|approval| approval.is_abroad == Some(true)).count();
        let all = self.approved.within(event.ts, DAYS).count();
        let (people, places) = (far.len(), places.len());
        let found = people >= PEOPLE
            && places >= PLACES
            && abroad * 2 >= known
            // Where people work, most approve from the same place.
            && people * 2 > all;
        if !found || !self.told.is_news(event.ts, 1) {
            return None;
        }
        let subjects: Vec<&SubjectId> = far.iter().map(|approval| &approval.subject).collect();
        Some(Sighting {
            kind: Kind::SignIn(SignIn::DevicePhishing),
            actor: network::actor(started),
            whom: Whom { client: event.who.client.clone(), ip: Some(started), ..Whom::default() },
            summary: format!(
                "{people} people in {places} places approved device codes that {started} started, \
                 far from all of them: they may have been sent the codes"
            ),
            facts: BTreeMap::from([
                ("people", json!(subjects)),
                ("places", json!(places)),
                ("abroad", json!(abroad)),
                ("thresholds", json!({ "people": PEOPLE, "places": PLACES })),
            ]),
        })
    }
}
