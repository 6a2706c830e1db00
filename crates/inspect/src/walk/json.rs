//! JSON, read in place: every string and every name is judged as it passes, nothing is built.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::class::{object, prototype};
use crate::finding::{Class, Finding, Place, Stop};
use crate::judge::Position;
use crate::walk::{Walk, graphql};

/// The parser below has a bound of its own; ours has to come first.
const DEEPEST: usize = 100;
/// JSON in a string in JSON: how often.
const NESTED: usize = 2;

/// Addresses of one host by which a document is known to tell of what is there.
const FEWEST_OF_ITS_OWN: usize = 3;

/// Where in the document, from the inside out.
enum Path<'p> {
    Root,
    Key(&'p Self, &'p str),
    Index(&'p Self, usize),
}

/// A document under way.
struct Document<'d, 'w> {
    /// All of it, as it was sent.
    source: &'d str,
    walk: &'d Walk<'w>,
    position: Position,
    place: &'d dyn Fn(&str) -> Place,
    nested: usize,
    stop: &'d RefCell<Option<Stop>>,
}

struct Member<'m, 'd, 'w> {
    document: &'m Document<'d, 'w>,
    path: Path<'m>,
    depth: usize,
}

/// Names of members by which libraries are told which class to make.
const TYPES: [&str; 3] = ["@type", "@class", "$type"];

/// A name: borrowed where it has no escapes.
struct Name;

/// Judges a body of JSON; one that is broken is judged by its strings alone.
pub(crate) fn walk(walk: &Walk<'_>, text: &str) -> Result<(), Stop> {
    if read(walk, text, Position::Field, &|path| Place::BodyMember(path.to_owned()), 0)? {
        return Ok(());
    }
    lenient(walk, text)
}

/// Judges JSON inside a value; false when it is none.
pub(crate) fn nested(
    walk: &Walk<'_>,
    text: &str,
    position: Position,
    place: &dyn Fn() -> Place,
) -> Result<bool, Stop> {
    read(walk, text, position, &|_| place(), 1)
}

/// Whether it is worth trying.
pub(crate) fn looks_like(text: &str) -> bool {
    let text = text.trim();
    text.len() > 2
        && (text.starts_with('{') && text.ends_with('}')
            || text.starts_with('[') && text.ends_with(']'))
}

fn read(
    walk: &Walk<'_>,
    text: &str,
    position: Position,
    place: &dyn Fn(&str) -> Place,
    nested: usize,
) -> Result<bool, Stop> {
    let stop = RefCell::new(None);
    let document = Document { source: text, walk, position, place, nested, stop: &stop };
    let mut reader = serde_json::Deserializer::from_str(text);
    let member = Member { document: &document, path: Path::Root, depth: 1 };
    let read = member.deserialize(&mut reader).and_then(|()| reader.end());
    match stop.take() {
        Some(stop) => Err(stop),
        None => Ok(read.is_ok()),
    }
}

/// The strings of what is almost JSON: some readers are lenient too.
fn lenient(walk: &Walk<'_>, text: &str) -> Result<(), Stop> {
    let mut rest = text;
    let mut any = false;
    while let Some(start) = rest.find('"') {
        let body = &rest[start + 1..];
        let mut escaped = false;
        let end = body.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let (string, after) = end.map_or((body, ""), |end| (&body[..end], &body[end + 1..]));
        let quoted = format!("\"{string}\"");
        let read = serde_json::from_str::<String>(&quoted).unwrap_or_else(|_| string.to_owned());
        walk.name(&read, Position::Field, || Place::Body)?;
        walk.value(&read, Position::Field, || Place::Body)?;
        any = true;
        rest = after;
    }
    if any { Ok(()) } else { walk.value(text, Position::Field, || Place::Body) }
}

// === impl Path ===

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_char('$'),
            // A name that could be taken for a path is none: whoever knows the fields is asked by paths.
            Self::Key(parent, key) if key.contains(['.', '[', ']']) => {
                write!(f, "{parent}[{key:?}]")
            }
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

// === impl Document ===

impl Document<'_, '_> {
    /// Keeps why the reader is stopped, which its error cannot carry.
    fn hold<E: serde::de::Error>(&self, result: Result<(), Stop>) -> Result<(), E> {
        result.map_err(|stop| {
            *self.stop.borrow_mut() = Some(stop);
            E::custom("stopped")
        })
    }

    fn text(&self, text: &str, path: &Path<'_>) -> Result<(), Stop> {
        let place = || (self.place)(&path.to_string());
        if graphql::is_document(text) {
            return graphql::walk(self.walk, text, self.position, place);
        }
        if looks_like(text) && self.nested < NESTED {
            let place = |_: &str| place();
            if read(self.walk, text, self.position, &place, self.nested + 1)? {
                return Ok(());
            }
        }
        match self.walk.value(text, self.position, place) {
            Err(Stop::Found(found)) if self.is_told(&found, text) => Ok(()),
            answer => answer,
        }
    }

    /// Whether an inner address is where the whole document comes from: whoever tells of its own things
    /// names them one by one, whoever wants one fetched names that one.
    fn is_told(&self, found: &Finding, text: &str) -> bool {
        let Some((_, rest)) = text.split_once("://") else { return false };
        let host = &rest[..rest.find('/').unwrap_or(rest.len())];
        if host.is_empty() {
            return false;
        }
        let others = self.source.match_indices(host).filter_map(|(at, _)| {
            self.source[..at].ends_with('/').then_some(())?;
            let path = self.source[at + host.len()..].trim_start_matches('\\').strip_prefix('/')?;
            path.split('"').next()
        });
        found.rule == "inner_address" && others.collect::<BTreeSet<_>>().len() >= FEWEST_OF_ITS_OWN
    }
}

// === impl Member ===

impl<'de> DeserializeSeed<'de> for Member<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        let walk = self.document.walk;
        self.document.hold(walk.depth(if self.depth > DEEPEST {
            usize::MAX
        } else {
            self.depth
        }))?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if matches!(self.path, Path::Key(_, name) if TYPES.contains(&name))
            && object::is_platform_class(text)
        {
            let place = (self.document.place)(&self.path.to_string());
            let finding = Finding { class: Class::Command, place, rule: "typed_object" };
            return self.document.hold(Err(Stop::Found(finding)));
        }
        if let Path::Key(_, name) = self.path {
            let (walk, position) = (self.document.walk, self.document.position);
            let place = || (self.document.place)(&self.path.to_string());
            self.document.hold(walk.address(name, text, position, place))?;
        }
        self.document.hold(self.document.text(text, &self.path))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for index in 0.. {
            self.document.hold(self.document.walk.count())?;
            let path = Path::Index(&self.path, index);
            let next = Member { document: self.document, path, depth: self.depth + 1 };
            if list.next_element_seed(next)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let document = self.document;
        while let Some(key) = map.next_key_seed(Name)? {
            document.hold(document.walk.count())?;
            let path = Path::Key(&self.path, &key);
            let place = || (document.place)(&path.to_string());
            document.hold(document.walk.name(&key, document.position, place))?;
            if matches!(self.path, Path::Key(_, outer) if prototype::is_pair(outer, &key)) {
                let finding =
                    Finding { class: Class::Prototype, place: place(), rule: "prototype_key" };
                return document.hold(Err(Stop::Found(finding)));
            }
            map.next_value_seed(Member { document, path, depth: self.depth + 1 })?;
        }
        Ok(())
    }
}

// === impl Name ===

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
