//! Names of what is good once and was used, so that a restart does not make it good again. Written like the
//! records of tokens: nobody waits for it.

use rusqlite::params;
use token::replay::UsedName;
use token::time::Timestamp;

use crate::background::Record;
use crate::error::StoreError;
use crate::open::Store;
use crate::sql;
use crate::writer::Act;

/// What was used; each kind has names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedKind {
    /// An assertion of a client, or of another issuer (RFC 7523 §3).
    Assertion,
    /// A security event of somebody else (RFC 8417 §2.2).
    Event,
    /// A proof of possession (RFC 9449 §11.1).
    Proof,
}

/// A name that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) kind: UsedKind,
    pub(crate) name: UsedName,
    pub(crate) until: Timestamp,
}

impl Store {
    /// Leaves a name to be written, to be kept until what it names is refused for its age; never waits.
    /// What is answered by an act that comes after it finds it on disk.
    pub fn record_used(&self, kind: UsedKind, name: UsedName, until: Timestamp) {
        self.leave(Record::Used(Used { kind, name, until }));
    }

    /// The names of a kind that still matter. Blocks; to be called before anything is served.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub fn used_names(&self, kind: UsedKind, now: Timestamp) -> Result<Vec<UsedName>, StoreError> {
        let sql = "SELECT name FROM used_names WHERE kind = ?1 AND expires_at > ?2";
        self.read(|db| {
            sql::all(db, sql, params![kind.as_str(), now.as_millis()], |row| {
                let name = UsedName::from_slice(&row.bytes("name")?);
                name.ok_or(StoreError::Corrupt { what: "name" })
            })
        })
    }
}

/// Writes one.
pub(crate) fn insert(act: &Act<'_>, used: &Used) -> Result<(), StoreError> {
    let sql = "INSERT INTO used_names (kind, name, expires_at) VALUES (?1, ?2, ?3) \
               ON CONFLICT (kind, name) DO NOTHING";
    let values = params![used.kind.as_str(), used.name.as_bytes(), used.until.as_millis()];
    sql::execute(act.db, sql, values).map(drop)
}

// === impl UsedKind ===

impl UsedKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::Event => "event",
            Self::Proof => "proof",
        }
    }
}
