//! JSON objects from outside, read strictly: no duplicate member, bounded depth (RFC 7515 §4, RFC 8725 §2.4).

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep arrays and objects may nest, the outermost object counted.
pub const MAX_DEPTH: usize = 8;

/// A text that is not a strict JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a strict JSON object: {0}")]
pub struct NotAnObject(String);

/// The names of an object's own members.
pub struct Names<'de>(Vec<Cow<'de, str>>);

/// Parses one JSON object: UTF-8, no member twice at any level, at most [`MAX_DEPTH`] levels,
/// nothing after it.
///
/// # Errors
/// [`NotAnObject`] says what was found and where; it repeats no value.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, NotAnObject> {
    parse(bytes)
}

/// Parses one strict JSON object into `T`.
///
/// # Errors
/// [`NotAnObject`] when the text is no strict object or a member has another type than `T` wants.
pub fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, NotAnObject> {
    parse_with_names(bytes).map(|(value, _)| value)
}

/// The same, with the names of all members, also of those that `T` does not look at.
///
/// # Errors
/// [`NotAnObject`] as [`parse`].
pub fn parse_with_names<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
) -> Result<(T, Names<'de>), NotAnObject> {
    // Strictness first, without building anything; what is then built needs no check of its own.
    let names = names(bytes)?;
    let value = serde_json::from_slice(bytes).map_err(|error| NotAnObject(error.to_string()))?;
    Ok((value, names))
}

fn names(bytes: &[u8]) -> Result<Names<'_>, NotAnObject> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Skim { depth: MAX_DEPTH }
        .deserialize(&mut deserializer)
        .and_then(|names| deserializer.end().map(|()| names))
        .map_err(|error| NotAnObject(without_values(&error)))?
        .ok_or_else(|| NotAnObject("the outermost value is no object".to_owned()))
}

fn without_values(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => error.to_string(),
        _ => format!("syntax error at line {} column {}", error.line(), error.column()),
    }
}

// === impl Names ===

impl Names<'_> {
    /// Whether there is a member of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.binary_search_by(|known| known.as_ref().cmp(name)).is_ok()
    }
}

/// Walks over a value; of an object it returns the names.
#[derive(Clone, Copy)]
struct Skim {
    depth: usize,
}

/// A member's name, borrowed where nothing in it is escaped.
struct Name;

// === impl Skim ===

impl Skim {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Skim {
    type Value = Option<Names<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skim {
    type Value = Option<Names<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        if value.is_finite() { Ok(None) } else { Err(E::custom("number out of range")) }
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let inner = self.deeper()?;
        while sequence.next_element_seed(inner)?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let inner = self.deeper()?;
        let mut names = Vec::with_capacity(16);
        while let Some(name) = map.next_key_seed(Name)? {
            map.next_value_seed(inner)?;
            names.push(name);
        }
        // Sorted, so that a thousand members cost no million comparisons.
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(de::Error::custom("a member appears twice"));
        }
        Ok(Some(Names(names)))
    }
}

// === impl Name ===

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_object, parse_with_names};

    #[test]
    fn accepts_an_object() {
        let members = parse_object(br#"{"a":[1,2.5,null,true,"x"],"b":{}}"#).unwrap_or_default();
        assert_eq!(members.len(), 2);
    }

    #[test]
    fn names_are_known_also_when_nobody_looks_at_them() {
        #[derive(serde::Deserialize)]
        struct Seen {
            a: u8,
        }
        let text = br#"{"z":[{"q":1}],"a":7,"\u0062":{}}"#;
        let (seen, names) = parse_with_names::<Seen>(text).expect("object");
        assert_eq!(seen.a, 7);
        assert!(names.has("a") && names.has("b") && names.has("z"));
        assert!(!names.has("q") && !names.has("c"));
        assert!(parse_with_names::<Seen>(br#"{"a":7,"z":{"q":1,"q":1}}"#).is_err());
        assert!(parse_with_names::<Seen>(br#"{"a":"7"}"#).is_err());
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
            r#"{"a":[{"b":1,"b":1}]}"#,
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
