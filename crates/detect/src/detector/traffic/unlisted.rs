//! Objects that no list gave: somebody opens one after the other without ever asking which there are.
//!
//! Who owns what takes days to learn ([`super::ownership`]), and until then a stranger's objects are only objects that
//! nobody has used yet. But where the people of a client find objects in a list, what they open was in it: a list
//! gives as many as its answer had records or, where that is not known, ten, and it may be elsewhere: `/team/orders`
//! and `/views/{id}/orders` give what `/orders/{id}` opens. What somebody opens beyond what the lists of the visit
//! gave, and beyond what they made there, is compared with their own peak and with others' on the same collection, of
//! whom somebody who is not known for a day is given twice as much; fifteen are a few links that somebody sent. Said
//! only where most of at least ten people ask the list. Where what one uses hardly anybody else does, by one in six
//! first uses at most, others are compared with by nine in ten of them and not by ninety-nine in a hundred, among whom
//! other thieves may be. What somebody changes or deletes beyond what lists gave is compared in the same way, from
//! five things on: hardly anybody does that to several things without having looked for them; what a browser changes
//! within two seconds of the last is a page's one act. Lists that come to their end say more ([`whole`]). A visit ends
//! after two hours. State: 120 bytes for each of 40,000 pairs of principal and collection, 330 for each of 2,048
//! collections of clients.

mod whole;

use serde_json::json;
use whole::{Has, Lists};

use crate::detector::traffic::meter::{Limits, Meter};
use crate::detector::traffic::seen::Seen;
use crate::detector::traffic::template;
use crate::detector::{Kind, Names, Sighting, is_browser};
use crate::sketch::distinct::Distinct;
use crate::sketch::habit;
use crate::sketch::hash;
use crate::sketch::spread::Spread;
use crate::sketch::table::{Ahead, Table};

const RUNS: usize = 40_000;
const COLLECTIONS: usize = 2_048;
const PEOPLE: u32 = 10;
const VISIT: u32 = 7200;
/// What somebody did on their first day is no habit: else a walk of some hours would be its own excuse.
const HOUR: Limits = Limits {
    window: 3600,
    floor: 15.0,
    own: 3.0,
    first_day: false,
    peers: 3.0,
    long_tail: false,
    alone: f32::INFINITY,
    early: f32::INFINITY,
};

/// Of somebody whose habit is not known.
const FIRST: Limits = Limits { peers: 6.0, ..HOUR };

/// Where nine in ten visits open hardly anything beyond the lists.
const RARE: Limits = Limits { floor: 15.0, peers: 8.0, ..HOUR };
/// Of so many people.
const MANY: u32 = 15;
/// So many times as much as lists gave.
const LISTED: u32 = 4;

/// Things that somebody changes.
const CHANGES: Limits = Limits { floor: 4.0, ..HOUR };

/// Seconds from one change to the next, below which a browser's are one.
const TOGETHER: u16 = 2;

/// One principal in one collection.
#[derive(Default)]
struct Run {
    first: u32,
    last: u32,
    objects: Distinct<4>,
    changed: Distinct<1>,
    /// When, in seconds as far as the number goes.
    changed_at: u16,
    given: u32,
    has: Has,
    meter: Meter,
    changes: Meter,
}

/// How a client's people use one collection.
#[derive(Default)]
struct Collection {
    users: Distinct<2>,
    listers: Distinct<2>,
    lists: Lists,
    /// Hours of people in it, most of them with nothing beyond the lists.
    windows: u32,
    beyond: Spread,
    changes: Spread,
}

/// Objects that no list gave.
pub(super) struct Unlisted {
    runs: Table<Run>,
    collections: Table<Collection>,
    /// Collections by the last words of their names.
    named: Table<u64>,
}

impl Default for Unlisted {
    fn default() -> Self {
        Self {
            runs: Table::new(RUNS),
            collections: Table::new(COLLECTIONS),
            named: Table::new(COLLECTIONS),
        }
    }
}

// === impl Unlisted ===

impl Unlisted {
    /// Looks at one request. `is_private` says whether hardly anybody uses there what another used, and whoever asks was
    /// not let use an administrator's function: asked only where much was opened.
    pub(super) fn observe(
        &mut self,
        seen: &Seen<'_>,
        is_private: impl Fn() -> bool,
    ) -> Option<Sighting> {
        let subject = seen.subject.filter(|_| seen.is_ok())?;
        if seen.request.method == "GET" && seen.lists.is_some() {
            self.list_elsewhere(seen, subject);
        }
        match (seen.object, seen.lists) {
            (Some(object), _) => self.open(seen, subject, object, is_private),
            (None, Some(list)) => {
                self.list(seen, subject, list);
                None
            }
            (None, None) => None,
        }
    }

    /// Brings near what is held of requests that come next.
    pub(super) fn expect(&self, next: &[Names]) -> Ahead {
        let runs = next.iter().filter_map(|names| {
            let collection = names.target.object.map(|_| names.target.collection);
            Some(hash::both(names.subject?, collection.or(names.target.lists)?))
        });
        self.runs.expect(runs)
    }

    /// The second step.
    pub(super) fn expect_states(&self, ahead: &mut Ahead) {
        self.runs.expect_states(ahead, |run| u64::from(run.last ^ run.meter.window()));
    }

    /// The third step.
    pub(super) fn expect_room(&self, ahead: &Ahead) {
        self.runs.expect_room(ahead);
    }

    fn list(&mut self, seen: &Seen<'_>, subject: u64, list: u64) {
        let collection = self.collections.touch(hash::both(seen.client, list), seen.now);
        let run = self.runs.touch(hash::both(subject, list), seen.now);
        run.begin(seen.now);
        if seen.request.method != "GET" {
            // What somebody makes is theirs.
            run.given = run.given.saturating_add(1);
            run.has.make();
            return;
        }
        collection.listers.add(subject);
        if let Some(records) = seen.request.records_out {
            run.has.list(&mut collection.lists, records);
        }
        run.given = run.given.saturating_add(seen.records_listed());
    }

    /// A list in another place: that of `/views/{id}/orders` or `/team/orders` gives what `/orders/{id}` opens.
    fn list_elsewhere(&mut self, seen: &Seen<'_>, subject: u64) {
        let name = seen.request.route.as_deref().and_then(template::list_name);
        let named = name.map(|name| hash::both(seen.client, hash::text(name)));
        let Some(collection) = named.and_then(|named| self.named.peek(named).copied()) else {
            return;
        };
        if Some(collection) == seen.lists {
            return;
        }
        let run = self.runs.touch(hash::both(subject, collection), seen.now);
        run.begin(seen.now);
        let records = seen.records_listed();
        run.given = run.given.saturating_add(records);
        run.has.get(records);
    }

    fn open(
        &mut self,
        seen: &Seen<'_>,
        subject: u64,
        object: u64,
        is_private: impl Fn() -> bool,
    ) -> Option<Sighting> {
        let collection = self.collections.touch(hash::both(seen.client, seen.collection), seen.now);
        collection.users.add(subject);
        let run = self.runs.touch(hash::both(subject, seen.collection), seen.now);
        if run.begin(seen.now) {
            run.meter.carry_over(seen.now, &HOUR, &mut collection.beyond);
            run.changes.carry_over(seen.now, &CHANGES, &mut collection.changes);
        }
        // Once a visit.
        if run.objects.count() == 0
            && let Some(name) = seen.request.route.as_deref().and_then(template::collection_name)
        {
            let named = hash::both(seen.client, hash::text(name));
            *self.named.touch(named, seen.now) = seen.collection;
        }
        run.changes.roll(run.first, seen.now, &CHANGES, &mut collection.changes);
        let is_new = run.meter.roll(run.first, seen.now, &HOUR, &mut collection.beyond);
        collection.windows = collection.windows.saturating_add(is_new.into());
        let (is_change, now) = (seen.request.is_change(), seen.now as u16);
        // What a page does to many things at once was chosen from what it showed.
        let is_part =
            is_change && is_browser(seen.event) && now.wrapping_sub(run.changed_at) < TOGETHER;
        if is_change {
            run.changed_at = now;
        }
        if !is_part {
            run.objects.add(object);
        }
        if is_change && !is_part {
            run.changed.add(object);
        }
        let opened = run.objects.count();
        let beyond = opened.saturating_sub(run.given) as f32;
        run.meter.raise_to(beyond, seen.now, &HOUR, &mut collection.beyond);
        let changed = run.changed.count().saturating_sub(run.given) as f32;
        run.changes.raise_to(changed, seen.now, &CHANGES, &mut collection.changes);
        let (users, listers) = (collection.users.count(), collection.listers.count());
        if users >= PEOPLE && changed > CHANGES.floor && changed >= run.given as f32 {
            return changes(seen, run, collection);
        }
        let people = (users, listers);
        if let Some(found) = run.has.open(seen, &mut collection.lists, opened, people, &is_private)
        {
            run.meter.hush(seen.now);
            return Some(found);
        }
        // A list that was asked late makes good what was opened before.
        let is_much = beyond > HOUR.floor && beyond >= run.given as f32;
        if listers < PEOPLE || listers * 2 < users || !is_much {
            return None;
        }
        let windows = collection.windows;
        let limits = if habit::is_known(run.first, seen.now) { &HOUR } else { &FIRST };
        let excess =
            run.meter.judge_among(run.first, seen, limits, &mut collection.beyond, windows);
        let excess = excess.or_else(|| {
            let is_rare = beyond > RARE.floor
                && users >= MANY
                && beyond >= run.given.saturating_mul(LISTED) as f32
                && is_private();
            let peers = &mut collection.beyond;
            is_rare.then(|| run.meter.judge_rare(run.first, seen.now, &RARE, peers, windows))?
        })?;
        run.has.hush(seen.now);
        let summary = format!(
            "{} opened {opened} objects by {} on one visit, where lists gave {}; {}",
            seen.name(),
            seen.shown_route(),
            run.given,
            excess.compared()
        );
        let mut facts = excess.facts();
        facts.insert("opened", json!(opened));
        facts.insert("given_by_lists", json!(run.given));
        facts.insert("people_who_ask_the_list", json!(listers));
        Some(seen.sighting(Kind::BolaOwnership, summary, facts))
    }
}

/// What is said of somebody who changed so much, if anything.
fn changes(seen: &Seen<'_>, run: &mut Run, collection: &mut Collection) -> Option<Sighting> {
    let windows = collection.windows;
    let excess =
        run.changes.judge_among(run.first, seen, &CHANGES, &mut collection.changes, windows)?;
    let changed = run.changed.count();
    let summary = format!(
        "{} changed {changed} objects, lately by {}, on one visit, where lists gave {}; {}",
        seen.name(),
        seen.shown_route(),
        run.given,
        excess.compared()
    );
    let mut facts = excess.facts();
    facts.insert("changed", json!(changed));
    facts.insert("given_by_lists", json!(run.given));
    Some(seen.sighting(Kind::BolaOwnership, summary, facts))
}

// === impl Run ===

impl Run {
    /// Whether the visit goes on.
    fn begin(&mut self, now: u32) -> bool {
        if self.first == 0 {
            self.first = now;
        }
        let goes_on = now.saturating_sub(self.last) <= VISIT;
        if !goes_on {
            self.objects.clear();
            self.changed.clear();
            self.given = 0;
            self.has.begin();
        }
        self.last = now;
        goes_on
    }
}
