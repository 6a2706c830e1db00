//! Objects of others: a principal that touches, for the first time, what other subjects own.
//!
//! Who owns an object is learnt from use: the same subject twice, a minute apart, with nobody else
//! between; or once, when it changed the object. So whoever walks through objects takes no
//! possession of them. A collection is private where few of a client's subjects ever touch what
//! others own; shared documents, shops and support consoles are not, and nothing is said about
//! them; nor about a catalogue, of which readers have favourites: where one use in eight is of
//! what somebody else uses too, nothing is owned. One stranger's uses count there for three in half a day,
//! so that nobody can make a collection look public alone. Five objects of at least two owners in a day are a finding: a couple shares less;
//! twenty where others do that too, one in thirty-two. Needs
//! six subjects with things of their own, no thousands of sessions. What people own is learnt from
//! people who use the same client, and what machines own from machines: a job that works through
//! everybody's orders does not own them. A stranger who comes by another client of people is not
//! seen. State: 32 bytes for each of 500,000 objects, 56 for each of 4,096 collections of clients,
//! 72 for each of 50,000 subjects that touch others' things.

use serde_json::json;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Names, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::{Ahead, Table};

const CLIENTS: usize = 4096;
const OBJECTS: usize = 500_000;
const COLLECTIONS: usize = 4096;
const STRANGERS: usize = 50_000;
const DAY: u32 = 86_400;
/// Others' things are counted by halves of a day, of which two are held: a night is not cut in two.
const HALF: u32 = DAY / 2;
/// Between the two uses that make an owner, in seconds: longer than a walk over all pages.
const APART: u32 = 60;
/// Subjects with things of their own that a collection needs.
const OWNERS: u32 = 6;
/// A client of so few subjects is a machine's.
const MACHINE: u32 = 2;
/// One of so many subjects may be a stranger, and the collection is still private.
const PRIVATE: u32 = 8;
/// One of so many uses may be of others' things.
const COMMON: u32 = 8;
/// Uses of others' things that count of one stranger in half a day.
const COUNTED: u16 = 3;
/// Uses after which both counts are halved, so that a collection may change.
const USES: u32 = 1 << 16;
/// Different objects of others in the running half of a day and the one before.
const TOUCHED: u32 = 5;
/// So many times as many, where more than a quarter of the strangers that a private collection may have do it.
const ORDINARY: u32 = 4;

/// Who has an object.
#[derive(Default)]
struct Object {
    user: u64,
    since: u32,
    firm: bool,
}

/// One collection as one client uses it.
#[derive(Default)]
struct Collection {
    owners: Distinct<2>,
    strangers: Distinct<2>,
    own_uses: u32,
    foreign_uses: u32,
}

/// One subject among others' things.
#[derive(Default)]
struct Stranger {
    half: u32,
    now: Touched,
    before: Touched,
    uses: u16,
    once: Once,
}

/// What a stranger touched in half a day.
#[derive(Clone, Copy, Default)]
struct Touched {
    objects: Distinct<1>,
    owners: Distinct<1>,
    refused: u16,
}

/// Use of others' objects.
pub(super) struct Ownership {
    subjects: Table<Distinct<1>>,
    objects: Table<Object>,
    collections: Table<Collection>,
    strangers: Table<Stranger>,
}

impl Default for Ownership {
    fn default() -> Self {
        Self {
            subjects: Table::new(CLIENTS),
            objects: Table::new(OBJECTS),
            collections: Table::new(COLLECTIONS),
            strangers: Table::new(STRANGERS),
        }
    }
}

// === impl Ownership ===

impl Ownership {
    pub(super) fn observe(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let (object, subject) = (seen.object?, seen.subject?);
        let ok = seen.is_ok();
        if !ok && !seen.is_denied {
            return None;
        }
        let subjects = self.subjects.touch(seen.client, seen.now);
        subjects.add(subject);
        let group = group(subjects, seen.client);
        let key = hash::both(group, seen.collection);
        let object = hash::both(group, object);
        if ok && self.passes_on(object, subject) {
            let stranger = self.strangers.touch(hash::both(key, subject), seen.now);
            let counts = stranger.uses(seen.now) <= COUNTED;
            self.collections.touch(key, seen.now).foreign_uses += u32::from(counts);
        }
        let owner = match self.objects.peek(object) {
            Some(held) if held.firm && held.user != subject => held.user,
            _ if ok => {
                self.use_own(seen, key, object, subject);
                return None;
            }
            _ => return None,
        };
        let collection = self.collections.touch(key, seen.now);
        let stranger = self.strangers.touch(hash::both(key, subject), seen.now);
        stranger.touch(seen, object, owner, ok);
        if stranger.uses(seen.now) <= COUNTED {
            collection.foreign_uses += 1;
        }
        let both = stranger.lately();
        let touched = both.objects.count();
        // From the third: one shared thing makes no stranger.
        if touched >= 3 {
            collection.strangers.add(subject);
        }
        let owners = collection.owners.count();
        let strangers = collection.strangers.count();
        let is_private =
            owners >= OWNERS && strangers <= (owners / PRIVATE).max(1) && collection.is_private();
        // Where others do it too, a little of it is ordinary.
        let others = strangers.saturating_sub(1);
        let wanted = if others > owners / PRIVATE / 4 { TOUCHED * ORDINARY } else { TOUCHED };
        if !is_private
            || touched < wanted
            || both.owners.count() < 2
            || !stranger.once.allows(seen.now, touched as f32 / wanted as f32)
        {
            return None;
        }
        let stranger_owners = both.owners.count();
        let summary = format!(
            "{} touched {touched} objects of {stranger_owners} other subjects within a day, lately by {}; \
             of {owners} subjects with things of their own there, {strangers} ever did that",
            seen.name(),
            seen.shown_route()
        );
        let facts = [
            ("objects", json!(touched)),
            ("objects_threshold", json!(wanted)),
            ("owners", json!(stranger_owners)),
            ("refused", json!(both.refused)),
            ("subjects_with_own", json!(owners)),
            ("subjects_among_others", json!(strangers)),
        ];
        Some(seen.sighting(Kind::BolaOwnership, summary, facts.into()))
    }

    /// Brings near the objects of requests that come next.
    pub(super) fn expect(&self, next: &[Names]) -> Ahead {
        let objects = next.iter().filter_map(|names| {
            let subjects = self.subjects.peek(names.client)?;
            Some(hash::both(group(subjects, names.client), names.target.object?))
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

    /// Whether somebody used the object last who does not own it yet.
    fn passes_on(&self, object: u64, subject: u64) -> bool {
        self.objects.peek(object).is_some_and(|held| !held.firm && held.user != subject)
    }

    fn use_own(&mut self, seen: &Seen<'_>, key: u64, object: u64, subject: u64) {
        let held = self.objects.touch(object, seen.now);
        let changes = matches!(seen.request.method.as_str(), "PUT" | "PATCH" | "DELETE");
        if held.user != subject {
            *held = Object { user: subject, since: seen.now, firm: changes };
        } else if !held.firm {
            held.firm = changes || seen.now.saturating_sub(held.since) >= APART;
        }
        if held.firm {
            let collection = self.collections.touch(key, seen.now);
            collection.owners.add(subject);
            collection.used();
        }
    }
}

// === impl Collection ===

impl Collection {
    /// By an owner.
    fn used(&mut self) {
        self.own_uses += 1;
        if self.own_uses >= USES {
            self.own_uses /= 2;
            self.foreign_uses /= 2;
        }
    }

    /// Whether it was shown that what one reads is hardly ever what others read too.
    const fn is_private(&self) -> bool {
        let uses = self.own_uses + self.foreign_uses;
        uses >= COMMON * COMMON && self.foreign_uses * COMMON <= uses
    }
}

/// Machines share what they know of collections, and people of one client.
fn group(subjects: &Distinct<1>, client: u64) -> u64 {
    if subjects.count() <= MACHINE { 0 } else { client }
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
            let before = if half == self.half + 1 { self.now } else { Touched::default() };
            *self = Self { half, before, once: self.once, ..Self::default() };
        }
    }

    fn lately(&self) -> Touched {
        Touched {
            objects: self.now.objects.with(&self.before.objects),
            owners: self.now.owners.with(&self.before.owners),
            refused: self.now.refused.saturating_add(self.before.refused),
        }
    }

    fn touch(&mut self, seen: &Seen<'_>, object: u64, owner: u64, ok: bool) {
        self.begin(seen.now / HALF);
        self.now.objects.add(object);
        self.now.owners.add(owner);
        self.now.refused = self.now.refused.saturating_add(u16::from(!ok));
    }
}
