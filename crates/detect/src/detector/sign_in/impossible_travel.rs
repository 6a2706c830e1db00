//! One person in two places, faster than any airliner.
//!
//! Compared are requests with those of the same software, and what is done by hand: sign-ins, changes by browsers, and
//! all that telephones do, which are where their owners are. A computer left on at home goes on reading while its
//! owner is abroad; but where a browser was used within the last hour, nobody signs in in another country with
//! software that is new to them, if they did not sit behind a gateway and do not go to a company's network. The place
//! of an address is known to about 100 km, so 200 km are given away, and nothing nearer than 500 km counts. Without
//! latitude and longitude an address may be anywhere in its country ([`Place`]), so that only countries far from each
//! other count. Above 1,000 km/h, which no airliner flies from door to door; after five hours, of which nobody knows
//! how many were in the air, up to 1,600 only with software that is new to the person. Addresses of hosting, VPNs and
//! Tor say nothing of where a person is, those of mobile carriers in which country the telephone is or is at home, so
//! that they are compared only with other countries and with software that is new to the person; where the kind of
//! network is not known, it may be a VPN or a carrier, so that the software has to be new to the person as well, and
//! the country another. Within one country the place of an address is often that of its carrier, so that only software
//! counts that is new to the person. Personal tokens and API keys do not count: programs hold them. After a day in
//! which a place was used it is one of this person's; after an hour, while little is known of them.
//!
//! Nor does anybody sign in with software that is new to them through a carrier of a country where they were not seen
//! within an hour of being elsewhere, or within a quarter of one through a data centre there, unless somebody else
//! signed in from that address: a traveller's telephone keeps its own carrier.
//!
//! A company may have its gateway on another continent, and its people's telephones are at home the moment they leave
//! its Wi-Fi. So whoever comes to or from a network that is known for a company's, with software that is not strange,
//! or keeps the software and comes to or from a gateway ([`Gateways`]), has not travelled; and a pair of places
//! between which somebody was told to go is told again only with other software, or after a month without: people who
//! go to and fro have a habit. State: 100,000 persons of about 750 bytes, 4,096 User-Agents of 16, and 24 for each of
//! 4,096 such addresses.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind, NetworkKind};
use token::id::SubjectId;
use token::time::Timestamp;
use token::user_agent;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::gateway::Gateways;
use crate::detector::sign_in::known::Known;
use crate::detector::sign_in::place::Place;
use crate::detector::sign_in::source;
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::memo::Memo;
use crate::sketch::table::Table;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const PERSONS: usize = 100_000;
const EXITS: usize = 4_096;
/// In km/h.
const AIRLINER: f64 = 1_000.0;
const LONG_FLIGHT: f64 = 1_600.0;
/// In hours.
const LONG: f64 = 5.0;
/// In km.
const NEAR: f64 = 500.0;
const INACCURATE: f64 = 200.0;
const SLOTS: usize = 4;
/// Whoever used a browser in the last hour sits at it.
const MOMENT: Duration = Duration::from_secs(3600);
/// Whoever used anything so lately is there.
const AT_ONCE: Duration = Duration::from_secs(900);
/// Beyond this any two places can be reached.
const ANYWHERE: Duration = Duration::from_secs(24 * 3600);
/// So long a pair of places is remembered.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// Persons in two places.
pub(super) struct ImpossibleTravel {
    persons: Table<Person>,
    gateways: Gateways,
    /// Who signs in through a carrier's or a data centre's network.
    exits: Table<Distinct<1>>,
    /// Whether a User-Agent is a telephone's.
    telephones: Memo<bool>,
}

#[derive(Default)]
struct Person {
    /// The newest last.
    seen: Vec<Seen>,
    /// A carrier's network, when that was used last.
    carrier: Option<Seen>,
    places: Known<6>,
    software: Known<4>,
    told: Told,
    /// Pairs of places that were told.
    pairs: Tally<u64, 4>,
}

#[derive(Clone, Copy)]
struct Seen {
    /// The software; `None` for what is done by hand.
    by: Option<u64>,
    /// The software without its version.
    family: Option<u64>,
    network: IpNet,
    country: Option<NonZeroU64>,
    is_office: bool,
    is_browser: bool,
    place: Place,
    ts: Timestamp,
}

impl Default for ImpossibleTravel {
    fn default() -> Self {
        Self {
            persons: Table::new(PERSONS),
            gateways: Gateways::default(),
            exits: Table::new(EXITS),
            telephones: Memo::default(),
        }
    }
}

impl RecordDetector for ImpossibleTravel {
    fn observe(&mut self, event: &Event, names: &Names, _: &mut Record<'_>) -> Option<Sighting> {
        let means = Means::of(event, names, &mut self.telephones)?;
        let subject = event.who.subject.as_ref().filter(|_| !source::is_machine(event, names))?;
        let (origin, net) = (&event.origin, source::net(event));
        let says_nothing =
            matches!(net, Some(NetworkKind::Hosting | NetworkKind::Tor | NetworkKind::Vpn));
        let is_carrier = net == Some(NetworkKind::Mobile);
        let is_exit = means.is_sign_in && (is_carrier || net == Some(NetworkKind::Hosting));
        if says_nothing && !is_exit || is_carrier && !means.is_by_hand {
            return None;
        }
        let (place, network, number) = (Place::of(origin)?, names.prefix?, names.subject?);
        let family = source::family(event);
        let person = self.persons.touch(number, source::seconds(event));
        let software = Software::note(person, event.ts, family);
        let seen = Seen {
            by: None,
            family,
            network,
            country: origin.country.as_ref().map(|it| source::packed(source::number(it))),
            is_office: net == Some(NetworkKind::Business),
            is_browser: source::is_browser(event),
            place,
            ts: event.ts,
        };
        if is_exit {
            let people = self.exits.touch(hash::of(network), source::seconds(event));
            people.add(number);
            let is_shared = people.count() > 1;
            let left = person.left_for(&seen, &software, is_carrier).filter(|(before, ..)| {
                !is_shared && !before.is_office && !self.gateways.holds(event.ts, &before.network)
            });
            if let Some((before, now, journey)) = left
                && person.told.is_news(event.ts, 1)
            {
                return Some(sighting(event, subject, (&before, &now), &journey));
            }
        }
        if is_carrier {
            person.carrier = Some(seen);
        }
        if is_carrier || says_nothing {
            return None;
        }
        let mut found = means.is_by_hand.then(|| person.left_telephone(&seen, &software)).flatten();
        if means.is_sign_in {
            let left = person.left_browser(&seen, &software);
            let is_gateway = |it: &Found| self.gateways.holds(it.0.ts, &it.0.network);
            found = found.or(left.filter(|it| !is_gateway(it)));
        }
        // Both are noted, whatever the first says.
        for by in [means.program.map(Some), means.is_by_hand.then_some(None)].into_iter().flatten()
        {
            let now = Seen { by, ..seen };
            let journey = travel(&mut self.gateways, number, person, now, &software, net);
            found = found.or(journey);
        }
        let (before, now, journey) = found?;
        if !person.told.is_news(event.ts, 1) {
            return None;
        }
        person.pairs.note(event.ts, pair(&before, &now));
        Some(sighting(event, subject, (&before, &now), &journey))
    }
}

/// How somebody shows where they are.
struct Means {
    /// A request's program: what one program does is compared.
    program: Option<u64>,
    /// Where the event is, its person is: a sign-in, a telephone, or a change that somebody makes.
    is_by_hand: bool,
    /// It is a sign-in.
    is_sign_in: bool,
}

/// Whether the software is new to whoever uses it.
struct Software {
    /// To somebody who has settled.
    is_strange: bool,
    /// To somebody who has not, but was there an hour before; within its first hour.
    is_sudden: bool,
}

/// The journey that nobody can have made, as far as it is one.
fn travel(
    gateways: &mut Gateways,
    number: u64,
    person: &mut Person,
    now: Seen,
    software: &Software,
    net: Option<NetworkKind>,
) -> Option<Found> {
    let Some(before) = person.replace(now) else {
        gateways.note_person(now.ts, &now.network, number);
        return None;
    };
    let is_strange = person.note(&now) && (net.is_some() || software.is_new());
    let Some(journey) = Journey::of(&before, &now) else {
        if before.is_elsewhere(&now) {
            gateways.note_person(now.ts, &now.network, number);
        }
        return None;
    };
    let is_alike = now.family.is_some() && before.family == now.family;
    if is_alike {
        for end in [&before.network, &now.network] {
            gateways.note_traveller(now.ts, end, number);
        }
        if gateways.holds(now.ts, &before.network) || gateways.holds(now.ts, &now.network) {
            return None;
        }
    }
    let is_office = (before.is_office || now.is_office) && !software.is_strange;
    let is_habit = person.knows_pair(&before, &now) && is_alike;
    let is_inland = now.country.is_some() && before.country == now.country;
    let is_near = is_inland && (net.is_none() || !software.is_new());
    let is_flight = journey.hours >= LONG && journey.speed < LONG_FLIGHT && !software.is_new();
    (is_strange && !is_office && !is_habit && !is_near && !is_flight)
        .then_some((before, now, journey))
}

/// Where somebody was before and is now, and how fast they came.
type Found = (Seen, Seen, Journey);

/// From one place to another, faster than an airliner.
struct Journey {
    kilometres: f64,
    hours: f64,
    speed: f64,
}

// === impl Means ===

impl Means {
    /// `None` when the event says nothing of a person's place.
    fn of(event: &Event, names: &Names, telephones: &mut Memo<bool>) -> Option<Self> {
        match &event.kind {
            EventKind::Login { result, .. } if result == "ok" => {
                Some(Self { program: None, is_by_hand: true, is_sign_in: true })
            }
            EventKind::Request(request)
                if event.who.token.is_some()
                    && request.refused.is_none()
                    && !request.token_kind.is_for_programs() =>
            {
                // A change by another program is a server's, or a job's.
                let by_browser = source::is_browser(event);
                let is_telephone = names.ua.zip(event.ua.as_deref()).is_some_and(|(hash, ua)| {
                    telephones
                        .of(hash, || matches!(user_agent::system(ua), Some("android" | "ios")))
                });
                let is_by_hand = by_browser && request.is_change() || is_telephone;
                let program = names.program;
                (program.is_some() || is_by_hand).then_some(Self {
                    program,
                    is_by_hand,
                    is_sign_in: false,
                })
            }
            _ => None,
        }
    }
}

// === impl Software ===

impl Software {
    fn note(person: &mut Person, now: Timestamp, family: Option<u64>) -> Self {
        let held = &mut person.software;
        Self {
            is_strange: family.is_some_and(|it| held.note(now, it)),
            is_sudden: family.is_some_and(|it| held.is_sudden(now, it)),
        }
    }

    /// Whether it can hardly be the person's own.
    fn is_new(&self) -> bool {
        self.is_strange || self.is_sudden
    }
}

// === impl Journey ===

impl Journey {
    /// `None` when it was possible.
    fn of(before: &Seen, now: &Seen) -> Option<Self> {
        let kilometres = before.place.distance(&now.place);
        let after = now.ts.since(before.ts);
        let hours = after.as_secs_f64() / 3600.0;
        let speed = (kilometres - INACCURATE) / hours.max(1.0 / 60.0);
        (kilometres >= NEAR && after <= ANYWHERE && speed > AIRLINER).then_some(Self {
            kilometres,
            hours,
            speed,
        })
    }
}

// === impl Seen ===

impl Seen {
    /// Whether the other came by another network, or on another day: nearly always neither.
    fn is_elsewhere(&self, other: &Self) -> bool {
        self.network != other.network || self.ts.as_secs() / 86_400 != other.ts.as_secs() / 86_400
    }
}

// === impl Person ===

impl Person {
    /// What was seen last by the same means; this takes its place.
    fn replace(&mut self, now: Seen) -> Option<Seen> {
        let held = self.seen.iter().position(|held| held.by == now.by);
        let before = held.map(|at| self.seen.remove(at));
        if before.is_none() {
            self.note(&now);
        }
        if self.seen.len() >= SLOTS {
            self.seen.remove(0);
        }
        self.seen.push(now);
        before
    }

    /// Somebody with other software, in another country than the telephone was. Whoever travels may keep the network
    /// of the carrier at home, and has a computer along; but not one that was never seen.
    fn left_telephone(&mut self, now: &Seen, software: &Software) -> Option<Found> {
        self.left(self.carrier?, now, software)
    }

    /// Somebody who signs in with other software, in another country than a browser was used in a moment ago.
    fn left_browser(&mut self, now: &Seen, software: &Software) -> Option<Found> {
        let browsers = self.seen.iter().filter(|held| held.is_browser);
        let before = *browsers.max_by_key(|held| held.ts)?;
        let is_recent = now.ts.since(before.ts) <= MOMENT;
        is_recent.then(|| self.left(before, now, software)).flatten()
    }

    /// Somebody who signs in with software that is new to them through a carrier or a data centre of a country where
    /// they were not seen, a moment after they were at home.
    fn left_for(&self, now: &Seen, software: &Software, is_carrier: bool) -> Option<Found> {
        let all = || self.seen.iter().chain(&self.carrier);
        let before = *all().max_by_key(|held| held.ts)?;
        let is_strange = now.country.is_some() && all().all(|held| held.country != now.country);
        let moment = if is_carrier { MOMENT } else { AT_ONCE };
        let is_recent = now.ts.since(before.ts) <= moment;
        let journey = Journey::of(&before, now)?;
        (is_strange && is_recent && software.is_new()).then_some((before, *now, journey))
    }

    fn left(&mut self, before: Seen, now: &Seen, software: &Software) -> Option<Found> {
        let is_abroad = before.country.zip(now.country).is_some_and(|(from, to)| from != to);
        let journey = Journey::of(&before, now).filter(|_| is_abroad && !now.is_office)?;
        (software.is_new() && self.note(now)).then_some((before, *now, journey))
    }

    /// Whether the place is none of this person's yet.
    fn note(&mut self, seen: &Seen) -> bool {
        let square = seen.place.square();
        let strange = self.places.note(seen.ts, square);
        strange || !self.places.is_settled(seen.ts) && self.places.is_young(seen.ts, square)
    }

    /// Whether this person was told for going between these places.
    fn knows_pair(&self, before: &Seen, now: &Seen) -> bool {
        let known = pair(before, now);
        self.pairs.within(now.ts, MONTH).any(|(_, held)| *held == known)
    }
}

/// The same in both directions.
fn pair(one: &Seen, two: &Seen) -> u64 {
    one.place.square() ^ two.place.square()
}

fn sighting(
    event: &Event,
    subject: &SubjectId,
    (before, now): (&Seen, &Seen),
    journey: &Journey,
) -> Sighting {
    let Journey { kilometres, hours, speed } = journey;
    let by_country = [before, now].iter().any(|it| it.place.is_country());
    let least = if by_country { "at least " } else { "" };
    Sighting {
        kind: Kind::SignIn(SignIn::ImpossibleTravel),
        actor: format!("subject:{subject}"),
        whom: source::whom(event),
        summary: format!(
            "{subject} was seen {least}{kilometres:.0} km away from where they were {:.0} minutes before: \
             {speed:.0} km/h, and an airliner flies {AIRLINER:.0} at most",
            hours * 60.0
        ),
        facts: BTreeMap::from([
            ("kilometres", json!(kilometres.round())),
            ("minutes", json!((hours * 60.0).round())),
            ("kilometres_per_hour", json!(speed.round())),
            ("limit_kilometres_per_hour", json!(AIRLINER)),
            ("before_at", json!(before.ts)),
            ("by_country", json!(by_country)),
        ]),
    }
}
