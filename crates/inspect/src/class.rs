//! The recognisers, one file for each class; what a value must have before one is asked.

use crate::judge::{Position, Strength, Suspicion, Value};
use crate::lure::{self, Lures};
use crate::mark::{self, Marks};

mod command;
mod command_word;
mod ldap;
mod lookup;
pub(crate) mod nosql;
mod splitting;
mod sql;
mod sql_condition;
mod sql_statement;
mod sql_token;
mod ssrf;
mod ssrf_host;
mod template;
mod traversal;
mod xpath;
mod xss;
mod xss_element;
pub(crate) mod xxe;

/// Which recognisers are worth asking.
pub(crate) struct Lookout {
    marks: Marks,
    lures: Lures,
}

type Recogniser = fn(&Value<'_>) -> Option<Suspicion>;

/// For each recogniser the bytes and the words of which at least one must be there. The certain and
/// narrow ones come first.
const RECOGNISERS: [(Recogniser, u32, u16); 12] = [
    (lookup::recognise, mark::DOLLAR, 0),
    (xxe::recognise, 0, lure::DOCUMENT),
    (splitting::recognise, mark::LINE, 0),
    (ssrf::recognise, 0, lure::URL),
    (traversal::recognise, 0, lure::PATH),
    (template::recognise, 0, lure::MARKUP),
    (xss::recognise, mark::ANGLE | mark::EQUALS, lure::SCRIPT),
    (nosql::recognise, 0, lure::NOSQL),
    (ldap::recognise, 0, lure::LDAP),
    (xpath::recognise, 0, lure::XPATH),
    (sql::recognise, mark::QUOTE | mark::HASH, lure::SQL),
    (
        command::recognise,
        mark::SEMICOLON | mark::PIPE | mark::AMPERSAND | mark::TICK | mark::DOLLAR | mark::LINE,
        lure::COMMAND,
    ),
];

// === impl Lookout ===

impl Lookout {
    pub(crate) fn new(marks: Marks, lures: Lures) -> Self {
        Self { marks, lures }
    }

    fn wants(&self, marks: u32, lures: u16) -> bool {
        self.marks.any(marks) || self.lures.any(lures)
    }

    /// Whether any recogniser would be asked.
    pub(crate) fn wants_any(&self) -> bool {
        RECOGNISERS.iter().any(|(_, marks, lures)| self.wants(*marks, *lures))
    }

    /// The strongest suspicion, the earliest of equals.
    pub(crate) fn look(&self, text: &str, position: Position) -> Option<Suspicion> {
        let value = Value::new(text, self.marks, position);
        let mut found = None;
        for (recognise, marks, lures) in RECOGNISERS {
            if !self.wants(marks, lures) {
                continue;
            }
            found = Suspicion::stronger(found, recognise(&value));
            if found.is_some_and(|found| found.strength == Strength::Sure) {
                break;
            }
        }
        found
    }
}
