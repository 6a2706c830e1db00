//! One record for each session and one for each person, for all detectors that ask where tokens are used: a lookup
//! costs more than what most of them do with it.
//!
//! A refused request may only claim its token: what is known of that one is then shown and never changed, since
//! anybody can send its name.
//!
//! State: 100,000 sessions, or tokens where no session is known, of 200 bytes, and 100,000 subjects of 208. What they
//! hold, and what grows, is at the head of the detectors that it is for. Besides, 50,000 tokens of 24 bytes, with
//! the session that each was issued to.

use token::event::{Event, EventKind};
use token::time::Timestamp;

use crate::detector::Names;
use crate::detector::sign_in::known::Known;
use crate::detector::sign_in::source::Source;
use crate::detector::sign_in::{dpop_replay, new_place, source, token_sharing};
use crate::sketch::hash;
use crate::sketch::table::{Ahead, Table};

const SESSIONS: usize = 100_000;
const PERSONS: usize = 100_000;
const TOKENS: usize = 50_000;

/// All records.
pub struct Records {
    /// The session of a token.
    issued: Table<u64>,
    sessions: Table<Session>,
    persons: Table<Person>,
}

/// What events that come next are about.
pub struct RecordsAhead {
    sessions: Ahead,
    persons: Ahead,
}

/// What one event is about; `None` where it has no such name, or no detector asks.
pub struct Record<'r> {
    pub(super) session: Option<&'r mut Session>,
    /// The session of a token that is only claimed.
    pub(super) claimed: Option<&'r Session>,
    pub(super) person: Option<&'r mut Person>,
}

// === impl Record ===

impl Record<'_> {
    /// When and where the event's token was let through last, though it may only be claimed.
    pub(super) fn good_use(&self, event: &Event, names: &Names) -> Option<(Timestamp, Source)> {
        match (&self.session, names.token) {
            (Some(session), Some(token)) => session.good.of(token),
            _ => event.who.claimed_token.as_deref().and_then(|token| {
                self.claimed.and_then(|session| session.good.of(hash::text(token)))
            }),
        }
    }
}

/// A session and its client, or a token without.
#[derive(Default)]
pub(super) struct Session {
    /// When it was first used, in seconds since 1970.
    pub(super) first: u32,
    pub(super) good: dpop_replay::Good,
    pub(super) hands: token_sharing::Session,
}

/// A subject.
#[derive(Default)]
pub(super) struct Person {
    /// Networks with software, by which its tokens are used.
    pub(super) pairs: Known<{ token_sharing::PAIRS }>,
    pub(super) places: new_place::Person,
}

const _: () = assert!(size_of::<Session>() <= 200, "the sum of what the heads of the files say");
const _: () = assert!(size_of::<Person>() <= 208, "the sum of what the heads of the files say");

impl Default for Records {
    fn default() -> Self {
        Self {
            issued: Table::new(TOKENS),
            sessions: Table::new(SESSIONS),
            persons: Table::new(PERSONS),
        }
    }
}

// === impl Records ===

impl Records {
    /// The records that an event is about, used by it.
    pub fn of(&mut self, event: &Event, names: &Names) -> Record<'_> {
        let now = source::seconds(event);
        let (has_session, has_person) = match &event.kind {
            EventKind::Request(_) => (true, event.who.token.is_some()),
            EventKind::Grant { result, .. }
            | EventKind::Login { result, .. }
            | EventKind::Authorize { result, .. } => (false, result == "ok"),
            EventKind::Admin { .. } => (false, true),
            _ => (false, false),
        };
        let person = names.subject.filter(|_| has_person);
        let person = person.map(|key| self.persons.touch(key, now));
        let Some(key) = names.session else {
            let claimed = event.who.claimed_token.as_deref().map(hash::text);
            let claimed = claimed.map(|token| *self.issued.peek(token).unwrap_or(&token));
            let claimed = claimed.and_then(|key| self.sessions.peek(key));
            return Record { session: None, claimed, person };
        };
        if let EventKind::Grant { result, .. } = &event.kind
            && let (Some(token), "ok") = (names.token, result.as_str())
        {
            *self.issued.touch(token, now) = key;
        }
        let session = has_session.then(|| {
            let session = self.sessions.touch(key, now);
            if session.first == 0 {
                session.first = now;
            }
            session
        });
        Record { session, claimed: None, person }
    }

    /// Brings near what is held of events that come next, in steps: see [`Ahead`].
    pub fn expect(&self, next: &[Names]) -> RecordsAhead {
        RecordsAhead {
            sessions: self.sessions.expect(next.iter().filter_map(|names| names.session)),
            persons: self.persons.expect(next.iter().filter_map(|names| names.subject)),
        }
    }

    /// The second step.
    pub fn expect_states(&self, ahead: &mut RecordsAhead) {
        self.sessions.expect_states(&mut ahead.sessions, |session| {
            session.good.read() ^ session.hands.read()
        });
        self.persons
            .expect_states(&mut ahead.persons, |person| person.pairs.read() ^ person.places.read());
    }

    /// The third step.
    pub fn expect_room(&self, ahead: &RecordsAhead) {
        self.sessions.expect_room(&ahead.sessions);
        self.persons.expect_room(&ahead.persons);
    }
}
