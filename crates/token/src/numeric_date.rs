//! Times as others write them: seconds since the epoch, of which some have fractions (RFC 7519 §2, NumericDate).

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// Some 30,000 years: no larger number with a fraction is a time.
const LARGEST: f64 = 1e12;

/// Whole seconds since the epoch; a fraction is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumericDate(i64);

struct Seconds;

// === impl NumericDate ===

impl NumericDate {
    /// Whole seconds since the epoch.
    pub const fn as_secs(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Seconds).map(Self)
    }
}

// === impl Seconds ===

impl Visitor<'_> for Seconds {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since the epoch")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<i64, E> {
        Ok(seconds)
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<i64, E> {
        i64::try_from(seconds).map_err(|_| E::custom("not a time"))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<i64, E> {
        let is_time = (0.0..=LARGEST).contains(&seconds);
        #[expect(clippy::cast_possible_truncation, reason = "its fraction; the size was checked")]
        is_time.then_some(seconds as i64).ok_or_else(|| E::custom("not a time"))
    }
}

/// A claim that has to be there.
///
/// # Errors
/// The deserializer's, for what is no time.
pub(crate) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    NumericDate::deserialize(from).map(NumericDate::as_secs)
}

/// A claim that may be left out.
///
/// # Errors
/// The deserializer's, for what is no time.
pub(crate) fn maybe<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(Option::<NumericDate>::deserialize(from)?.map(NumericDate::as_secs))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::NumericDate;
    use crate::json;

    #[test]
    fn fractions_are_dropped_and_what_is_no_time_is_refused() {
        let read = |text: &str| {
            let text = format!("{{\"at\":{text}}}");
            let read: Result<BTreeMap<String, NumericDate>, _> = json::parse(text.as_bytes());
            read.ok().and_then(|members| members.get("at").copied()).map(NumericDate::as_secs)
        };
        for (text, seconds) in [
            ("1790000000", 1_790_000_000),
            ("1790000000.999", 1_790_000_000),
            ("1.79e9", 1_790_000_000),
            ("0", 0),
            ("-1", -1),
            ("253402300800000", 253_402_300_800_000),
        ] {
            assert_eq!(read(text), Some(seconds), "{text}");
        }
        for text in ["1e13", "-0.5", "\"1790000000\"", "null", "true", "18446744073709551615"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
