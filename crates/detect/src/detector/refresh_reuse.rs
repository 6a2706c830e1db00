//! A refresh token in two hands: one that was replaced came back from elsewhere.
//!
//! Certain: the authority compared it with the rotation that it remembers (RFC 9700 §4.14.2), and
//! ended the family in the same act. Told once, and again after a day without. State: where each
//! family was last refreshed, for the evidence; 20,000 families of about 200 bytes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::json;
use token::event::{Event, EventKind, GrantCause};
use token::finding::Whom;
use token::id::GrantId;
use token::term::GrantType;
use token::time::Timestamp;

use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::told::Told;

const FAMILIES: usize = 20_000;

/// Reuse of refresh tokens.
pub struct RefreshReuse {
    families: Recent<GrantId, Family>,
}

#[derive(Default)]
struct Family {
    last: Option<Seen>,
    told: Told,
}

/// The last good use of a family.
struct Seen {
    ts: Timestamp,
    ip: Option<IpAddr>,
    ua: Option<String>,
}

impl Default for RefreshReuse {
    fn default() -> Self {
        Self { families: Recent::new(FAMILIES) }
    }
}

impl Detector for RefreshReuse {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Grant { grant_type, result, cause, .. } = &event.kind else { return None };
        if result == "ok" {
            let grant = event.who.grant.as_ref()?;
            if grant_type != GrantType::ClientCredentials.as_str() {
                let seen = Seen { ts: event.ts, ip: event.ip, ua: event.ua.clone() };
                self.families.touch(grant).last = Some(seen);
            }
            return None;
        }
        if *cause != Some(GrantCause::RefreshReused) {
            return None;
        }
        // Whoever wrote the events may not know families: each reuse stands for itself then.
        let Some(grant) = &event.who.grant else { return Some(sighting(event, None)) };
        let family = self.families.touch(grant);
        family.told.is_news(event.ts, 1).then(|| sighting(event, family.last.as_ref()))
    }
}

fn sighting(event: &Event, before: Option<&Seen>) -> Sighting {
    let shown =
        |ip: Option<IpAddr>| ip.map_or("an unknown address".to_owned(), |ip| ip.to_string());
    let mut facts = BTreeMap::new();
    if let Some(ua) = &event.ua {
        facts.insert("ua", json!(ua));
    }
    let mut summary = format!(
        "a refresh token that was already replaced was used again from {}",
        shown(event.ip)
    );
    if let Some(before) = before {
        let since = event.ts.since(before.ts);
        summary.push_str(&format!(
            "; its owner's last refresh came from {} {} s earlier",
            shown(before.ip),
            since.as_secs()
        ));
        facts.insert("last_good_at", json!(before.ts));
        facts.insert("seconds_since_last_good", json!(since.as_secs()));
        facts
            .insert("same_network", json!(event.ip.map(network::of) == before.ip.map(network::of)));
        if let Some(ip) = before.ip {
            facts.insert("last_good_ip", json!(ip));
        }
        if let Some(ua) = &before.ua {
            facts.insert("last_good_ua", json!(ua));
        }
    }
    summary
        .push_str("; thief and owner cannot be told apart, so every token of the grant is ended");
    Sighting {
        kind: Kind::RefreshReuse,
        actor: event
            .who
            .grant
            .as_ref()
            .map_or_else(|| whose(event), |grant| format!("grant:{grant}")),
        whom: Whom {
            subject: event.who.subject.clone(),
            client: event.who.client.clone(),
            grant: event.who.grant.clone(),
            session: event.who.session.clone(),
            token: None,
            ip: event.ip,
        },
        summary,
        facts,
    }
}

fn whose(event: &Event) -> String {
    match (&event.who.subject, &event.who.client, event.ip) {
        (Some(subject), _, _) => format!("subject:{subject}"),
        (None, Some(client), _) => format!("client:{client}"),
        (None, None, Some(ip)) => network::actor(ip),
        (None, None, None) => "unknown".to_owned(),
    }
}
