//! Ranges of addresses as lines: `first,last,number,name` for autonomous systems, `first,last,NO` for
//! countries; read once into sorted tables.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;
use std::path::Path;

use token::event::NetworkKind;
use token::place::{Country, Place};

use crate::BadGeo;
use crate::network_kind::network_kind;

/// What one file says.
#[derive(Default)]
pub(crate) struct Ranges {
    v4: Table<u32>,
    v6: Table<u128>,
    names: BTreeMap<u32, Box<str>>,
}

/// Where ranges begin, in order, and what holds from there on; kept apart, so that a search touches little.
struct Table<A> {
    starts: Vec<A>,
    facts: Vec<Fact>,
    /// The last address that is spoken of.
    end: Option<A>,
}

#[derive(Clone, Copy)]
enum Fact {
    Country(Country),
    System(u32, Option<NetworkKind>),
    Unknown,
}

/// Addresses of one family as numbers.
trait Number: Copy + Ord {
    fn next(self) -> Option<Self>;
}

impl Number for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Number for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

// === impl Ranges ===

impl Ranges {
    /// Reads a file. Its lines come in the order of their addresses.
    ///
    /// # Errors
    /// [`BadGeo`] with the first line that is not good.
    pub(crate) fn open(file: &Path) -> Result<Self, BadGeo> {
        let unreadable = |error| BadGeo::Read { file: file.to_owned(), error };
        let mut lines = BufReader::new(File::open(file).map_err(unreadable)?);
        let (mut ranges, mut number, mut line) = (Self::default(), 0, String::new());
        loop {
            line.clear();
            if lines.read_line(&mut line).map_err(unreadable)? == 0 {
                break;
            }
            number += 1;
            let good = ranges.add(line.trim_end());
            good.map_err(|why| BadGeo::Line { file: file.to_owned(), line: number, why })?;
        }
        if number == 0 {
            let why = "the file is empty";
            return Err(BadGeo::Line { file: file.to_owned(), line: 1, why });
        }
        ranges.v4.shrink();
        ranges.v6.shrink();
        Ok(ranges)
    }

    fn add(&mut self, line: &str) -> Result<(), &'static str> {
        const FORM: &str = "write `first,last,number,name` or `first,last,country`";
        let mut parts = line.splitn(4, ',');
        let (Some(first), Some(last), Some(what)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(FORM);
        };
        let address = |text: &str| text.parse::<IpAddr>().map_err(|_| "not an address");
        let (first, last) = (address(first)?, address(last)?);
        let fact = match (what.parse(), what.parse()) {
            (Ok(asn), _) => self.system_fact(asn, parts.next().unwrap_or_default()),
            (_, Ok(country)) => Fact::Country(country),
            _ => return Err(FORM),
        };
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                self.v4.add(first.to_bits(), last.to_bits(), fact)
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                self.v6.add(first.to_bits(), last.to_bits(), fact)
            }
            _ => Err("first and last are of two families"),
        }
    }

    /// Each system's name is kept once, by the first line that has it.
    fn system_fact(&mut self, asn: u32, name: &str) -> Fact {
        let name = self.names.entry(asn).or_insert_with(|| {
            let inner = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
            inner.map_or_else(|| name.into(), |name| name.replace("\"\"", "\"").into())
        });
        Fact::System(asn, network_kind(Some(asn), Some(name)))
    }

    fn fact(&self, address: IpAddr) -> Fact {
        match address {
            IpAddr::V4(address) => self.v4.at(address.to_bits()),
            IpAddr::V6(address) => self.v6.at(address.to_bits()),
        }
    }

    pub(crate) fn place(&self, address: IpAddr) -> Place {
        match self.fact(address) {
            Fact::Country(country) => Place { country: Some(country), ..Place::default() },
            Fact::System(asn, net) => Place { asn: Some(asn), net, ..Place::default() },
            Fact::Unknown => Place::default(),
        }
    }

    pub(crate) fn system(&self, address: IpAddr) -> Option<String> {
        let Fact::System(asn, _) = self.fact(address) else { return None };
        self.names.get(&asn).filter(|name| !name.is_empty()).map(|name| name.to_string())
    }
}

// === impl Table ===

impl<A> Default for Table<A> {
    fn default() -> Self {
        Self { starts: Vec::new(), facts: Vec::new(), end: None }
    }
}

impl<A: Number> Table<A> {
    fn add(&mut self, first: A, last: A, fact: Fact) -> Result<(), &'static str> {
        if last < first {
            return Err("the last address comes before the first");
        }
        if let Some(end) = self.end {
            if self.starts.last().is_some_and(|start| first < *start) {
                return Err("the range begins before the one above; sort the lines");
            }
            if last < end {
                return Err("the range lies within the one above");
            }
            // One that begins within the one above takes its place from there on: published lists have such.
            if let Some(gap) = end.next().filter(|gap| *gap < first) {
                self.push(gap, Fact::Unknown);
            }
        }
        self.push(first, fact);
        self.end = Some(last);
        Ok(())
    }

    fn push(&mut self, start: A, fact: Fact) {
        self.starts.push(start);
        self.facts.push(fact);
    }

    fn shrink(&mut self) {
        self.starts.shrink_to_fit();
        self.facts.shrink_to_fit();
    }

    fn at(&self, address: A) -> Fact {
        if self.end.is_none_or(|end| end < address) {
            return Fact::Unknown;
        }
        let after = self.starts.partition_point(|start| *start <= address);
        let fact = after.checked_sub(1).and_then(|number| self.facts.get(number));
        fact.copied().unwrap_or(Fact::Unknown)
    }
}
