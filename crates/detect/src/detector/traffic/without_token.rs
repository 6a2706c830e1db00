//! A walk without a token: objects that others need one for, opened one after the other by whoever asks.
//!
//! An API that forgot to ask for a token answers everybody, and says nothing of it. What a collection is for shows in
//! who uses it: where ten principals and more open objects with tokens, and networks that do so without are a quarter
//! as many at most, a network that walks through twenty numbers without one, never two hours apart, has found such a
//! door. A shop's catalogue, which all the world reads, has more readers than customers, and search engines follow
//! links. State: 40 bytes for each of 1,024 collections, of which two may take each other's place, 64 for each of
//! 10,000 networks and collections.

use serde_json::json;
use token::finding::Whom;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting, network};
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
    once: Once,
}

/// Objects that are opened without a token.
pub(super) struct WithoutToken {
    /// By their names: each request for an object is a look.
    collections: Vec<Collection>,
    visitors: Table<Visitor>,
}

impl Default for WithoutToken {
    fn default() -> Self {
        Self {
            collections: vec![Collection::default(); COLLECTIONS],
            visitors: Table::new(VISITORS),
        }
    }
}

// === impl WithoutToken ===

impl WithoutToken {
    pub(super) fn observe(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let object = seen.object.filter(|_| seen.is_ok())?;
        let place = (seen.collection >> 32) as usize % COLLECTIONS;
        let collection = self.collections.get_mut(place)?;
        if collection.name != seen.collection {
            *collection = Collection { name: seen.collection, ..Collection::default() };
        }
        if let Some(principal) = seen.principal {
            collection.principals.add(principal);
            return None;
        }
        let network = seen.network?;
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
