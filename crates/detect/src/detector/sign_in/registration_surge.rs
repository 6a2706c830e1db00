//! Far more clients registered than is usual (RFC 7591 §5).
//!
//! An application that registers each of its copies does so from its users' networks. Default:
//! twenty within an hour or fifty within a day from one network; twenty within a day whose people
//! are sent back to one host (not the own machine); and in all, a hundred within an hour that are
//! five times the busiest hour so far, once a day is known. The busiest hour grows by half at most
//! each hour and fades by a tenth each day, so that a surge is not the habit at once.
//! State: 20,000 networks and 5,000 hosts of at most 1.5 kB.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::time::Timestamp;

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NETWORKS: usize = 20_000;
const HOSTS: usize = 5_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const FAST: usize = 20;
const SLOW: usize = 50;
const ONE_HOST: usize = 20;
const ALL: f64 = 100.0;
const TIMES: f64 = 5.0;

/// Registrations.
pub(super) struct RegistrationSurge {
    networks: Recent<IpNet, (Tally<(), 64>, Told)>,
    hosts: Recent<String, (Tally<(), ONE_HOST>, Told)>,
    all: Hours,
}

/// Registrations by the hour.
#[derive(Default)]
struct Hours {
    since: Option<Timestamp>,
    hour: i64,
    count: f64,
    busiest: f64,
    told: Told,
}

impl Default for RegistrationSurge {
    fn default() -> Self {
        Self { networks: Recent::new(NETWORKS), hosts: Recent::new(HOSTS), all: Hours::default() }
    }
}

impl Detector for RegistrationSurge {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Register { result, redirect_hosts } = &event.kind else { return None };
        if result != "ok" {
            return None;
        }
        let surge = self.all.add(event.ts);
        if let Some(ip) = event.ip {
            let (seen, told) = self.networks.touch(&network::of(ip));
            seen.push(event.ts, ());
            let fast = seen.within(event.ts, HOUR).count();
            let slow = seen.within(event.ts, DAY).count();
            if (fast >= FAST || slow >= SLOW) && told.is_news(event.ts, 1) {
                let count = if fast >= FAST { fast } else { slow };
                let from = format!("from {ip}");
                let whom = Whom { ip: event.ip, ..Whom::default() };
                return Some(sighting(source::actor(event), whom, &from, count, 0.0));
            }
        }
        for host in redirect_hosts.iter().filter(|host| !is_own_machine(host)) {
            let (seen, told) = self.hosts.touch(host);
            seen.push(event.ts, ());
            let count = seen.within(event.ts, DAY).count();
            if count >= ONE_HOST && told.is_news(event.ts, 1) {
                let to = format!("to send people to {host}");
                return Some(sighting(format!("host:{host}"), Whom::default(), &to, count, 0.0));
            }
        }
        surge.map(|(count, busiest)| {
            let actor = "campaign:registration".to_owned();
            sighting(actor, Whom::default(), "in all", count, busiest)
        })
    }
}

// === impl Hours ===

impl Hours {
    /// The count of this hour and of the busiest, when that is far less.
    fn add(&mut self, now: Timestamp) -> Option<(usize, f64)> {
        let since = *self.since.get_or_insert(now);
        let hour = now.as_secs().div_euclid(3600);
        if hour > self.hour {
            let hours = u32::try_from(hour - self.hour).unwrap_or(u32::MAX);
            let known = now.since(since) > DAY;
            let most = if known { (self.busiest * 1.5).max(10.0) } else { f64::MAX };
            self.busiest = self.busiest.max(self.count.min(most));
            self.busiest *= 0.9_f64.powf(f64::from(hours) / 24.0);
            (self.hour, self.count) = (hour, 0.0);
        }
        self.count += 1.0;
        let much = self.count >= ALL && self.count >= self.busiest * TIMES;
        (now.since(since) > DAY && much && self.told.is_news(now, 1))
            .then_some((self.count as usize, self.busiest))
    }
}

/// Native applications are sent back to their own machine (RFC 8252 §7.3).
fn is_own_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1" | "")
}

fn sighting(actor: String, whom: Whom, what: &str, count: usize, busiest: f64) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::RegistrationSurge),
        actor,
        whom,
        summary: format!("{count} clients were registered {what}, far more than is usual"),
        facts: BTreeMap::from([
            ("count", json!(count)),
            ("busiest_hour_before", json!(busiest.round())),
            (
                "thresholds",
                json!({
                    "network_hour": FAST, "network_day": SLOW, "host_day": ONE_HOST, "all_hour": ALL,
                }),
            ),
        ]),
    }
}
