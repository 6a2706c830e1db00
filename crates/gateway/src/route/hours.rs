//! Times of the week at which a route is open: `Mon-Fri 08:00-18:00 Europe/Berlin`.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use token::time::Timestamp;

/// The days as they are written, from Monday on.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Some hours of some days, by the clocks of a place: daylight saving is kept as it is there. What ends
/// before it begins, such as `22:00-06:00`, ends on the next day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    text: Box<str>,
    /// By day, from Monday on: whether it begins then.
    days: [bool; 7],
    /// Minutes of the day.
    from: u16,
    /// The first minute that is not in it any more.
    until: u16,
    zone: TimeZone,
}

/// Why a text says no hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHours {
    /// Not the parts that it has to have.
    #[error("`{0}` is not as `Mon-Fri 08:00-18:00 Europe/Berlin`; the days may be left out")]
    Form(String),
    /// No day, or a range of none.
    #[error("`{0}` names no days: write `Mon-Fri`, `Sat,Sun` or both joined by a comma")]
    Days(String),
    /// No times, or the same twice.
    #[error("`{0}` is no span of a day: write `08:00-18:00`, at the latest `24:00`")]
    Span(String),
    /// A place that nobody knows.
    #[error("`{0}` is no time zone: write a name such as `Europe/Berlin`, or `UTC`")]
    Zone(String),
}

// === impl Hours ===

impl Hours {
    /// Whether a time is in them.
    pub fn contains(&self, at: Timestamp) -> bool {
        let Ok(at) = jiff::Timestamp::from_millisecond(at.as_millis()) else { return false };
        let here = at.to_zoned_datetime(self.zone.clone());
        let [hour, minute] =
            [here.hour(), here.minute()].map(|part| u16::from(part.unsigned_abs()));
        let minute = hour * 60 + minute;
        let today = usize::from(here.weekday().to_monday_zero_offset().unsigned_abs());
        let begins = |day: usize| self.days.get(day % 7).copied().unwrap_or(false);
        if self.from < self.until {
            return begins(today) && (self.from..self.until).contains(&minute);
        }
        (begins(today) && minute >= self.from) || (begins(today + 6) && minute < self.until)
    }
}

impl FromStr for Hours {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let parts: Vec<&str> = text.split(' ').collect();
        let (named, span, place) = match parts.as_slice() {
            [named, span, place] => (Some(*named), *span, *place),
            [span, place] => (None, *span, *place),
            _ => return Err(BadHours::Form(text.to_owned())),
        };
        let wrong = || BadHours::Span(span.to_owned());
        let (from, until) = span.split_once('-').ok_or_else(wrong)?;
        let (from, until) = minutes(from).zip(minutes(until)).ok_or_else(wrong)?;
        if from == until || from == DAY {
            return Err(wrong());
        }
        let zone = TimeZone::get(place).map_err(|_| BadHours::Zone(place.to_owned()))?;
        let days = match named {
            Some(named) => days(named).ok_or_else(|| BadHours::Days(named.to_owned()))?,
            None => [true; 7],
        };
        Ok(Self { text: text.into(), days, from, until, zone })
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn days(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        // A range may go over Sunday: `Sat-Mon`.
        let count = (last + 7 - first) % 7;
        for day in first..=first + count {
            *days.get_mut(day % 7)? = true;
        }
    }
    Some(days)
}

fn number(day: &str) -> Option<usize> {
    DAYS.iter().position(|name| *name == day)
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two(hour) || !two(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY).then_some(all)
}

#[cfg(test)]
mod tests {
    use token::time::Timestamp;

    use super::{BadHours, Hours};

    fn is_in(hours: &str, at: &str) -> bool {
        let hours: Hours = hours.parse().expect("hours");
        hours.contains(Timestamp::parse(at).expect("time"))
    }

    #[test]
    fn hours_are_those_of_their_place() {
        let office = "Mon-Fri 08:00-18:00 Europe/Berlin";
        for (at, open) in [
            // A Monday in summer, two hours before Greenwich; in winter it is one.
            ("2026-09-21T06:00:00Z", true),
            ("2026-09-21T05:59:59Z", false),
            ("2026-09-21T15:59:59Z", true),
            ("2026-09-21T16:00:00Z", false),
            ("2026-12-21T06:30:00Z", false),
            ("2026-12-21T07:00:00Z", true),
            ("2026-09-19T10:00:00Z", false),
            ("2026-09-20T10:00:00Z", false),
        ] {
            assert_eq!(is_in(office, at), open, "{at}");
        }
        assert!(is_in("00:00-24:00 UTC", "2026-09-20T23:59:59Z"));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = "Fri,Sat 22:00-06:00 UTC";
        for (at, open) in [
            ("2026-09-25T21:59:00Z", false),
            ("2026-09-25T22:00:00Z", true),
            ("2026-09-26T05:59:00Z", true),
            ("2026-09-26T06:00:00Z", false),
            ("2026-09-27T05:00:00Z", true),
            ("2026-09-27T22:30:00Z", false),
            ("2026-09-25T05:00:00Z", false),
        ] {
            assert_eq!(is_in(night, at), open, "{at}");
        }
        assert!(is_in("Sat-Mon 10:00-11:00 UTC", "2026-09-20T10:30:00Z"), "a Sunday");
        assert!(!is_in("Sat-Mon 10:00-11:00 UTC", "2026-09-22T10:30:00Z"), "a Tuesday");
    }

    #[test]
    fn what_says_no_hours_is_refused() {
        let refused = |text: &str| text.parse::<Hours>().expect_err(text);
        for text in ["", "08:00-18:00", "Mon  08:00-18:00 UTC", "Mon 08:00 - 18:00 UTC"] {
            assert!(matches!(refused(text), BadHours::Form(_)), "{text:?}");
        }
        for days in ["mon", "Mon-", "Mon;Tue", "Monday", "Mon,"] {
            let text = format!("{days} 08:00-18:00 UTC");
            assert!(matches!(refused(&text), BadHours::Days(_)), "{text}");
        }
        for span in
            ["8:00-18:00", "08:00", "08:00-08:00", "08:60-09:00", "24:00-06:00", "00:00-24:01"]
        {
            assert!(matches!(refused(&format!("{span} UTC")), BadHours::Span(_)), "{span}");
        }
        let refused = refused("08:00-18:00 Europe/Atlantis");
        assert!(refused.to_string().contains("Europe/Berlin"), "{refused}");
    }
}
