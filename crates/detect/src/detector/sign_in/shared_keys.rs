//! One person's key in the hands of many: a personal token or an API key that is used in many places by many programs.
//!
//! Such keys are made for programs, which run in data centres, each job elsewhere, and travel with a laptop: so
//! neither data centres nor carriers and VPNs count, nor what may be one, and coming back says nothing
//! ([`super::token_sharing`] looks at other tokens). What is left are lines to homes and offices: a person has two, or
//! three on a journey. Four within a day with three kinds of programs, or three in three countries with two, are
//! several people. Halves of a day are counted, of which two are held. Keys of clients themselves are used by fleets
//! and do not count. State: 16,384 keys of 100 bytes.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind, NetworkKind};

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source::{self, number};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const KEYS: usize = 16_384;
const HALF_A_DAY: u32 = 12 * 3600;
const PLACES: u32 = 4;
const PROGRAMS: u32 = 3;
/// Places in so many countries by so many programs are enough, too.
const COUNTRIES: u32 = 3;
const PROGRAMS_ABROAD: u32 = 2;

/// Keys that many use.
pub(super) struct SharedKeys(Table<Key>);

#[derive(Default)]
struct Key {
    half: u32,
    now: Users,
    before: Users,
    once: Once,
}

/// By whom a key was used in half a day.
#[derive(Clone, Copy, Default)]
struct Users {
    places: Distinct<2>,
    countries: Distinct<1>,
    programs: Distinct<1>,
}

impl Default for SharedKeys {
    fn default() -> Self {
        Self(Table::new(KEYS))
    }
}

impl RecordDetector for SharedKeys {
    fn observe(&mut self, event: &Event, names: &Names, _: &mut Record<'_>) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        if !request.token_kind.is_for_programs()
            || request.refused.is_some()
            || source::is_machine(event, names)
        {
            return None;
        }
        let is_line =
            matches!(source::net(event), Some(NetworkKind::Residential | NetworkKind::Business));
        let (token, _) = names.token.zip(names.subject).filter(|_| is_line)?;
        let now = source::seconds(event);
        let key = self.0.touch(token, now);
        key.begin(now / HALF_A_DAY);
        key.now.places.add(source::place(event)?);
        if let Some(country) = &event.origin.country {
            key.now.countries.add(number(country));
        }
        if let Some(program) = source::kind(event) {
            key.now.programs.add(program);
        }
        let users = key.now.with(&key.before);
        (users.are_many() && key.once.allows(now, 1.0)).then(|| users.sighting(event))
    }
}

// === impl Key ===

impl Key {
    fn begin(&mut self, half: u32) {
        if half > self.half {
            self.before = if half == self.half + 1 { self.now } else { Users::default() };
            (self.half, self.now) = (half, Users::default());
        }
    }
}

// === impl Users ===

impl Users {
    fn with(&self, other: &Self) -> Self {
        Self {
            places: self.places.with(&other.places),
            countries: self.countries.with(&other.countries),
            programs: self.programs.with(&other.programs),
        }
    }

    fn are_many(&self) -> bool {
        let (places, programs) = (self.places.count(), self.programs.count());
        places >= PLACES && programs >= PROGRAMS
            || self.countries.count() >= COUNTRIES && programs >= PROGRAMS_ABROAD
    }

    fn sighting(&self, event: &Event) -> Sighting {
        let who = &event.who;
        let (places, countries) = (self.places.count(), self.countries.count());
        let programs = self.programs.count();
        let token = who.token.as_ref().map_or("", |token| token.as_str());
        Sighting {
            kind: Kind::SignIn(SignIn::TokenSharing),
            actor: format!("token:{token}"),
            whom: source::whom(event),
            summary: format!(
                "within a day one key was used from {places} networks of homes and offices in {countries} countries by \
                 {programs} kinds of programs, lately from {}; one person has two or three",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("networks", json!(places)),
                ("threshold", json!(PLACES)),
                ("countries", json!(countries)),
                ("programs", json!(programs)),
            ]),
        }
    }
}
