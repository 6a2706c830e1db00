//! Somebody who takes another token whenever one is throttled.
//!
//! Looks at one client's requests from one network: after a token was throttled, another goes on
//! with the same route within two seconds. Five such changes within ten minutes, between four
//! tokens, all from one User-Agent where it is known, are a finding; three between three tokens, if
//! all of them are one subject's, who is named then. Behind a shared address many
//! people may be throttled, but their requests mix: one token follows another all the time, and
//! not when one is throttled. So such changes must be half of all. Whoever takes another token
//! with each request looks like those people and is not seen. State: 80 bytes for each of 20,000
//! networks and clients.

use serde_json::json;
use token::finding::Whom;
use token::reason::{Reason, Refused};

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting, network};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const WINDOW: u32 = 600;
/// Milliseconds in which the next token takes over.
const TAKES_OVER: i64 = 2000;
const CHANGES: u16 = 5;
/// Tokens of one subject have one owner: there, fewer are enough.
const OWN_CHANGES: u16 = 3;
const TOKENS: u32 = 4;
const OWN_TOKENS: u32 = 3;

/// One client behind one network.
#[derive(Default)]
struct Turns {
    window: u32,
    tokens: Distinct<1>,
    subjects: Distinct<1>,
    changes: u16,
    /// How often one token followed another, for whatever reason.
    switches: u16,
    last: u64,
    refusals: u16,
    /// The token, route and User-Agent that were throttled last, and when.
    throttled: Option<(u64, u64, u64, i64)>,
    once: Once,
}

/// Tokens that take turns.
pub(super) struct ThrottleEvasion {
    turns: Table<Turns>,
}

impl Default for ThrottleEvasion {
    fn default() -> Self {
        Self { turns: Table::new(20_000) }
    }
}

// === impl ThrottleEvasion ===

impl ThrottleEvasion {
    pub(super) fn observe(&mut self, seen: &Seen<'_>) -> Option<Sighting> {
        let token = hash::text(seen.event.who.token.as_ref()?.as_str());
        let (network, ip) = (seen.network?, seen.event.ip?);
        let key = hash::both(network, seen.client);
        let is_throttled = seen.request.refused == Some(Refused::Plain(Reason::Throttled));
        // Only who was throttled is followed.
        if !is_throttled && self.turns.peek(key).is_none() {
            return None;
        }
        let turns = self.turns.touch(key, seen.now);
        turns.observe(seen, token, is_throttled);
        let tokens = turns.tokens.count();
        // A fleet with one account mixes its tokens like people behind a carrier.
        let is_fleet = seen.event.who.subject.as_ref().map(|it| it.as_str())
            == seen.event.who.client.as_ref().map(|it| it.as_str());
        let is_own = seen.subject.is_some() && !is_fleet && turns.subjects.count() == 1;
        let (least_changes, least_tokens) =
            if is_own { (OWN_CHANGES, OWN_TOKENS) } else { (CHANGES, TOKENS) };
        if turns.changes < least_changes
            || tokens < least_tokens
            || turns.changes * 2 < turns.switches
            || !turns.once.allows(seen.now, f32::from(turns.changes) / f32::from(least_changes))
        {
            return None;
        }
        let client = seen.event.who.client.as_ref();
        let shown =
            client.map_or_else(|| "an unknown client".to_owned(), |it| format!("client {it}"));
        let summary = format!(
            "{shown} took another token {} times right after one was throttled, {tokens} tokens in turn from {ip} \
             within ten minutes, lately for {}",
            turns.changes,
            seen.shown_route()
        );
        let facts = [
            ("changes", json!(turns.changes)),
            ("changes_threshold", json!(least_changes)),
            ("tokens", json!(tokens)),
            ("tokens_threshold", json!(least_tokens)),
            ("switches", json!(turns.switches)),
            ("refusals", json!(turns.refusals)),
        ];
        let subject = seen.event.who.subject.clone().filter(|_| is_own);
        let whom = Whom { subject, client: client.cloned(), ip: Some(ip), ..Whom::default() };
        let actor = if is_own { seen.actor() } else { network::actor(ip) };
        Some(Sighting { kind: Kind::ThrottleEvasion, actor, whom, summary, facts: facts.into() })
    }
}

// === impl Turns ===

impl Turns {
    fn observe(&mut self, seen: &Seen<'_>, token: u64, is_throttled: bool) {
        if seen.now / WINDOW > self.window {
            self.window = seen.now / WINDOW;
            self.tokens.clear();
            self.subjects.clear();
            (self.changes, self.switches, self.refusals) = (0, 0, 0);
        }
        self.switches = self.switches.saturating_add(u16::from(self.last != token));
        self.last = token;
        let route = seen.route.unwrap_or(0);
        let ua = seen.event.ua.as_deref().map_or(0, hash::text);
        let now = seen.event.ts.as_millis();
        if let Some((last, its_route, its_ua, at)) = self.throttled
            && last != token
        {
            let is_change = its_route == route && its_ua == ua && now - at <= TAKES_OVER;
            self.changes = self.changes.saturating_add(u16::from(is_change));
            self.throttled = None;
        }
        if is_throttled {
            self.tokens.add(token);
            self.subjects.add(seen.subject.unwrap_or(0));
            self.refusals = self.refusals.saturating_add(1);
            self.throttled = Some((token, route, ua, now));
        }
    }
}
