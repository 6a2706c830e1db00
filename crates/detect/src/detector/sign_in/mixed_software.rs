//! One person's token that two programs of one name use in turn, one of which hardly anybody else uses.
//!
//! A token that is taken from a browser and used behind the same address, by malware or by a colleague, moves nowhere:
//! what is left to see is the program. Those that say what they are `token_sharing.rs` compares; here are those that
//! say they are what their owner uses, or say nothing. A browser with two ways to the same server takes turns as well,
//! but it does so for many people. So one of the two must be a program with which fewer than three people of the
//! client were seen, of forty at least; the two must not take turns for three others and one in twenty; and the turns
//! must be four within ten minutes. Programs are told apart by their TLS fingerprint or, where that is not known, by
//! the family that the User-Agent names; where it is missing now and then, that makes no other program. Personal
//! tokens and API keys are made for programs, and a client's own tokens for fleets: both do not count. State: 24 bytes
//! for each of 16,384 programs of clients and 4,096 pairs of them, 48 for each of 4,096 clients, 48 for each of 4,096
//! tokens in the hands of a rare program.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind};

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
const PAIRS: usize = 4_096;
/// People that a client needs before anything is said.
const PEOPLE: u32 = 40;
/// People from whom on a program is how the client works.
const COMMON: u32 = 3;
/// One in so many whose tokens two programs use in turn are how the client works, and as many as are common.
const TOGETHER: u32 = 20;
const TURNS: u16 = 4;
const WINDOW: u32 = 600;

/// Tokens that two programs use in turn.
pub(super) struct MixedSoftware {
    /// People by client, and by client and program.
    people: Table<Distinct<4>>,
    programs: Table<Distinct<1>>,
    /// People by client and two programs.
    pairs: Table<Distinct<1>>,
    tokens: Table<Turns>,
}

/// Who uses a token in turn.
#[derive(Default)]
struct Turns {
    last: u64,
    /// What kind of program the last one says it is, and whether its TLS fingerprint is known.
    kind: u64,
    is_exact: bool,
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
            pairs: Table::new(PAIRS),
            tokens: Table::new(TOKENS),
        }
    }
}

impl RecordDetector for MixedSoftware {
    fn observe(&mut self, event: &Event, names: &Names, _: &mut Record<'_>) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        if request.refused.is_some() || request.token_kind.is_for_programs() {
            return None;
        }
        let (subject, token) = (names.subject?, names.token?);
        if source::is_machine(event, names) {
            return None;
        }
        let program = match (&event.origin.ja4, &event.origin.software) {
            (Some(_), _) => names.program,
            (None, software) => software.as_deref().map(hash::text),
        }?;
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
        let kind = source::kind(event).unwrap_or(0);
        let is_exact = event.origin.ja4.is_some();
        if let Some((one, two)) = turns.take(program, (kind, is_exact), now) {
            let pair = self.pairs.touch(hash::both(names.client, one ^ two), now);
            pair.add(subject);
            if pair.count() >= COMMON.max(people.count() / TOGETHER) {
                turns.count = 0;
            }
        }
        if is_rare && turns.last == program {
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
    /// The two programs, when another of the same kind takes its turn.
    fn take(
        &mut self,
        program: u64,
        (kind, is_exact): (u64, bool),
        now: u32,
    ) -> Option<(u64, u64)> {
        // A fingerprint that is missing now and then makes no other program.
        if self.last != 0 && self.kind == kind && self.is_exact != is_exact {
            if is_exact {
                (self.last, self.is_exact, self.rare) = (program, true, 0);
            }
            return None;
        }
        if now.saturating_sub(self.since) > WINDOW {
            (self.since, self.count) = (now, 0);
        }
        let before = (self.last, self.kind);
        if before.0 == program {
            return None;
        }
        (self.last, self.kind, self.is_exact) = (program, kind, is_exact);
        let is_another_kind = before.1 != 0 && kind != 0 && before.1 != kind;
        if before.0 == 0 || is_another_kind {
            return None;
        }
        self.count += 1;
        Some((before.0, program))
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
        whom: source::whom(event),
        summary: format!(
            "within ten minutes two programs used one token in turn, {turns} times, lately from {}; hardly anybody \
             else of {people} people of this client uses one of them",
            source::shown(event)
        ),
        facts,
    }
}
