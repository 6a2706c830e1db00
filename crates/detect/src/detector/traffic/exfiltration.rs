//! Far more data to one principal than it, or any of its like, ever took.
//!
//! Bytes sent, and records (where whoever made the event counted them), in an hour and in a day: the slow thief stays
//! below every hourly limit. Each against the own peak and against others of the client; a nightly export has its own
//! peak. A program that always takes much at the same hours of the day takes twice its peak at other hours: then
//! somebody else has its secret. It must be known for a day, with at most six such hours. A person's same file again
//! within the hour is nothing new, files of one folder are one thing (`/datasets/{set}/files/{file}`), and of what
//! comes again by one path, and is no page, a fifth counts. State: 48 bytes a principal, 40 more for one whose records
//! were counted, 550 for each of 4,096 clients, 24 for each of 10,000 programs.

use crate::detector::traffic::Again;
use crate::detector::traffic::meter::{Excess, Limits, Meter};
use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::habit;
use crate::sketch::spread::Spread;
use crate::sketch::table::Table;

/// Four megabytes an hour are some pages with pictures, or a few documents.
const HOUR: Limits = Limits {
    window: 3600,
    floor: 4e6,
    own: 5.0,
    first_day: true,
    peers: 3.0,
    long_tail: true,
    alone: f32::INFINITY,
    early: f32::INFINITY,
};
const DAY: Limits = Limits {
    window: 86_400,
    floor: 5e6,
    own: 3.0,
    first_day: true,
    peers: 2.5,
    long_tail: true,
    alone: f32::INFINITY,
    early: f32::INFINITY,
};
/// A thousand records are a few long lists.
const RECORDS_HOUR: Limits = Limits {
    window: 3600,
    floor: 1000.0,
    own: 5.0,
    first_day: true,
    peers: 4.0,
    long_tail: false,
    alone: f32::INFINITY,
    early: f32::INFINITY,
};
const RECORDS: Limits = Limits {
    window: 86_400,
    floor: 1000.0,
    own: 3.0,
    first_day: true,
    peers: 3.5,
    long_tail: false,
    alone: f32::INFINITY,
    early: f32::INFINITY,
};

/// Of one answer to a person so much counts as it is, and one part in so many of what is more, up to a limit: a file
/// that somebody asked for once is an export or a video, however large, and many of them are a theft. The same file
/// again at once is nothing new. A program's answers are alike.
const ANSWER: f32 = 4e5;
const BEYOND: f32 = 20.0;
const MOST: f32 = 1e6;
/// Records in the same way, of one object.
const OF_OBJECT: f32 = 100.0;

/// Files of one folder are one thing, such as a data set in parts: of each but the first counts one part in so many.
const PARTS: f32 = 100.0;
/// What comes by the same path again may be the same file, or its next part.
const REPEATS: f32 = 5.0;

/// What counts at an hour at which a program never took much: half a megabyte.
const ODD_HOUR: Limits = Limits { floor: 5e5, ..HOUR };
const ODD_TIMES: f32 = 2.0;
/// Hours of a program that has a schedule.
const SCHEDULE: u32 = 6;

#[derive(Default)]
struct Peers {
    hour: Spread,
    day: Spread,
    records_hour: Spread,
    records: Spread,
}

/// One bit for each hour of the day at which a program took much.
#[derive(Clone, Copy, Default)]
struct Schedule(u32);

/// What one principal took.
#[derive(Default)]
pub(super) struct State {
    pub(super) hour: Meter,
    day: Meter,
    /// Once any were counted: most events say nothing of them.
    records: Option<Box<Records>>,
}

/// How many records.
#[derive(Default)]
struct Records {
    hour: Meter,
    day: Meter,
}

/// Data by principal.
pub(super) struct Exfiltration {
    peers: Table<Peers>,
    schedules: Table<Schedule>,
}

impl Default for Exfiltration {
    fn default() -> Self {
        Self { peers: Table::new(4096), schedules: Table::new(10_000) }
    }
}

// === impl Exfiltration ===

impl Exfiltration {
    pub(super) fn observe(
        &mut self,
        seen: &Seen<'_>,
        first: u32,
        again: Again,
        state: &mut State,
    ) -> Option<Sighting> {
        if !seen.is_ok() {
            return None;
        }
        let now = seen.now;
        let is_odd = seen.is_own_client() && {
            let hours = self.schedules.touch(seen.principal?, now);
            if let Some(hour) = state.hour.busy_hour(now) {
                hours.0 |= 1 << hour;
            }
            habit::is_known(first, now) && hours.is_odd(now)
        };
        let Peers { hour, day, records_hour, records } = self.peers.touch(seen.client, now);
        state.hour.roll(first, now, &HOUR, hour);
        state.day.roll(first, now, &DAY, day);
        let bytes = counted(seen, again);
        state.hour.add(bytes, now, &HOUR, hour);
        state.day.add(bytes, now, &DAY, day);
        let count = counted_records(seen);
        if count > 0.0 {
            state.records.get_or_insert_default();
        }
        if let Some(held) = &mut state.records {
            held.hour.roll(first, now, &RECORDS_HOUR, records_hour);
            held.day.roll(first, now, &RECORDS, records);
            held.hour.add(count, now, &RECORDS_HOUR, records_hour);
            held.day.add(count, now, &RECORDS, records);
        }
        let odd = is_odd.then(|| state.hour.judge_alone(now, &ODD_HOUR, ODD_TIMES)).flatten();
        let bytes = odd
            .or_else(|| state.hour.judge(first, seen, &HOUR, hour))
            .or_else(|| state.day.judge(first, seen, &DAY, day));
        let mut records = || {
            let held = state.records.as_mut()?;
            let of_hour = held.hour.judge(first, seen, &RECORDS_HOUR, records_hour);
            of_hour.or_else(|| held.day.judge(first, seen, &RECORDS, records))
        };
        let (excess, unit) =
            bytes.map(|it| (it, "bytes")).or_else(|| records().map(|it| (it, "records")))?;
        let records = state.records.iter_mut().flat_map(|held| [&mut held.hour, &mut held.day]);
        for meter in [&mut state.hour, &mut state.day].into_iter().chain(records) {
            meter.hush(now);
        }
        Some(sighting(seen, &excess, unit))
    }
}

// === impl Schedule ===

impl Schedule {
    /// Whether much is taken at a few hours, of which neither this one nor its neighbours is one.
    fn is_odd(self, now: u32) -> bool {
        let hour = now / 3600 % 24;
        let is_near = [hour + 23, hour, hour + 1].iter().any(|hour| self.0 >> (hour % 24) & 1 != 0);
        self.0 != 0 && self.0.count_ones() <= SCHEDULE && !is_near
    }
}

fn counted(seen: &Seen<'_>, again: Again) -> f32 {
    let bytes = seen.request.bytes_out as f32;
    if seen.is_own_client() {
        bytes
    } else if again.object && seen.is_file() {
        0.0
    } else if again.folder && seen.is_file() {
        bytes.min(ANSWER) / PARTS
    } else if again.path {
        bytes.min(ANSWER) / REPEATS
    } else {
        bytes.min(ANSWER) + ((bytes - ANSWER).max(0.0) / BEYOND).min(MOST)
    }
}

/// What belongs to one object, such as an account's statement, is one answer; lists are taken page by page.
fn counted_records(seen: &Seen<'_>) -> f32 {
    let records = seen.request.records_out.unwrap_or(0) as f32;
    if seen.is_own_client() || seen.object.is_none() {
        records
    } else {
        records.min(OF_OBJECT) + (records - OF_OBJECT).max(0.0) / BEYOND
    }
}

fn sighting(seen: &Seen<'_>, excess: &Excess, unit: &str) -> Sighting {
    let least = if unit == "bytes" && !seen.is_own_client() { "at least " } else { "" };
    let summary = format!(
        "{} took {least}{:.0} {unit}, lately by {}, {}",
        seen.name(),
        excess.amount,
        seen.shown_route(),
        excess.compared()
    );
    let mut facts = excess.facts();
    facts.insert("unit", unit.into());
    seen.sighting(Kind::Exfiltration, summary, facts)
}
