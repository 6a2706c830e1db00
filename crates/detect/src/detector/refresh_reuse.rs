//! A refresh token in two hands: one that was replaced came back from elsewhere.
//!
//! Certain: the authority compared it with the rotation that it remembers (RFC 9700 §4.14.2), and
//! ended the family in the same act. State: where each family was last refreshed, for the
//! evidence; 20,000 families of about 200 bytes.

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

const FAMILIES: usize = 20_000;

/// Reuse of refresh tokens.
pub struct RefreshReuse {
    last: Recent<GrantId, Option<Seen>>,
}

/// The last good use of a family.
struct Seen {
    ts: Timestamp,
    ip: Option<IpAddr>,
    ua: Option<String>,
}

impl Default for RefreshReuse {
    fn default() -> Self {
        Self { last: Recent::new(FAMILIES) }
    }
}

impl Detector for RefreshReuse {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Grant { grant_type, result, cause, .. } = &event.kind else { return None };
        let grant = event.who.grant.as_ref()?;
        if result == "ok" {
            if grant_type != GrantType::ClientCredentials.as_str() {
                let seen = Seen { ts: event.ts, ip: event.ip, ua: event.ua.clone() };
                *self.last.touch(grant) = Some(seen);
            }
            return None;
        }
        if *cause != Some(GrantCause::RefreshReused) {
            return None;
        }
        let before = self.last.peek(grant).and_then(Option::as_ref);
        Some(sighting(event, grant, before))
    }
}

fn sighting(event: &Event, grant: &GrantId, before: Option<&Seen>) -> Sighting {
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
        actor: format!("grant:{grant}"),
        whom: Whom {
            subject: event.who.subject.clone(),
            client: event.who.client.clone(),
            grant: Some(grant.clone()),
            session: event.who.session.clone(),
            token: None,
            ip: event.ip,
        },
        summary,
        facts,
    }
}
