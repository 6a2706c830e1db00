//! Second factors asked for, and failing, again and again for one account: the password is known
//! to a stranger, who hopes for a tired thumb or a lucky code.
//!
//! Only networks where the account never completed a sign-in count: a telephone with a wrong clock
//! fails at home. Defaults: five failures, or six sign-ins left incomplete, within half an hour;
//! twelve failures within a day; six within three days, where the account never completed a sign-in by that autonomous system
//! either (or IPv4 /16 or IPv6 /32), since a telephone changes its address all day. Completing the sign-in from there afterwards names the account.
//! State: 20,000 names of at most 1.7 kB.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source::{self, number};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NAMES: usize = 20_000;
const BURST: Duration = Duration::from_secs(1800);
const DAY: Duration = Duration::from_secs(24 * 3600);
const FAILED: usize = 5;
const INCOMPLETE: usize = 6;
const IN_A_DAY: usize = 12;
const DAYS: Duration = Duration::from_secs(72 * 3600);
const IN_DAYS: usize = 6;

/// Second factors that fail.
pub(super) struct MfaFatigue {
    names: Recent<u64, Account>,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    /// The password was right, and a second factor was asked for.
    Asked,
    Failed,
}

#[derive(Default)]
struct Account {
    homes: Tally<IpNet, 4>,
    /// Where these are.
    places: Tally<u64, 8>,
    steps: Tally<Step, 24>,
    told: Told,
}

impl Default for MfaFatigue {
    fn default() -> Self {
        Self { names: Recent::new(NAMES) }
    }
}

impl Detector for MfaFatigue {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Login { username, result, complete, factor } = &event.kind else {
            return None;
        };
        // Only a first factor can leave a sign-in incomplete.
        let complete = *complete || matches!(factor.as_str(), "passkey" | "sso" | "totp");
        let step = match (result.as_str(), complete) {
            ("ok", true) => None,
            ("ok", false) => Some(Step::Asked),
            ("mfa_failed", _) => Some(Step::Failed),
            _ => return None,
        };
        if username.is_empty() {
            return None;
        }
        let network = network::of(event.ip?);
        let account = self.names.touch(&number(username));
        if account.homes.contains(&network) {
            return None;
        }
        let Some(step) = step else {
            if account.told.is_open(event.ts) {
                return Some(account.sighting(SignIn::MfaFatigueTaken, event, username));
            }
            account.homes.note(event.ts, network);
            if let Some(place) = source::place(event) {
                account.places.note(event.ts, place);
            }
            account.steps.clear();
            return None;
        };
        account.steps.push(event.ts, step);
        let lately = |wanted| account.count(event, BURST, wanted);
        let (failed, asked) = (lately(Step::Failed), lately(Step::Asked));
        let slow = account.count(event, DAY, Step::Failed);
        let much =
            failed >= FAILED || asked.saturating_sub(failed) >= INCOMPLETE || slow >= IN_A_DAY;
        let much = much
            || account.count(event, DAYS, Step::Failed) >= IN_DAYS
                && source::place(event).is_some_and(|place| !account.places.contains(&place));
        if !much || !account.told.is_news(event.ts, 1) {
            return None;
        }
        Some(account.sighting(SignIn::MfaFatigue, event, username))
    }
}

// === impl Account ===

impl Account {
    fn count(&self, event: &Event, window: Duration, wanted: Step) -> usize {
        self.steps.within(event.ts, window).filter(|(_, step)| **step == wanted).count()
    }

    fn sighting(&self, kind: SignIn, event: &Event, username: &str) -> Sighting {
        let failed = self.count(event, DAYS, Step::Failed);
        let asked = self.count(event, DAYS, Step::Asked);
        let is_taken = kind == SignIn::MfaFatigueTaken;
        let end = if is_taken {
            "; now the sign-in was completed from there: the account may be taken"
        } else {
            "; whoever does that knows the password"
        };
        Sighting {
            kind: Kind::SignIn(kind),
            actor: format!("account:{username}"),
            whom: Whom {
                subject: event.who.subject.clone().filter(|_| is_taken),
                session: event.who.session.clone().filter(|_| is_taken),
                ip: event.ip,
                ..Whom::default()
            },
            summary: format!(
                "second factors of one account failed {failed} times and were asked for {asked} \
                 times within three days, from where it never signed in ({}){end}",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("username", json!(username)),
                ("failed", json!(failed)),
                ("asked", json!(asked)),
                (
                    "thresholds",
                    json!({
                        "failed": FAILED, "incomplete": INCOMPLETE, "burst_seconds": BURST.as_secs(),
                        "failed_in_a_day": IN_A_DAY, "failed_in_three_days": IN_DAYS,
                    }),
                ),
            ]),
        }
    }
}
