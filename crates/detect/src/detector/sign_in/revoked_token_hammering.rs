//! A token that was taken back, or has expired, is sent again and again.
//!
//! Certain: each refusal is a fact. An honest program stops at the first 401; a page that loads
//! sends a dozen requests within a second, so the uses must also last: ten of a revoked token over
//! at least ten seconds. Programs learn from 401 alone that a token has expired, and some retry
//! first: thirty. Within five minutes, so that a forgotten job that comes each minute is none.
//! Counted by token and network. State: 20,000 pairs of up to 1 kB, most of them far less.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::reason::{Reason, Refused};

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const PAIRS: usize = 20_000;
const WINDOW: Duration = Duration::from_secs(300);
const LASTS: Duration = Duration::from_secs(10);
/// What comes sooner is a part of the same try, so that those that are held last for [`LASTS`].
const PARTS: Duration = Duration::from_millis(400);
const REVOKED: usize = 10;
const EXPIRED: usize = 30;

/// Uses of dead tokens.
pub(super) struct RevokedTokenHammering {
    pairs: Recent<(Option<IpNet>, String), Uses>,
}

#[derive(Default)]
struct Uses {
    seen: Tally<Reason, 32>,
    told: Told,
}

impl Default for RevokedTokenHammering {
    fn default() -> Self {
        Self { pairs: Recent::new(PAIRS) }
    }
}

impl Detector for RevokedTokenHammering {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        let Some(Refused::Plain(reason @ (Reason::Expired | Reason::Revoked))) = request.refused
        else {
            return None;
        };
        let who = &event.who;
        let verified = who.token.as_ref().map(|token| token.as_str());
        let token = verified.or(who.claimed_token.as_deref())?.to_owned();
        let uses = self.pairs.touch(&(event.ip.map(network::of), token));
        if uses.seen.last().is_none_or(|last| event.ts.since(last) >= PARTS) {
            uses.seen.push(event.ts, reason);
        }
        let of_reason = || uses.seen.within(event.ts, WINDOW).filter(|(_, held)| **held == reason);
        let (count, first) = (of_reason().count(), of_reason().next().map(|(ts, _)| ts)?);
        let (limit, word) = match reason {
            Reason::Revoked => (REVOKED, "taken back"),
            _ => (EXPIRED, "expired"),
        };
        let seconds = event.ts.since(first);
        if count < limit || seconds < LASTS || !uses.told.is_news(event.ts, 1) {
            return None;
        }
        Some(Sighting {
            kind: Kind::SignIn(SignIn::RevokedTokenHammering),
            actor: source::actor(event),
            whom: Whom {
                subject: who.subject.clone(),
                client: who.client.clone(),
                token: who.token.clone(),
                grant: who.grant.clone(),
                session: who.session.clone(),
                ip: event.ip,
            },
            summary: format!(
                "a token that was {word} came at least {count} times within {} s from {}; an honest program \
                 stops at the first refusal",
                seconds.as_secs(),
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("count", json!(count)),
                ("threshold", json!(limit)),
                ("window_seconds", json!(WINDOW.as_secs())),
                ("refused", json!(reason.code())),
            ]),
        })
    }
}
