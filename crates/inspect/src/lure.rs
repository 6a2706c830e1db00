//! Words that make a closer look worth while, found in one pass over a value.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};

use crate::lure_word::WORDS;

/// A set of groups of such words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lures(u16);

pub(crate) const SQL: u16 = 1;
pub(crate) const SCRIPT: u16 = 1 << 1;
pub(crate) const COMMAND: u16 = 1 << 2;
pub(crate) const PATH: u16 = 1 << 3;
pub(crate) const XPATH: u16 = 1 << 4;
pub(crate) const URL: u16 = 1 << 5;
pub(crate) const MARKUP: u16 = 1 << 6;
pub(crate) const DOCUMENT: u16 = 1 << 7;

pub(crate) const NOSQL: u16 = 1 << 8;
pub(crate) const LDAP: u16 = 1 << 9;
pub(crate) const SQL_JOINT: u16 = 1 << 10;
pub(crate) const PROTOTYPE: u16 = 1 << 11;
pub(crate) const METADATA: u16 = 1 << 12;

static AUTOMATON: LazyLock<Option<(AhoCorasick, Vec<u16>)>> = LazyLock::new(|| {
    let (mut words, mut groups) = (Vec::new(), Vec::new());
    for (group, list) in WORDS {
        words.extend_from_slice(list);
        groups.resize(words.len(), group);
    }
    let automaton = AhoCorasickBuilder::new()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words);
    Some((automaton.ok()?, groups))
});

// === impl Lures ===

impl Lures {
    const ALL: Self = Self(u16::MAX);

    pub(crate) fn of(text: &str) -> Self {
        // An automaton that cannot be built would make every value suspicious, never none.
        let Some((automaton, groups)) = &*AUTOMATON else { return Self::ALL };
        let mut found = 0;
        for hit in automaton.find_overlapping_iter(text) {
            found |= groups.get(hit.pattern().as_usize()).copied().unwrap_or(0);
        }
        let start = text.trim_start();
        found |= match start.as_bytes() {
            [b'/', b'/', ..] => XPATH | URL | PATH,
            [b'{' | b'@', ..] => MARKUP,
            // A scheme says the same without slashes.
            [b'h' | b'H', b't' | b'T', b't' | b'T', b'p' | b'P', ..] => URL,
            _ => 0,
        };
        Self(found)
    }

    pub(crate) fn any(self, groups: u16) -> bool {
        self.0 & groups != 0
    }
}
