//! Objects of others: a principal that touches, for the first time, what other subjects own.
//!
//! Who holds an object is learnt from use: whoever used it last holds it, and owns it who used it twice, a minute
//! apart, with nobody else between, or changed it. So whoever walks through objects takes no possession of them.
//! Colleagues share, and are one circle ([`circles`]): what it holds is each one's own. What several subjects used is
//! nobody's alone, nor is what somebody holds whose things two others touched within two days, walkers not counted. A
//! collection is private where one in eight of a client's subjects at most touch, within two days, what three other
//! circles hold; shops and support consoles are not, and nothing is said about them; nor about a catalogue, of which
//! readers have favourites: where one use in eight is of what another circle uses too, nothing is owned. One
//! stranger's uses count there for three in half a day, so that nobody can make a collection look public alone. Six
//! objects of at least five circles in a day are a finding, if they are of nearly as many circles, or of ten: a few
//! shared links are less, and colleagues who were not seen to be any touch several things of each other; twelve of ten
//! where more than one in thirty-two do that, and four where nobody else does and hardly one use in a hundred and
//! twenty-eight ever was of that kind. Needs six subjects with things of their own, no thousands of sessions, and half
//! a day; before that thirty subjects and one use in twelve, and seven objects of five circles. What people own is
//! learnt from all apps of people, since one person uses several, and what machines own from machines: a job that
//! works through everybody's orders does not own them, nor is it told for them unless they are a quarter of what it
//! asks for, and it did not touch any in its first six hours: what works through everybody's things does so from the
//! beginning. What somebody touches by one client counts for that alone: support looks at others' things by a console
//! of its own. State: 40 bytes for each of 450,000 objects, 128 for each of 4,096 collections of clients, 176 for each
//! of 40,000 subjects that touch others' things, 32 for each of 100,000 whose things are touched and of 100,000 who
//! share.

use serde_json::json;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Names, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::{Ahead, Table};

mod circles;

use circles::{Circles, Contacts};

const CLIENTS: usize = 4096;
const OBJECTS: usize = 450_000;
const COLLECTIONS: usize = 4096;
const STRANGERS: usize = 40_000;
const SHARERS: usize = 100_000;
const DAY: u32 = 86_400;
/// Others' things are counted by halves of a day, of which two are held: a night is not cut in two.
const HALF: u32 = DAY / 2;
/// Between the two uses that make an owner, in seconds: longer than a walk over all pages.
const APART: u32 = 60;
/// One of so many first uses of an object may be of what another used.
const SECOND: u32 = 6;
/// Subjects with things of their own that a collection needs.
const OWNERS: u32 = 6;
/// A client of so few subjects is a machine's.
const MACHINE: u32 = 2;
/// One of so many subjects may be a stranger, and the collection is still private.
const PRIVATE: u32 = 8;
/// One of so many uses may be of others' things.
const COMMON: u32 = 8;
/// Of so many uses hardly one is of others' things: less is told.
const STRICT: u32 = 128;
const FEWER: u32 = 2;
/// So many more in the first half of a day.
const EARLY: u32 = 1;
/// Uses that show it.
const SHOWN: u32 = 32;
/// Whose things so many others touch within two days, shares them.
const GUESTS: u32 = 2;
/// Users of an object that are remembered.
const USERS: usize = 3;
/// Uses of others' things that count of one stranger in half a day.
const COUNTED: u16 = 3;
/// Uses after which both counts are halved, so that a collection may change.
const USES: u32 = 1 << 16;
/// One of so many subjects among others' things is rare.
const RARE: u32 = 32;
/// Different objects of others in the running half of a day and the one before, and of how many circles.
const TOUCHED: u32 = 6;
const CIRCLES: u32 = 5;
/// So many times as many, where it is not rare.
const ORDINARY: u32 = 2;
/// One in so many objects of a machine at least: whoever works through much meets others' things by chance.
const AIMED: u32 = 4;
/// So long, in seconds, a machine shows whether it works through others' things.
const SETTLED: u32 = 6 * 3600;
/// Among so many circles is who belongs to none of them.
const STRANGE: u32 = 3;

/// Who has an object.
#[derive(Default)]
struct Object {
    user: u64,
    since: u32,
    firm: bool,
    /// Who used it, in short: what several use is nobody's alone.
    users: [u16; USERS],
}

/// One collection as one client uses it.
#[derive(Default)]
struct Collection {
    /// When it was first seen.
    first: u32,
    users: Distinct<4>,
    owners: Distinct<2>,
    /// Subjects among others' things today, and on the day before.
    strangers: Distinct<2>,
    strangers_before: Distinct<2>,
    day: u32,
    own_uses: u32,
    foreign_uses: u32,
    /// First uses of an object by a subject, and those of what another had used.
    firsts: u16,
    seconds: u16,
}

/// One whose things others touch.
#[derive(Default)]
struct Sharer {
    since: u32,
    guests: Distinct<1>,
}

/// One subject among others' things.
#[derive(Default)]
struct Stranger {
    /// When it was among them first.
    since: u32,
    half: u32,
    now: Touched,
    before: Touched,
    uses: u16,
    once: Once,
    contacts: Contacts,
}

/// What a stranger touched in half a day.
#[derive(Clone, Copy, Default)]
struct Touched {
    objects: Distinct<1>,
    circles: Distinct<1>,
    refused: u16,
}

/// Use of others' objects.
pub(super) struct Ownership {
    subjects: Table<Distinct<1>>,
    objects: Table<Object>,
    collections: Table<Collection>,
    strangers: Table<Stranger>,
    circles: Circles,
    sharers: Table<Sharer>,
}

impl Default for Ownership {
    fn default() -> Self {
        Self {
            subjects: Table::new(CLIENTS),
            objects: Table::new(OBJECTS),
            collections: Table::new(COLLECTIONS),
            strangers: Table::new(STRANGERS),
            circles: Circles::default(),
            sharers: Table::new(SHARERS),
        }
    }
}

// === impl Ownership ===

impl Ownership {
    /// The principal, seen first then, asked for so many different objects of all collections today.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, first: u32, today: u32) -> Option<Sighting> {
        let (object, subject) = (seen.object?, seen.subject?);
        let ok = seen.is_ok();
        if !ok && !seen.is_denied {
            return None;
        }
        let subjects = self.subjects.touch(seen.client, seen.now);
        subjects.add(subject);
        let world = if seen.is_of_client() { MACHINES } else { world(subjects) };
        let client = if world == MACHINES { 0 } else { seen.client };
        let key = hash::both(client, seen.collection);
        let object = hash::both(world, object);
        let held = self.objects.peek(object).filter(|held| held.user != subject);
        let is_own = held.is_some_and(|held| held.was_used_by(subject));
        let is_shared = held.is_some_and(|held| held.is_shared_with(subject));
        let holder = held.map_or(0, |held| held.user);
        let circle = held.map(|held| self.circles.of(held.user));
        let collection = self.collections.touch(key, seen.now);
        if collection.first == 0 {
            collection.first = seen.now;
        }
        if ok {
            collection.users.add(subject);
        }
        let Some(circle) = circle.filter(|circle| *circle != self.circles.of(subject)) else {
            if ok && circle.is_some() {
                self.circles.shares(subject, seen.now);
            }
            // What support looks at first is not its own.
            let stranger = self.strangers.peek(hash::both(key, subject));
            if ok && stranger.is_none_or(|it| it.lately().circles.count() < STRANGE) {
                self.use_own(seen, key, object, subject);
            }
            return None;
        };
        let stranger = self.strangers.touch(hash::both(key, subject), seen.now);
        let sharer = self.sharers.touch(holder, seen.now);
        sharer.begin(seen.now);
        if is_shared || sharer.guests.count() >= GUESTS {
            // Whoever comes back to what support looked at meanwhile is at home.
            if !is_own && stranger.uses(seen.now) <= COUNTED {
                self.collections.touch(key, seen.now).foreign_uses += 1;
            }
            if ok {
                self.use_own(seen, key, object, subject);
            }
            return None;
        }
        stranger.touch(seen, object, circle, ok);
        if stranger.since == 0 {
            stranger.since = seen.now;
        }
        let both = stranger.lately();
        let (stranger_since, touched_now) = (stranger.since, stranger.now.objects.count());
        let is_told = stranger.once.is_open(seen.now);
        if both.circles.count() < STRANGE && !is_told {
            sharer.guests.add(subject);
            if ok && self.objects.peek(object).is_some_and(|held| held.firm) {
                self.circles.meets(subject, circle, object, &mut stranger.contacts, seen.now);
            }
            // Else whoever walks through objects would hold them.
            if ok {
                self.use_own(seen, key, object, subject);
            }
        }
        // What works through everybody's things does so from its first hours on.
        let is_habit = stranger_since.saturating_sub(first) < SETTLED;
        let is_few = touched_now.saturating_mul(AIMED) < today;
        let is_by_chance = world == MACHINES && (is_habit || is_few);
        if is_by_chance {
            return None;
        }
        self.judge(seen, key, hash::both(key, subject), subject)
    }

    /// What somebody is told for who has just touched what another circle holds.
    fn judge(
        &mut self,
        seen: &Seen<'_>,
        key: u64,
        stranger: u64,
        subject: u64,
    ) -> Option<Sighting> {
        let collection = self.collections.touch(key, seen.now);
        let stranger = self.strangers.touch(stranger, seen.now);
        if stranger.uses(seen.now) <= COUNTED {
            collection.foreign_uses += 1;
        }
        let both = stranger.lately();
        let (touched, circles) = (both.objects.count(), both.circles.count());
        let users = collection.users.count();
        collection.begin(seen.now);
        let is_old = seen.now.saturating_sub(collection.first) >= HALF;
        if circles >= STRANGE {
            collection.strangers.add(subject);
        }
        let owners = collection.owners.count();
        let strangers = collection.strangers.with(&collection.strangers_before).count();
        let others = strangers.saturating_sub(1);
        let is_private = owners >= OWNERS && others * PRIVATE <= users && collection.is_private();
        // Where others do it too, a little of it is ordinary; where hardly anybody ever does, less is not.
        let (wanted, enough) = match () {
            () if others * RARE > users => (TOUCHED * ORDINARY, CIRCLES * ORDINARY),
            () if !is_old => (TOUCHED + EARLY, CIRCLES),
            () if others == 0 && collection.is_strict(STRICT) => (TOUCHED - FEWER, CIRCLES - 1),
            () => (TOUCHED, CIRCLES),
        };
        let is_scattered = circles * 4 >= touched * 3 || circles >= enough * 2;
        let is_known = is_old || owners >= OWNERS * 5 && collection.is_strict(COMMON * 3 / 2);
        if !is_private
            || !is_known
            || touched < wanted
            || circles < enough
            || !is_scattered
            || !stranger.once.allows(seen.now, touched as f32 / wanted as f32)
        {
            return None;
        }
        let summary = format!(
            "{} touched {touched} objects of {circles} other subjects or circles of them within a day, lately by {}; \
             of {users} subjects there, {owners} with things that are known to be their own, {strangers} did that within two days",
            seen.name(),
            seen.shown_route()
        );
        let facts = [
            ("objects", json!(touched)),
            ("objects_threshold", json!(wanted)),
            ("owners", json!(circles)),
            ("refused", json!(both.refused)),
            ("subjects", json!(users)),
            ("subjects_with_own", json!(owners)),
            ("subjects_among_others", json!(strangers)),
        ];
        Some(seen.sighting(Kind::BolaOwnership, summary, facts.into()))
    }

    /// Whether hardly anybody uses there what another used.
    pub(super) fn is_private(&self, seen: &Seen<'_>) -> bool {
        let key = hash::both(seen.client, seen.collection);
        let collection = self.collections.peek(key);
        collection.is_some_and(|it| {
            let (firsts, seconds) = (u32::from(it.firsts), u32::from(it.seconds));
            firsts >= SHOWN && seconds * SECOND <= firsts && !it.is_shared()
        })
    }

    /// Brings near the objects of requests that come next.
    pub(super) fn expect(&self, next: &[Names]) -> Ahead {
        let objects = next.iter().filter_map(|names| {
            let subjects = self.subjects.peek(names.client)?;
            Some(hash::both(world(subjects), names.target.object?))
        });
        self.objects.expect(objects)
    }

    /// The second step.
    pub(super) fn expect_states(&self, ahead: &mut Ahead) {
        self.objects.expect_states(ahead, |object| object.user);
    }

    /// The third step.
    pub(super) fn expect_room(&self, ahead: &Ahead) {
        self.objects.expect_room(ahead);
    }

    fn use_own(&mut self, seen: &Seen<'_>, key: u64, object: u64, subject: u64) {
        let collection = self.collections.touch(key, seen.now);
        if collection.is_shared() {
            // Support and the like use what is others'.
            collection.own_uses += 1;
            return;
        }
        let held = self.objects.touch(object, seen.now);
        if held.user != subject && !held.was_used_by(subject) {
            collection.uses_first(held.user != 0);
        }
        let changes = matches!(seen.request.method.as_str(), "PUT" | "PATCH" | "DELETE");
        held.used_by(subject);
        if held.user != subject && !held.firm {
            *held = Object { user: subject, since: seen.now, firm: changes, users: held.users };
        } else if held.user == subject && !held.firm {
            held.firm = changes || seen.now.saturating_sub(held.since) >= APART;
        }
        if held.firm && held.user == subject {
            held.is_owned_by(subject);
        }
        if held.user == subject && held.firm {
            collection.owners.add(subject);
            collection.used();
        }
    }
}

// === impl Object ===

impl Object {
    /// The last place is its owner's, once it has one: others must not make it forgotten.
    fn used_by(&mut self, subject: u64) {
        let short = short(subject);
        if self.users.contains(&short) {
            return;
        }
        let last = USERS - usize::from(self.firm);
        self.users[..last].rotate_right(1);
        self.users[0] = short;
    }

    fn is_owned_by(&mut self, subject: u64) {
        let short = short(subject);
        if let Some(at) = self.users.iter().position(|user| *user == short) {
            self.users.swap(at, USERS - 1);
        }
    }

    fn was_used_by(&self, subject: u64) -> bool {
        self.users.contains(&short(subject))
    }

    /// Whether the subject used it before, or several others did.
    fn is_shared_with(&self, subject: u64) -> bool {
        let short = short(subject);
        self.users.contains(&short) || self.users.iter().filter(|user| **user != 0).count() > 1
    }
}

/// Never zero.
const fn short(subject: u64) -> u16 {
    (subject >> 16) as u16 | 1
}

// === impl Collection ===

impl Collection {
    fn begin(&mut self, now: u32) {
        let day = now / DAY;
        if day > self.day {
            let was_yesterday = day == self.day + 1;
            self.strangers_before =
                if was_yesterday { self.strangers } else { Distinct::default() };
            self.strangers.clear();
            self.day = day;
        }
    }

    fn uses_first(&mut self, is_second: bool) {
        if self.firsts == u16::MAX {
            self.firsts /= 2;
            self.seconds /= 2;
        }
        self.firsts += 1;
        self.seconds += u16::from(is_second);
    }

    /// By an owner.
    fn used(&mut self) {
        self.own_uses += 1;
        if self.own_uses >= USES {
            self.own_uses /= 2;
            self.foreign_uses /= 2;
        }
    }

    const fn is_known(&self) -> bool {
        self.own_uses + self.foreign_uses >= SHOWN
    }

    /// Whether it was shown that what one reads is hardly ever what others read too.
    const fn is_private(&self) -> bool {
        self.is_known() && self.foreign_uses * COMMON <= self.own_uses + self.foreign_uses
    }

    /// The same of many uses, and one in so many at most.
    const fn is_strict(&self, part: u32) -> bool {
        let uses = self.own_uses + self.foreign_uses;
        uses >= SHOWN * 4 && self.foreign_uses * part <= uses
    }

    /// Whether it was shown that half of what is read is others'.
    const fn is_shared(&self) -> bool {
        let uses = self.own_uses + self.foreign_uses;
        uses >= SHOWN * 2 && self.foreign_uses * 2 >= uses
    }
}

// === impl Sharer ===

impl Sharer {
    fn begin(&mut self, now: u32) {
        if now.saturating_sub(self.since) >= 2 * DAY {
            *self = Self { since: now, guests: Distinct::default() };
        }
    }
}

const MACHINES: u64 = 0;
const PEOPLE: u64 = 1;

/// Machines share what they know of collections, and people.
fn world(subjects: &Distinct<1>) -> u64 {
    if subjects.count() <= MACHINE { MACHINES } else { PEOPLE }
}

// === impl Stranger ===

impl Stranger {
    /// How often others' things were used within the half of a day, this time included.
    fn uses(&mut self, now: u32) -> u16 {
        self.begin(now / HALF);
        self.uses = self.uses.saturating_add(1);
        self.uses
    }

    fn begin(&mut self, half: u32) {
        if half > self.half {
            self.before = if half == self.half + 1 { self.now } else { Touched::default() };
            (self.half, self.now, self.uses) = (half, Touched::default(), 0);
        }
    }

    fn lately(&self) -> Touched {
        Touched {
            objects: self.now.objects.with(&self.before.objects),
            circles: self.now.circles.with(&self.before.circles),
            refused: self.now.refused.saturating_add(self.before.refused),
        }
    }

    fn touch(&mut self, seen: &Seen<'_>, object: u64, circle: u64, ok: bool) {
        self.begin(seen.now / HALF);
        self.now.objects.add(object);
        self.now.circles.add(circle);
        self.now.refused = self.now.refused.saturating_add(u16::from(!ok));
    }
}
