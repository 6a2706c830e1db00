//! A client's own key that goes on where it was, and is used besides from elsewhere by software that it never had.
//!
//! An API key is made for servers, of which there may be a fleet in several places, but all of it is one program. So
//! what counts is another place and another program at once, while the key goes on where it was: five uses from there
//! and two returns after it was used at home, or twenty with one use at home since by a library that nobody gave a
//! name of their own, in a country where the key never was. What has the name of its software and another TLS
//! fingerprint counts in such a country only. Whoever moves, or is updated, does not go on at home. Needs a key that
//! was used twenty times in an hour or more, in at most four places, and is judged for a day each time. State: 8,192
//! keys of 176 bytes.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind};

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::away::Away;
use crate::detector::sign_in::source::{self, number};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::program;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const KEYS: usize = 8_192;
/// How long, in seconds, and how often a key is used before it is known what is its own.
const HOME: u32 = 3600;
const HOME_USES: u32 = 20;
/// Of each kind so many are remembered.
const HELD: usize = 4;
const DAY: u32 = 86_400;
/// Uses with so many returns, and without.
const USES: u16 = 5;
const RETURNS: u8 = 2;
const MANY_USES: u16 = 20;

/// Clients' keys in two hands.
pub(super) struct ClientKey(Table<Key>);

/// What is the key's own, and who uses it besides.
#[derive(Default)]
struct Key {
    since: u32,
    uses: u32,
    places: [u64; HELD],
    programs: [u64; HELD],
    prints: [u64; HELD],
    countries: [u64; HELD],
    away: Away,
    once: Once,
}

/// What one use shows.
struct Use {
    place: u64,
    program: u64,
    print: Option<u64>,
    country: Option<u64>,
}

impl Default for ClientKey {
    fn default() -> Self {
        Self(Table::new(KEYS))
    }
}

impl RecordDetector for ClientKey {
    fn observe(&mut self, event: &Event, names: &Names, _: &mut Record<'_>) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        if !request.token_kind.is_for_programs()
            || request.refused.is_some()
            || !source::is_machine(event, names)
        {
            return None;
        }
        let now = source::seconds(event);
        let this = Use {
            place: source::place(event)?,
            program: source::family(event)?,
            print: event.origin.ja4.as_deref().and_then(program::library),
            country: event.origin.country.as_ref().map(number),
        };
        let key = self.0.touch(names.token?, now);
        if key.since == 0 {
            key.since = now;
        }
        let is_abroad = key.is_abroad(&this);
        if !key.is_strange(&this, is_abroad, now) {
            key.answer(&this);
            return None;
        }
        let is_foreign = is_abroad && source::is_library(event);
        key.away.come(this.place, now, DAY);
        let away = key.away;
        let is_enough = away.uses >= USES && away.returns >= RETURNS
            || away.uses >= MANY_USES && is_foreign && away.returns > 0;
        (is_enough && key.once.allows(now, 1.0)).then(|| sighting(event, away))
    }
}

// === impl Key ===

impl Key {
    /// Whether the key never was in the country.
    fn is_abroad(&self, this: &Use) -> bool {
        this.country.is_some_and(|it| !self.countries.contains(&it)) && self.countries[0] != 0
    }

    /// Whether it comes from elsewhere, by another program.
    fn is_strange(&self, this: &Use, is_abroad: bool, now: u32) -> bool {
        let is_known = now.saturating_sub(self.since) >= HOME && self.uses >= HOME_USES;
        // The last one is taken where it roams.
        let is_fleet = self.places.iter().all(|held| *held != 0);
        let is_other = !self.programs.contains(&this.program);
        let is_disguised =
            self.prints[0] != 0 && this.print.is_some_and(|print| !self.prints.contains(&print));
        is_known
            && !is_fleet
            && !self.places.contains(&this.place)
            && (is_other || is_disguised && is_abroad)
    }

    /// It was used where, or by what, it is known.
    fn answer(&mut self, this: &Use) {
        let kinds = [
            (&mut self.places, Some(this.place)),
            (&mut self.programs, Some(this.program)),
            (&mut self.prints, this.print),
            (&mut self.countries, this.country),
        ];
        for (held, new) in kinds {
            if let Some(new) = new.filter(|new| !held.contains(new)) {
                held.rotate_right(1);
                held[0] = new;
            }
        }
        self.uses = self.uses.saturating_add(1);
        self.away.answer();
    }
}

fn sighting(event: &Event, away: Away) -> Sighting {
    let who = &event.who;
    let token = who.token.as_ref().map_or("", |token| token.as_str());
    let client = who.client.as_ref().map_or("a client", |client| client.as_str());
    Sighting {
        kind: Kind::SignIn(SignIn::TokenSharing),
        actor: format!("token:{token}"),
        whom: source::whom(event),
        summary: format!(
            "a key of {client} was used {} times from {}, where it never was, by software that it never had, and {} times \
             again after it was used at home",
            away.uses,
            source::shown(event),
            away.returns
        ),
        facts: BTreeMap::from([
            ("uses", json!(away.uses)),
            ("threshold", json!(USES)),
            ("returns", json!(away.returns)),
            ("window_seconds", json!(DAY)),
        ]),
    }
}
