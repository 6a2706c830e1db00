//! A refresh token in two hands: one that was replaced came back, or one that is bound to a key came with another.
//!
//! The first is certain: the authority compared it with the rotation that it remembers (RFC 9700 §4.14.2), and
//! ended the family in the same act. The second (RFC 9449 §5) is told as `dpop_replay`, and is certain when it comes
//! from elsewhere and by another program than the family's last good use: whoever sends it has the token and not the
//! key. One of both alone is doubtful, and neither is an application that lost its key, as on a telephone that was
//! restored from a backup. Each is told once, and again after a day without. State: where each family was last
//! refreshed; 20,000 families of about 210 bytes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::json;
use token::event::{Event, EventKind, GrantCause};
use token::finding::Whom;
use token::id::GrantId;
use token::term::GrantType;
use token::time::Timestamp;

use crate::detector::{Detector, Kind, Sighting, SignIn, network};
use crate::sketch::hash;
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
    unbound: Told,
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
        let is_refresh = grant_type == GrantType::RefreshToken.as_str();
        let is_unbound = match cause {
            Some(GrantCause::RefreshReused) => false,
            Some(GrantCause::BindingMismatch) if is_refresh => true,
            _ => return None,
        };
        // Whoever wrote the events may not know families: each refusal stands for itself then.
        let mut alone = Family::default();
        let family = match &event.who.grant {
            Some(grant) => self.families.touch(grant),
            None => &mut alone,
        };
        if is_unbound {
            let kind = unbound(event, family.last.as_ref())?;
            let is_news = family.unbound.is_news(event.ts, 1);
            return is_news.then(|| without_its_key(kind, event, family.last.as_ref()));
        }
        family.told.is_news(event.ts, 1).then(|| reused(event, family.last.as_ref()))
    }
}

/// What a refresh token with another key is; `None` for an application that lost its own.
fn unbound(event: &Event, before: Option<&Seen>) -> Option<SignIn> {
    let Some(before) = before else { return Some(SignIn::DpopTrouble) };
    let is_elsewhere = event.ip.map(network::of) != before.ip.map(network::of);
    let program = |ua: &Option<String>| ua.as_deref().map(hash::without_digits);
    let programs = program(&event.ua).zip(program(&before.ua));
    let is_other = programs.is_some_and(|(one, two)| one != two);
    match (is_elsewhere, is_other) {
        (true, true) => Some(SignIn::DpopReplay),
        (false, false) => None,
        _ => Some(SignIn::DpopTrouble),
    }
}

fn reused(event: &Event, before: Option<&Seen>) -> Sighting {
    let end = "thief and owner cannot be told apart, so every token of the grant is ended";
    let what = "that was already replaced was used again";
    sighting(Kind::RefreshReuse, [what, end], event, before)
}

fn without_its_key(kind: SignIn, event: &Event, before: Option<&Seen>) -> Sighting {
    let end = match kind {
        SignIn::DpopReplay => "whoever sent it has the token and not the key",
        _ => "whoever sent it has the token and not the key, or lost it",
    };
    sighting(Kind::SignIn(kind), ["came with a key that is not its own", end], event, before)
}

fn sighting(kind: Kind, [what, end]: [&str; 2], event: &Event, before: Option<&Seen>) -> Sighting {
    let shown =
        |ip: Option<IpAddr>| ip.map_or("an unknown address".to_owned(), |ip| ip.to_string());
    let mut facts = BTreeMap::new();
    if let Some(ua) = &event.ua {
        facts.insert("ua", json!(ua));
    }
    let mut summary = format!("a refresh token {what} from {}", shown(event.ip));
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
    summary.push_str("; ");
    summary.push_str(end);
    let grant = event.who.grant.as_ref();
    Sighting {
        kind,
        actor: grant.map_or_else(|| whose(event), |grant| format!("grant:{grant}")),
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
