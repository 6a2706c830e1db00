//! What a field is for, by its schema and its name: text for people, an address, or neither.

use inspect::Expect;
use serde_json::Value;

use crate::schema::{Definitions, SchemaId};

/// A text that may be this long is one for people.
const PROSE: u64 = 256;
/// Fields that people write in, by the end of their name in lower case.
const PROSE_NAMES: [&str; 16] = [
    "bio",
    "body",
    "comment",
    "comments",
    "content",
    "description",
    "details",
    "feedback",
    "message",
    "note",
    "notes",
    "reason",
    "remarks",
    "review",
    "summary",
    "text",
];
/// Formats whose values have nothing to break out with.
const NARROW_FORMATS: [&str; 8] =
    ["date", "date-time", "duration", "hostname", "ipv4", "ipv6", "time", "uuid"];
/// Schemas inside of schemas that are looked at.
const DEEPEST: usize = 16;

/// The role of a value of this schema, in a field of this name.
pub(crate) fn of(definitions: &Definitions, schema: &Value, name: &str) -> Expect {
    let schema = definitions.resolved(schema);
    if !is_text(schema.get("type")) {
        return if is_scalar(schema.get("type")) { Expect::Identifier } else { Expect::Unknown };
    }
    let narrow = ["const", "enum", "pattern"].iter().any(|word| schema.get(word).is_some());
    let longest = schema.get("maxLength").and_then(Value::as_u64);
    let name = name.to_ascii_lowercase();
    let named = PROSE_NAMES.iter().any(|end| name.ends_with(end));
    match schema.get("format").and_then(Value::as_str) {
        Some("uri") => Expect::Url { inner: false },
        Some(format) if NARROW_FORMATS.contains(&format) => Expect::Identifier,
        Some(_) => Expect::Unknown,
        None if narrow => Expect::Unknown,
        None if longest.is_some_and(|longest| longest >= PROSE) => Expect::FreeText,
        None if named && longest.is_none_or(|longest| longest > PROSE / 4) => Expect::FreeText,
        None => Expect::Unknown,
    }
}

/// The role of a member of a body, by its path such as `$.items[2].note`.
pub(crate) fn at(definitions: &Definitions, id: SchemaId, path: &str) -> Option<Expect> {
    let path = path.strip_prefix('$').unwrap_or(path);
    walk(definitions, definitions.schema(id), path, "", 0)
}

fn walk(
    definitions: &Definitions,
    schema: &Value,
    path: &str,
    name: &str,
    depth: usize,
) -> Option<Expect> {
    if depth > DEEPEST {
        return None;
    }
    let schema = definitions.resolved(schema);
    let own = match step(path) {
        Step::End => Some(of(definitions, schema, name)).filter(|role| *role != Expect::Unknown),
        Step::Item(rest) => {
            let items = schema.get("items")?;
            walk(definitions, items, rest, name, depth + 1)
        }
        Step::Member(member, rest) => schema
            .get("properties")
            .and_then(|properties| properties.get(member))
            .and_then(|next| walk(definitions, next, rest, member, depth + 1)),
        Step::Other => return None,
    };
    own.or_else(|| {
        let parts =
            ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| schema.get(*word)?.as_array());
        parts.flatten().find_map(|part| walk(definitions, part, path, name, depth + 1))
    })
}

/// The first step of what is left of a path.
enum Step<'p> {
    End,
    Item(&'p str),
    Member(&'p str, &'p str),
    /// A name that is written in quotes is no member's that is described.
    Other,
}

fn step(path: &str) -> Step<'_> {
    if path.is_empty() {
        return Step::End;
    }
    if let Some(rest) = path.strip_prefix('[') {
        let (digits, rest) = rest.split_once(']').unwrap_or((rest, ""));
        let is_index = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        return if is_index { Step::Item(rest) } else { Step::Other };
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (member, rest) = path.split_at(end);
    Step::Member(member, rest)
}

/// Whether a number or a truth value belongs there: as a parameter it comes as text.
fn is_scalar(kind: Option<&Value>) -> bool {
    matches!(kind.and_then(Value::as_str), Some("integer" | "number" | "boolean"))
}

fn is_text(kind: Option<&Value>) -> bool {
    match kind {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => {
            kinds.iter().all(|kind| matches!(kind.as_str(), Some("string" | "null")))
        }
        _ => false,
    }
}
