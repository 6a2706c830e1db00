//! A person's key that goes on where it was, and is used besides from a country where its owner never was.
//!
//! A personal token or an API key runs in data centres, and on its owner's computer, wherever that is: so what counts
//! is Tor, a VPN in a country where neither the key nor its owner was seen, or a line where people are in one where
//! its owner, whose own country is known, was not, while the key goes on at a place where it was for six hours before.
//! Ten uses from there within three days and two returns after it was used at home are a copy in other hands, and so
//! are twenty with one return, or through Tor with none: who travels takes the computer along and signs in there, and
//! a job stays where it is. State: 16,384 keys of 104 bytes.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind, NetworkKind};

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::away::Away;
use crate::detector::sign_in::source::{self, number};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const KEYS: usize = 16_384;
/// How long, in seconds, and how often a key is used in a place before that is its home.
const HOME: u32 = 6 * 3600;
const HOME_USES: u16 = 8;
/// Places that are remembered of it.
const HOMES: usize = 4;
const DAYS: u32 = 3 * 86_400;
/// Uses that are enough with so many returns, or one less.
const USES: u16 = 10;
const MANY_USES: u16 = 20;
const RETURNS: u8 = 2;

/// Keys in two hands.
pub(super) struct StolenKey(Table<Key>);

#[derive(Default)]
struct Key {
    since: u32,
    uses: u16,
    /// Where it was used and was no stranger.
    countries: Distinct<1>,
    /// Places where it was before it was seen elsewhere.
    homes: [u64; HOMES],
    away: Away,
    once: Once,
}

impl Default for StolenKey {
    fn default() -> Self {
        Self(Table::new(KEYS))
    }
}

impl RecordDetector for StolenKey {
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        if !request.token_kind.is_for_programs()
            || request.refused.is_some()
            || source::is_machine(event, names)
        {
            return None;
        }
        let person = &record.person.as_ref()?.places;
        let (token, place) = (names.token?, source::place(event)?);
        let now = source::seconds(event);
        let key = self.0.touch(token, now);
        if key.since == 0 {
            key.since = now;
        }
        if key.away.place != place {
            let is_home = now.saturating_sub(key.since) >= HOME && key.uses >= HOME_USES;
            let is_strange = match source::net(event) {
                Some(NetworkKind::Tor) => !person.was_at(event),
                _ if !is_home || key.knows_country(event) => false,
                Some(NetworkKind::Vpn) => !person.was_at(event) && !person.was_in_country(event),
                Some(NetworkKind::Residential | NetworkKind::Mobile) => {
                    person.is_strange_country(event)
                }
                _ => false,
            };
            if !is_strange {
                key.answer(event, place, now);
                return None;
            }
            if key.away.is_on(now, DAYS) {
                return None;
            }
        }
        key.away.come(place, now, DAYS);
        let away = key.away;
        let is_tor = source::net(event) == Some(NetworkKind::Tor);
        let is_much = away.uses >= MANY_USES && (is_tor || away.returns + 1 >= RETURNS);
        let is_back = away.uses >= USES && away.returns >= RETURNS;
        let is_known = key.uses >= HOME_USES;
        if !is_known
            || !(is_much || is_back)
            || person.signed_in_at(event)
            || !key.once.allows(now, 1.0)
        {
            return None;
        }
        Some(sighting(event, key.away))
    }
}

// === impl Key ===

impl Key {
    /// Whether it was used in the country, or nothing is known of that.
    fn knows_country(&self, event: &Event) -> bool {
        event.origin.country.as_ref().is_none_or(|it| self.countries.contains(number(it)))
    }

    /// It was used where nothing is strange. What is new since it was seen elsewhere may be the owner on a journey.
    fn answer(&mut self, event: &Event, place: u64, now: u32) {
        let is_home = self.homes.contains(&place);
        if self.away.is_on(now, DAYS) && !is_home {
            return;
        }
        if let Some(country) = &event.origin.country {
            self.countries.add(number(country));
        }
        if !is_home {
            self.homes.rotate_right(1);
            self.homes[0] = place;
        }
        self.uses = self.uses.saturating_add(1);
        self.away.answer();
    }
}

fn sighting(event: &Event, away: Away) -> Sighting {
    let who = &event.who;
    let token = who.token.as_ref().map_or("", |token| token.as_str());
    let mut facts = BTreeMap::from([
        ("uses", json!(away.uses)),
        ("threshold", json!(USES)),
        ("returns", json!(away.returns)),
        ("window_seconds", json!(DAYS)),
    ]);
    if let Some(country) = &event.origin.country {
        facts.insert("country", json!(country));
    }
    Sighting {
        kind: Kind::SignIn(SignIn::TokenSharing),
        actor: format!("token:{token}"),
        whom: source::whom(event),
        summary: format!(
            "a key was used {} times from {}, where its owner never was, and {} times again \
             after it was used where it has its home",
            away.uses,
            source::shown(event),
            away.returns
        ),
        facts,
    }
}
