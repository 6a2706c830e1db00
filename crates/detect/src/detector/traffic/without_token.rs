//! A walk without a token: objects that others need one for, opened one after the other by whoever asks.
//!
//! An API that forgot to ask for a token answers everybody, and says nothing of it. What a collection is for shows in
//! who uses it: where ten principals and more open objects with tokens, and networks that do so without are a quarter
//! as many at most, a network that walks through twenty numbers without one, never two hours apart, has found such a
//! door. A shop's catalogue, which all the world reads, has more readers than customers, and search engines follow
//! links. Nor does anybody who follows links go through forty neighbouring numbers in one direction of which one in
//! five is not there, whatever the collection; or do many networks take turns in a walk: where a library (`curl`,
//! `python-requests`) goes through forty numbers, each within a thousand of the last, from eight networks, never half
//! an hour apart, somebody changes the address at each step. State: 40 bytes for each of 1,024 collections, of which
//! two may take each other's place, 88 for each of 10,000 networks and collections, and 64 for each of 1,024 programs
//! and collections.

use serde_json::json;
use token::event::TokenKind;
use token::finding::Whom;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting, is_library, network};
use crate::program;
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const COLLECTIONS: usize = 1_024;
const VISITORS: usize = 10_000;
/// Principals who open objects with tokens, at least.
const PRINCIPALS: u32 = 10;
/// One network without a token to so many of them.
const FEW: u32 = 4;
const VISIT: u32 = 7_200;
const OBJECTS: u32 = 20;
/// Steps from number to number, at most so far apart, and one in so many into nothing.
const WALKED: u16 = 40;
const STEP: u64 = 3;
const MISSED: u16 = 5;
/// Programs that walk from many networks.
const WALKS: usize = 1_024;
const WALK: u32 = 1_800;
const WALK_OBJECTS: u32 = 40;
const NETWORKS: u32 = 8;
/// Several walk at once, each in a part of the numbers.
const WALK_NEAR: u64 = 1_000;
/// So far apart are steps of a walk that several share.
const NEAR: u64 = 16;

/// Who opens the objects of a collection.
#[derive(Clone, Default)]
struct Collection {
    name: u64,
    principals: Distinct<2>,
    without: Distinct<2>,
}

/// One network without a token in one collection.
#[derive(Default)]
struct Visitor {
    last: u32,
    objects: Distinct<2>,
    number: u64,
    steps: u32,
    /// The last number, there or not, and steps from neighbour to neighbour.
    stood_at: u64,
    is_up: bool,
    stepped: u32,
    walked: u16,
    missed: u16,
    once: Once,
}

/// One program without a token in one collection, wherever it comes from.
#[derive(Default)]
struct Walk {
    last: u32,
    objects: Distinct<2>,
    networks: Distinct<1>,
    number: u64,
    steps: u32,
    once: Once,
}

/// Objects that are opened without a token.
pub(super) struct WithoutToken {
    /// By their names: each request for an object is a look.
    collections: Vec<Collection>,
    visitors: Table<Visitor>,
    walks: Table<Walk>,
}

impl Default for WithoutToken {
    fn default() -> Self {
        Self {
            collections: vec![Collection::default(); COLLECTIONS],
            visitors: Table::new(VISITORS),
            walks: Table::new(WALKS),
        }
    }
}

// === impl WithoutToken ===

impl WithoutToken {
    pub(super) fn observe(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        if let Some(principal) = seen.principal {
            if seen.object.is_some() && seen.is_ok() {
                self.collection(seen)?.principals.add(principal);
            }
            return None;
        }
        let walk = self.walk(seen);
        let steps = self.step(seen);
        self.visit(seen).or(walk).or(steps)
    }

    fn collection(&mut self, seen: &Seen<'_>) -> Option<&mut Collection> {
        let place = (seen.collection >> 32) as usize % COLLECTIONS;
        let collection = self.collections.get_mut(place)?;
        if collection.name != seen.collection {
            *collection = Collection { name: seen.collection, ..Collection::default() };
        }
        Some(collection)
    }

    /// A walk by a library, whatever its address.
    fn walk(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let is_asked = seen.is_ok() || seen.is_denied;
        let object = seen.object.filter(|_| is_asked)?;
        if seen.request.token_kind != TokenKind::None || !is_library(seen.event) {
            return None;
        }
        let event = seen.event;
        let program = program::of(event.origin.ja4.as_deref(), event.ua.as_deref())?;
        let (number, network) = (seen.number()?, seen.network?);
        let walk = self.walks.touch(hash::both(program, seen.collection), seen.now);
        if seen.now.saturating_sub(walk.last) > WALK {
            *walk = Walk { once: walk.once, ..Walk::default() };
        }
        walk.last = seen.now;
        walk.networks.add(network);
        let is_step = walk.objects.add(object) && number.abs_diff(walk.number) <= WALK_NEAR;
        walk.steps = walk.steps.saturating_add(is_step.into());
        walk.number = number;
        let (objects, networks) = (walk.objects.count(), walk.networks.count());
        if objects < WALK_OBJECTS
            || networks < NETWORKS
            || walk.steps * 4 < objects * 3
            || !walk.once.allows(seen.now, objects as f32 / WALK_OBJECTS as f32)
        {
            return None;
        }
        let ip = event.ip?;
        Some(Sighting {
            kind: Kind::Enumeration,
            actor: format!("campaign:{:016x}", hash::both(program, seen.collection)),
            whom: Whom { ip: Some(ip), ..Whom::default() },
            summary: format!(
                "{ip} is one of {networks} networks from which one program walks through {objects} neighbouring objects by \
                 {} without a token",
                seen.shown_route()
            ),
            facts: [
                ("objects", json!(objects)),
                ("threshold", json!(WALK_OBJECTS)),
                ("networks", json!(networks)),
                ("ua", json!(event.ua)),
            ]
            .into(),
        })
    }

    /// A walk that misses: nobody who follows links goes from number to number, and meets gaps.
    fn step(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let is_asked = seen.is_ok() || seen.is_denied;
        seen.object.filter(|_| is_asked)?;
        let (number, network) = (seen.number()?, seen.network?);
        let visitor = self.visitors.touch(hash::both(network, seen.collection), seen.now);
        let step = number.abs_diff(visitor.stood_at);
        let is_up = number > visitor.stood_at;
        let is_late = seen.now.saturating_sub(visitor.stepped) > VISIT;
        if step > STEP || is_late || step > 0 && is_up != visitor.is_up {
            (visitor.walked, visitor.missed) = (0, 0);
        }
        if (1..=STEP).contains(&step) {
            visitor.walked = visitor.walked.saturating_add(1);
            visitor.missed = visitor.missed.saturating_add(seen.is_denied.into());
        }
        (visitor.stood_at, visitor.is_up, visitor.stepped) = (number, is_up, seen.now);
        let (walked, missed) = (visitor.walked, visitor.missed);
        if walked < WALKED || missed * MISSED < walked || !visitor.once.allows(seen.now, 1.0) {
            return None;
        }
        let ip = seen.event.ip?;
        Some(Sighting {
            kind: Kind::Enumeration,
            actor: network::actor(ip),
            whom: Whom { ip: Some(ip), ..Whom::default() },
            summary: format!(
                "{ip} went through {walked} neighbouring numbers by {} without a token, of which {missed} were not \
                 there: nobody follows links that lead nowhere",
                seen.shown_route()
            ),
            facts: [
                ("walked", json!(walked)),
                ("threshold", json!(WALKED)),
                ("missed", json!(missed)),
            ]
            .into(),
        })
    }

    fn visit(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let object = seen.object.filter(|_| seen.is_ok())?;
        let network = seen.network?;
        let collection = self.collection(seen)?;
        collection.without.add(network);
        let (principals, without) = (collection.principals.count(), collection.without.count());
        let visitor = self.visitors.touch(hash::both(network, seen.collection), seen.now);
        if seen.now.saturating_sub(visitor.last) > VISIT {
            visitor.objects.clear();
            visitor.steps = 0;
        }
        visitor.last = seen.now;
        let number = seen.number()?;
        let is_new = visitor.objects.add(object);
        let is_step = is_new && number.abs_diff(visitor.number) <= NEAR;
        visitor.steps = visitor.steps.saturating_add(is_step.into());
        visitor.number = number;
        let objects = visitor.objects.count();
        if principals < PRINCIPALS
            || without * FEW > principals
            || objects < OBJECTS
            || visitor.steps * 4 < objects * 3
            || !visitor.once.allows(seen.now, objects as f32 / OBJECTS as f32)
        {
            return None;
        }
        let ip = seen.event.ip?;
        Some(Sighting {
            kind: Kind::Enumeration,
            actor: network::actor(ip),
            whom: Whom { ip: Some(ip), ..Whom::default() },
            summary: format!(
                "{ip} opened {objects} different objects by {} without a token; {principals} principals open them \
                 with one, and {without} networks without",
                seen.shown_route()
            ),
            facts: [
                ("objects", json!(objects)),
                ("threshold", json!(OBJECTS)),
                ("principals_with_token", json!(principals)),
                ("networks_without_token", json!(without)),
            ]
            .into(),
        })
    }
}
