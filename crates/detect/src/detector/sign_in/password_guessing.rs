//! One account tried from many places, or by one that never signed in to it, again and again.
//!
//! Only tries from networks where the name never signed in count: whoever has forgotten a password has done so at home,
//! and a program with an old password retries where it worked. Places are autonomous systems or, unknown, IPv4 /16 and
//! IPv6 /32, since a telephone changes its address all day. Defaults: ten tries from five places within a day; twelve
//! from one within an hour; thirty in all within an hour, or twenty-five from one within a day, for whoever takes time,
//! if the name ever signed in: else it may be a telephone with an old password where it always was, as it is for sure
//! if it goes by the clock, of four minutes and more, and nobody else tries. The network of a single try is not named,
//! unless no people are there: that may be the owner, who has forgotten a password meanwhile. The first finding then
//! names the network that tried most, or first; the others are named each once. The account is told by the keyed hash
//! of its name: nobody was verified. Getting in afterwards from such a place names the account, but not the owner's
//! telephone in a network that is new to it: software that signed in before and did not guess, where nobody guessed; it
//! may have mistyped once. State: 50,000 names of at most 5 kB, most of them 300 bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::time::Timestamp;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source::{self, Source, number};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NAMES: usize = 50_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const PLACES: usize = 5;
const TRIES: usize = 10;
/// Nobody tries so often what they have forgotten, in a place where they never got in.
const ONE_PLACE: usize = 12;
const IN_AN_HOUR: usize = 30;
const ONE_PLACE_DAY: usize = 25;
/// Pauses of a program's clock, so long that nobody comes far, and one in so many may be the difference between them.
const PAUSE: Duration = Duration::from_secs(240);
const CLOCK: u32 = 50;

/// Guesses at one account.
pub(super) struct PasswordGuessing {
    names: Recent<u64, Account>,
}

#[derive(Default)]
struct Account {
    homes: Tally<IpNet, 4>,
    /// Where it signed in, however often a telephone changes its address there.
    places: Tally<u64, 8>,
    /// What it signed in by, as exactly as is known.
    software: Tally<u64, 8>,
    tries: Tally<Source, 40>,
    named: Tally<IpNet, 40>,
    told: Told,
    taken: Told,
}

impl Default for PasswordGuessing {
    fn default() -> Self {
        Self { names: Recent::new(NAMES) }
    }
}

impl Detector for PasswordGuessing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Login { username, result, factor, .. } = &event.kind else { return None };
        if username.is_empty() || !matches!(factor.as_str(), "" | "password") {
            return None;
        }
        let source = Source::of(event)?;
        let account = self.names.touch(&number(username));
        let is_home = account.homes.contains(&source.network);
        match result.as_str() {
            "ok" if !is_home && account.told.is_open(event.ts) && account.is_strange(event) => {
                account.taken.is_news(event.ts, 1).then(|| account.taken(event, username))
            }
            "ok" => {
                account.homes.note(event.ts, source.network);
                if let Some(place) = source::place(event) {
                    account.places.note(event.ts, place);
                }
                if let Some(software) = source::software(event) {
                    account.software.note(event.ts, software);
                }
                None
            }
            "bad_password" | "throttled" if !is_home => {
                account.tries.push(event.ts, source);
                account.judge(event, username)
            }
            _ => None,
        }
    }
}

// === impl Account ===

impl Account {
    /// Whether the network guessed before, or it never signed in from this place by this software.
    fn is_strange(&self, event: &Event) -> bool {
        let Some(now) = Source::of(event) else { return true };
        let tries = self.tries.within(event.ts, DAY).map(|(_, tried)| tried);
        let (here, elsewhere): (Vec<&Source>, Vec<&Source>) =
            tries.partition(|tried| tried.network == now.network);
        let is_own = source::software(event).is_some_and(|by| self.software.contains(&by))
            && elsewhere.iter().all(|tried| tried.is_other_software(&now));
        // Owners mistype as well.
        if here.len() > usize::from(is_own) {
            return true;
        }
        let is_at_home = source::place(event).is_some_and(|place| self.places.contains(&place));
        !is_own && !is_at_home
    }

    fn judge(&mut self, event: &Event, username: &str) -> Option<Sighting> {
        let (places, tries) = self.places(event, DAY);
        let here = network::of(event.ip?);
        let from_here = |window| {
            let tries = self.tries.within(event.ts, window);
            tries.filter(|(_, tried)| tried.network == here).count()
        };
        let (lately, today) = (from_here(HOUR), from_here(DAY));
        let (_, all) = self.places(event, HOUR);
        let is_known = self.homes.len() > 0;
        let is_much = places >= PLACES && tries >= TRIES
            || lately >= ONE_PLACE
            || all >= IN_AN_HOUR
            || today >= ONE_PLACE_DAY && is_known;
        if !is_much || !is_known && self.is_forgotten(event, here, tries) {
            return None;
        }
        let is_news = self.told.is_news(event.ts, 1);
        let is_part = today >= 2 || source::is_nobodys(event);
        let is_new = is_part && !self.named.contains(&here);
        if !is_news && !is_new {
            return None;
        }
        let named = if is_part { Some(here) } else { self.busiest(event) };
        if let Some(network) = named {
            self.named.note(event.ts, network);
        }
        Some(Sighting {
            kind: Kind::SignIn(SignIn::PasswordGuessing),
            actor: format!("account:{username}"),
            whom: Whom {
                ip: event.ip.filter(|_| is_part).or(named.map(|network| network.addr())),
                ..Whom::default()
            },
            summary: format!(
                "{tries} wrong passwords for one account within a day, from {places} places where \
                 it never signed in (it signs in from {} networks)",
                self.homes.len()
            ),
            facts: BTreeMap::from([
                ("username", json!(username)),
                ("tries", json!(tries)),
                ("places", json!(places)),
                (
                    "thresholds",
                    json!({
                        "tries": TRIES, "places": PLACES, "one_place_hour": ONE_PLACE,
                        "hour": IN_AN_HOUR, "one_place_day": ONE_PLACE_DAY,
                    }),
                ),
            ]),
        })
    }

    /// Whether one program goes on by the clock with what was the password: nobody guesses like that.
    fn is_forgotten(&self, event: &Event, here: IpNet, tries: usize) -> bool {
        let from_here: Vec<Timestamp> = self
            .tries
            .within(event.ts, DAY)
            .filter(|(_, tried)| tried.network == here)
            .map(|(at, _)| at)
            .collect();
        let pauses = || from_here.windows(2).map(|two| two[1].since(two[0]));
        let (Some(least), Some(most)) = (pauses().min(), pauses().max()) else { return false };
        from_here.len() == tries && least >= PAUSE && most <= least + least / CLOCK
    }

    /// The network that tried most, the first of them.
    fn busiest(&self, event: &Event) -> Option<IpNet> {
        let tries: Vec<IpNet> =
            self.tries.within(event.ts, DAY).map(|(_, source)| source.network).collect();
        let count = |network: &IpNet| tries.iter().filter(|it| *it == network).count();
        let most = tries.iter().map(count).max()?;
        tries.iter().find(|network| count(network) == most).copied()
    }

    fn taken(&self, event: &Event, username: &str) -> Sighting {
        let (places, tries) = self.places(event, DAY);
        Sighting {
            kind: Kind::SignIn(SignIn::PasswordGuessingTaken),
            actor: format!("account:{username}"),
            whom: Whom {
                subject: event.who.subject.clone(),
                session: event.who.session.clone(),
                ip: event.ip,
                ..Whom::default()
            },
            summary: format!(
                "after {tries} wrong passwords from {places} places, the right one came from {}, \
                 where the account never signed in before",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("username", json!(username)),
                ("tries", json!(tries)),
                ("places", json!(places)),
            ]),
        }
    }

    /// Different places, and tries.
    fn places(&self, event: &Event, window: Duration) -> (usize, usize) {
        let mut places: Vec<&Source> = Vec::new();
        let mut tries = 0;
        for (_, source) in self.tries.within(event.ts, window) {
            tries += 1;
            if places.iter().all(|place| place.is_far(source)) {
                places.push(source);
            }
        }
        (places.len(), tries)
    }
}
