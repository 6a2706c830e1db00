//! How a request breaks a contract: the place and the rule, never the value.

use std::fmt;

use inspect::Excess;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

/// Longest place and longest rule that are told, in bytes.
const LONGEST: usize = 120;

/// Why a request is not as its operation has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is larger than what is read.
    Excess(Excess),
    /// The body has a media type that the operation does not take.
    MediaType,
    /// A part of it breaks a rule.
    Rule(Box<Violation>),
}

/// A place and the rule that is broken there. Its text is one line of visible ASCII without quotes and
/// backslashes, as a header's value may need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    place: String,
    rule: String,
}

// === impl Broken ===

impl Broken {
    pub(crate) fn rule(place: impl AsRef<str>, rule: impl AsRef<str>) -> Self {
        let (place, rule) = (told(place.as_ref()), told(rule.as_ref()));
        Self::Rule(Box::new(Violation { place, rule }))
    }

    /// What a schema says of a value that stands at `place`.
    pub(crate) fn of_schema(place: &str, error: &ValidationError<'_>) -> Self {
        let pointer = error.instance_path().as_str();
        let place = if pointer.is_empty() {
            place.to_owned()
        } else {
            format!("{place} {}", known(pointer))
        };
        Self::rule(place, rule(error.kind()))
    }
}

// === impl Violation ===

impl Violation {
    /// Where: `body /items/0/qty`, `query limit`.
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.rule)
    }
}

/// A rule in words. Numbers and names in it are the document's.
fn rule(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => {
            "has a member that is not described".to_owned()
        }
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            "fits none of the alternatives".to_owned()
        }
        Kind::OneOfMultipleValid { .. } => "fits more than one of the alternatives".to_owned(),
        Kind::Constant { .. } | Kind::Enum { .. } => {
            "is none of the values that are listed".to_owned()
        }
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::FalseSchema => "must not be there".to_owned(),
        Kind::Format { format } => format!("is not of the format {format}"),
        Kind::MaxItems { limit } => format!("has more than {limit} items"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::MaxLength { limit } => format!("is longer than {limit}"),
        Kind::MaxProperties { limit } => format!("has more than {limit} members"),
        Kind::MinItems { limit } => format!("has fewer than {limit} items"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::MinLength { limit } => format!("is shorter than {limit}"),
        Kind::MinProperties { limit } => format!("has fewer than {limit} members"),
        Kind::MultipleOf { .. } => "is not a multiple of what it must be".to_owned(),
        Kind::Pattern { .. } => "does not fit the pattern".to_owned(),
        Kind::Required { property: Value::String(name) } => format!("lacks the member {name}"),
        Kind::Type { kind: TypeKind::Single(kind) } => format!("is not of the type {kind}"),
        Kind::UniqueItems => "has an item twice".to_owned(),
        other => format!("breaks the rule {}", other.keyword()),
    }
}

/// As much of a pointer as has ordinary names only: others are the sender's.
fn known(pointer: &str) -> &str {
    let ordinary = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.~$".contains(&byte);
    match pointer.bytes().position(|byte| !ordinary(byte)) {
        None => pointer,
        Some(at) => pointer
            .get(..at)
            .and_then(|start| start.rfind('/').map(|end| &pointer[..end]))
            .unwrap_or(""),
    }
}

fn told(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') { c } else { ' ' };
    let mut told: String = text.chars().take(LONGEST).map(plain).collect();
    told.truncate(told.trim_end().len());
    told
}
