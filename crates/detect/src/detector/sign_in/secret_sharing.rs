//! A client that authenticates in turn from where it lives and from where it was never seen, with
//! software that it never used: somebody else has its secret.
//!
//! A client that moves house does not come back, one that is updated stays where it is, and a
//! colleague who tries something by hand does so once. So what counts is coming back: twice within
//! a day to a place and to software that are both strange, with the client at home in between.
//! Places are autonomous systems or IPv4 /16, software is its name without the version. Needs a
//! client that is known for three days, and that comes from fewer than eight places: a fleet has no
//! strangers. State: 5,000 clients of about 700 bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::id::ClientId;
use token::time::Timestamp;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::known::Known;
use crate::detector::sign_in::source;
use crate::detector::{Detector, Kind, Sighting};
use crate::sketch::recent::Recent;
use crate::sketch::told::Told;

const CLIENTS: usize = 5_000;
const PLACES: usize = 8;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often the stranger has to come back after the client itself.
const RETURNS: u8 = 2;

/// Secrets of clients in two hands.
pub(super) struct SecretSharing {
    clients: Recent<ClientId, Client>,
}

#[derive(Default)]
struct Client {
    places: Known<PLACES>,
    software: Known<PLACES>,
    stranger: Option<Stranger>,
    told: Told,
}

struct Stranger {
    place: u64,
    since: Timestamp,
    /// The client itself authenticated since the stranger did.
    is_answered: bool,
    returns: u8,
}

impl Default for SecretSharing {
    fn default() -> Self {
        Self { clients: Recent::new(CLIENTS) }
    }
}

impl Detector for SecretSharing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        match &event.kind {
            EventKind::ClientAuth { result, .. } if result == "ok" => {}
            EventKind::Grant { result, grant_type, .. }
                if result == "ok" && grant_type == "client_credentials" => {}
            _ => return None,
        }
        let id = event.who.client.as_ref()?;
        let (place, software) = (source::place(event)?, source::family(event)?);
        let client = self.clients.touch(id);
        let is_strange = client.places.note(event.ts, place);
        let is_strange = client.software.note(event.ts, software) && is_strange;
        if !is_strange {
            if let Some(stranger) = &mut client.stranger {
                stranger.is_answered |= stranger.place != place;
            }
            return None;
        }
        let returns = client.comes(event.ts, place);
        if returns < RETURNS || client.places.len() >= PLACES || !client.told.is_news(event.ts, 1) {
            return None;
        }
        Some(sighting(event, id, returns))
    }
}

// === impl Client ===

impl Client {
    /// How often the stranger has come back by now.
    fn comes(&mut self, now: Timestamp, place: u64) -> u8 {
        let held = self.stranger.take();
        let stranger = match held {
            Some(held) if held.place == place && now.since(held.since) < DAY => Stranger {
                returns: held.returns.saturating_add(u8::from(held.is_answered)),
                is_answered: false,
                ..held
            },
            _ => Stranger { place, since: now, is_answered: false, returns: 0 },
        };
        let returns = stranger.returns;
        self.stranger = Some(stranger);
        returns
    }
}

fn sighting(event: &Event, client: &ClientId, returns: u8) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::SecretSharing),
        actor: source::actor(event),
        whom: Whom { client: Some(client.clone()), ip: event.ip, ..Whom::default() },
        summary: format!(
            "the client {client} authenticated from {} by software that it never used, and again \
             {returns} times after it did so from where it is known: its secret may be in two hands",
            source::shown(event)
        ),
        facts: BTreeMap::from([
            ("returns", json!(returns)),
            ("threshold", json!(RETURNS)),
            ("window_seconds", json!(DAY.as_secs())),
        ]),
    }
}
