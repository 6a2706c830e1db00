//! Networks that say nothing of where a person is, since many people's traffic leaves the net there.
//!
//! A company's gateway may stand on another continent than its people, as a carrier's does. It shows by its
//! people: ten who came there as people can on one day, or three who went there or left there faster than an
//! airliner with the very software that they had. One thief with the tokens of several people looks like the
//! second, so three are needed, and the first two are told. Whoever gets there with other software than before
//! never counts. What was a gateway is one for a week: there are holidays. State: 50,000 networks of about
//! 100 bytes.

use std::time::Duration;

use ipnet::IpNet;
use token::time::Timestamp;

use crate::sketch::distinct::Distinct;
use crate::sketch::recent::Recent;

const NETWORKS: usize = 50_000;
const DAY: Duration = Duration::from_secs(24 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// More than live in one home.
const PEOPLE: u32 = 10;
const TRAVELLERS: u32 = 3;

/// What is known of networks.
pub(super) struct Gateways(Recent<IpNet, Network>);

#[derive(Default)]
struct Network {
    /// When the day began in which people are counted.
    day: Option<Timestamp>,
    people: Distinct<1>,
    travellers: Distinct<1>,
    /// When it last was shown to be one.
    shown: Option<Timestamp>,
}

impl Default for Gateways {
    fn default() -> Self {
        Self(Recent::new(NETWORKS))
    }
}

// === impl Gateways ===

impl Gateways {
    /// Somebody is there who can have got there.
    pub(super) fn note_person(&mut self, now: Timestamp, network: &IpNet, person: u64) {
        let network = self.0.touch(network).on(now);
        network.people.add(person);
        network.judge(now);
    }

    /// Somebody went there, or left there, too fast and with the same software.
    pub(super) fn note_traveller(&mut self, now: Timestamp, network: &IpNet, person: u64) {
        let network = self.0.touch(network).on(now);
        network.travellers.add(person);
        network.judge(now);
    }

    /// Whether it is one.
    pub(super) fn holds(&self, now: Timestamp, network: &IpNet) -> bool {
        let shown = self.0.peek(network).and_then(|network| network.shown);
        shown.is_some_and(|shown| now.since(shown) < WEEK)
    }
}

// === impl Network ===

impl Network {
    fn on(&mut self, now: Timestamp) -> &mut Self {
        if self.day.is_none_or(|day| now.since(day) >= DAY) {
            self.day = Some(now);
            self.people.clear();
            self.travellers.clear();
        }
        self
    }

    fn judge(&mut self, now: Timestamp) {
        if self.people.count() >= PEOPLE || self.travellers.count() >= TRAVELLERS {
            self.shown = Some(now);
        }
    }
}
