//! A principal that tries functions outside of its role.
//!
//! Refusals: different routes (method and template) that refused a verified principal: too little scope, a rule, 403 or
//! 405. For an object a 405 counts too, a 403 does not. A client that lacks a scope is refused by the same few routes
//! again and again, and so are all that use it: a route that refuses a fifth of a client's principals, and at least
//! three, is the client's fault and does not count; nor one that a fifth of them use, since then it is this token that
//! lacks something. Five routes in an hour or eight in three days are more than a menu that shows one entry too many.
//!
//! Functions of others: a server that checks nothing refuses nothing. A function (a template, by any method) that at
//! most one in fifty of a client's people ever asked for, while those of another client or role ask for it eight times
//! as often, and a third of them at least, is theirs, if they are fewer by far: administrators, support, partners,
//! jobs. What one resource offers, such as an export that is ordered and fetched, is one function. A new function of an
//! app is nobody's. Whoever is one of them by another client may ask by this one too. Three in an hour or four in a day
//! are told, whatever the answer was: one link that leads astray is one function. In an hour refusals by other
//! functions make up for some: each is a fifth of what is told. Of clients that forty people use, and have sent a dozen
//! requests each on the average: before that, hardly anybody asked for anything yet.
//!
//! A function that calls itself an administrator's (`/admin/…`, `/internal/…`) is that of others as well, though none
//! of these was seen, if hardly anybody of the client asks for it or, however few use the client, it refuses a library
//! (a third of those requests are enough then); but not for who asked for one within an hour of being seen first, or a
//! day ago: an administrator. Four of them that refuse anybody within a day are told as well, minutes apart: a page
//! asks for several at once.
//!
//! State: 96 bytes for each of 100,000 principals that were refused or elsewhere, 40 for each of 16,384 routes of
//! clients that refuse and of 16,384 that are used, 24 for each of 16,384 functions and of 16,384 who
//! ask for an administrator's, and 48 for each of 4,096 clients.

use serde_json::json;
use token::reason::{Reason, Refused};

use crate::detector::traffic::seen::{Facts, Seen};
use crate::detector::{Kind, Sighting, is_library};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::memo::Memo;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const HOUR: u32 = 3600;
const DAY: u32 = 86_400;
/// Refusals are counted by halves of three days, of which two are held.
const PERIOD: u32 = DAY / 2 * 3;
/// Different routes in an hour that refuse.
const FAST: u32 = 5;
/// Different routes in a running period and the one before that refuse.
const SLOW: u32 = 8;
/// Different functions of others in an hour.
const FAST_FOREIGN: u32 = 3;
/// Different functions of others in a day.
const SLOW_FOREIGN: u32 = 4;
/// So many seconds are between what somebody looks for and not a page.
const APART: u32 = 180;
/// One of so many of a client makes a function theirs, or a refusal their client's fault.
const COMMON: u32 = 5;
/// One of so many may have asked for what is not theirs.
const RARE: u32 = 50;
const PEOPLE: u32 = 40;
/// Requests of each of them, on the average, that show what they ask for.
const SHOWN: u32 = 12;
/// The same where the function says whose it is.
const SHOWN_BY_NAME: u32 = 4;
/// Those whose function it is ask for it so many times as often.
const OFTENER: u64 = 8;
/// One of so many of them at least.
const TYPICAL: u32 = 3;
/// So many times as many people are those whose function it is not.
const FEWER: u32 = 4;

/// What one principal tried.
#[derive(Default)]
struct Tries {
    hour: u32,
    day: u32,
    period: u32,
    refused: Distinct<1>,
    /// In the running period and in the one before.
    refused_lately: Distinct<1>,
    refused_before: Distinct<1>,
    foreign: Distinct<1>,
    /// Functions that refused, and those of others, in an hour.
    either: Distinct<1>,
    foreign_today: Distinct<1>,
    /// When an administrator's function refused last.
    denied: u32,
    once: Once,
}

/// Probing of functions.
pub(super) struct FunctionProbing {
    tries: Table<Tries>,
    refused_by: Table<Distinct<2>>,
    used_by: Table<Distinct<2>>,
    /// Those who ask for a function most, of how many they are.
    homes: Table<u64>,
    people: Table<People>,
    /// When who asked for an administrator's function did so first.
    administrators: Table<u32>,
    /// Whether a function calls itself an administrator's.
    named: Memo<bool>,
}

/// Those who use a client.
#[derive(Default)]
struct People {
    known: Distinct<4>,
    requests: u32,
}

impl Default for FunctionProbing {
    fn default() -> Self {
        Self {
            tries: Table::new(100_000),
            refused_by: Table::new(16_384),
            used_by: Table::new(16_384),
            homes: Table::new(16_384),
            people: Table::new(4096),
            administrators: Table::new(16_384),
            named: Memo::default(),
        }
    }
}

// === impl FunctionProbing ===

impl FunctionProbing {
    pub(super) fn observe(
        &mut self,
        seen: &Seen<'_>,
        principal: u64,
        first: u32,
    ) -> Option<Sighting> {
        let people = self.people.touch(seen.client, seen.now);
        people.known.add(principal);
        people.requests = people.requests.saturating_add(1);
        let (route, function) = (seen.route?, seen.function?);
        let refusal = match seen.request.refused {
            Some(Refused::Plain(reason)) => {
                matches!(reason, Reason::InsufficientScope | Reason::Policy)
            }
            // A 403 for an object says something about the object, a 405 does not.
            None => {
                seen.request.status == 405 || seen.request.status == 403 && seen.object.is_none()
            }
            Some(_) => return None,
        };
        if !refusal && (seen.request.refused.is_some() || seen.request.status >= 500) {
            return None;
        }
        let is_administration = self.is_administration(seen, principal, first, function);
        let (is_foreign, is_common) = self.asks(seen, principal, function, is_administration);
        let is_refused = refusal && !is_common && self.is_refused(seen, principal, route);
        // Nobody made a menu for a library in which an entry too many could be.
        let is_looked_for = is_refused && is_administration && is_library(seen.event);
        let is_foreign = is_foreign || is_looked_for;
        if !is_foreign && !is_refused {
            return None;
        }
        let tries = self.tries.touch(principal, seen.now);
        tries.begin(seen.now);
        if is_foreign {
            // An export is ordered, looked after and fetched: one function with three routes.
            let whole = seen.object.map(|_| seen.collection).or(seen.lists).unwrap_or(function);
            let whole = if is_administration { function } else { whole };
            tries.foreign.add(whole);
            tries.foreign_today.add(whole);
        }
        if is_refused && is_administration {
            tries.looks_for(function, seen.now);
        }
        if is_refused {
            tries.refused.add(route);
            tries.refused_lately.add(route);
        }
        tries.either.add(function);
        tries.judge(seen)
    }

    /// Whether this principal was let use an administrator's function.
    pub(super) fn administers(&self, principal: u64) -> bool {
        self.administrators.peek(principal).is_some()
    }

    /// Whether the function is an administrator's by its name, and whoever asks was not seen to be one.
    fn is_administration(
        &mut self,
        seen: &Seen<'_>,
        principal: u64,
        first: u32,
        function: u64,
    ) -> bool {
        if !self.named.of(function, || seen.is_administration()) || seen.is_of_client() {
            return false;
        }
        // Whoever was refused was not seen to be one.
        let is_refused = seen.request.refused.is_some() || seen.is_denied;
        let since = self.administrators.peek(principal).copied();
        if since.is_none() && !is_refused {
            *self.administrators.touch(principal, seen.now) = seen.now;
        }
        let since = since.unwrap_or(seen.now);
        let is_late = since.saturating_sub(first) >= HOUR;
        is_late && seen.now.saturating_sub(since) < DAY
    }

    /// Whether the function is that of others, and whether it is one that many of the client's people use.
    fn asks(
        &mut self,
        seen: &Seen<'_>,
        principal: u64,
        function: u64,
        is_administration: bool,
    ) -> (bool, bool) {
        let (people, requests) = self.people(seen.client);
        let used_by = self.used_by.touch(hash::both(seen.client, function), seen.now);
        let common = 3.max(people / COMMON);
        let mut is_common = used_by.count() >= common;
        let is_new = !seen.is_denied && used_by.add(principal);
        let used = used_by.count();
        // What all read is not what all change.
        if let Some(route) = seen.route.filter(|_| seen.request.method != "GET") {
            let used_by = self.used_by.touch(hash::both(seen.client, route), seen.now);
            is_common = used_by.count() >= common;
            if !seen.is_denied && seen.request.status != 405 {
                used_by.add(principal);
            }
        }
        if is_new {
            let home = *self.homes.touch(function, seen.now);
            let (used_at_home, people_at_home) = self.share(home, function);
            if u64::from(used) * u64::from(people_at_home)
                >= u64::from(used_at_home) * u64::from(people)
            {
                *self.homes.touch(function, seen.now) = seen.client;
                if !is_administration {
                    return (false, is_common);
                }
            }
        }
        let others = used.saturating_sub(u32::from(!seen.is_denied));
        let shown = if is_administration { SHOWN_BY_NAME } else { SHOWN };
        let is_shown = people >= PEOPLE && requests / shown >= people;
        if !is_shown || others > people / RARE {
            return (false, is_common);
        }
        if is_administration {
            return (true, is_common);
        }
        let Some(home) = self.homes.peek(function).filter(|home| **home != seen.client) else {
            return (false, is_common);
        };
        let (used_at_home, people_at_home) = self.share(*home, function);
        let is_oftener = u64::from(used_at_home) * u64::from(people)
            >= OFTENER * u64::from(used.max(1)) * u64::from(people_at_home);
        let is_typical = used_at_home > 0 && used_at_home * TYPICAL >= people_at_home;
        let is_one_of_them = || {
            let users = self.used_by.peek(hash::both(*home, function));
            users.is_some_and(|users| users.contains(principal))
        };
        let is_foreign =
            is_typical && is_oftener && people_at_home * FEWER <= people && !is_one_of_them();
        (is_foreign, is_common)
    }

    /// How many of how many use it.
    fn share(&self, client: u64, function: u64) -> (u32, u32) {
        let used = self.used_by.peek(hash::both(client, function)).map_or(0, Distinct::count);
        (used, self.people(client).0.max(1))
    }

    /// How many use a client, and their requests.
    fn people(&self, client: u64) -> (u32, u32) {
        self.people.peek(client).map_or((0, 0), |people| (people.known.count(), people.requests))
    }

    /// Whether the route refuses few of the client's people.
    fn is_refused(&mut self, seen: &Seen<'_>, principal: u64, route: u64) -> bool {
        let (people, _) = self.people(seen.client);
        let refused = self.refused_by.touch(hash::both(seen.client, route), seen.now);
        refused.add(principal);
        refused.count() < 3.max(people / COMMON)
    }
}

// === impl Tries ===

impl Tries {
    fn begin(&mut self, now: u32) {
        if now / HOUR > self.hour {
            self.hour = now / HOUR;
            self.refused.clear();
            self.foreign.clear();
            self.either.clear();
        }
        if now / DAY > self.day {
            self.day = now / DAY;
            self.foreign_today.clear();
        }
        let period = now / PERIOD;
        if period > self.period {
            let was_last = period == self.period + 1;
            self.refused_before = if was_last { self.refused_lately } else { Distinct::default() };
            self.refused_lately.clear();
            self.period = period;
        }
    }

    /// An administrator's function refuses. A page may ask for several at once, and show what it gets.
    fn looks_for(&mut self, function: u64, now: u32) {
        if now.saturating_sub(self.denied) >= APART {
            self.foreign_today.add(function);
        }
        self.denied = now;
    }

    fn judge(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let refused = self.refused.count();
        let refused_lately = self.refused_lately.with(&self.refused_before).count();
        let (foreign, foreign_today) = (self.foreign.count(), self.foreign_today.count());
        let others = self.either.count().saturating_sub(foreign);
        let times = [
            refused as f32 / FAST as f32,
            refused_lately as f32 / SLOW as f32,
            foreign as f32 / FAST_FOREIGN as f32 + others as f32 / FAST as f32,
            foreign_today as f32 / SLOW_FOREIGN as f32,
        ];
        let times = times.into_iter().fold(0.0, f32::max);
        if times < 1.0 || !self.once.allows(seen.now, times) {
            return None;
        }
        let summary = format!(
            "{} tried {foreign_today} functions within a day ({foreign} within an hour) that others have and hardly anybody \
             of its client asks for, and was refused by {refused_lately} different routes within three days ({refused}), lately {}",
            seen.name(),
            seen.shown_route()
        );
        let facts = Facts::from([
            ("routes_hour", json!(refused)),
            ("routes_hour_threshold", json!(FAST)),
            ("routes_three_days", json!(refused_lately)),
            ("routes_three_days_threshold", json!(SLOW)),
            ("functions_of_others_hour", json!(foreign)),
            ("functions_of_others_hour_threshold", json!(FAST_FOREIGN)),
            ("functions_of_others_day", json!(foreign_today)),
            ("functions_of_others_day_threshold", json!(SLOW_FOREIGN)),
        ]);
        Some(seen.sighting(Kind::FunctionProbing, summary, facts))
    }
}
