//! A passkey whose signature counter went back: two authenticators may hold one key (Web Authentication §6.1.1).
//!
//! The signature was good, so the name is one of a key's holder and nobody else's. Who of the two is refused is open:
//! the owner, when the copy was used more often. An authenticator that was restored from a backup counts anew too,
//! which is why this is no proof. One is told at once, and again when it has happened ten times as often.
//! State: 20,000 accounts of at most 600 bytes.

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

const ACCOUNTS: usize = 20_000;
/// As many of a day as are told apart; the tenth is told again.
const COUNTED: usize = 16;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Passkeys that seem to be copied.
pub(super) struct CopiedPasskey {
    accounts: Recent<u64, Account>,
}

#[derive(Default)]
struct Account {
    /// Where passkeys of the account were good.
    homes: Tally<IpNet, 4>,
    refused: Tally<(), COUNTED>,
    told: Told,
}

impl Default for CopiedPasskey {
    fn default() -> Self {
        Self { accounts: Recent::new(ACCOUNTS) }
    }
}

impl Detector for CopiedPasskey {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Login { username, result, factor, .. } = &event.kind else { return None };
        let is_copied = match result.as_str() {
            "copied_passkey" => true,
            "ok" if factor == "passkey" => false,
            _ => return None,
        };
        // Without a name at all there is still the network.
        let subject = event.who.subject.as_ref().map(|subject| subject.as_str());
        let name = Some(username.as_str()).filter(|name| !name.is_empty()).or(subject);
        let actor = name.map_or_else(|| source::actor(event), |name| format!("account:{name}"));
        let account = self.accounts.touch(&number(&actor));
        let network = event.ip.map(network::of);
        if !is_copied {
            if let Some(network) = network {
                account.homes.note(event.ts, network);
            }
            return None;
        }
        account.refused.push(event.ts, ());
        let times = account.refused.within(event.ts, DAY).count();
        let size = u32::try_from(times).unwrap_or(u32::MAX);
        account.told.is_news(event.ts, size).then(|| account.sighting(event, actor, times))
    }
}

// === impl Account ===

impl Account {
    fn sighting(&self, event: &Event, actor: String, times: usize) -> Sighting {
        let network = event.ip.map(network::of);
        let is_known = network.is_some_and(|network| self.homes.contains(&network));
        let place = if is_known {
            "a network where its passkeys were good before"
        } else {
            "a new network"
        };
        Sighting {
            kind: Kind::SignIn(SignIn::CopiedPasskey),
            actor,
            whom: Whom {
                subject: event.who.subject.clone(),
                session: event.who.session.clone(),
                ip: event.ip,
                ..Whom::default()
            },
            summary: format!(
                "the counter of a passkey went back, {times} within a day, at {place} ({}): somebody else may hold a \
                 copy of it, or its authenticator was restored from a backup",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("times_in_a_day", json!(times)),
                ("known_network", json!(is_known)),
                ("known_networks", json!(self.homes.len())),
            ]),
        }
    }
}
