//! JSON objects from outside, read strictly: no duplicate member, bounded depth (RFC 7515 §4, RFC 8725 §2.4).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use strict::Strict;

mod strict;

/// How deep arrays and objects may nest, the outermost object counted.
pub const MAX_DEPTH: usize = 8;

/// A text that is not a strict JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a strict JSON object: {0}")]
pub struct NotAnObject(String);

/// The names of an object's own members.
#[derive(Debug)]
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
    let text = str::from_utf8(bytes).map_err(|_| NotAnObject("not UTF-8".to_owned()))?;
    let (mut inner, mut names) = (serde_json::Deserializer::from_str(text), None);
    let strict = Strict { inner: &mut inner, depth: MAX_DEPTH, names: Some(&mut names) };
    let value = T::deserialize(strict)
        .and_then(|value| inner.end().map(|()| value))
        .map_err(|error| NotAnObject(without_values(&error)))?;
    let names = names.ok_or_else(|| NotAnObject("the outermost value is no object".to_owned()))?;
    Ok((value, names))
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
        self.0.iter().any(|known| known == name)
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
