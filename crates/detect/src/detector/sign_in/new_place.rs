//! Something sensitive from where, and with what, its owner was never seen before.
//!
//! New software alone is a new telephone, a new network alone a journey, and both are strange for
//! their first day, so that harmless requests do not make them known. Together, with an
//! administrative act or a scope that is one, they are worth a look. The version of a browser does
//! not count. Where the software is not known, the country and the network both have to be new, and the session as well:
//! one that was in use before its owner came there went on the journey with them.
//! Nothing is strange to somebody who is known for less than three days, but what comes all at once: the software and
//! the country, or a data centre, none of which was there an hour ago, and no carrier or VPN. Whoever renews a token then
//! signed in before anything was seen of them, so that nothing of it is sudden. The country of a data centre is no person's,
//! and a program there that acts for ten people of a client is a server of it. State: 144 bytes in the
//! record of a person (`records.rs`), 24 for each country, network and software where there are several, and 4,096
//! servers of 24.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde_json::json;
use token::event::{Event, EventKind, NetworkKind};
use token::finding::Whom;
use token::id::SubjectId;
use token::term::GrantType;

use crate::detector::sign_in::known::Known;
use crate::detector::sign_in::source::{self, number, packed};
use crate::detector::sign_in::{SignIn, sensitive};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::table::Table;
use crate::sketch::told::Told;

const SERVERS: usize = 4_096;
/// From so many people on a program in a data centre is a server that acts for them.
const SERVED: u32 = 10;

/// Sensitive acts from new places.
pub(super) struct NewPlace {
    /// People by client, data centre and program.
    servers: Table<Distinct<1>>,
}

impl Default for NewPlace {
    fn default() -> Self {
        Self { servers: Table::new(SERVERS) }
    }
}

/// Where, and with what, a person was seen.
#[derive(Default)]
pub(super) struct Person {
    /// What was seen last: nearly always it is seen again.
    last: Option<NonZeroU64>,
    countries: Known<4>,
    places: Known<8>,
    software: Known<8>,
    told: Told,
}

impl RecordDetector for NewPlace {
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting> {
        match &event.kind {
            EventKind::Request(request)
                if event.who.token.is_some() && request.refused.is_none() => {}
            EventKind::Grant { result, .. } | EventKind::Login { result, .. } if result == "ok" => {
            }
            EventKind::Admin { .. } => {}
            _ => return None,
        }
        let subject = event.who.subject.as_ref().filter(|_| !source::is_machine(event))?;
        let person = &mut record.person.as_mut()?.places;
        let news = person.news(event, names)?;
        if self.is_server(event, names) || !news.is_worth_it() {
            return None;
        }
        let session = record.session.as_ref().map(|session| session.first);
        if news.software.is_none() && person.went_along(event, session) {
            return None;
        }
        let act = match &event.kind {
            EventKind::Request(request) => sensitive::first(&request.scopes),
            EventKind::Grant { scopes, .. } => sensitive::first(scopes),
            EventKind::Admin { action, .. } => Some(action.clone()),
            _ => None,
        }?;
        person.told.is_news(event.ts, 1).then(|| sighting(event, subject, &act, &news))
    }
}

// === impl NewPlace ===

impl NewPlace {
    fn is_server(&mut self, event: &Event, names: &Names) -> bool {
        if event.origin.net != Some(NetworkKind::Hosting) {
            return false;
        }
        let (place, program) = (source::place(event), source::family(event));
        let key = number((names.client, place, program));
        let people = self.servers.touch(key, source::seconds(event));
        if let Some(subject) = names.subject {
            people.add(subject);
        }
        people.count() >= SERVED
    }
}

/// What is strange about an event; `None` for what is not known.
struct News {
    country: Option<bool>,
    place: Option<bool>,
    software: Option<bool>,
}

// === impl Person ===

impl Person {
    /// Something of each of its parts, to bring them near.
    pub(super) fn read(&self) -> u64 {
        let known = self.countries.read() ^ self.places.read() ^ self.software.read();
        known ^ self.last.map_or(0, NonZeroU64::get) ^ self.told.read()
    }

    /// `None` when it is where it was, which was known.
    fn news(&mut self, event: &Event, names: &Names) -> Option<News> {
        let is_hosted = event.origin.net == Some(NetworkKind::Hosting);
        let country = event.origin.country.as_ref().filter(|_| !is_hosted).map(number);
        let place = source::place(event);
        // Once an hour, so that what is held stays the newest.
        let exactly = names.ua.or(names.ja4);
        let now = packed(number((country, place, exactly, event.ts.as_secs() / 3600)));
        if self.last == Some(now) {
            return None;
        }
        let software = source::family(event);
        let mut news = News {
            country: country.map(|country| self.countries.note(event.ts, country)),
            place: place.map(|place| self.places.note(event.ts, place)),
            software: software.map(|software| self.software.note(event.ts, software)),
        };
        if !news.is_worth_it() && !self.places.is_settled(event.ts) {
            if is_renewal(event) {
                country.into_iter().for_each(|it| self.countries.was_before(it));
                place.into_iter().for_each(|it| self.places.was_before(it));
                software.into_iter().for_each(|it| self.software.was_before(it));
            }
            news = self.sudden(event, country, place, software);
        }
        // What is strange is asked again at the next event: that may be the sensitive one.
        self.last = (!news.is_worth_it()).then_some(now);
        Some(news)
    }

    /// Whether what the event belongs to was there before its owner came to the place.
    fn went_along(&self, event: &Event, session: Option<u32>) -> bool {
        if matches!(event.kind, EventKind::Grant { .. }) {
            return is_renewal(event);
        }
        let came = source::place(event).and_then(|place| self.places.first(place));
        came.zip(session).is_some_and(|(came, first)| u64::from(first) < came.as_secs() as u64)
    }

    /// What is strange about an event of somebody who has not settled.
    fn sudden(
        &self,
        event: &Event,
        country: Option<u64>,
        place: Option<u64>,
        software: Option<u64>,
    ) -> News {
        let is_software = software.is_some_and(|it| self.software.is_sudden(event.ts, it));
        let is_country = country.is_some_and(|it| self.countries.is_sudden(event.ts, it));
        let is_place = place.is_some_and(|it| self.places.is_sudden(event.ts, it));
        let is_strange = match event.origin.net {
            Some(NetworkKind::Mobile | NetworkKind::Vpn) => false,
            Some(NetworkKind::Hosting | NetworkKind::Tor) => is_place,
            _ => is_place && is_country,
        };
        let all = is_software && is_strange;
        News { country: Some(all && is_country), place: Some(all), software: Some(all) }
    }
}

fn is_renewal(event: &Event) -> bool {
    matches!(&event.kind, EventKind::Grant { grant_type, .. } if grant_type == GrantType::RefreshToken.as_str())
}

// === impl News ===

impl News {
    fn is_worth_it(&self) -> bool {
        let (country, place) = (self.country == Some(true), self.place == Some(true));
        match self.software {
            Some(software) => software && (country || place),
            None => country && place,
        }
    }

    fn words(&self) -> Vec<&'static str> {
        [("country", self.country), ("network", self.place), ("software", self.software)]
            .into_iter()
            .filter(|(_, strange)| *strange == Some(true))
            .map(|(word, _)| word)
            .collect()
    }
}

fn sighting(event: &Event, subject: &SubjectId, act: &str, news: &News) -> Sighting {
    let who = &event.who;
    let words = news.words();
    let mut facts = BTreeMap::from([("new", json!(words)), ("sensitive", json!(act))]);
    if let Some(country) = &event.origin.country {
        facts.insert("country", json!(country));
    }
    if let Some(ua) = &event.ua {
        facts.insert("ua", json!(ua));
    }
    Sighting {
        kind: Kind::SignIn(SignIn::NewPlace),
        actor: format!("subject:{subject}"),
        whom: Whom {
            subject: Some(subject.clone()),
            client: who.client.clone(),
            token: who.token.clone(),
            grant: who.grant.clone(),
            session: who.session.clone(),
            ip: event.ip,
        },
        summary: format!(
            "{subject} uses {act} from {}, with a {} that was first seen within the last day",
            source::shown(event),
            words.join(" and a ")
        ),
        facts,
    }
}
