//! User codes of the device grant guessed (RFC 8628 §5.1).
//!
//! Who types a code from a screen errs a few times and then succeeds. Defaults: ten wrong codes within a quarter of an
//! hour or fifteen within three days from one network, if they are five times the codes that were decided there; forty
//! within an hour from all networks, or twelve of one program from six, if they are five times what was decided. Of
//! these, each network is named that typed two wrong ones and none that exists; a run in which nobody did is told
//! without a name at sixty. Of a program's run one wrong code is enough. State: 20,000 networks of at most 1 kB, 200
//! programs of 3 kB.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NETWORKS: usize = 20_000;
const QUARTER: Duration = Duration::from_secs(900);
const HOUR: Duration = Duration::from_secs(3600);
const DAYS: Duration = Duration::from_secs(72 * 3600);
const FAST: usize = 10;
const SLOW: usize = 15;
const EVERYWHERE: usize = 40;
const PROGRAMS: usize = 200;
const OF_PROGRAM: usize = 12;
const NETWORKS_OF_PROGRAM: usize = 6;
/// Of a network before it is named as a part of that.
const PART: usize = 2;
/// A run without such a network.
const NAMELESS: usize = 60;
/// Wrong codes to one that was decided.
const TO_ONE: usize = 5;

/// Guesses at user codes.
pub(super) struct DeviceCodeGuessing {
    networks: Recent<IpNet, Codes<32>>,
    all: Codes<128>,
    programs: Recent<u64, (Codes<40>, Tally<IpNet, 16>)>,
}

/// `true` for a code that was decided.
#[derive(Default)]
struct Codes<const N: usize> {
    seen: Tally<bool, N>,
    told: Told,
    /// As a part of a run.
    named: Told,
}

impl Default for DeviceCodeGuessing {
    fn default() -> Self {
        Self {
            networks: Recent::new(NETWORKS),
            all: Codes::default(),
            programs: Recent::new(PROGRAMS),
        }
    }
}

impl Detector for DeviceCodeGuessing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Device { step, .. } = &event.kind else { return None };
        let decided = match step.as_str() {
            "bad_user_code" => false,
            "approved" | "denied" => true,
            _ => return None,
        };
        let held = self.networks.touch(&network::of(event.ip?));
        held.seen.push(event.ts, decided);
        self.all.seen.push(event.ts, decided);
        let found = held.found(event, QUARTER, FAST).or_else(|| held.found(event, DAYS, SLOW));
        if let Some((wrong, good)) = found
            && held.told.is_news(event.ts, 1)
        {
            let whom = Whom { ip: event.ip, ..Whom::default() };
            return Some(sighting(source::actor(event), whom, &source::shown(event), wrong, good));
        }
        let has_good = held.seen.within(event.ts, HOUR).any(|(_, decided)| *decided);
        let by_program = source::software(event).and_then(|program| {
            let (codes, networks) = self.programs.touch(&program);
            codes.seen.push(event.ts, decided);
            networks.note(event.ts, network::of(event.ip?));
            let found = codes.found(event, HOUR, OF_PROGRAM)?;
            let many = networks.within(event.ts, HOUR).count() >= NETWORKS_OF_PROGRAM;
            (many && !has_good).then_some(found)
        });
        if let Some((wrong, good)) = by_program
            && held.named.is_news(event.ts, 1)
        {
            let actor = "campaign:user codes".to_owned();
            let whom = Whom { ip: event.ip, ..Whom::default() };
            return Some(sighting(actor, whom, "many networks by one program", wrong, good));
        }
        let (wrong, good) = self.all.found(event, HOUR, EVERYWHERE)?;
        let is_part = held.found(event, HOUR, PART).is_some_and(|(_, good)| good == 0);
        let ip = event.ip.filter(|_| is_part);
        let is_news = match ip {
            Some(_) => held.named.is_news(event.ts, 1),
            None => wrong >= NAMELESS && !self.all.told.is_open(event.ts),
        };
        if !is_news {
            return None;
        }
        self.all.told.is_news(event.ts, 1);
        let actor = "campaign:user codes".to_owned();
        let whom = Whom { ip, ..Whom::default() };
        Some(sighting(actor, whom, "many networks", wrong, good))
    }
}

// === impl Codes ===

impl<const N: usize> Codes<N> {
    /// Wrong and decided codes, when there are too many of the first.
    fn found(&self, event: &Event, window: Duration, limit: usize) -> Option<(usize, usize)> {
        let good = self.seen.within(event.ts, window).filter(|(_, decided)| **decided).count();
        let wrong = self.seen.within(event.ts, window).count() - good;
        (wrong >= limit && wrong >= good * TO_ONE).then_some((wrong, good))
    }
}

fn sighting(actor: String, whom: Whom, from: &str, wrong: usize, good: usize) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::DeviceCodeGuessing),
        actor,
        whom,
        summary: format!(
            "{wrong} user codes that do not exist were typed from {from}, and {good} that do"
        ),
        facts: BTreeMap::from([
            ("wrong", json!(wrong)),
            ("decided", json!(good)),
            (
                "thresholds",
                json!({ "quarter": FAST, "three_days": SLOW, "everywhere": EVERYWHERE }),
            ),
        ]),
    }
}
