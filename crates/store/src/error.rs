//! Why state could not be read or written.

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};

/// Why an act or a read failed. Nothing of a failed act was written, except as
/// [`StoreError::NotCommitted`] says.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A defect of ours: the act was undone, and the store goes on.
    #[error("the act failed by a defect of the store and was undone; please report it")]
    ActPanicked,
    /// The store was closed, or its writer has ended.
    #[error("the store is closed")]
    Closed,
    /// A stored value is not what was written.
    #[error("the stored {what} cannot be read: the database is damaged; restore a copy")]
    Corrupt {
        /// Which column.
        what: &'static str,
    },
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Crypto,
    /// The file system refused.
    #[error("the database file cannot be made or opened: {0}")]
    Io(#[from] std::io::Error),
    /// Something of this name exists.
    #[error("this {what} is taken; choose another")]
    NameTaken {
        /// Which kind of name.
        what: &'static str,
    },
    /// The file is another program's.
    #[error("the file is no database of Tokenward; name another path")]
    NotAStore,
    /// The disk refused the transaction. Nobody was told that it holds; should the process end
    /// now, it may still be found on disk.
    #[error("the change could not be written to disk: {0}")]
    NotCommitted(String),
    /// Write-ahead logging does not work there, and durability stands on it.
    #[error("the file system cannot hold a write-ahead log; put the database on a local disk")]
    NoWriteAheadLog,
    /// More writes wait than the disk can take.
    #[error("too many writes are waiting; try again shortly")]
    Overloaded,
    /// A newer version of Tokenward has written the file.
    #[error(
        "the database has schema version {found}, this program knows {known}: \
         run a newer version, or restore a copy from before the upgrade"
    )]
    SchemaTooNew {
        /// The file's version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A sealed value was altered, moved, or sealed under another key.
    #[error("the sealed value cannot be opened: it was altered, or sealed under another key")]
    Sealed,
    /// SQLite refused.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The database was made with another master key.
    #[error("the master key is not the one that this database was made with; give the right one")]
    WrongMasterKey,
}

// === impl StoreError ===

impl StoreError {
    /// Turns the refusal of a name that exists into [`StoreError::NameTaken`].
    pub(crate) fn or_taken(self, what: &'static str) -> Self {
        match &self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
                if matches!(
                    failure.extended_code,
                    SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE
                ) =>
            {
                Self::NameTaken { what }
            }
            _ => self,
        }
    }

    /// Turns SQLite's refusal of a foreign file into [`StoreError::NotAStore`].
    pub(crate) fn or_foreign(self) -> Self {
        match &self {
            Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                Self::NotAStore
            }
            _ => self,
        }
    }
}
