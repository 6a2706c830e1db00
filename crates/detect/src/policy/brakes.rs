//! The brakes on automation: how much it may do, so that a response cannot be made a weapon.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use token::allowance::Allowance;
use token::event::Event;
use token::finding::{Brake, Response, Whom};
use token::time::Timestamp;

use super::table::{Chosen, forget};
use crate::respond;
use crate::sketch::recent::Recent;

/// What has been carried out lately.
pub(super) struct Brakes {
    minute: VecDeque<Timestamp>,
    rows: HashMap<usize, VecDeque<Timestamp>>,
    sources: Recent<(usize, String), VecDeque<Timestamp>>,
    /// What holds already: to say it again costs nobody more.
    holding: Recent<String, Option<Holds>>,
}

#[derive(Clone, Copy)]
enum Holds {
    ForGood,
    Until(Timestamp),
}

/// A response that is about to be carried out.
pub(super) struct Planned<'p> {
    pub(super) chosen: Chosen<'p>,
    pub(super) response: &'p Response,
    pub(super) until: Option<Timestamp>,
    pub(super) whom: &'p Whom,
    pub(super) event: &'p Event,
    pub(super) per_minute: usize,
}

const REMEMBERED: usize = 50_000;

// === impl Brakes ===

impl Brakes {
    pub(super) fn new() -> Self {
        Self {
            minute: VecDeque::new(),
            rows: HashMap::new(),
            sources: Recent::new(REMEMBERED),
            holding: Recent::new(REMEMBERED),
        }
    }

    /// Lets it through and counts it, unless there was too much.
    ///
    /// # Errors
    /// The [`Brake`] that holds it back; then it is not counted.
    pub(super) fn admit(&mut self, planned: &Planned<'_>) -> Result<(), Brake> {
        let now = planned.event.ts;
        let number = planned.chosen.number;
        let row = planned.chosen.row;
        let name = planned.name();
        let held = *self.holding.touch(&name);
        let holds = match held {
            None => false,
            Some(Holds::ForGood) => true,
            Some(Holds::Until(end)) => now < end,
        };
        if !holds {
            let sources = planned.sources();
            for source in &sources {
                let times = self.sources.touch(&(number, source.clone()));
                within(times, row.at_most_each, now).then_some(()).ok_or(Brake::AtMostEach)?;
            }
            let times = self.rows.entry(number).or_default();
            within(times, row.at_most, now).then_some(()).ok_or(Brake::AtMost)?;
            forget(&mut self.minute, now, Duration::from_secs(60));
            if self.minute.len() >= planned.per_minute {
                return Err(Brake::PerMinute);
            }
            self.minute.push_back(now);
            if row.at_most.is_some() {
                self.rows.entry(number).or_default().push_back(now);
            }
            if row.at_most_each.is_some() {
                for source in sources {
                    self.sources.touch(&(number, source)).push_back(now);
                }
            }
        }
        *self.holding.touch(&name) = Some(planned.until.map_or(Holds::ForGood, Holds::Until));
        Ok(())
    }
}

/// Whether there is room for one more.
fn within(times: &mut VecDeque<Timestamp>, most: Option<Allowance>, now: Timestamp) -> bool {
    let Some(most) = most else { return true };
    forget(times, now, most.window);
    times.len() < usize::try_from(most.amount).unwrap_or(usize::MAX)
}

// === impl Planned ===

impl Planned<'_> {
    /// By what and on whom: `limit:30/m session:s1`.
    fn name(&self) -> String {
        let named = respond::restriction(self.whom, self.response);
        named.map(|(selector, effect)| format!("{effect} {selector}")).unwrap_or_default()
    }

    /// Whom it comes by: whoever holds many addresses holds neighbouring ones.
    fn sources(&self) -> Vec<String> {
        let client = self.whom.client.as_ref().map(|client| format!("client:{client}"));
        let ip = self.event.ip.or(self.whom.ip).map(neighbourhood);
        client.into_iter().chain(ip.map(|net| format!("net:{net}"))).collect()
    }
}

/// The IPv4 /24 or IPv6 /48 of an address.
fn neighbourhood(ip: IpAddr) -> IpNet {
    let ip = ip.to_canonical();
    let prefix = if ip.is_ipv4() { 24 } else { 48 };
    IpNet::new(ip, prefix).map_or(IpNet::from(ip), |net| net.trunc())
}
