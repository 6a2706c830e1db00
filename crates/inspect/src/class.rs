//! The recognisers, one file for each class; what a value must have before one is asked.

use crate::judge::{Position, Strength, Suspicion, Value};
use crate::lure::{self, Lures};
use crate::mark::{self, Marks};

pub(crate) mod code;
pub(crate) mod command;
mod command_argument;
mod command_word;
mod ldap;
mod lookup;
pub(crate) mod nosql;
pub(crate) mod object;
pub(crate) mod prototype;
mod splitting;
mod sql;
mod sql_condition;
mod sql_rest;
mod sql_statement;
mod sql_token;
pub(crate) mod ssrf;
mod ssrf_host;
mod template;
mod template_expression;
mod traversal;
mod xpath;
mod xss;
mod xss_element;
mod xss_script;
pub(crate) mod xxe;

pub(crate) use traversal::{names_secret, overlong};

/// Which recognisers are worth asking.
pub(crate) struct Lookout {
    marks: Marks,
    lures: Lures,
}

type Recogniser = fn(&Value<'_>) -> Option<Suspicion>;

/// When a recogniser is asked: for one of these bytes, for one of these words, or for both together.
struct Row {
    recognise: Recogniser,
    marks: u32,
    lures: u16,
    both: (u32, u16),
}

const fn row(recognise: Recogniser, marks: u32, lures: u16) -> Row {
    Row { recognise, marks, lures, both: (0, 0) }
}

/// The certain and narrow ones come first.
const ROWS: [Row; 13] = [
    row(lookup::recognise, mark::DOLLAR, 0),
    row(xxe::recognise, 0, lure::DOCUMENT),
    row(splitting::recognise, mark::LINE | mark::BACKSLASH | mark::PERCENT, 0),
    row(ssrf::recognise, mark::BACKSLASH, lure::URL | lure::METADATA),
    row(traversal::recognise, 0, lure::PATH),
    row(template::recognise, 0, lure::MARKUP),
    row(xss::recognise, mark::ANGLE, lure::SCRIPT),
    row(nosql::recognise, 0, lure::NOSQL),
    row(prototype::recognise, 0, lure::PROTOTYPE),
    row(ldap::recognise, 0, lure::LDAP),
    row(xpath::recognise, 0, lure::XPATH),
    Row {
        recognise: sql::recognise,
        marks: 0,
        lures: lure::SQL,
        both: (
            mark::QUOTE
                | mark::HASH
                | mark::EQUALS
                | mark::ANGLE
                | mark::OTHER
                | mark::HIGH
                | mark::STAR,
            lure::SQL_JOINT,
        ),
    },
    row(
        command::recognise,
        mark::SEMICOLON
            | mark::PIPE
            | mark::AMPERSAND
            | mark::TICK
            | mark::DOLLAR
            | mark::LINE
            | mark::BACKSLASH,
        lure::COMMAND,
    ),
];

// === impl Lookout ===

impl Lookout {
    pub(crate) fn new(marks: Marks, lures: Lures) -> Self {
        Self { marks, lures }
    }

    fn wants(&self, row: &Row) -> bool {
        self.marks.any(row.marks)
            || self.lures.any(row.lures)
            || (self.marks.any(row.both.0) && self.lures.any(row.both.1))
    }

    /// Whether any recogniser would be asked.
    pub(crate) fn wants_any(&self) -> bool {
        ROWS.iter().any(|row| self.wants(row))
    }

    /// The strongest suspicion, the earliest of equals.
    pub(crate) fn look(&self, text: &str, position: Position) -> Option<Suspicion> {
        let value = Value::new(text, self.marks, self.lures, position);
        let mut found = None;
        for row in ROWS.iter().filter(|row| self.wants(row)) {
            found = Suspicion::stronger(found, (row.recognise)(&value));
            if found.is_some_and(|found| found.strength == Strength::Sure) {
                break;
            }
        }
        found
    }
}
