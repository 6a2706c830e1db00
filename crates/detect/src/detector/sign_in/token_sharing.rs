//! One token in several hands at once: used in turn from places far apart by different software.
//!
//! A telephone that changes from Wi-Fi to its carrier keeps its software, a household with IPv4 and IPv6 its system; a
//! session moves on and does not come back. So what counts is coming back: from A to B to A to B within ten minutes,
//! in another part of the net and with other software; with the same or unknown software only if the countries differ
//! as well, and neither network is mobile or a VPN, nor both of data centres: jobs that share a token run in several;
//! and between two homes of one country four times, whatever the software. Nor does that count of personal tokens and
//! API keys, which are made for programs. In the first three days neither does a data centre of these in turn with
//! another network: a job, and whoever it is for. Four sources with three kinds of software within ten minutes count
//! too, and a token that is used elsewhere by other software than it was issued to, or than its session was used by
//! before ([`Issued`]): where a server fetches tokens for browsers, only the second says something. A token that has
//! expired says nothing: a page that its server gave it to may still send it. Nor does a place where its owner signed
//! in last, nor a program where another one had the token within ten minutes: an application that went there and shows
//! a web page. Two kinds of programs, by family and system, that take four turns within an hour count wherever they
//! are, unless people of the client use the two like that, or both may be on one telephone in one place; and so does
//! one application that names two models of telephones in turn. A pair of network and software that this subject has
//! used for a day is its own: a relay for the browser beside an application that has none. A client's own tokens are
//! used by fleets: there, the client has to be known for three days, and to have fewer than eight pairs. State: 136
//! bytes in the record of a session (`records.rs`), and 88 for each source where there are several, at most six; 40 in
//! that of a subject, and 24 for each pair where there are several, at most eight.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use serde_json::json;
use smallvec::SmallVec;
use token::event::{Event, EventKind, NetworkKind};
use token::finding::Whom;
use token::reason::{Reason, Refused};
use token::time::Timestamp;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::issued::{self, Carried, Issued};
use crate::detector::sign_in::source::{self, Source, number};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::told::Told;

const WINDOW: Duration = Duration::from_secs(600);
const SOURCES: usize = 6;
/// Networks with software that are remembered of a subject.
pub(super) const PAIRS: usize = 8;
/// How often it has to come back.
const RETURNS: u8 = 2;
/// The same from one home to another.
const HOMES: u8 = 4;
const MANY_SOURCES: usize = 4;
const MANY_PROGRAMS: usize = 3;
/// Turns of two kinds of programs, in so many seconds, where a client has so many people.
const TURNS: u8 = 4;
const LONG: u32 = 3600;
const PEOPLE: u32 = 40;

/// Tokens in several hands.
#[derive(Default)]
pub(super) struct TokenSharing {
    issued: Issued,
}

/// Whose hands a session was in lately.
#[derive(Default)]
pub(super) struct Session {
    /// The newest last; nearly all sessions have one.
    sources: SmallVec<[Used; 1]>,
    returns: u8,
    /// How often it came back to one home from another.
    homes: u8,
    /// How often another kind of program took its turn lately.
    turns: u8,
    turns_since: u32,
    /// Of those that count now.
    first_return: Timestamp,
    told: Told,
}

struct Used {
    source: Source,
    ip: IpAddr,
    country: Option<NonZeroU64>,
    ua: Option<NonZeroU64>,
    is_for_programs: bool,
    is_moving: bool,
    is_hosted: bool,
    is_home: bool,
    is_strange: bool,
    first: Timestamp,
    last: Timestamp,
}

impl RecordDetector for TokenSharing {
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting> {
        let for_programs = match &event.kind {
            EventKind::Request(request) => {
                // Who sends it was given it once, and does not know that it has ended.
                if request.refused == Some(Refused::Plain(Reason::Expired)) {
                    return None;
                }
                request.token_kind.is_for_programs()
            }
            EventKind::Grant { result, .. } if result == "ok" => {
                self.issued.note(event);
                return None;
            }
            _ => return None,
        };
        let session = &mut record.session.as_mut()?.hands;
        let source = Source::named(event, names)?;
        // Nearly always it is where it was.
        if let Some(last) = session.sources.last_mut().filter(|last| last.source == source) {
            last.last = event.ts;
            return None;
        }
        let software = names.program.unwrap_or(0);
        let pair = source::place(event)? ^ software.rotate_left(1);
        let is_machine = source::is_machine(event, names);
        let (is_known, is_settled, is_strange) = match record.person.as_mut() {
            Some(person) => {
                let pairs = &mut person.pairs;
                let is_known = pairs.is_settled(event.ts);
                let is_settled = is_known && pairs.len() < PAIRS;
                let strange = pairs.note(event.ts, pair);
                (is_known, is_settled, strange || !pairs.is_settled(event.ts))
            }
            None => (false, false, true),
        };
        let used = Used { is_strange, ..Used::of(event, names, source, for_programs)? };
        self.issued.name(event, names);
        let last = session.sources.last();
        if last.is_none() {
            self.issued.meet(event, names);
        }
        let is_far = last.is_some_and(|last| last.source.is_far(&used.source));
        let was_hosted = last.is_some_and(|last| last.is_hosted);
        let programs = last.and_then(|last| self.issued.differ(last.ua?, used.ua?));
        if let Some(both) = programs.filter(|_| !is_far) {
            self.issued.meet_together(event, names, both);
        }
        let is_one_hand = programs.is_some_and(|both| self.issued.are_one_hand(names, both));
        let of_people = !for_programs && last.is_some_and(|last| !last.is_for_programs);
        // An application and the pages that it shows are two programs in one hand.
        let may_be_page = programs.is_some_and(issued::may_be_page);
        let are_two = programs.is_some_and(issued::are_two_kinds) && (is_far || !may_be_page);
        let are_telephones = programs.is_some_and(issued::are_two_telephones);
        let turned = of_people && (!is_one_hand && are_two || are_telephones);
        if turned {
            session.turn(source::seconds(event));
        }
        // To another network and to another program at once, however long after.
        let changed_hands = !for_programs
            && is_far
            && programs.is_some()
            && !may_be_page
            && !is_one_hand
            && !self.issued.is_to(event, &source);
        // Where another program had it just before, it may have brought the web page or the browser that comes now.
        let is_brought = session.sources.iter().any(|held| {
            held.source.is_other_software(&used.source) && !held.source.is_far(&used.source)
        });
        session.add(used, is_one_hand, for_programs && !is_known, event.ts);
        if is_machine && !is_settled {
            return None;
        }
        if session.is_shared() {
            return session.told.is_news(event.ts, 1).then(|| session.sighting(event));
        }
        let is_shown = are_telephones || self.issued.people(names) >= PEOPLE;
        if turned && session.turns >= TURNS && is_shown && !is_machine {
            return session.told.is_news(event.ts, 1).then(|| in_turn(event, session.turns));
        }
        let changed =
            changed_hands.then(|| self.issued.changed_hands(event, names, was_hosted)).flatten();
        let carried = self.issued.carried(event, names, &source).or(changed);
        let is_there = record.person.as_ref().is_some_and(|it| it.places.signed_in_at(event));
        let carried = carried.filter(|_| is_strange && !is_machine && !is_brought && !is_there)?;
        session.told.is_news(event.ts, 1).then(|| away(event, &carried))
    }
}

// === impl Session ===

impl Session {
    /// Something of each of its parts, to bring them near.
    pub(super) fn read(&self) -> u64 {
        let last = self.sources.last();
        let last = last.map_or(0, |it| it.source.read() ^ it.last.as_millis() as u64);
        u64::from(self.returns) ^ last ^ self.told.read()
    }

    /// Another kind of program goes on with it.
    fn turn(&mut self, now: u32) {
        if now.saturating_sub(self.turns_since) > LONG {
            (self.turns_since, self.turns) = (now, 0);
        }
        self.turns = self.turns.saturating_add(1);
    }

    fn add(&mut self, mut used: Used, is_one_hand: bool, is_for_jobs: bool, now: Timestamp) {
        let start = now.minus(WINDOW);
        self.sources.retain(|held| held.last >= start);
        if self.first_return < start {
            (self.returns, self.homes) = (0, 0);
        }
        let before = self.sources.iter().position(|held| held.source == used.source);
        if let Some(at) = before {
            let parted = !is_one_hand
                && self.sources.last().is_some_and(|last| {
                    last.is_another(&used) && !(is_for_jobs && last.is_hosted != used.is_hosted)
                });
            let is_between_homes =
                self.sources.last().is_some_and(|last| last.is_other_home(&used));
            if (parted || is_between_homes) && self.returns == 0 && self.homes == 0 {
                self.first_return = now;
            }
            self.returns = self.returns.saturating_add(parted.into());
            self.homes = self.homes.saturating_add(is_between_homes.into());
            used.first = self.sources.remove(at).first;
        } else if self.sources.len() >= SOURCES {
            self.sources.remove(0);
        }
        self.sources.push(used);
    }

    fn is_shared(&self) -> bool {
        if !self.sources.iter().any(|used| used.is_strange) {
            return false;
        }
        let (mut places, mut programs): (Vec<&Used>, Vec<&Used>) = (Vec::new(), Vec::new());
        for used in &self.sources {
            if places.iter().all(|held| held.source.is_far(&used.source)) {
                places.push(used);
            }
            if programs.iter().all(|held| held.source.is_other_software(&used.source)) {
                programs.push(used);
            }
        }
        let comes_back = self.returns >= RETURNS || self.homes >= HOMES;
        comes_back || (places.len() >= MANY_SOURCES && programs.len() >= MANY_PROGRAMS)
    }

    fn sighting(&self, event: &Event) -> Sighting {
        let from: Vec<String> = self.sources.iter().map(|used| used.ip.to_string()).collect();
        // Whoever came last is more likely the stranger.
        let stranger = self.sources.iter().max_by_key(|used| used.first).map(|used| used.ip);
        Sighting {
            kind: Kind::SignIn(SignIn::TokenSharing),
            actor: actor(event),
            whom: Whom { ip: stranger, ..source::whom(event) },
            summary: format!(
                "within ten minutes one token was used from {} in turn, and it came back {} times; \
                 whoever moves does not come back so soon",
                from.join(" and "),
                self.returns.max(self.homes)
            ),
            facts: BTreeMap::from([
                ("addresses", json!(from)),
                ("returns", json!(self.returns.max(self.homes))),
                ("threshold", json!(RETURNS)),
                ("window_seconds", json!(WINDOW.as_secs())),
            ]),
        }
    }
}

// === impl Used ===

impl Used {
    fn of(event: &Event, names: &Names, source: Source, is_for_programs: bool) -> Option<Self> {
        let net = event.origin.net;
        let moves = matches!(net, Some(NetworkKind::Mobile | NetworkKind::Tor | NetworkKind::Vpn));
        Some(Self {
            source,
            ip: event.ip?,
            country: event.origin.country.as_ref().map(|it| source::packed(number(it))),
            ua: names.ua.map(source::packed),
            is_for_programs,
            is_moving: is_for_programs || moves,
            is_hosted: net == Some(NetworkKind::Hosting),
            is_home: net == Some(NetworkKind::Residential),
            is_strange: true,
            first: event.ts,
            last: event.ts,
        })
    }

    /// Whether one is at home in one part of a country's net and the other in another: nobody is in two homes at once.
    fn is_other_home(&self, other: &Self) -> bool {
        let is_country = self.country.is_some() && self.country == other.country;
        self.is_home && other.is_home && is_country && self.source.is_far(&other.source)
    }

    /// Whether this can hardly be the same device.
    fn is_another(&self, other: &Self) -> bool {
        if !self.source.is_far(&other.source) {
            return false;
        }
        let abroad =
            self.country.is_some() && other.country.is_some() && self.country != other.country;
        let moving = self.is_moving || other.is_moving;
        let fleet = self.is_hosted && other.is_hosted;
        self.source.is_other_software(&other.source) || (abroad && !moving && !fleet)
    }
}

fn actor(event: &Event) -> String {
    let who = &event.who;
    match (&who.session, &who.client) {
        (Some(session), Some(_)) => format!("session:{session}"),
        _ => format!("token:{}", who.token.as_ref().map_or("", |token| token.as_str())),
    }
}

fn in_turn(event: &Event, turns: u8) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::TokenSharing),
        actor: actor(event),
        whom: source::whom(event),
        summary: format!(
            "within an hour two kinds of programs used one session in turn, {turns} times, lately from {}; hardly anybody \
             of this client has these two",
            source::shown(event)
        ),
        facts: BTreeMap::from([
            ("turns", json!(turns)),
            ("threshold", json!(TURNS)),
            ("window_seconds", json!(LONG)),
        ]),
    }
}

fn away(event: &Event, carried: &Carried) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::TokenSharing),
        actor: actor(event),
        whom: source::whom(event),
        summary: format!(
            "a token is used from {} and is not where it was {}: another {}; of {} people of \
             this client, {} used a token like that lately",
            source::shown(event),
            carried.was,
            carried.moved.join(" and another "),
            carried.people,
            carried.carried
        ),
        facts: BTreeMap::from([
            ("moved", json!(carried.moved)),
            ("people", json!(carried.people)),
            ("people_who_do_that", json!(carried.carried)),
        ]),
    }
}
