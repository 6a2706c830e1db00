//! A token that was taken back, or has expired, is sent again and again.
//!
//! Certain: each refusal is a fact. An honest program stops at the first 401; a page that loads
//! sends a dozen requests within a second, so the uses must also last: ten of a revoked token over
//! at least ten seconds. Programs learn from 401 alone that a token has expired, and some retry
//! first: thirty. Within five minutes; of what was taken back, twenty within an hour as well, if they
//! do not come by a clock: that is a forgotten job. Counted by token, wherever it comes from:
//! the door knew it, so nobody else can have sent it. State: 20,000 tokens of up to 1 kB, most of
//! them far less.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::reason::{Reason, Refused};
use token::time::Timestamp;

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const TOKENS: usize = 20_000;
const WINDOW: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3600);
const LASTS: Duration = Duration::from_secs(10);
/// What comes sooner is a part of the same try, so that those that are held last for [`LASTS`].
const PARTS: Duration = Duration::from_millis(400);
const REVOKED: usize = 10;
const REVOKED_HOUR: usize = 20;
/// Three of four of a clock's pauses differ from the usual one by less than one part in so many.
const EVEN: u32 = 8;
const EXPIRED: usize = 30;

/// Uses of dead tokens.
pub(super) struct RevokedTokenHammering {
    tokens: Recent<String, Uses>,
}

#[derive(Default)]
struct Uses {
    seen: Tally<Reason, 32>,
    told: Told,
}

impl Default for RevokedTokenHammering {
    fn default() -> Self {
        Self { tokens: Recent::new(TOKENS) }
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
        let uses = self.tokens.touch(&token);
        if uses.seen.last().is_none_or(|last| event.ts.since(last) >= PARTS) {
            uses.seen.push(event.ts, reason);
        }
        let of_reason = |window| {
            let lately = uses.seen.within(event.ts, window);
            lately.filter(|(_, held)| **held == reason).map(|(ts, _)| ts)
        };
        let word = if reason == Reason::Revoked { "taken back" } else { "expired" };
        let limits: &[(Duration, usize)] = match reason {
            Reason::Revoked => &[(WINDOW, REVOKED), (HOUR, REVOKED_HOUR)],
            _ => &[(WINDOW, EXPIRED)],
        };
        let (count, limit, lasted) = limits.iter().find_map(|(window, limit)| {
            let times: Vec<Timestamp> = of_reason(*window).collect();
            let lasted = event.ts.since(*times.first()?);
            let enough = times.len() >= *limit && lasted >= LASTS;
            let slow_job = *window > WINDOW && is_even(&times);
            (enough && !slow_job).then_some((times.len(), limit, lasted))
        })?;
        if !uses.told.is_news(event.ts, 1) {
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
                "a token that was {word} came at least {count} times within {} s, lately from {}; an honest program \
                 stops at the first refusal",
                lasted.as_secs(),
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("count", json!(count)),
                ("threshold", json!(limit)),
                ("lasted_seconds", json!(lasted.as_secs())),
                ("refused", json!(reason.code())),
            ]),
        })
    }
}

/// Whether nearly all pauses are those of a clock.
fn is_even(times: &[Timestamp]) -> bool {
    let mut pauses: Vec<Duration> =
        times.iter().zip(times.iter().skip(1)).map(|(one, two)| two.since(*one)).collect();
    pauses.sort_unstable();
    let Some(usual) = pauses.get(pauses.len() / 2).copied() else { return false };
    let even = pauses.iter().filter(|pause| pause.abs_diff(usual) * EVEN <= usual).count();
    even * 4 >= pauses.len() * 3
}
