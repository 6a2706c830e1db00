//! Far more data to one principal than it, or any of its like, ever took.
//!
//! Bytes sent, and records (where whoever made the event counted them), in an hour and in a
//! day: the slow thief stays below every hourly limit. Each against the own peak and against
//! others of the client; a nightly export has its own peak. State: 48 bytes a principal, 40 more for one whose
//! records were counted, 550 for each of 4,096 clients.

use crate::detector::traffic::meter::{Excess, Limits, Meter};
use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::spread::Spread;
use crate::sketch::table::Table;

/// Two megabytes an hour are a page with pictures.
const HOUR: Limits = Limits {
    window: 3600,
    floor: 2e6,
    own: 5.0,
    first_day: true,
    peers: 3.0,
    long_tail: true,
    alone: f32::INFINITY,
};
const DAY: Limits = Limits {
    window: 86_400,
    floor: 5e6,
    own: 3.0,
    first_day: true,
    peers: 2.5,
    long_tail: true,
    alone: f32::INFINITY,
};
/// A thousand records are a few long lists.
const RECORDS_HOUR: Limits = Limits {
    window: 3600,
    floor: 1000.0,
    own: 5.0,
    first_day: true,
    peers: 3.0,
    long_tail: false,
    alone: f32::INFINITY,
};
const RECORDS: Limits = Limits {
    window: 86_400,
    floor: 1000.0,
    own: 3.0,
    first_day: true,
    peers: 2.5,
    long_tail: false,
    alone: f32::INFINITY,
};

#[derive(Default)]
struct Peers {
    hour: Spread,
    day: Spread,
    records_hour: Spread,
    records: Spread,
}

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
}

impl Default for Exfiltration {
    fn default() -> Self {
        Self { peers: Table::new(4096) }
    }
}

// === impl Exfiltration ===

impl Exfiltration {
    pub(super) fn observe(
        &mut self,
        seen: &Seen<'_>,
        first: u32,
        state: &mut State,
    ) -> Option<Sighting> {
        if !seen.is_ok() {
            return None;
        }
        let now = seen.now;
        let Peers { hour, day, records_hour, records } = self.peers.touch(seen.client, now);
        state.hour.roll(first, now, &HOUR, hour);
        state.day.roll(first, now, &DAY, day);
        let bytes = seen.request.bytes_out as f32;
        state.hour.add(bytes, now, &HOUR, hour);
        state.day.add(bytes, now, &DAY, day);
        let count = seen.request.records_out.unwrap_or(0);
        if count > 0 {
            state.records.get_or_insert_default();
        }
        if let Some(held) = &mut state.records {
            held.hour.roll(first, now, &RECORDS_HOUR, records_hour);
            held.day.roll(first, now, &RECORDS, records);
            held.hour.add(count as f32, now, &RECORDS_HOUR, records_hour);
            held.day.add(count as f32, now, &RECORDS, records);
        }
        let bytes = state
            .hour
            .judge(first, seen, &HOUR, hour)
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

fn sighting(seen: &Seen<'_>, excess: &Excess, unit: &str) -> Sighting {
    let summary = format!(
        "{} took {:.0} {unit}, lately by {}, {}",
        seen.name(),
        excess.amount,
        seen.shown_route(),
        excess.compared()
    );
    let mut facts = excess.facts();
    facts.insert("unit", unit.into());
    seen.sighting(Kind::Exfiltration, summary, facts)
}
