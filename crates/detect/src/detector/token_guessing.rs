//! Tokens that are well formed and nobody's, tried by one network or by many at once.
//!
//! A program that goes on with a token of another installation sends one now and then, next to good ones of its
//! neighbours; so what counts are networks where tokens that are nobody's are a twentieth of all requests that carry
//! one. Defaults: thirty within ten minutes, twenty within an hour, or a hundred within a day, which a forgotten job
//! of every half hour does not reach; fifteen within a day of personal tokens or API keys on several routes, or at
//! irregular times, from where no token was good: to be taken for one of these a text has to have its form, one that
//! was given back is not nobody's, and a job goes by the clock. Many networks together: twenty-four within an hour
//! from ten networks where no token was good since, if that is four times what any hour before brought; each of them
//! is named at its third, or at once where that is ten times as much. So is a run of one program, from eight networks,
//! by what that program brought before, or whatever it brought if they are fifteen: an hour with a run of another
//! hides it not, and a run that lasts is not its own excuse. A program that is no browser and takes its time: forty
//! within a day from twelve networks, if that is four times what any day before brought; and of personal tokens and
//! keys, by whatever programs, twenty different ones within six hours from ten, if that is four times what any six
//! hours before brought. Where events do not say which token it was, one that is repeated counts as well; fifteen
//! different ones within a day from where none was good are enough. State: 20,000 networks of 130 bytes, 200 programs
//! of up to 5 kB.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind, Request, TokenKind};
use token::finding::Whom;
use token::reason::{Reason, Refused};

use crate::detector::{Detector, Kind, Sighting, is_browser, network};
use crate::program;
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
const SIX_HOURS: i64 = 6 * SLOW;
const DAY: i64 = 86_400;
const DAY_TRIES: u32 = 100;
/// Of those that are made for programs, and on so many routes.
const DAY_KEYS: u32 = 15;
const ROUTES: u32 = 2;
/// Different ones, where the event names them: no program has so many that are nobody's.
const DAY_NAMES: u32 = 15;
/// On one route, at so many different pauses.
const PAUSES: u32 = 10;
/// Pauses as long as each other up to this, in seconds.
const ALIKE: i64 = 30;
/// Good ones for each that is nobody's, from which a network's traffic is honest.
const SHARE: u32 = 20;
const TOGETHER: usize = 24;
const OF_ALL: Limits = Limits { window: SLOW, tries: TOGETHER, networks: [10, usize::MAX] };
/// A run is so many times what any hour before brought.
const UNUSUAL: usize = 4;
/// From here on hardly any of the tries is somebody's who does not belong to it.
const NOBODY_ELSE: usize = 10;
const HELD: usize = 256;
const PROGRAMS: usize = 200;
/// Of one program, and so many that they are a run whatever was before.
const OF_PROGRAM: Limits = Limits { window: SLOW, tries: TOGETHER, networks: [8, 15] };
const PROGRAM_HELD: usize = 64;
/// Of one that takes its time.
const OF_DAY: Limits = Limits { window: DAY, tries: 40, networks: [12, usize::MAX] };
const DAY_HELD: usize = 128;
/// Of keys and personal tokens, by whatever programs that are no browsers.
const OF_KEYS: Limits = Limits { window: SIX_HOURS, tries: 20, networks: [10, usize::MAX] };
/// Of a network before it is named as part of a run.
const PART: u32 = 3;
/// So many of a network in a day may be a part of one.
const EARLY: u32 = 12;

/// Guesses at tokens.
pub struct TokenGuessing {
    networks: Recent<IpNet, Network>,
    /// Of all programs.
    all: Run<HELD>,
    /// Of keys and personal tokens.
    keys: Run<PROGRAM_HELD>,
    /// Which they were: a job repeats its own.
    key_names: Tally<u64, PROGRAM_HELD>,
    programs: Recent<u64, Program>,
}

/// The newest tries of networks without a good token.
struct Run<const N: usize> {
    tries: Tally<IpNet, N>,
    hours: Hours,
}

/// Tries by one program, as fast as an hour shows and as slow as a day does.
#[derive(Default)]
struct Program {
    hour: Run<PROGRAM_HELD>,
    day: Run<DAY_HELD>,
}

/// How many tries of how many networks are a run.
struct Limits {
    /// Of what length.
    window: i64,
    tries: usize,
    /// Networks, if it is unusual, and those with which it is one whatever was before.
    networks: [usize; 2],
}

/// Tries of one network, by windows on the clock.
#[derive(Default)]
struct Network {
    fast: Window,
    slow: Window,
    day: Window,
    /// Those of the day with keys and personal tokens, and where.
    keys: u32,
    names: Distinct<1>,
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
        Self {
            networks: Recent::new(NETWORKS),
            all: Run::default(),
            keys: Run::default(),
            key_names: Tally::default(),
            programs: Recent::new(PROGRAMS),
        }
    }
}

impl<const N: usize> Default for Run<N> {
    fn default() -> Self {
        Self { tries: Tally::default(), hours: Hours::default() }
    }
}

/// Tries within an hour, or a day, that are a run.
struct Together {
    window: i64,
    tries: usize,
    networks: usize,
    peak: u32,
    threshold: usize,
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
        held.note_key(event, request);
        if let Some(tries) = held.many() {
            return held.told.is_news(event.ts, 1).then(|| alone(event, tries));
        }
        if held.day.good > 0 {
            return None;
        }
        // Of a network that goes on by itself only the beginning may be a part of a run.
        let (is_first, is_early) = (held.day.tries <= PART, held.day.tries <= EARLY);
        if !is_early {
            return None;
        }
        let program = program::of(event.origin.ja4.as_deref(), event.ua.as_deref());
        let run = program.map(|program| self.programs.touch(&program));
        let is_good =
            |network: &IpNet| self.networks.peek(network).is_none_or(|it| it.day.good > 0);
        let is_browser = is_browser(event);
        let of_program = run.and_then(|run| {
            let of_day = if is_browser || !is_first {
                None
            } else {
                run.day.add(event, network, &OF_DAY, 1, is_good)
            };
            run.hour.add(event, network, &OF_PROGRAM, is_first.into(), is_good).or(of_day)
        });
        let name = event.who.claimed_token.as_deref().map(hash::text);
        let is_key = request.token_kind.is_for_programs() && !is_browser;
        let name = name.filter(|_| is_key);
        let of_keys = name.and_then(|name| {
            self.key_names.note(event.ts, name);
            let window = Duration::from_secs(OF_KEYS.window.unsigned_abs());
            let are_many = self.key_names.within(event.ts, window).count() >= OF_KEYS.tries;
            let run = self.keys.add(event, network, &OF_KEYS, is_first.into(), is_good);
            run.filter(|_| are_many)
        });
        let of_all = self.all.add(event, network, &OF_ALL, is_first.into(), is_good);
        let together = of_all.or(of_program).or(of_keys)?;
        self.together(event, network, &together)
    }
}

// === impl TokenGuessing ===

impl TokenGuessing {
    fn together(&mut self, event: &Event, network: IpNet, run: &Together) -> Option<Sighting> {
        let held = self.networks.touch(&network);
        let is_alone = run.tries >= run.peak as usize * NOBODY_ELSE;
        if !is_alone && held.day.tries < PART || !held.named.is_news(event.ts, 1) {
            return None;
        }
        let tries = held.day.tries;
        let span = match run.window {
            DAY => "a day",
            SIX_HOURS => "six hours",
            _ => "an hour",
        };
        let summary = format!(
            "{} tried {tries} tokens that are nobody's, as one of {} networks that tried {} \
             within {span}; none before brought more than {}",
            shown(event),
            run.networks,
            run.tries,
            run.peak
        );
        let facts = BTreeMap::from([
            ("tries", json!(tries)),
            ("networks", json!(run.networks)),
            ("tries_together", json!(run.tries)),
            ("threshold", json!(run.threshold)),
            ("window_seconds", json!(run.window)),
            ("most_in_a_window_before", json!(run.peak)),
        ]);
        Some(sighting(event, "campaign:token_guessing".to_owned(), summary, facts))
    }
}

// === impl Run ===

impl<const N: usize> Run<N> {
    /// One more try of a network without a good token; what it is a part of, if it is one of many.
    fn add(
        &mut self,
        event: &Event,
        network: IpNet,
        limits: &Limits,
        counted: u32,
        is_good: impl Fn(&IpNet) -> bool,
    ) -> Option<Together> {
        self.hours.add(event.ts.as_secs() / limits.window, counted);
        self.tries.push(event.ts, network);
        let peak = self.hours.peak;
        let threshold = (peak as usize * UNUSUAL).clamp(limits.tries, N);
        if self.tries.len() < limits.tries {
            return None;
        }
        let window = Duration::from_secs(limits.window.unsigned_abs());
        let lately = self.tries.within(event.ts, window).filter(|(_, network)| !is_good(network));
        let lately: Vec<&IpNet> = lately.map(|(_, network)| network).collect();
        let networks = lately.iter().collect::<BTreeSet<_>>().len();
        let [enough, many] = limits.networks;
        let is_unusual = lately.len() >= threshold && networks >= enough;
        let is_many = lately.len() >= limits.tries && networks >= many;
        (is_unusual || is_many).then_some(Together {
            tries: lately.len(),
            networks,
            peak,
            threshold,
            window: limits.window,
        })
    }
}

// === impl Network ===

impl Network {
    fn each(&mut self, event: &Event, change: impl Fn(&mut Window)) {
        if event.ts.as_secs() / DAY > self.day.number {
            (self.keys, self.names) = (0, Distinct::default());
            (self.routes, self.pauses) = (Distinct::default(), Distinct::default());
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

    fn note_key(&mut self, event: &Event, request: &Request) {
        let now = event.ts.as_secs();
        if let Some(name) = &event.who.claimed_token {
            self.names.add(hash::text(name));
        }
        if request.token_kind.is_for_programs() {
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
                let irregular = self.keys >= DAY_KEYS && self.pauses.count() >= PAUSES;
                let named = self.names.count();
                let tries = if named >= DAY_NAMES { named } else { self.keys };
                let enough = several || irregular || named >= DAY_NAMES;
                (enough && self.day.good == 0).then_some(tries)
            })
    }
}

// === impl Hours ===

impl Hours {
    fn add(&mut self, number: i64, tries: u32) {
        if number > self.number {
            // A fiftieth fades with each hour that brings any: a run of last week hides none of today.
            self.peak = (self.peak - self.peak / 50).max(self.tries);
            (self.number, self.tries) = (number, 0);
        }
        self.tries = self.tries.saturating_add(tries);
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
