//! A token that was taken back, or has expired, is sent again and again.
//!
//! Certain: each refusal is a fact. An honest program stops at the first 401; a page that loads sends a dozen requests
//! within a second, so the uses must also last: ten of a revoked token over at least ten seconds. Programs learn from
//! 401 alone that a token has expired, and some retry first: thirty. Within five minutes; of what was taken back,
//! twenty within an hour as well, if they do not come by a clock: that is a forgotten job. Whoever sends it from
//! elsewhere and by other software than its last good use took it from its owner: ten within a week are enough then of
//! what was taken back, and twenty of what has expired. IPv4 and IPv6 of one part of the net may be one household's. A
//! program that goes on with an expired token where it used it has lost the way to another, as all do while the token
//! endpoint is down: that is never told; nor of a client that speaks for itself, which has many servers, unless it is
//! a stranger. Of a token that was never seen in good use, twenty within a week for six different routes are enough,
//! where its owner never was, or by no browser where that is not known, in ten runs and not by a clock: somebody tries
//! what it is for. So does who sends it thirty times for four routes like that from where it was good, by a library
//! that nobody gave a name, and no more than three dead tokens a week: a server that speaks for many people sends
//! more. Counted by token, wherever it comes from: the door knew it, so nobody else can have sent it. What was once
//! taken back and says that it has expired is both. State: 20,000 tokens of up to 1 kB, most of them far less, and
//! 10,000 networks of 40 bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::reason::{Reason, Refused};
use token::time::Timestamp;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source::{self, Source};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const TOKENS: usize = 20_000;
const SENDERS: usize = 10_000;
const WINDOW: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const LASTS: Duration = Duration::from_secs(10);
/// What comes sooner is a part of the same try, so that those that are held last for [`LASTS`].
const PARTS: Duration = Duration::from_millis(400);
const REVOKED: usize = 10;
const REVOKED_HOUR: usize = 20;
/// Three of four of a clock's pauses differ from the usual one by less than one part in so many.
const EVEN: u32 = 8;
const EXPIRED: usize = 30;
const EXPIRED_STRANGER: usize = 20;
/// Different routes for which a token of unknown use is tried.
const TRIED_OUT: u32 = 6;
/// The same by a library where the token was in good use, and by one that sends no more than so many dead tokens: a
/// server that speaks for many people sends more.
const SOME: u32 = 4;
const FEW_TOKENS: u32 = 3;
/// What comes sooner is the same run of a job, whose parts do not count among three runs or more.
const RUN: Duration = Duration::from_secs(30);
const FEW_RUNS: usize = 2;
/// Runs of whoever tries a token out.
const TRIES: usize = 10;

/// Uses of dead tokens.
pub(super) struct RevokedTokenHammering {
    tokens: Recent<String, Uses>,
    /// Expired and revoked tokens that came from a network.
    senders: Recent<IpNet, Sender>,
}

#[derive(Default)]
struct Uses {
    seen: Tally<Reason, 32>,
    /// Of a week that began then.
    routes: Distinct<1>,
    since: Timestamp,
    told: Told,
}

/// Dead tokens that came from one network, of a week that began then.
#[derive(Default)]
struct Sender {
    since: Timestamp,
    tokens: Distinct<1>,
}

impl Default for RevokedTokenHammering {
    fn default() -> Self {
        Self { tokens: Recent::new(TOKENS), senders: Recent::new(SENDERS) }
    }
}

/// Where a dead token comes from, compared with its last good use.
#[derive(Clone, Copy, PartialEq)]
enum From {
    /// Elsewhere and by other software.
    Stranger,
    /// From its network, or near it by no other software.
    Owner,
    Unclear,
    /// No good use is known, and it is not where its owner is.
    Unknown,
}

impl RecordDetector for RevokedTokenHammering {
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        let Some(Refused::Plain(reason @ (Reason::Expired | Reason::Revoked))) = request.refused
        else {
            return None;
        };
        let who = &event.who;
        let verified = who.token.as_ref().map(|token| token.as_str());
        let token = verified.or(who.claimed_token.as_deref())?.to_owned();
        let uses = self.tokens.touch(&token);
        if uses.seen.last().is_none_or(|last| event.ts.since(last) >= PARTS) {
            uses.seen.push(event.ts, reason);
        }
        if event.ts.since(uses.since) > WEEK {
            (uses.since, uses.routes) = (event.ts, Distinct::default());
        }
        if let Some(route) = names.target.route {
            uses.routes.add(route);
        }
        let sent = names.prefix.map(|network| self.senders.touch(&network).note(event.ts, &token));
        let is_by_hand = source::is_library(event)
            && !source::is_machine(event, names)
            && sent.is_some_and(|sent| sent <= FEW_TOKENS);
        let lately = |window| uses.seen.within(event.ts, window);
        let is_revoked = lately(WEEK).any(|(_, held)| *held == Reason::Revoked);
        let from = From::of(event, names, record);
        let (word, limits): (_, &[(Duration, usize)]) = match (is_revoked, from) {
            (true, From::Stranger) => ("taken back", &[(WINDOW, REVOKED), (WEEK, REVOKED)]),
            (true, _) => ("taken back", &[(WINDOW, REVOKED), (HOUR, REVOKED_HOUR)]),
            (false, From::Stranger) => ("expired", &[(WEEK, EXPIRED_STRANGER)]),
            // One of many servers goes on as all do while the token endpoint is down.
            (false, From::Unclear | From::Unknown) if source::is_machine(event, names) => {
                return None;
            }
            (false, From::Unknown) if uses.is_tried_out(event.ts, TRIED_OUT) => {
                ("expired", &[(WINDOW, EXPIRED), (WEEK, EXPIRED_STRANGER)])
            }
            (false, _) if is_by_hand && uses.is_tried_out(event.ts, SOME) => {
                ("expired", &[(WEEK, EXPIRED)])
            }
            (false, From::Unclear | From::Unknown) => ("expired", &[(WINDOW, EXPIRED)]),
            (false, From::Owner) => return None,
        };
        let (count, limit, lasted) = limits.iter().find_map(|(window, limit)| {
            let times: Vec<Timestamp> = lately(*window).map(|(ts, _)| ts).collect();
            let lasted = event.ts.since(*times.first()?);
            let enough = times.len() >= *limit && lasted >= LASTS;
            let slow_job = *window > WINDOW && from != From::Stranger && is_even(&times);
            (enough && !slow_job).then_some((times.len(), limit, lasted))
        })?;
        if !uses.told.is_news(event.ts, 1) {
            return None;
        }
        Some(Sighting {
            kind: Kind::SignIn(SignIn::RevokedTokenHammering),
            actor: source::actor(event),
            whom: source::whom(event),
            summary: format!(
                "a token that was {word} came at least {count} times within {} s, lately from {}; an honest program \
                 stops at the first refusal",
                lasted.as_secs(),
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("count", json!(count)),
                ("threshold", json!(limit)),
                ("lasted_seconds", json!(lasted.as_secs())),
                ("refused", json!(reason.code())),
            ]),
        })
    }
}

// === impl Sender ===

impl Sender {
    /// Notes one more; how many there were.
    fn note(&mut self, now: Timestamp, token: &str) -> u32 {
        if now.since(self.since) > WEEK {
            *self = Self { since: now, ..Self::default() };
        }
        self.tokens.add(source::number(token));
        self.tokens.count()
    }
}

// === impl Uses ===

impl Uses {
    /// Whether it was sent for many things, and not by a job that asks for all of them in one go.
    fn is_tried_out(&self, now: Timestamp, routes: u32) -> bool {
        let times: Vec<Timestamp> = self.seen.within(now, WEEK).map(|(ts, _)| ts).collect();
        let runs = pauses(&times).filter(|pause| *pause >= RUN).count();
        self.routes.count() >= routes && runs + 1 >= TRIES
    }
}

// === impl From ===

impl From {
    fn of(event: &Event, names: &Names, record: &Record<'_>) -> Self {
        let good = record.good_use(event, names);
        let Some(source) = Source::of(event) else { return Self::Unclear };
        let Some((_, home)) = good else {
            let is_strange = match &record.person {
                Some(person) if !person.places.is_new() => !person.places.was_at(event),
                _ => event.ua.as_deref().is_some_and(|ua| !ua.starts_with("Mozilla/")),
            };
            return if is_strange { Self::Unknown } else { Self::Unclear };
        };
        match (source.is_far(&home), source.is_other_software(&home)) {
            // A browser has several ways to connect.
            _ if source.network == home.network || source.may_be_household(&home) => Self::Owner,
            (_, true) => Self::Stranger,
            (false, false) => Self::Owner,
            (true, false) => Self::Unclear,
        }
    }
}

fn pauses(times: &[Timestamp]) -> impl Iterator<Item = Duration> {
    times.iter().zip(times.iter().skip(1)).map(|(one, two)| two.since(*one))
}

/// Whether nearly all pauses are those of a clock, by which a job asks for one thing or for several.
fn is_even(times: &[Timestamp]) -> bool {
    let (mut pauses, parts): (Vec<Duration>, Vec<Duration>) =
        pauses(times).partition(|it| *it >= RUN);
    if pauses.len() < FEW_RUNS {
        pauses.extend(parts);
    }
    pauses.sort_unstable();
    let Some(usual) = pauses.get(pauses.len() / 2).copied() else { return false };
    let even = pauses.iter().filter(|pause| pause.abs_diff(usual) * EVEN <= usual).count();
    even * 4 >= pauses.len() * 3
}
