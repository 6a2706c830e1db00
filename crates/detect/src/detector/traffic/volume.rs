//! Far more requests by one principal to one route than it, or any of its like, ever sent.
//!
//! Each principal's three busiest routes are counted by the hour against the peak of its own hours
//! and against others of the same client on the same route. A peak is a baseline that needs no
//! table of seasons: a nightly job, a Monday and an empty Sunday are all below it. Requests that
//! failed on the server's side do not count, nor refusals for too many: whoever retries in an
//! outage is no attacker. State: 72 bytes a principal, 160 for each of 16,384 routes of clients.

use serde_json::json;
use token::reason::{Reason, Refused};

use crate::detector::traffic::meter::{Limits, Meter};
use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::hash;
use crate::sketch::memo::Memo;
use crate::sketch::spread::Spread;
use crate::sketch::table::Table;

/// Two hundred and fifty an hour are a person in haste, or a page that asks four times a minute; five times a known habit is none.
const HOUR: Limits = Limits {
    window: 3600,
    floor: 250.0,
    own: 5.0,
    first_day: true,
    peers: 3.0,
    long_tail: false,
    alone: f32::INFINITY,
    early: 30.0,
};
/// Ten messages with a code within an hour are more than a person has telephones: somebody earns by them, or annoys.
const MESSAGES: Limits = Limits { floor: 9.0, own: 3.0, first_day: false, ..HOUR };
/// What routes are called that send one: by one of these words, or by one of each two.
const MESSAGE: [&str; 3] = ["otp", "resend", "sms"];
const CODE: [&str; 4] = ["code", "pin", "verification", "verify"];
const TO: [&str; 7] = ["2fa", "email", "mfa", "mobile", "phone", "send", "time"];
const ROUTES: usize = 3;

/// The routes that a principal uses most.
#[derive(Default)]
pub(super) struct State {
    pub(super) routes: [(u32, Meter); ROUTES],
}

/// Requests by principal and route.
pub(super) struct Volume {
    peers: Table<Spread>,
    /// Whether a route sends a message with a code to a telephone or a mailbox.
    sends: Memo<bool>,
}

impl Default for Volume {
    fn default() -> Self {
        Self { peers: Table::new(16_384), sends: Memo::default() }
    }
}

// === impl Volume ===

impl Volume {
    pub(super) fn observe(
        &mut self,
        seen: &Seen<'_>,
        first: u32,
        state: &mut State,
    ) -> Option<Sighting> {
        let route = seen.route?;
        let throttled = Some(Refused::Plain(Reason::Throttled));
        if seen.request.status >= 500 || seen.request.refused == throttled {
            return None;
        }
        let is_message = self.sends(seen, route);
        let limits = if is_message { &MESSAGES } else { &HOUR };
        let peers = self.peers.touch(hash::both(seen.client, route), seen.now);
        let meter = state.of(route as u32);
        meter.roll(first, seen.now, limits, peers);
        meter.add(1.0, seen.now, limits, peers);
        let excess = if is_message {
            meter.judge_plain(seen.now, limits)
        } else {
            meter.judge(first, seen, limits, peers)
        }?;
        let summary = format!(
            "{} sent {:.0} requests for {}, {}",
            seen.name(),
            excess.amount,
            seen.shown_route(),
            excess.compared()
        );
        let mut facts = excess.facts();
        facts.insert("route", json!(seen.shown_route()));
        Some(seen.sighting(Kind::Volume, summary, facts))
    }

    /// Whether a person has a message with a code sent.
    fn sends(&mut self, seen: &Seen<'_>, route: u64) -> bool {
        let path = seen.request.route.as_deref().unwrap_or(&seen.request.path);
        let is_named = || {
            let has = |words: &[&str]| path.split(is_no_letter).any(|part| words.contains(&part));
            has(&MESSAGE) || has(&CODE) && has(&TO)
        };
        seen.request.method == "POST" && !seen.is_of_client() && self.sends.of(route, is_named)
    }
}

// === impl State ===

impl State {
    /// The route's meter; a new route takes the place of the one that was least used.
    fn of(&mut self, route: u32) -> &mut Meter {
        let held = self.routes.iter().position(|(known, _)| *known == route);
        let at = held.unwrap_or_else(|| {
            let (mut least, mut use_of_least) = (0, f32::MAX);
            for (at, (_, meter)) in self.routes.iter().enumerate() {
                if meter.weight() < use_of_least {
                    (least, use_of_least) = (at, meter.weight());
                }
            }
            self.routes[least] = (route, Meter::default());
            least
        });
        &mut self.routes[at].1
    }
}

fn is_no_letter(letter: char) -> bool {
    !letter.is_ascii_alphanumeric()
}
