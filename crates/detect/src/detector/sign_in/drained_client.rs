//! The tokens of a server that acts for people, used from another server that was given none of them.
//!
//! An application that keeps its people's tokens in a data centre asks for them, and uses them, from there. Whoever
//! has taken its store uses many people's tokens from somewhere new within an hour or two, and asks for none, while
//! the application goes on where it is. A new server of its own, or another region, fetches tokens as well, and what
//! takes the old one's place leaves it silent. So: a client that is known for six hours, with eight people or more and
//! by three places at most, all of them data centres or, where that is not known, no browsers; five people's tokens
//! from a place that is new, within two hours, none of them issued there, and the client at home in between. A VPN or
//! Tor is as good as a data centre for that; a place where people are says nothing of a client that is known. State:
//! 4,096 clients of 120 bytes.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind, NetworkKind};
use token::finding::Whom;

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const CLIENTS: usize = 4_096;
const KNOWN: u32 = 6 * 3600;
const NEW: u32 = 2 * 3600;
const HOMES: usize = 3;
const PEOPLE: u32 = 8;
const DRAINED: u32 = 5;

/// Clients whose tokens are used elsewhere.
pub(super) struct DrainedClient(Table<Client>);

#[derive(Default)]
struct Client {
    since: u32,
    /// Places where its tokens are used.
    homes: [u64; HOMES],
    people: Distinct<1>,
    /// It comes from more places, or from where people are.
    roams: bool,
    new: [New; 2],
    once: Once,
}

/// A place that is new to a client.
#[derive(Default)]
struct New {
    place: u64,
    since: u32,
    people: Distinct<1>,
    /// The client was at home since.
    is_answered: bool,
}

impl Default for DrainedClient {
    fn default() -> Self {
        Self(Table::new(CLIENTS))
    }
}

impl RecordDetector for DrainedClient {
    fn observe(&mut self, event: &Event, names: &Names, _: &mut Record<'_>) -> Option<Sighting> {
        let is_grant = match &event.kind {
            EventKind::Request(request) if request.refused.is_none() => false,
            EventKind::Grant { result, .. } if result == "ok" => true,
            _ => return None,
        };
        event.who.client.as_ref()?;
        let now = source::seconds(event);
        let client = self.0.touch(names.client, now);
        if client.since == 0 {
            client.since = now;
        }
        if client.roams {
            return None;
        }
        let person = names.subject.filter(|_| !source::is_machine(event, names))?;
        let place = source::place(event)?;
        if client.homes.contains(&place) {
            client.people.add(person);
            client.new.iter_mut().for_each(|new| new.is_answered = true);
            return None;
        }
        // Whoever holds a token may use it anywhere, and says nothing of the client by that.
        let is_known = client.is_known(now);
        if is_known && !is_server(event) {
            return None;
        }
        if is_grant || !is_known {
            client.settle(place, is_server(event));
            return None;
        }
        let new = client.newcomer(place, now);
        new.people.add(person);
        let (people, is_answered) = (new.people.count(), new.is_answered);
        if now.saturating_sub(new.since) > NEW {
            client.settle(place, true);
            return None;
        }
        if people < DRAINED || !is_answered || !client.once.allows(now, 1.0) {
            return None;
        }
        Some(sighting(event, people, client.people.count()))
    }
}

// === impl Client ===

impl Client {
    fn is_known(&self, now: u32) -> bool {
        now.saturating_sub(self.since) >= KNOWN && self.people.count() >= PEOPLE
    }

    /// The place is one of its own.
    fn settle(&mut self, place: u64, is_server: bool) {
        match self.homes.iter_mut().find(|home| **home == 0) {
            Some(home) if is_server => *home = place,
            _ => self.roams = true,
        }
        for new in self.new.iter_mut().filter(|new| new.place == place) {
            *new = New::default();
        }
    }

    /// The place as one of two that are new; one of which nothing came of makes room, as one of its own.
    fn newcomer(&mut self, place: u64, now: u32) -> &mut New {
        if !self.new.iter().any(|new| new.place == place) {
            self.new.rotate_right(1);
            let last = self.new[0].place;
            if last != 0 && now.saturating_sub(self.new[0].since) > NEW {
                self.settle(last, true);
            }
            self.new[0] = New { place, since: now, ..New::default() };
        }
        let at = self.new.iter().position(|new| new.place == place).unwrap_or_default();
        &mut self.new[at]
    }
}

/// Whether it is a data centre or, where that is not known, no browser.
fn is_server(event: &Event) -> bool {
    match source::net(event) {
        Some(net) => matches!(net, NetworkKind::Hosting | NetworkKind::Tor | NetworkKind::Vpn),
        None => event.ua.as_deref().is_some_and(|ua| !ua.starts_with("Mozilla/")),
    }
}

fn sighting(event: &Event, people: u32, all: u32) -> Sighting {
    let client = event.who.client.as_ref().map_or("", |client| client.as_str());
    Sighting {
        kind: Kind::SignIn(SignIn::TokenSharing),
        actor: format!("client:{client}"),
        whom: Whom { client: event.who.client.clone(), ip: event.ip, ..Whom::default() },
        summary: format!(
            "tokens of {people} people of the client {client} were used from {} within two hours, where none was issued \
             and the client never was, while it goes on where it is: its tokens may be in other hands",
            source::shown(event)
        ),
        facts: BTreeMap::from([
            ("people", json!(people)),
            ("threshold", json!(DRAINED)),
            ("people_of_the_client", json!(all)),
            ("window_seconds", json!(NEW)),
        ]),
    }
}
