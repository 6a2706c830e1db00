//! JSON objects from outside, read strictly: no duplicate member, bounded depth (RFC 7515 §4, RFC 8725 §2.4).

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may nest, the outermost object counted.
pub const MAX_DEPTH: usize = 8;

/// A text that is not a strict JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a strict JSON object: {0}")]
pub struct NotAnObject(String);

/// Parses one JSON object: UTF-8, no member twice at any level, at most [`MAX_DEPTH`] levels,
/// nothing after it.
///
/// # Errors
/// [`NotAnObject`] says what was found and where; it repeats no value.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, NotAnObject> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: MAX_DEPTH }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| NotAnObject(without_values(&error)))?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(NotAnObject("the outermost value is no object".to_owned())),
    }
}

/// Parses one strict JSON object into `T`.
///
/// # Errors
/// [`NotAnObject`] when the text is no strict object or a member has another type than `T` wants.
pub fn parse<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, NotAnObject> {
    read(&parse_object(bytes)?)
}

/// Reads members that were parsed strictly as `T`.
///
/// # Errors
/// [`NotAnObject`] when a member has another type than `T` wants.
pub fn read<T: for<'de> Deserialize<'de>>(members: &Map<String, Value>) -> Result<T, NotAnObject> {
    T::deserialize(members).map_err(|error| NotAnObject(error.to_string()))
}

fn without_values(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => error.to_string(),
        _ => format!("syntax error at line {} column {}", error.line(), error.column()),
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            match members.entry(name) {
                Entry::Occupied(_) => return Err(de::Error::custom("a member appears twice")),
                Entry::Vacant(place) => place.insert(map.next_value_seed(inner)?),
            };
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::parse_object;

    #[test]
    fn accepts_an_object() {
        let members = parse_object(br#"{"a":[1,2.5,null,true,"x"],"b":{}}"#).unwrap_or_default();
        assert_eq!(members.len(), 2);
    }

    #[test]
    fn refuses_what_is_not_strict() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(9), "}".repeat(9));
        for text in [
            "",
            "[]",
            "1",
            "null",
            "{}x",
            "{} {}",
            "\u{feff}{}",
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":1e999}"#,
            r#"{"a":"\ud800"}"#,
            &deep,
        ] {
            assert!(parse_object(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(parse_object(b"{\"a\":\"\xff\"}").is_err());
        // An escaped name is the same name.
        assert!(parse_object(br#"{"a":1,"\u0061":2}"#).is_err());
    }
}
