//! Where values are taken out of their wrappings, one file for each.

mod address;
pub(crate) mod form;
pub(crate) mod graphql;
pub(crate) mod head;
pub(crate) mod json;
pub(crate) mod multipart;
pub(crate) mod xml;

use std::cell::Cell;

use crate::class::{nosql, prototype, ssrf};
use crate::decode;
use crate::finding::{Class, Finding, Place, Stop};
use crate::judge::{Judge, Position, Suspicion};
use crate::limits::{Excess, Limits};
use crate::mark::Marks;
use crate::role;

/// What base64 makes of a payload is not shorter.
const SHORTEST_HIDDEN: usize = 12;

/// One inspection under way: the judge, and how much was seen.
pub(crate) struct Walk<'w> {
    pub(crate) judge: Judge<'w>,
    pub(crate) limits: &'w Limits,
    seen: Cell<usize>,
}

// === impl Walk ===

impl<'w> Walk<'w> {
    pub(crate) fn new(judge: Judge<'w>, limits: &'w Limits) -> Self {
        Self { judge, limits, seen: Cell::new(0) }
    }

    /// Counts one more value.
    ///
    /// # Errors
    /// [`Excess::Values`] when that is one too many.
    pub(crate) fn count(&self) -> Result<(), Stop> {
        self.seen.set(self.seen.get() + 1);
        if self.seen.get() > self.limits.values {
            return Err(Stop::Excess(Excess::Values));
        }
        Ok(())
    }

    /// # Errors
    /// [`Excess::Depth`] at a depth that is too much.
    pub(crate) fn depth(&self, depth: usize) -> Result<(), Stop> {
        if depth > self.limits.depth { Err(Stop::Excess(Excess::Depth)) } else { Ok(()) }
    }

    /// A value; an address is judged by its parts.
    pub(crate) fn value(
        &self,
        text: &str,
        position: Position,
        place: impl Fn() -> Place,
    ) -> Result<(), Stop> {
        self.count()?;
        let Some(address) = address::split(text) else {
            return self.judge.value(text, position, place);
        };
        self.judge.value(address.head, position, &place)?;
        let pairs = address.query.split('&');
        let pieces = pairs.flat_map(|pair| pair.splitn(2, '=')).chain([address.fragment]);
        for piece in pieces {
            self.count()?;
            // Short words are neither a payload nor hide one.
            if piece.len() >= SHORTEST_HIDDEN || !Marks::of(piece).is_plain() {
                self.judge.value(&decode::form(piece), position, &place)?;
            }
        }
        Ok(())
    }

    /// A value of a field whose name says that an address belongs there: a host without a scheme is one too.
    pub(crate) fn address(
        &self,
        name: &str,
        text: &str,
        position: Position,
        place: impl Fn() -> Place,
    ) -> Result<(), Stop> {
        if !role::is_for_addresses(name) || !ssrf::is_bare_inner(text) {
            return Ok(());
        }
        let found = Suspicion::likely(Class::Ssrf, "inner_address");
        found.map_or(Ok(()), |found| self.judge.stands(text, found, position, &place))
    }

    /// The name of a member or of a parameter, which can carry a payload too.
    pub(crate) fn name(
        &self,
        name: &str,
        position: Position,
        place: impl Fn() -> Place,
    ) -> Result<(), Stop> {
        let marks = Marks::of(name);
        let plain = marks.is_plain();
        let told = || if plain { None } else { nosql::key(name) };
        if let Some(suspicion) = prototype::key(name, marks).or_else(told) {
            let (class, rule) = (suspicion.class, suspicion.rule);
            return Err(Stop::Found(Finding { class, place: place(), rule }));
        }
        if plain {
            return Ok(());
        }
        if name.starts_with("py/") {
            let rule = "serialized_object";
            return Err(Stop::Found(Finding { class: Class::Command, place: place(), rule }));
        }
        // Sloppy clients have breaks between parameters, nobody within a name.
        if position == Position::Query && name.trim_start().contains(['\r', '\n']) {
            let rule = "broken_name";
            return Err(Stop::Found(Finding { class: Class::Splitting, place: place(), rule }));
        }
        self.judge.value(name, position, place)
    }
}
