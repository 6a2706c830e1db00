//! Device codes started in one place and approved by many people in others (RFC 8628 §5.4).
//!
//! A television and a telephone are in one country; a server in a data centre is started by a few people who sit
//! together. Default: four people within three days approve codes that one network started, from three different
//! places that are all far from it and, where countries are known, at least half of them in other countries. One is
//! told alone where the device is started far from who approves it, in a data centre, behind a VPN, in another home or
//! country, by software that is not the client's: by another than that of three people whose devices were near or who
//! signed in on the device itself, and that fewer than two of these use; a bare HTTP library, where nobody knows what
//! kind of network it is. Such a library is told from any other network than the person's, however near; one for
//! scripts, in another country than where people approve it, before anything is known of the client; and there what
//! has a TLS fingerprint that none of these people has. Whoever approves on a company's network what a data centre of
//! the same country started works there. And where the client is known by ten people and hardly any of them, one in
//! ten, approves from another country than the device is in; or where six people are known and hardly any of them
//! approves from home what another home started. Carriers, VPNs and companies' networks may stand anywhere and do not
//! count there. State: 20,000 codes of 200 bytes, 20,000 networks of at most 1 kB, 5,000 clients of 700 bytes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind, NetworkKind};
use token::finding::Whom;
use token::id::{ClientId, SubjectId};
use token::term::GrantType;
use token::user_agent;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source::{self, Source, number};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::program;
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
const KNOWN_HOMES: u32 = 6;
/// One of so many, and two in any case, may approve from abroad, and it is rare.
const RARE: u32 = 10;
const FEW: u32 = 2;
/// Programs of which a client is known to have some, by so many people in all, and by so many each.
const PROGRAMS: usize = 8;
const USERS: u32 = 3;
const PROGRAM_USERS: u32 = 2;

/// Codes approved elsewhere.
pub(super) struct DevicePhishing {
    codes: Recent<u64, Option<Started>>,
    networks: Recent<IpNet, Network>,
    clients: Recent<Option<ClientId>, Approvals>,
    homes: Homes,
}

/// Who approves at home, whatever client.
#[derive(Default)]
struct Homes {
    people: Distinct<4>,
    /// What another home started.
    apart: Distinct<2>,
}

/// How people approve a client's devices, and what these are.
#[derive(Default)]
struct Approvals {
    people: Distinct<2>,
    abroad: Distinct<1>,
    /// Programs by the words of their names, and who uses them.
    programs: Vec<(u64, Distinct<1>)>,
    /// Their TLS fingerprints, in the same way.
    prints: Vec<(u64, Distinct<1>)>,
}

#[derive(Clone, Copy)]
struct Started {
    source: Source,
    ip: IpAddr,
    country: Option<u64>,
    net: Option<NetworkKind>,
    program: Option<u64>,
    print: Option<u64>,
    is_library: bool,
    /// A library for scripts: what is compiled may go without a name and be a vendor's all the same.
    is_script: bool,
}

/// How an approval belongs to the start.
#[derive(Clone, Copy)]
struct Distance {
    is_far: bool,
    /// Other countries, of networks that say where somebody is.
    is_abroad: bool,
    /// From one home to another.
    is_apart: bool,
    /// Any of these, or far and in a data centre or behind a VPN.
    is_remote: bool,
    /// Another network of the same protocol: those of one household cannot be compared otherwise.
    is_elsewhere: bool,
    /// From where people are to another country's machine.
    is_foreign: bool,
    /// From a company to a machine in a data centre of the same country, as who works on one does.
    is_work: bool,
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
            homes: Homes::default(),
        }
    }
}

impl Detector for DevicePhishing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let (step, code) = match &event.kind {
            EventKind::Device { step, code: Some(code) } => (step.as_str(), number(code)),
            // Who signs in on the device itself shows what the client's software is.
            EventKind::Grant { grant_type, result, .. }
                if result == "ok" && grant_type == GrantType::AuthorizationCode.as_str() =>
            {
                let (subject, program) = (event.who.subject.as_ref()?, source::family(event)?);
                let client = self.clients.touch(&event.who.client);
                note_user(&mut client.programs, program, number(subject.as_str()));
                return None;
            }
            _ => return None,
        };
        match step {
            "started" => {
                *self.codes.touch(&code) = Some(Started::of(event)?);
                return None;
            }
            "approved" => {}
            _ => return None,
        }
        let started = self.codes.peek(&code).copied().flatten()?;
        let source = Source::of(event)?;
        let distance = started.distance(event, &source);
        let country = event.origin.country.as_ref().map(number);
        let approval = Approval {
            subject: event.who.subject.clone()?,
            source,
            is_far: distance.is_far,
            is_abroad: country.zip(started.country).map(|(here, there)| here != there),
        };
        let person = number(approval.subject.as_str());
        let client = self.clients.touch(&event.who.client);
        let is_strange =
            self.homes.is_apart(person, distance) | client.note(person, &started, distance);
        let held = self.networks.touch(&network::of(started.ip));
        held.approved.note(event.ts, approval);
        held.judge(event, started.ip)
            .or_else(|| is_strange.then(|| held.one(event, &started)).flatten())
    }
}

// === impl Started ===

impl Started {
    fn of(event: &Event) -> Option<Self> {
        Some(Self {
            source: Source::of(event)?,
            ip: event.ip?,
            country: event.origin.country.as_ref().map(number),
            net: event.origin.net,
            program: source::family(event),
            print: event.origin.ja4.as_deref().and_then(program::library),
            is_library: source::is_library(event),
            is_script: source::is_library(event) && !is_compiled(event),
        })
    }

    fn distance(&self, event: &Event, here: &Source) -> Distance {
        let net = event.origin.net;
        let country = event.origin.country.as_ref().map(number);
        let is_other = country.zip(self.country).is_some_and(|(here, there)| here != there);
        let is_far = here.is_far(&self.source)
            || is_other
            || is_rented(self.net) && net.is_some() && !is_rented(net);
        let is_abroad = is_far && is_other && stands_still(self.net) && stands_still(net);
        let is_home = |net| net == Some(NetworkKind::Residential);
        let is_apart = is_far && is_home(self.net) && is_home(net);
        let is_remote =
            is_abroad || is_apart || is_far && (is_rented(self.net) || self.net.is_none());
        let (one, two) = (here.network, self.source.network);
        let is_elsewhere = one != two && one.addr().is_ipv4() == two.addr().is_ipv4();
        let is_here = country.zip(self.country).is_some_and(|(here, there)| here == there);
        let is_work =
            self.net == Some(NetworkKind::Hosting) && net == Some(NetworkKind::Business) && is_here;
        let is_person = matches!(net, None | Some(NetworkKind::Residential | NetworkKind::Mobile));
        let is_foreign = is_other && is_remote && is_person;
        Distance { is_far, is_abroad, is_apart, is_remote, is_elsewhere, is_foreign, is_work }
    }
}

/// Whether the library is of a language in which vendors write programs, and often give them no name.
fn is_compiled(event: &Event) -> bool {
    let family = event.ua.as_deref().and_then(user_agent::family);
    family.is_some_and(|family| family == "go-http-client")
}

/// Whether programs run there for people who are elsewhere.
fn is_rented(net: Option<NetworkKind>) -> bool {
    matches!(net, Some(NetworkKind::Hosting | NetworkKind::Tor | NetworkKind::Vpn))
}

/// Whether the network says in which country somebody is.
fn stands_still(net: Option<NetworkKind>) -> bool {
    net.is_some_and(|net| {
        !matches!(net, NetworkKind::Business | NetworkKind::Mobile | NetworkKind::Vpn)
    })
}

/// Who uses one of a few things, so long as there is room.
fn note_user(things: &mut Vec<(u64, Distinct<1>)>, thing: u64, person: u64) {
    if let Some((_, users)) = things.iter_mut().find(|(held, _)| *held == thing) {
        users.add(person);
    } else if things.len() < PROGRAMS {
        let mut users = Distinct::default();
        users.add(person);
        things.push((thing, users));
    }
}

/// Whether so many of so many people are few.
fn is_rare(people: u32, count: u32) -> bool {
    count <= (people / RARE).max(FEW)
}

// === impl Homes ===

impl Homes {
    /// Notes an approval; whether it is from one home to another, and people hardly ever do that.
    fn is_apart(&mut self, person: u64, distance: Distance) -> bool {
        self.people.add(person);
        if distance.is_apart {
            self.apart.add(person);
        }
        let people = self.people.count();
        distance.is_apart && people >= KNOWN_HOMES && is_rare(people, self.apart.count())
    }
}

// === impl Approvals ===

impl Approvals {
    /// Notes an approval; whether the client's people hardly ever do that, or not by that program.
    fn note(&mut self, person: u64, started: &Started, distance: Distance) -> bool {
        self.people.add(person);
        if distance.is_abroad {
            self.abroad.add(person);
        }
        let by_stranger = !distance.is_work
            && (distance.is_remote && self.is_strange(started)
                || distance.is_elsewhere && self.is_bare(started)
                || distance.is_foreign && started.is_script && !self.is_used(started)
                || distance.is_foreign && self.is_disguised(started));
        if !by_stranger {
            for (held, used) in
                [(&mut self.programs, started.program), (&mut self.prints, started.print)]
            {
                if let Some(used) = used {
                    note_user(held, used, person);
                }
            }
        }
        let people = self.people.count();
        by_stranger || distance.is_abroad && people >= KNOWN && is_rare(people, self.abroad.count())
    }

    /// Whether the software is not the client's, as far as that can be known.
    fn is_strange(&self, started: &Started) -> bool {
        started.program.is_some()
            && !self.is_used(started)
            && self.has_software()
            && (started.net.is_some() || started.is_library)
    }

    /// Whether its TLS fingerprint is nobody's yet, though people's are known.
    fn is_disguised(&self, started: &Started) -> bool {
        let users = |(_, users): &(u64, Distinct<1>)| users.count();
        let are_known =
            self.prints.len() < PROGRAMS && self.prints.iter().map(users).sum::<u32>() >= USERS;
        let is_held = |print| self.prints.iter().any(|(held, _)| *held == print);
        started.print.is_some_and(|print| are_known && !is_held(print))
    }

    /// Whether several people use the program.
    fn is_used(&self, started: &Started) -> bool {
        let own = self.programs.iter().find(|(held, _)| started.program == Some(*held));
        own.is_some_and(|(_, users)| users.count() >= PROGRAM_USERS)
    }

    /// Whether it is a program without a name, though the client's has one.
    fn is_bare(&self, started: &Started) -> bool {
        started.is_library && self.is_strange(started)
    }

    /// Whether it is known what software the client is.
    fn has_software(&self) -> bool {
        self.programs.iter().map(|(_, users)| users.count()).sum::<u32>() >= USERS
    }
}

// === impl Network ===

impl Network {
    /// One approval of a device that is not where the person is.
    fn one(&mut self, event: &Event, started: &Started) -> Option<Sighting> {
        let (subject, started) = (event.who.subject.as_ref()?, started.ip);
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
                "{subject} approved elsewhere a device code that {started} started, which people of this client \
                 hardly ever do, or not by such software: they may have been sent the code"
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
