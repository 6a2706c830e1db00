//! Lengths of time as people write them: `30s`, `10m`, `12h`, `90d`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time of whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(u64);

/// A length of time in a file.
struct Written;

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

// === impl Span ===

impl Span {
    pub(crate) const fn seconds(count: u64) -> Self {
        Self(count)
    }

    pub(crate) const fn minutes(count: u64) -> Self {
        Self(count * 60)
    }

    pub(crate) const fn hours(count: u64) -> Self {
        Self(count * 3_600)
    }

    pub(crate) const fn days(count: u64) -> Self {
        Self(count * 86_400)
    }

    pub(crate) const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// Parses a whole number and one unit.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parsed = UNITS.iter().find_map(|(unit, seconds)| {
            let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
            count.checked_mul(*seconds)
        });
        parsed
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a length of time such as 30s, 10m, 12h or 90d"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, seconds)| self.0 > 0 && self.0.is_multiple_of(*seconds));
        let (unit, seconds) = whole.copied().unwrap_or(("s", 1));
        write!(f, "{}{unit}", self.0 / seconds)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Written)
    }
}

impl de::Visitor<'_> for Written {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as \"30s\", \"10m\", \"12h\" or \"90d\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        Span::parse(text).map_err(E::custom)
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Span")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "span" })
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn reads_and_prints_the_largest_unit() {
        for (text, seconds) in
            [("0s", 0), ("30s", 30), ("10m", 600), ("12h", 43_200), ("90d", 7_776_000)]
        {
            assert_eq!(Span::parse(text), Ok(Span::seconds(seconds)));
            assert_eq!(Span::seconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_span() {
        for text in ["", "10", "m", "-1s", "1.5h", "10 m", "1w", "99999999999999999999d"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }
}
