//! A young client that nobody vouched for collects consent from many people.
//!
//! Default: five people within three days for a client registered within the last week that is known to be unverified,
//! or ten where that is not known, and scopes that reach beyond who somebody is, or are not known. Three and six,
//! where at least three of its scopes do: a new application begins with the one thing that it is for, and who wants to
//! be told of a few people's mistake cannot wait for five. An application that only signs people in is never told.
//! Once for each client. State: 5,000 clients of at most 700 bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::id::{ClientId, SubjectId};

use crate::detector::sign_in::{SignIn, sensitive};
use crate::detector::{Detector, Kind, Sighting};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const CLIENTS: usize = 5_000;
const DAYS: Duration = Duration::from_secs(72 * 3600);
/// In seconds.
const YOUNG: u64 = 7 * 24 * 3600;
const UNVERIFIED: usize = 5;
const UNKNOWN: usize = 10;
/// So many scopes beyond who somebody is are much, and so many people are enough then.
const WIDE: usize = 3;
const UNVERIFIED_WIDE: usize = 3;
const UNKNOWN_WIDE: usize = 6;

/// Consent for young clients.
pub(super) struct ConsentPhishing {
    clients: Recent<ClientId, Asked>,
}

#[derive(Default)]
struct Asked {
    granted: Tally<SubjectId, 16>,
    denied: u32,
    told: Told,
}

impl Default for ConsentPhishing {
    fn default() -> Self {
        Self { clients: Recent::new(CLIENTS) }
    }
}

impl Detector for ConsentPhishing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Consent { scopes, result, client_age_s, client_verified } = &event.kind
        else {
            return None;
        };
        let (client, subject) = (event.who.client.as_ref()?, event.who.subject.as_ref()?);
        let young = client_age_s.filter(|age| *age <= YOUNG)?;
        let reach = sensitive::reach(scopes);
        let is_wide = reach >= WIDE;
        // Nobody asks for consent to nothing: what is not written is not known.
        let is_known = scopes.iter().next().is_some();
        if *client_verified == Some(true) || is_known && reach == 0 {
            return None;
        }
        let asked = self.clients.touch(client);
        if result != "granted" {
            asked.denied = asked.denied.saturating_add(1);
            return None;
        }
        asked.granted.note(event.ts, subject.clone());
        let people: Vec<&SubjectId> =
            asked.granted.within(event.ts, DAYS).map(|(_, subject)| subject).collect();
        let limit = match (client_verified.is_some(), is_wide) {
            (true, true) => UNVERIFIED_WIDE,
            (true, false) => UNVERIFIED,
            (false, true) => UNKNOWN_WIDE,
            (false, false) => UNKNOWN,
        };
        if people.len() < limit || !asked.told.is_news(event.ts, 1) {
            return None;
        }
        let scopes: Vec<&str> = scopes.iter().collect();
        Some(Sighting {
            kind: Kind::SignIn(SignIn::ConsentPhishing),
            actor: format!("client:{client}"),
            whom: Whom { client: Some(client.clone()), ..Whom::default() },
            summary: format!(
                "{} people consented within three days to {} for the client {client}, which was \
                 registered {} hours ago and for which nobody is known to have vouched; {} declined",
                people.len(),
                scopes.join(" "),
                young / 3600,
                asked.denied
            ),
            facts: BTreeMap::from([
                ("people", json!(people)),
                ("threshold", json!(limit)),
                ("declined", json!(asked.denied)),
                ("client_age_s", json!(young)),
                ("client_age_limit_s", json!(YOUNG)),
                ("scopes", json!(scopes)),
            ]),
        })
    }
}
