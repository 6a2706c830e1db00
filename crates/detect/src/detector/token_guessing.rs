//! Tokens that are well formed and nobody's, tried by one network or by many at once.
//!
//! A program that goes on with a token of another installation sends one now and then, next to good
//! ones of its neighbours; so what counts are networks where tokens that are nobody's are a
//! twentieth of all requests that carry one. Defaults: thirty within ten minutes, twenty within an hour, or a
//! hundred within a day, which a forgotten job of every half hour does not reach; fifteen within a day of personal
//! tokens or API keys on several routes, or forty at irregular times, from where no token was good: to be taken for one
//! of these a text has to have its form, one that was given back is not nobody's, and a job goes by the clock. Many networks together: twenty-four within an hour from ten
//! networks where no token was good since, if that is four times what any hour before brought; each of them is named at
//! its third, or at once where that is ten times as much. An event does not say which token it was, so one that is
//! repeated counts as well. State: 20,000 networks of 130 bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind, Request, TokenKind};
use token::finding::Whom;
use token::reason::{Reason, Refused};

use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NETWORKS: usize = 20_000;
const FAST: i64 = 600;
const FAST_TRIES: u32 = 30;
const SLOW: i64 = 3600;
const SLOW_TRIES: u32 = 20;
const DAY: i64 = 86_400;
const DAY_TRIES: u32 = 100;
/// Of those that are made for programs, and on so many routes.
const DAY_KEYS: u32 = 15;
const ROUTES: u32 = 2;
/// On one route, with so many different pauses.
const DAY_ONE_ROUTE: u32 = 40;
const PAUSES: u32 = 6;
/// Pauses as long as each other up to this, in seconds.
const ALIKE: i64 = 30;
/// Good ones for each that is nobody's, from which a network's traffic is honest.
const SHARE: u32 = 20;
const HOUR: Duration = Duration::from_secs(3600);
const TOGETHER: usize = 24;
const TOGETHER_NETWORKS: usize = 10;
/// A run is so many times what any hour before brought.
const UNUSUAL: usize = 4;
/// From here on hardly any of the tries is somebody's who does not belong to it.
const NOBODY_ELSE: usize = 10;
const HELD: usize = 256;
/// Of a network before it is named as part of a run.
const PART: u32 = 3;

/// Guesses at tokens.
pub struct TokenGuessing {
    networks: Recent<IpNet, Network>,
    /// The newest tries of networks without a good token.
    tries: Tally<IpNet, HELD>,
    hours: Hours,
}

/// Tries of one network, by windows on the clock.
#[derive(Default)]
struct Network {
    fast: Window,
    slow: Window,
    day: Window,
    /// Those of the day with keys and personal tokens, and where.
    keys: u32,
    routes: Distinct<1>,
    pauses: Distinct<1>,
    last_key: i64,
    told: Told,
    named: Told,
}

#[derive(Default)]
struct Window {
    number: i64,
    tries: u32,
    good: u32,
}

/// How many an hour brings, and the most that one before brought.
#[derive(Default)]
struct Hours {
    number: i64,
    tries: u32,
    peak: u32,
}

impl Default for TokenGuessing {
    fn default() -> Self {
        Self { networks: Recent::new(NETWORKS), tries: Tally::default(), hours: Hours::default() }
    }
}

impl Detector for TokenGuessing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        let network = network::of(event.ip?);
        if request.refused != Some(Refused::Plain(Reason::UnknownToken)) {
            // Only a network that tried has a share of what it tried.
            if request.refused.is_none()
                && request.token_kind != TokenKind::None
                && self.networks.peek(&network).is_some()
            {
                self.networks.touch(&network).each(event, |window| window.good += 1);
            }
            return None;
        }
        let held = self.networks.touch(&network);
        held.each(event, |window| window.tries += 1);
        held.note_key(event.ts.as_secs(), request);
        if let Some(tries) = held.many() {
            return held.told.is_news(event.ts, 1).then(|| alone(event, tries));
        }
        if held.day.good > 0 {
            return None;
        }
        self.hours.add(event.ts.as_secs() / 3600);
        self.tries.push(event.ts, network);
        self.together(event, network)
    }
}

// === impl TokenGuessing ===

impl TokenGuessing {
    fn together(&mut self, event: &Event, network: IpNet) -> Option<Sighting> {
        let good = |network: &IpNet| self.networks.peek(network).is_none_or(|it| it.day.good > 0);
        let lately = self.tries.within(event.ts, HOUR).filter(|(_, network)| !good(network));
        let lately: Vec<IpNet> = lately.map(|(_, network)| *network).collect();
        let networks = lately.iter().collect::<BTreeSet<_>>().len();
        let unusual = (self.hours.peak as usize * UNUSUAL).clamp(TOGETHER, HELD);
        if lately.len() < unusual || networks < TOGETHER_NETWORKS {
            return None;
        }
        let held = self.networks.touch(&network);
        let is_alone = lately.len() >= self.hours.peak as usize * NOBODY_ELSE;
        if !is_alone && held.day.tries < PART || !held.named.is_news(event.ts, 1) {
            return None;
        }
        let tries = held.day.tries;
        let summary = format!(
            "{} tried {tries} tokens that are nobody's, as one of {networks} networks that tried {} \
             within an hour; no hour before brought more than {}",
            shown(event),
            lately.len(),
            self.hours.peak
        );
        let facts = BTreeMap::from([
            ("tries", json!(tries)),
            ("networks", json!(networks)),
            ("tries_together", json!(lately.len())),
            ("threshold", json!(unusual)),
            ("most_in_an_hour_before", json!(self.hours.peak)),
        ]);
        Some(sighting(event, "campaign:token_guessing".to_owned(), summary, facts))
    }
}

// === impl Network ===

impl Network {
    fn each(&mut self, event: &Event, change: impl Fn(&mut Window)) {
        if event.ts.as_secs() / DAY > self.day.number {
            (self.keys, self.routes, self.pauses) = (0, Distinct::default(), Distinct::default());
        }
        let windows = [(&mut self.fast, FAST), (&mut self.slow, SLOW), (&mut self.day, DAY)];
        for (window, length) in windows {
            let number = event.ts.as_secs() / length;
            if number > window.number {
                *window = Window { number, ..Window::default() };
            }
            change(window);
        }
    }

    fn note_key(&mut self, now: i64, request: &Request) {
        if matches!(request.token_kind, TokenKind::ApiKey | TokenKind::Pat) {
            self.keys = self.keys.saturating_add(1);
            let place = request.route.as_deref().unwrap_or(&request.path);
            self.routes.add(hash::without_digits(place));
            self.pauses.add(hash::of((now - self.last_key) / ALIKE));
            self.last_key = now;
        }
    }

    /// How many there are, when these are too many.
    fn many(&self) -> Option<u32> {
        let enough = |window: &Window, limit| {
            (window.tries >= limit && window.tries.saturating_mul(SHARE) >= window.good)
                .then_some(window.tries)
        };
        enough(&self.fast, FAST_TRIES)
            .or_else(|| enough(&self.slow, SLOW_TRIES))
            .or_else(|| enough(&self.day, DAY_TRIES))
            .or_else(|| {
                let several = self.keys >= DAY_KEYS && self.routes.count() >= ROUTES;
                let irregular = self.keys >= DAY_ONE_ROUTE && self.pauses.count() >= PAUSES;
                ((several || irregular) && self.day.good == 0).then_some(self.keys)
            })
    }
}

// === impl Hours ===

impl Hours {
    fn add(&mut self, number: i64) {
        if number > self.number {
            // A fiftieth fades with each hour that brings any: a run of last week hides none of today.
            self.peak = (self.peak - self.peak / 50).max(self.tries);
            (self.number, self.tries) = (number, 0);
        }
        self.tries = self.tries.saturating_add(1);
    }
}

fn alone(event: &Event, tries: u32) -> Sighting {
    let summary = format!(
        "{} tried tokens that are nobody's {tries} times, and hardly any other came from there",
        shown(event)
    );
    let facts = BTreeMap::from([
        ("tries", json!(tries)),
        ("threshold_ten_minutes", json!(FAST_TRIES)),
        ("threshold_hour", json!(SLOW_TRIES)),
        ("threshold_day", json!(DAY_TRIES)),
        ("threshold_day_keys", json!(DAY_KEYS)),
    ]);
    sighting(event, event.ip.map_or_else(String::new, network::actor), summary, facts)
}

fn sighting(
    event: &Event,
    actor: String,
    summary: String,
    facts: BTreeMap<&'static str, serde_json::Value>,
) -> Sighting {
    let whom = Whom { ip: event.ip, ..Whom::default() };
    Sighting { kind: Kind::TokenGuessing, actor, whom, summary, facts }
}

fn shown(event: &Event) -> String {
    event.ip.map_or_else(|| "an unknown address".to_owned(), |ip| ip.to_string())
}
