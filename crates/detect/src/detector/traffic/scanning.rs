//! A network that looks for what is not there: unknown paths, known weak spots, tools; or for what is, without a
//! token.
//!
//! Counts different unknown paths of a network, with numbers and long names taken out, so that an old app that asks for
//! a thousand orders of a route which is gone asks for one path. A path that belongs to a known weak spot counts four
//! times, and the name of a scanner as User-Agent once like six; paths that browsers and crawlers try by themselves
//! count nothing. Four different objects that are asked for without any token count like a path: a page may have some.
//! A path that six networks with honest traffic ask for is somebody's broken link. Behind a carrier's or an office's
//! address much honest traffic makes some noise: there the unknown must also be a twentieth of all. What one program
//! asks for without a token counts together wherever it comes from, and has to be twice as much as of one network in a
//! day; of browsers of one User-Agent only known weak spots count, and five are enough. Where all of it comes with one
//! principal's tokens, the finding names that too. State: 152 bytes for each of 50,000 networks, 32 for each of 16,384
//! paths, and 288 KiB.

use std::hint::black_box;

use serde_json::json;
use token::finding::Whom;
use token::reason::{Reason, Refused};

use crate::detector::traffic::seen::Seen;
use crate::detector::traffic::template::{self, Template};
use crate::detector::traffic::vocabulary::Vocabulary;
use crate::detector::{Kind, Names, Sighting, network};
use crate::program;
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const FAST: u32 = 600;
const SLOW: u32 = 86_400;
/// Points in ten minutes: three weak spots, or twelve paths.
const FAST_POINTS: u32 = 12;
/// Points in a day.
const SLOW_POINTS: u32 = 20;
/// Points in a day of one program, from whatever networks.
const PROGRAM_POINTS: u32 = 40;
/// Makes the key of a program another than any network's.
const PROGRAM: u64 = 1;
const WEAK_SPOT: u32 = 4;
const TOOL: u32 = 6;
/// Objects without a token that count like one path.
const OBJECTS: u32 = 4;
/// The unknown must be one of so many requests.
const SHARE: u32 = 20;
/// So many networks with honest traffic make a path a broken link.
const POPULAR: u32 = 6;
/// Shapes of paths that were there once: 32 KiB of bits.
const THERE: usize = 1 << 12;
/// Requests that succeeded, from which a network's traffic is honest.
const HONEST: u8 = 20;
const HONEST_PLACES: usize = 1 << 18;

static WEAK_SPOTS: Vocabulary<36> = Vocabulary::new([
    ".env",
    ".git",
    ".svn",
    ".hg/",
    ".aws",
    ".ssh",
    ".ds_store",
    ".htaccess",
    ".htpasswd",
    "wp-login",
    "wp-admin",
    "wp-config",
    "wp-includes",
    "xmlrpc.php",
    "phpmyadmin",
    "phpinfo",
    "phpunit",
    "cgi-bin",
    "actuator",
    "server-status",
    "etc/passwd",
    "/manager/html",
    "/solr/",
    "/jenkins",
    "/hudson",
    "id_rsa",
    "/console/login",
    "web.config",
    "/heapdump",
    ".sql",
    ".bak",
    "boaform",
    "/shell",
    "eval-stdin",
    "/telescope/requests",
    "adminer",
]);
static TOOLS: Vocabulary<22> = Vocabulary::new([
    "sqlmap",
    "nikto",
    "nmap",
    "masscan",
    "zgrab",
    "nuclei",
    "gobuster",
    "dirbuster",
    "dirsearch",
    "ffuf",
    "wfuzz",
    "feroxbuster",
    "wpscan",
    "acunetix",
    "nessus",
    "openvas",
    "arachni",
    "w3af",
    "whatweb",
    "kiterunner",
    "zaproxy",
    "burp",
]);
const HARMLESS: [&str; 7] = [
    "/favicon",
    "/apple-touch-icon",
    "/robots.txt",
    "/sitemap",
    "/.well-known/",
    "/ads.txt",
    "/browserconfig.xml",
];

/// What was asked for in vain.
#[derive(Clone, Copy)]
enum Found {
    /// Without a token.
    Object(u64),
    Path(u64),
    WeakSpot(u64),
}

/// What one network asked for in vain.
#[derive(Default)]
struct Search {
    fast: Points,
    slow: Points,
    once: Once,
}

/// Points of one window.
#[derive(Default)]
struct Points {
    window: u32,
    paths: Distinct<2>,
    objects: Distinct<2>,
    spots: u16,
    all: u32,
    unknown: u32,
    tool: bool,
    by: By,
}

/// Who searches.
#[derive(Clone, Copy, Default, PartialEq)]
enum By {
    #[default]
    Unseen,
    /// All of it with the tokens of one principal.
    One(u64),
    /// Nobody known, or several.
    Network,
}

/// Searches for what is not there.
pub(super) struct Scanning {
    /// By network, and by program, whose key is another ([`PROGRAM`]).
    networks: Table<Search>,
    /// Requests of today that succeeded, by network, up to [`HONEST`]: networks may share a place.
    honest: Vec<u8>,
    today: u32,
    paths: Table<Distinct<1>>,
    /// Shapes of paths that succeeded, for events without a route. Shapes may share a bit.
    there: Vec<u64>,
}

impl Default for Scanning {
    fn default() -> Self {
        Self {
            networks: Table::new(50_000),
            honest: vec![0; HONEST_PLACES],
            today: 0,
            paths: Table::new(16_384),
            there: vec![0; THERE],
        }
    }
}

// === impl Scanning ===

impl Scanning {
    pub(super) fn observe(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let network = seen.network?;
        if seen.is_ok() {
            self.succeeded(seen, network);
        }
        // Whoever uses a tool on an API of its own, and finds what is there, harms nobody.
        let tool = !seen.is_ok() && is_tool(seen);
        let is_unknown = self.is_unknown(seen);
        if !is_unknown && !tool {
            // Only a network that searches has a share of what it does not find.
            if self.networks.peek(network).is_some() {
                let search = self.networks.touch(network, seen.now);
                search.each(seen.now, |points| points.all += 1);
            }
            return None;
        }
        let found = is_unknown.then(|| self.path(seen, network)).flatten();
        let campaign = self.of_program(seen, found, tool);
        let search = self.networks.touch(network, seen.now);
        search.each(seen.now, |points| points.add(found, tool, seen.principal));
        search.judge(seen).or(campaign)
    }

    /// What one program asks for without a token, whatever its networks.
    fn of_program(
        &mut self,
        seen: &Seen<'_>,
        found: Option<Found>,
        tool: bool,
    ) -> Option<Sighting> {
        let (ua, ja4) = (seen.event.ua.as_deref()?, seen.event.origin.ja4.as_deref());
        // What people's browsers ask for in vain is their pages'; known weak spots are in none.
        let is_browser = ua.starts_with("Mozilla/");
        let is_search = found.is_some_and(|it| !is_browser || matches!(it, Found::WeakSpot(_)));
        if !is_search || seen.principal.is_some() {
            return None;
        }
        let program = if is_browser { hash::text(ua) } else { program::of(ja4, Some(ua))? };
        let program = hash::both(program, PROGRAM);
        let search = self.networks.touch(program, seen.now);
        search.each(seen.now, |points| points.add(found, tool, None));
        search.judge_program(seen, is_browser)
    }

    /// Brings near what is counted of networks that come next.
    pub(super) fn expect(&self, next: &[Names]) {
        next.iter().filter_map(|names| names.network).for_each(|network| {
            black_box(self.honest.get(place(network)).copied());
        });
    }

    /// A door without a table of routes says of a path that is gone what it says of an object that
    /// is gone: what was there once is no search.
    fn is_unknown(&self, seen: &Seen<'_>) -> bool {
        match seen.request.refused {
            Some(Refused::Plain(Reason::UnknownRoute)) => true,
            Some(_) if is_without_token(seen) => seen.object.is_some(),
            None if seen.request.status == 404 => seen.guess.is_some_and(|guess| {
                let (at, bit) = there(&guess);
                self.there.get(at).is_none_or(|held| held & bit == 0)
            }),
            None | Some(_) => false,
        }
    }

    fn succeeded(&mut self, seen: &Seen<'_>, network: u64) {
        if let Some(guess) = &seen.guess {
            let (at, bit) = there(guess);
            if let Some(held) = self.there.get_mut(at) {
                *held |= bit;
            }
        }
        if seen.now / SLOW > self.today {
            self.today = seen.now / SLOW;
            self.honest.fill(0);
        }
        if let Some(count) = self.honest.get_mut(place(network)) {
            *count = HONEST.min(*count + 1);
        }
    }

    /// The path's shape or, without a token, the object; nothing where it says nothing.
    fn path(&mut self, seen: &Seen<'_>, network: u64) -> Option<Found> {
        let path = seen.request.path.to_ascii_lowercase();
        if HARMLESS.iter().any(|known| path.starts_with(known)) {
            return None;
        }
        let shape = template::words(&path);
        if WEAK_SPOTS.is_in(&path) {
            return Some(Found::WeakSpot(shape));
        }
        let networks = self.paths.touch(shape, seen.now);
        if self.honest.get(place(network)) == Some(&HONEST) {
            networks.add(network);
        }
        let found = match seen.object.filter(|_| is_without_token(seen)) {
            Some(object) => Found::Object(hash::both(shape, object)),
            None => Found::Path(shape),
        };
        (networks.count() < POPULAR).then_some(found)
    }
}

// === impl Search ===

impl Search {
    fn each(&mut self, now: u32, change: impl Fn(&mut Points)) {
        for (points, length) in [(&mut self.fast, FAST), (&mut self.slow, SLOW)] {
            if now / length > points.window {
                *points = Points { window: now / length, ..Points::default() };
            }
            change(points);
        }
    }

    fn judge_program(&mut self, seen: &Seen<'_>, is_browser: bool) -> Option<Sighting> {
        let (ip, points) = (seen.event.ip?, &self.slow);
        let limit = if is_browser { SLOW_POINTS } else { PROGRAM_POINTS };
        let share = points.sum() as f32 / limit as f32;
        if share < 1.0 || !self.once.allows(seen.now, share) {
            return None;
        }
        let summary = format!(
            "one program asked for {} different unknown paths within a day without a token, from {ip} and elsewhere, \
             {} requests for known weak spots; lately {}",
            points.paths.count(),
            points.spots,
            seen.shown_route()
        );
        let facts = [
            ("points", json!(points.sum())),
            ("points_threshold", json!(limit)),
            ("paths", json!(points.paths.count())),
            ("weak_spots", json!(points.spots)),
            ("ua", json!(seen.event.ua)),
        ];
        let actor = "campaign:scanning".to_owned();
        let whom = Whom { ip: Some(ip), ..Whom::default() };
        Some(Sighting { kind: Kind::Scanning, actor, whom, summary, facts: facts.into() })
    }

    fn judge(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let ip = seen.event.ip?;
        let fast = self.fast.sum() as f32 / FAST_POINTS as f32;
        let slow = self.slow.sum() as f32 / SLOW_POINTS as f32;
        let (points, wanted, span) = if fast >= slow {
            (&self.fast, FAST_POINTS, "ten minutes")
        } else {
            (&self.slow, SLOW_POINTS, "a day")
        };
        if fast.max(slow) < 1.0
            || points.unknown * SHARE < points.all
            || !self.once.allows(seen.now, fast.max(slow))
        {
            return None;
        }
        let (paths, objects) = (points.paths.count(), points.objects.count());
        let tool = if points.tool { ", with a scanner's User-Agent" } else { "" };
        let summary = format!(
            "{ip} asked for {paths} different unknown paths within {span}, {} requests for known weak spots{tool}, \
             and for {objects} objects without a token; lately {}",
            points.spots,
            seen.shown_route()
        );
        let mut facts = super::seen::Facts::from([
            ("points", json!(points.sum())),
            ("points_threshold", json!(wanted)),
            ("paths", json!(paths)),
            ("objects_without_token", json!(objects)),
            ("weak_spots", json!(points.spots)),
            ("requests", json!(points.all)),
            ("unknown", json!(points.unknown)),
        ]);
        if let Some(ua) = &seen.event.ua {
            facts.insert("ua", json!(ua));
        }
        // What one principal's tokens are used for is told of that principal as well.
        let named = if matches!(points.by, By::One(_)) { seen.whom() } else { Whom::default() };
        let whom = Whom { ip: Some(ip), ..named };
        Some(Sighting { kind: Kind::Scanning, actor: network::actor(ip), whom, summary, facts })
    }
}

// === impl Points ===

impl Points {
    fn add(&mut self, found: Option<Found>, tool: bool, principal: Option<u64>) {
        self.all += 1;
        let by = principal.map_or(By::Network, By::One);
        self.by = if self.by == By::Unseen || self.by == by { by } else { By::Network };
        self.unknown += u32::from(found.is_some() || tool);
        self.tool |= tool;
        match found {
            Some(Found::Object(object)) => {
                self.objects.add(object);
            }
            Some(Found::Path(shape)) => {
                self.paths.add(shape);
            }
            Some(Found::WeakSpot(shape)) => {
                self.spots = self.spots.saturating_add(self.paths.add(shape).into());
            }
            None => {}
        }
    }

    fn sum(&self) -> u32 {
        self.paths.count()
            + self.objects.count() / OBJECTS
            + u32::from(self.spots) * (WEAK_SPOT - 1)
            + if self.tool { TOOL } else { 0 }
    }
}

fn place(network: u64) -> usize {
    network as usize % HONEST_PLACES
}

/// The word and the bit of a shape.
fn there(guess: &Template) -> (usize, u64) {
    let place = guess.shape >> 20;
    (place as usize / 64 % THERE, 1 << (place % 64))
}

fn is_without_token(seen: &Seen<'_>) -> bool {
    seen.request.refused == Some(Refused::Plain(Reason::NoToken))
}

fn is_tool(seen: &Seen<'_>) -> bool {
    seen.event.ua.as_deref().is_some_and(|ua| TOOLS.is_in(ua))
}
