//! The store itself: opening it, how it is, closing it.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use token::honeytoken::Honeytokens;
use token::index::RestrictionIndex;
use token::time::Timestamp;
use zeroize::Zeroizing;

use crate::background::Record;
use crate::error::StoreError;
use crate::master_key::{MasterKey, make_private_folder};
use crate::reader::Readers;
use crate::seal::Sealer;
use crate::shared::{Health, Shared};
use crate::writer::{self, Act, Writer};
use crate::{honeytoken, restriction, schema, sql};

const STATEMENTS: usize = 256;

/// How long another process, such as a backup, may hold the file before a commit fails.
const PATIENCE: Duration = Duration::from_secs(5);
/// Until it is tried again what does not wait by itself.
const PAUSE: Duration = Duration::from_millis(5);

const CHECK: &str = "master key check";

/// Where state is, and how long it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The database file; its folder is made when it is not there.
    pub path: PathBuf,
    /// The longest time from a grant to the end of the last token that can be made from it. A
    /// revocation is held that long, and longer where a recorded token lives longer.
    pub longest_token_life: Duration,
}

/// Durable state. A copy is the same store.
#[derive(Clone)]
pub struct Store(Arc<Open>);

struct Open {
    master: MasterKey,
    readers: Readers,
    shared: Arc<Shared>,
    writer: Writer,
}

// === impl Store ===

impl Store {
    /// Opens the database, or makes it: a folder that only its owner can enter, a file that only
    /// its owner can read. Loads restrictions and honeytokens into memory. Blocks; to be called
    /// before anything is served. One process at a time: a second one would not see the
    /// restrictions that the first one writes.
    ///
    /// # Errors
    /// [`StoreError`] with what is wrong with the file, its version, or the master key.
    pub fn open(settings: Settings, master: MasterKey, now: Timestamp) -> Result<Self, StoreError> {
        Self::open_with_queue(settings, master, now, writer::QUEUE)
    }

    pub(crate) fn open_with_queue(
        settings: Settings,
        master: MasterKey,
        now: Timestamp,
        queue: usize,
    ) -> Result<Self, StoreError> {
        make_file(&settings.path)?;
        let connection = connect(&settings.path).map_err(StoreError::or_foreign)?;
        let sealer = Sealer::new(&master.derive("tokenward seal", "master"))?;
        check_master_key(&connection, &sealer)?;
        let shared = Arc::new(Shared::new(sealer, settings.longest_token_life, now));
        restriction::load(&connection, &shared.index, now)?;
        honeytoken::load(&connection, &shared.honeytokens)?;
        let writer = Writer::start(connection, Arc::clone(&shared), queue)?;
        let readers = Readers::new(&settings.path);
        Ok(Self(Arc::new(Open { master, readers, shared, writer })))
    }

    /// The restrictions in force, as every check asks them.
    pub fn index(&self) -> &Arc<RestrictionIndex> {
        &self.0.shared.index
    }

    /// The tokens that are bait.
    pub fn honeytokens(&self) -> &Arc<Honeytokens> {
        &self.0.shared.honeytokens
    }

    /// How the store is; never waits.
    pub fn health(&self) -> Health {
        self.0.shared.gauges.health()
    }

    /// Encryption at rest under the master key, for other rooms.
    pub fn sealer(&self) -> &Sealer {
        &self.0.shared.sealer
    }

    /// A key of 32 bytes that only the master key and this label yield (HKDF-SHA256, RFC 5869).
    pub fn derive_key(&self, label: &str) -> Zeroizing<[u8; 32]> {
        self.0.master.derive("tokenward derive", label)
    }

    /// Takes no more acts, writes those that wait, and closes the file. Every later call answers
    /// [`StoreError::Closed`]; what is in memory stays readable.
    pub async fn close(&self) {
        self.0.readers.release();
        self.0.writer.close().await;
    }

    /// Runs an act and waits until it is on disk.
    pub(crate) async fn write<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Act<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.0.writer.act(act).await
    }

    /// Hands an act over at once; the future waits until it is on disk.
    pub(crate) fn begin<T, F>(
        &self,
        act: F,
    ) -> impl Future<Output = Result<T, StoreError>> + Send + 'static
    where
        T: Send + 'static,
        F: FnOnce(&mut Act<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.0.writer.begin(act)
    }

    /// Leaves a record to the writer; never waits.
    pub(crate) fn leave(&self, record: Record) {
        self.0.writer.record(record);
    }

    /// Reads on this thread.
    pub(crate) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if !self.0.writer.is_open() {
            return Err(StoreError::Closed);
        }
        self.0.readers.read(query)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?})", self.health())
    }
}

/// SQLite gives the files that it adds the rights of this one.
fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private_folder(folder)?;
    }
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Before anything is changed: the file may be somebody else's.
    schema::check(&connection)?;
    write_ahead(&connection)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; \
         PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST; PRAGMA temp_store = MEMORY; \
         PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 67108864; \
         PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -4096;",
    )?;
    keep_plans(&connection)?;
    schema::migrate(&connection)?;
    Ok(connection)
}

/// Switches to the write-ahead log, which does not wait for another process at it, as all else does.
fn write_ahead(db: &Connection) -> Result<(), StoreError> {
    let began = Instant::now();
    let mode: String = loop {
        let switched = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
        let is_busy =
            |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        if switched.as_ref().is_err_and(is_busy) && began.elapsed() < PATIENCE {
            thread::sleep(PAUSE);
            continue;
        }
        break switched?;
    };
    if mode == "wal" { Ok(()) } else { Err(StoreError::NoWriteAheadLog) }
}

/// Has a statement planned once: by default SQLite plans one that compares an indexed column with a
/// parameter anew whenever that parameter changes, which is at every use.
pub(crate) fn keep_plans(db: &Connection) -> Result<(), StoreError> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// A new database is marked with its master key; with any other it is refused, before anything
/// that was sealed can be missed.
fn check_master_key(db: &Connection, sealer: &Sealer) -> Result<(), StoreError> {
    let sql = "SELECT sealed FROM master_key_check";
    let sealed = sql::one(db, sql, [], |row| row.maybe_bytes("sealed"))?.flatten();
    if let Some(sealed) = sealed {
        return sealer.open(CHECK, &sealed).map(drop).map_err(|_| StoreError::WrongMasterKey);
    }
    let sealed = sealer.seal(CHECK, CHECK.as_bytes())?;
    sql::execute(db, "INSERT INTO master_key_check (sealed) VALUES (?1)", [sealed]).map(drop)
}
