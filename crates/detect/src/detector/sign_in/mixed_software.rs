//! One person's token that two programs use in turn, one of which hardly anybody else uses.
//!
//! A token that is taken from a browser and used behind the same address, by malware or by a colleague,
//! moves nowhere: what is left to see is the program. An application and the web pages in it, or a browser with two ways
//! to the same server, take turns as well, but they do so for many people. So one of the two must be a program with
//! which fewer than three people of the client were seen, of thirty at least, among whom a tenth would have been; and the turns must be four within ten
//! minutes, since a page that is opened elsewhere once is nobody else. Programs are told apart by their TLS
//! fingerprint or, where that is not known, by the family that the User-Agent names. Personal tokens and API keys
//! are made for programs, and a client's own tokens for fleets: both do not count. State: 24 bytes for each of
//! 16,384 programs of clients, 48 for each of 4,096 clients, 40 for each of 4,096 tokens in the hands of a rare program.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind, TokenKind};
use token::finding::Whom;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source;
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const PROGRAMS: usize = 16_384;
const CLIENTS: usize = 4_096;
const TOKENS: usize = 4_096;
/// People that a client needs before anything is said.
const PEOPLE: u32 = 30;
/// People from whom on a program is how the client works.
const COMMON: u32 = 3;
const TURNS: u16 = 4;
const WINDOW: u32 = 600;

/// Tokens that two programs use in turn.
pub(super) struct MixedSoftware {
    /// People by client, and by client and program.
    people: Table<Distinct<4>>,
    programs: Table<Distinct<1>>,
    tokens: Table<Turns>,
}

/// Who uses a token in turn.
#[derive(Default)]
struct Turns {
    last: u64,
    /// The program that hardly anybody used when it came.
    rare: u64,
    since: u32,
    count: u16,
    once: Once,
}

impl Default for MixedSoftware {
    fn default() -> Self {
        Self {
            people: Table::new(CLIENTS),
            programs: Table::new(PROGRAMS),
            tokens: Table::new(TOKENS),
        }
    }
}

impl RecordDetector for MixedSoftware {
    fn observe(&mut self, event: &Event, names: &Names, _: &mut Record<'_>) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        if request.refused.is_some()
            || matches!(request.token_kind, TokenKind::ApiKey | TokenKind::Pat)
        {
            return None;
        }
        let (subject, token) = (names.subject?, names.token?);
        if source::is_machine(event) {
            return None;
        }
        let program = names.ja4.or_else(|| event.origin.software.as_deref().map(hash::text))?;
        let now = source::seconds(event);
        let people = self.people.touch(names.client, now);
        people.add(subject);
        let program = hash::both(names.client, program);
        let users = self.programs.touch(program, now);
        users.add(subject);
        let is_rare = users.count() < COMMON;
        // Only a token that a rare program has used is followed.
        if !is_rare && self.tokens.peek(token).is_none() {
            return None;
        }
        let turns = self.tokens.touch(token, now);
        turns.take(program, now);
        if is_rare {
            turns.rare = program;
        }
        let is_still_rare = self.programs.peek(turns.rare).is_some_and(|it| it.count() < COMMON);
        if turns.count < TURNS
            || !is_still_rare
            || people.count() < PEOPLE
            || !turns.once.allows(now, 1.0)
        {
            return None;
        }
        Some(sighting(event, turns.count, people.count()))
    }
}

// === impl Turns ===

impl Turns {
    fn take(&mut self, program: u64, now: u32) {
        if now.saturating_sub(self.since) > WINDOW {
            (self.since, self.count) = (now, 0);
        }
        if self.last != program {
            self.count += u16::from(self.last != 0);
            self.last = program;
        }
    }
}

fn sighting(event: &Event, turns: u16, people: u32) -> Sighting {
    let who = &event.who;
    let token = who.token.as_ref().map_or("", |token| token.as_str());
    let mut facts = BTreeMap::from([
        ("turns", json!(turns)),
        ("threshold", json!(TURNS)),
        ("window_seconds", json!(WINDOW)),
        ("people", json!(people)),
    ]);
    if let Some(ua) = &event.ua {
        facts.insert("ua", json!(ua));
    }
    Sighting {
        kind: Kind::SignIn(SignIn::TokenSharing),
        actor: format!("token:{token}"),
        whom: Whom {
            subject: who.subject.clone(),
            client: who.client.clone(),
            token: who.token.clone(),
            grant: who.grant.clone(),
            session: who.session.clone(),
            ip: event.ip,
        },
        summary: format!(
            "within ten minutes two programs used one token in turn, {turns} times, lately from {}; hardly anybody \
             else of {people} people of this client uses one of them",
            source::shown(event)
        ),
        facts,
    }
}
