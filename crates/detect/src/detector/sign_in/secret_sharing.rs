//! A client that authenticates in turn from where it lives and from where it was never seen, with software that it
//! never used: somebody else has its secret.
//!
//! A client that moves house does not come back, one that is updated stays where it is, and a colleague who tries
//! something by hand does so once. So what counts is coming back: twice within a day to a place and to software that
//! are both strange, with the client at home in between. Places are autonomous systems or IPv4 /16, software is its
//! name without the version. Needs a client that is known for three days, and that comes from fewer than eight places:
//! a fleet has no strangers.
//!
//! After its secret was changed whoever has the new one was given it, and a client that has used it is at home,
//! however young it is. So for a week a stranger is told that came back once, and is certain when it came back twice,
//! unless it comes from the very neighbourhood where the secret was changed. By the software of the client itself it
//! may be another server of it: told when it, or two of them, came back twice and for half an hour, longer than it
//! takes to replace all servers. The last four strangers are held: whoever changes hosts comes back to several.
//! Whoever still tries the old secret by then, from where the client never was and with software that it never used,
//! and comes back twice, had it before.
//!
//! Whoever comes by a library that nobody gave a name of their own, or by what calls itself like the client's software
//! and has another TLS fingerprint, from a country where the client never was, is told at its first sign-in after the
//! change, or after one return where the client itself has not used the new secret yet; before the change it is a
//! stranger from the client's second hour on. Of the old secret two such tries are told, or five by software of the
//! client's own name from such a country or with another fingerprint.
//!
//! A client that was seen in data centres or offices alone, and after that change authenticates from three homes,
//! carriers, VPNs or Tor within a day, by whatever software and with itself at home in between, is in other hands for
//! certain. From three places of any kind within a day, all strange and by software that it never used, it may be.
//!
//! Who comes once and takes much is told sooner: forty requests within an hour as a client that is known for an hour
//! and from fewer than four places, from a place and by software that are both new since then; five are enough from
//! where people are, in a country where a client that is servers alone never was, or there by such a library from
//! anywhere. State: 5,000 clients of about 1.2 kB.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind, NetworkKind};
use token::finding::Whom;
use token::id::ClientId;
use token::time::Timestamp;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::known::Known;
use crate::detector::sign_in::source::number;
use crate::detector::sign_in::{rotation, source};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting, network};
use crate::program;
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const CLIENTS: usize = 5_000;
/// Requests of a visitor, and places of a client that does not roam.
const BUSY: u32 = 40;
/// The same from where people are, in a country where the client never was.
const BUSY_ABROAD: u32 = 5;
const HOMES: usize = 4;
const HOUR: Duration = Duration::from_secs(3600);
const PLACES: usize = 8;
/// So long it takes to replace all servers of a client.
const REPLACED: Duration = Duration::from_secs(1800);
const DAY: Duration = Duration::from_secs(24 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// Places where people are, from which no server comes.
const EXITS: usize = 3;
/// How often the stranger has to come back after the client itself.
const RETURNS: u8 = 2;
/// Wrong secrets from a country where the client never was: by a library, and by software of the client itself.
const TRIES: u8 = 2;
const TRIES_ALIKE: u8 = 5;
/// Strangers that are held: who changes hosts comes back to several.
const STRANGERS: usize = 4;

/// Secrets of clients in two hands.
pub(super) struct SecretSharing {
    clients: Recent<ClientId, Client>,
}

#[derive(Default)]
struct Client {
    places: Known<PLACES>,
    software: Known<PLACES>,
    rotation: Option<Rotation>,
    /// The network where it was last.
    home: Option<u64>,
    /// Those who came lately, the newest last.
    strangers: Vec<Stranger>,
    visitor: Option<Visitor>,
    /// Who tries the secret that was replaced.
    late: Option<Stranger>,
    /// Whether it ever came from where servers are, and from where people are before its secret was changed.
    is_server: bool,
    is_among_people: bool,
    countries: Known<PLACES>,
    /// Places in countries where it never was, of software that it never used.
    foreign: Known<4>,
    /// Its TLS fingerprints.
    prints: Known<PLACES>,
    /// Where people are, and the client was at home after it was there.
    exits: Tally<u64, EXITS>,
    is_back: bool,
    /// Places that are strange, and by strange software, since the secret was changed.
    strange: Tally<u64, EXITS>,
    told: Told,
    told_certain: Told,
    told_late: Told,
    told_visit: Told,
}

/// When the secret was changed, and where.
struct Rotation {
    ts: Timestamp,
    from: Option<u64>,
    /// The client authenticated since.
    is_used: bool,
}

struct Stranger {
    /// The place or, where the client lives there too, the network.
    from: u64,
    since: Timestamp,
    /// From a place where the client never was.
    is_far: bool,
    /// By software that the client never used.
    is_other: bool,
    /// The client itself authenticated since the stranger did.
    is_answered: bool,
    returns: u8,
    /// How often it came at all.
    tries: u8,
}

/// Who uses the client's tokens from where it was not an hour ago, by software that it had not.
struct Visitor {
    place: u64,
    since: Timestamp,
    requests: u32,
}

impl Default for SecretSharing {
    fn default() -> Self {
        Self { clients: Recent::new(CLIENTS) }
    }
}

impl RecordDetector for SecretSharing {
    fn observe(&mut self, event: &Event, names: &Names, _: &mut Record<'_>) -> Option<Sighting> {
        match &event.kind {
            EventKind::Request(request) => {
                return request.refused.is_none().then(|| self.visit(event, names)).flatten();
            }
            EventKind::ClientAuth { result, .. } if result == "ok" => {}
            // Whoever got in and does no longer is the same stranger.
            EventKind::ClientAuth { result, .. }
                if result == "bad_secret" && self.holds_stranger(event) => {}
            EventKind::ClientAuth { result, .. } if result == "bad_secret" => {
                return self.late(event);
            }
            EventKind::Grant { result, grant_type, .. }
                if result == "ok" && grant_type == "client_credentials" => {}
            _ => {
                let rotated = rotation::of(event)?;
                let (ts, from) = (event.ts, source::neighbourhood(event));
                let rotation = Rotation { ts, from, is_used: false };
                self.clients.touch(&rotated).rotation = Some(rotation);
                return None;
            }
        }
        let id = &source::named_client(event)?;
        let software = source::family(event)?;
        source::place(event)?;
        let client = self.clients.touch(id);
        if client.roams(event) && client.told_certain.is_news(event.ts, 1) {
            return Some(Sighting {
                summary: format!(
                    "after its secret was changed, the client {id}, which lives where servers are, authenticated from \
                     {EXITS} places where people are, lately from {}, and at home in between: its secret is in two hands",
                    source::shown(event)
                ),
                facts: BTreeMap::from([
                    ("places", json!(EXITS)),
                    ("window_seconds", json!(DAY.as_secs())),
                ]),
                ..sighting(SignIn::RotatedSecretSharing, event, id, [0, 0])
            });
        }
        let Some((stranger, is_rotated)) = client.stranger(event, software) else {
            client.answer(event);
            return None;
        };
        let (returns, is_other, is_far) = (stranger.returns, stranger.is_other, stranger.is_far);
        let is_foreign =
            client.is_foreign(event, is_other) || client.foreign.holds(source::place(event)?);
        let changed = client.rotation.as_ref().filter(|it| !it.is_from(event));
        let is_changed = changed.is_some_and(|it| event.ts.since(it.ts) < WEEK);
        let all = client.strangers.iter().map(|it| it.returns).fold(0, u8::saturating_add);
        let first = client.strangers.iter().map(|it| it.since).min().unwrap_or(event.ts);
        let lasts = event.ts.since(first);
        if client.strange.within(event.ts, DAY).count() >= EXITS && client.told.is_news(event.ts, 1)
        {
            return Some(Sighting {
                summary: format!(
                    "since its secret was changed, the client {id} authenticated from {EXITS} places within a day where it \
                     never was, by software that it never used, lately from {}: its secret may be in other hands",
                    source::shown(event)
                ),
                ..sighting(SignIn::SecretSharing, event, id, [returns, 1])
            });
        }
        if client.places.len() >= PLACES {
            return None;
        }
        let kind = match (is_rotated, is_other) {
            (true, true) if returns >= RETURNS && is_far => SignIn::RotatedSecretSharing,
            (true, true) if returns > 0 => SignIn::SecretSharing,
            (true, _) if is_foreign => SignIn::SecretSharing,
            (false, true) if is_foreign && is_changed && returns > 0 => SignIn::SecretSharing,
            (false, true) if returns >= RETURNS => SignIn::SecretSharing,
            (true, false) if all >= RETURNS && lasts >= REPLACED => SignIn::SecretSharing,
            _ => return None,
        };
        let told = match kind {
            SignIn::RotatedSecretSharing => &mut client.told_certain,
            _ => &mut client.told,
        };
        told.is_news(event.ts, 1).then(|| sighting(kind, event, id, [returns, u8::from(is_other)]))
    }
}

// === impl SecretSharing ===

impl SecretSharing {
    /// A token of a client's own was used.
    fn visit(&mut self, event: &Event, names: &Names) -> Option<Sighting> {
        let id = event.who.client.as_ref().filter(|_| source::is_machine(event, names))?;
        self.clients.peek(id)?;
        let client = self.clients.touch(id);
        client.go_on(event);
        let (requests, threshold) = client.visit(event)?;
        client.told_visit.is_news(event.ts, 1).then(|| Sighting {
            summary: format!(
                "{requests} requests as the client {id} within an hour from {}, where it was not an hour ago, by \
                 software that it had not: its secret or its token may be in other hands",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("requests", json!(requests)),
                ("threshold", json!(threshold)),
                ("places_known", json!(client.places.len())),
            ]),
            whom: source::whom(event),
            ..sighting(SignIn::SecretSharing, event, id, [0, 1])
        })
    }

    /// A secret was refused that may be the client's old one.
    fn late(&mut self, event: &Event) -> Option<Sighting> {
        let id = &source::named_client(event)?;
        self.clients.peek(id)?;
        let client = self.clients.touch(id);
        let (returns, tries) = client.late(event)?;
        client.told_late.is_news(event.ts, 1).then(|| Sighting {
            // Whoever fails with a name harms nobody by it.
            whom: Whom { ip: event.ip, ..Whom::default() },
            summary: format!(
                "{} tried a wrong secret of the client {id} {tries} times and came back {returns} times while the client \
                 used its new one, and never was there before: somebody may have the old one",
                source::shown(event)
            ),
            ..sighting(SignIn::SecretSharing, event, id, [returns, 1])
        })
    }

    /// Whether the event comes from where the client's stranger does.
    fn holds_stranger(&self, event: &Event) -> bool {
        let id = source::named_client(event);
        let client = id.and_then(|id| self.clients.peek(&id));
        let from = [source::place(event), event.ip.map(network::of).map(number)];
        client.is_some_and(|it| it.strangers.iter().any(|held| from.contains(&Some(held.from))))
    }
}

// === impl Rotation ===

impl Rotation {
    /// Whether the event comes from where the secret was changed.
    fn is_from(&self, event: &Event) -> bool {
        self.from.is_some() && self.from == source::neighbourhood(event)
    }
}

// === impl Stranger ===

impl Stranger {
    /// One who is seen for the first time, from a place and by software that are none of the client's.
    const fn new(from: u64, since: Timestamp) -> Self {
        Self { from, since, is_far: true, is_other: true, is_answered: false, returns: 0, tries: 0 }
    }
}

// === impl Client ===

impl Client {
    /// How many requests came from somebody who is nobody of the client, and how many are too many, when they are.
    fn visit(&mut self, event: &Event) -> Option<(u32, u32)> {
        let (now, place, software) = (event.ts, source::place(event)?, source::family(event)?);
        let is_strange = |new: bool, held: bool, known: bool| known && (new || !held);
        let is_far = is_strange(
            self.places.is_sudden(now, place),
            self.places.holds(place),
            self.places.is_known_for(now, HOUR),
        );
        let is_other = is_strange(
            self.software.is_sudden(now, software),
            self.software.holds(software),
            self.software.is_known_for(now, HOUR),
        );
        if !is_far || !is_other || self.places.len() >= HOMES {
            return None;
        }
        let held = self.visitor.take_if(|held| held.place == place && now.since(held.since) < HOUR);
        let mut visitor = held.unwrap_or(Visitor { place, since: now, requests: 0 });
        visitor.requests = visitor.requests.saturating_add(1);
        let requests = self.visitor.insert(visitor).requests;
        let is_abroad = self.is_among_strangers(event) || self.is_foreign(event, is_other);
        let enough = if is_abroad { BUSY_ABROAD } else { BUSY };
        (requests >= enough).then_some((requests, enough))
    }

    /// Whether the client never was in the country.
    fn is_abroad(&self, event: &Event) -> bool {
        let country = event.origin.country.as_ref().map(number);
        !self.countries.is_empty() && country.is_some_and(|it| !self.countries.holds(it))
    }

    /// Whether software that the client never used comes from a country where it never was: a library that nobody gave
    /// a name of their own, or what only calls itself like the client's.
    fn is_foreign(&self, event: &Event, is_other: bool) -> bool {
        self.is_abroad(event) && (is_other && source::is_library(event) || self.is_disguised(event))
    }

    /// Whether its TLS fingerprint is none of the client's.
    fn is_disguised(&self, event: &Event) -> bool {
        let print = event.origin.ja4.as_deref().and_then(program::library);
        !self.prints.is_empty() && print.is_some_and(|print| !self.prints.holds(print))
    }

    /// Whether it comes from where people are, in a country where the client, which is servers alone, never was.
    fn is_among_strangers(&self, event: &Event) -> bool {
        let is_server = self.is_server && !self.is_among_people;
        let is_among_people = matches!(
            source::net(event),
            Some(
                NetworkKind::Residential
                    | NetworkKind::Mobile
                    | NetworkKind::Vpn
                    | NetworkKind::Tor
            )
        );
        is_server && is_among_people && self.is_abroad(event)
    }

    /// Whether it comes from several places where people are, and servers are not, with itself at home in between.
    fn roams(&mut self, event: &Event) -> bool {
        let is_home = match source::net(event) {
            Some(NetworkKind::Hosting | NetworkKind::Business) => true,
            Some(_) => false,
            None => return false,
        };
        let rotation = self.rotation.as_ref().filter(|it| event.ts.since(it.ts) < WEEK);
        let Some(rotation) = rotation else {
            self.is_server |= is_home;
            self.is_among_people |= !is_home;
            return false;
        };
        if is_home {
            self.is_back = true;
            return false;
        }
        if !self.is_server || self.is_among_people || !rotation.is_used || rotation.is_from(event) {
            return false;
        }
        if let Some(place) = source::neighbourhood(event).filter(|_| self.is_back) {
            self.exits.note(event.ts, place);
            self.is_back = false;
        }
        self.exits.within(event.ts, DAY).count() >= EXITS
    }

    /// How often who tries a secret that was replaced came back, and came at all, if it is nobody of the client and that
    /// is often enough.
    fn late(&mut self, event: &Event) -> Option<(u8, u8)> {
        let (now, place, software) = (event.ts, source::place(event)?, source::family(event)?);
        let rotation = self.rotation.as_ref().filter(|it| it.is_used && now.since(it.ts) < WEEK)?;
        let is_alike = self.software.holds(software);
        if self.places.holds(place)
            || is_alike && !self.is_abroad(event) && !self.is_disguised(event)
            || rotation.is_from(event)
        {
            return None;
        }
        let held = self.late.take_if(|held| held.from == place);
        let mut late = held.unwrap_or(Stranger::new(place, now));
        late.returns = late.returns.saturating_add(u8::from(late.is_answered));
        late.tries = late.tries.saturating_add(1);
        late.is_answered = false;
        let enough = match () {
            () if is_alike => TRIES_ALIKE,
            () if self.is_foreign(event, true) => TRIES,
            () => u8::MAX,
        };
        let (returns, tries) = (late.returns, late.tries);
        self.late = Some(late);
        let is_enough = tries >= enough || !is_alike && returns >= RETURNS;
        is_enough.then_some((returns, tries))
    }

    /// The stranger that comes now, and whether the secret was changed before; `None` for the client itself.
    fn stranger(&mut self, event: &Event, software: u64) -> Option<(&Stranger, bool)> {
        let now = event.ts;
        let (place, network) = (source::place(event)?, number(network::of(event.ip?)));
        let changed = self
            .rotation
            .as_ref()
            .filter(|it| now.since(it.ts) < WEEK)
            .filter(|it| !it.is_from(event));
        let rotation = changed.filter(|it| it.is_used);
        let was_held = self.places.holds(place);
        let is_other = !self.software.holds(software);
        // However young the client is, what comes from another country by a library is none of its own yet.
        let is_where_it_was_changed = self.rotation.as_ref().is_some_and(|it| it.is_from(event));
        if !was_held
            && !is_where_it_was_changed
            && self.places.is_known_for(now, HOUR)
            && self.is_foreign(event, is_other)
        {
            self.foreign.note(now, place);
        }
        let is_foreign = self.foreign.holds(place);
        let is_new = [self.places.note(now, place), self.software.note(now, software)];
        let since = |known: &Known<PLACES>, what| {
            changed.is_some_and(|it| known.first(what).is_some_and(|first| first >= it.ts))
        };
        let is_rotated = rotation.is_some();
        let is_far = is_foreign || is_new[0] || since(&self.places, place);
        let is_since = is_rotated && since(&self.places, place);
        let is_other = is_foreign || is_new[1] || since(&self.software, software);
        // Whoever rents where the client lives is nobody of it, if the program is none of its own.
        let is_near = is_rotated && is_other && self.home != Some(network);
        let is_stranger = is_near || is_since || (is_far && is_other);
        if !is_stranger {
            self.home = Some(network);
            return None;
        }
        if is_far && is_other && changed.is_some() {
            self.strange.note(now, place);
        }
        let from = if is_far { place } else { network };
        self.strangers.retain(|held| now.since(held.since) < DAY);
        let held = self.strangers.iter().position(|held| held.from == from);
        let stranger = match held.map(|at| self.strangers.remove(at)) {
            Some(held) => {
                let returns = held.returns.saturating_add(u8::from(held.is_answered));
                Stranger { returns, is_answered: false, ..held }
            }
            None => Stranger { is_far, is_other, ..Stranger::new(from, now) },
        };
        if self.strangers.len() >= STRANGERS {
            self.strangers.remove(0);
        }
        self.strangers.push(stranger);
        Some((self.strangers.last()?, is_rotated))
    }

    /// The client goes on with a token that it has, where it was before the stranger came.
    fn go_on(&mut self, event: &Event) {
        let (Some(place), Some(network)) = (source::place(event), event.ip.map(network::of)) else {
            return;
        };
        let Some(first) = self.places.first(place).filter(|_| !self.strangers.is_empty()) else {
            return;
        };
        let network = number(network);
        for stranger in &mut self.strangers {
            let is_other = stranger.from != place && stranger.from != network;
            stranger.is_answered |= is_other && first < stranger.since;
        }
    }

    /// The client itself authenticated.
    fn answer(&mut self, event: &Event) {
        if let Some(country) = &event.origin.country {
            self.countries.note(event.ts, number(country));
        }
        if let Some(print) = event.origin.ja4.as_deref().and_then(program::library) {
            self.prints.note(event.ts, print);
        }
        if let Some(rotation) = &mut self.rotation {
            rotation.is_used = true;
        }
        for stranger in self.strangers.iter_mut().chain(&mut self.late) {
            stranger.is_answered = true;
        }
    }
}

fn sighting(
    kind: SignIn,
    event: &Event,
    client: &ClientId,
    [returns, is_other]: [u8; 2],
) -> Sighting {
    let by = if is_other > 0 { " by software that it never used" } else { "" };
    let after = match kind {
        SignIn::RotatedSecretSharing => "after its secret was changed, ",
        _ => "",
    };
    Sighting {
        kind: Kind::SignIn(kind),
        actor: source::actor(event),
        whom: Whom { client: Some(client.clone()), ip: event.ip, ..Whom::default() },
        summary: format!(
            "{after}the client {client} authenticated from {}, where it never was,{by} and again \
             {returns} times after it did so from where it is known: its secret may be in two hands",
            source::shown(event)
        ),
        facts: BTreeMap::from([
            ("returns", json!(returns)),
            ("threshold", json!(RETURNS)),
            ("window_seconds", json!(DAY.as_secs())),
        ]),
    }
}
