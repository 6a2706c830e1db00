//! Timestamps print and parse the one form that events use.

use super::Timestamp;

#[test]
fn prints_and_parses_rfc3339_with_milliseconds() {
    let at = Timestamp::from_millis(1_790_000_000_123);
    assert_eq!(at.to_string(), "2026-09-21T14:13:20.123Z");
    assert_eq!(Timestamp::parse("2026-09-21T14:13:20.123Z"), Ok(at));
    assert_eq!(Timestamp::parse("2026-09-21T16:13:20.123999+02:00"), Ok(at));
}

#[test]
fn refuses_what_is_no_time() {
    for text in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01", "1790000000"] {
        assert!(Timestamp::parse(text).is_err(), "{text}");
    }
}

#[test]
fn arithmetic_saturates() {
    let end = Timestamp::from_millis(i64::MAX);
    assert_eq!(end.plus(std::time::Duration::from_secs(1)), end);
    assert_eq!(Timestamp::from_secs(i64::MAX), end);
    assert_eq!(Timestamp::from_millis(-1).as_secs(), -1);
}
