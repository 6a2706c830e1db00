//! JSON bodies, read into values within limits; a member that is there twice is refused.

use std::cell::Cell;
use std::fmt;

use inspect::{Excess, Limits};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::violation::Broken;

/// The parser has a bound of its own, which is no error of ours.
const DEEPEST: usize = 100;

/// One document under way.
struct Reading<'r> {
    limits: &'r Limits,
    seen: Cell<usize>,
    broken: Cell<Option<Why>>,
}

#[derive(Clone, Copy)]
enum Why {
    Excess(Excess),
    Twice,
}

#[derive(Clone, Copy)]
struct Member<'m, 'r> {
    reading: &'m Reading<'r>,
    depth: usize,
}

/// Reads a body.
///
/// # Errors
/// [`Broken`] for what is not JSON, what is more than the limits allow, and two members of one name: readers
/// differ in which of the two they take.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Value, Broken> {
    let reading = Reading { limits, seen: Cell::new(0), broken: Cell::new(None) };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let member = Member { reading: &reading, depth: 1 };
    let value = member.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match (value, reading.broken.get()) {
        (Ok(value), _) => Ok(value),
        (Err(_), Some(Why::Excess(excess))) => Err(Broken::Excess(excess)),
        (Err(_), Some(Why::Twice)) => Err(Broken::rule("body", "has a member of one name twice")),
        (Err(_), None) => Err(Broken::rule("body", "is not JSON")),
    }
}

// === impl Member ===

impl Member<'_, '_> {
    fn stop<E: serde::de::Error>(self, why: Why) -> E {
        self.reading.broken.set(Some(why));
        E::custom("stopped")
    }

    fn count<E: serde::de::Error>(self) -> Result<(), E> {
        self.reading.seen.set(self.reading.seen.get() + 1);
        if self.reading.seen.get() > self.reading.limits.values {
            return Err(self.stop(Why::Excess(Excess::Values)));
        }
        Ok(())
    }

    /// One level further down.
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        let deepest = self.reading.limits.depth.min(DEEPEST);
        if self.depth > deepest {
            return Err(self.stop(Why::Excess(Excess::Depth)));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_, '_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not finite"))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(below)? {
            self.count()?;
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            self.count()?;
            if members.contains_key(&name) {
                return Err(self.stop(Why::Twice));
            }
            members.insert(name, map.next_value_seed(below)?);
        }
        Ok(Value::Object(members))
    }
}
