//! The schema and its versions: each migration is one file, applied once, in one transaction.

use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

use crate::error::StoreError;

/// In order; the number of those applied is the file's `user_version`.
const MIGRATIONS: &[&str] = &[
    include_str!("sql/0001_first.sql"),
    include_str!("sql/0002_keys_of_clients.sql"),
    include_str!("sql/0003_grants_of_all_kinds.sql"),
    include_str!("sql/0004_references.sql"),
    include_str!("sql/0005_status_lists.sql"),
    include_str!("sql/0006_person_claims.sql"),
    include_str!("sql/0007_lighter_rotations.sql"),
    include_str!("sql/0008_refresh_families.sql"),
    include_str!("sql/0009_personal_tokens.sql"),
    include_str!("sql/0010_factors.sql"),
    include_str!("sql/0011_accounts.sql"),
    include_str!("sql/0012_links.sql"),
    include_str!("sql/0013_incidents.sql"),
    include_str!("sql/0014_identities.sql"),
    include_str!("sql/0015_deliveries.sql"),
    include_str!("sql/0016_consents_and_sign_ins.sql"),
    include_str!("sql/0017_places_of_personal_tokens.sql"),
    include_str!("sql/0018_findings_by_whom.sql"),
];

/// `Twrd` in the file's header (<https://www.sqlite.org/fileformat.html#application_id>).
const APPLICATION_ID: i64 = 0x5477_7264;

/// Checks that the file is empty or ours, and not from the future; changes nothing.
pub(crate) fn check(db: &Connection) -> Result<i64, StoreError> {
    // In one statement: another process may be at it.
    let sql = "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema) \
               FROM pragma_user_version, pragma_application_id";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (version, application, tables): (i64, i64, i64) = db.query_row(sql, [], read)?;
    let ours = application == APPLICATION_ID;
    if !ours && (tables > 0 || version != 0) {
        return Err(StoreError::NotAStore);
    }
    if version > newest() {
        return Err(StoreError::SchemaTooNew { found: version, known: newest() });
    }
    Ok(version)
}

/// Brings the file to the newest version.
pub(crate) fn migrate(db: &Connection) -> Result<(), StoreError> {
    migrate_to(db, MIGRATIONS.len())
}

/// Brings the file to a version, the same by which it was known then.
pub(crate) fn migrate_to(db: &Connection, version: usize) -> Result<(), StoreError> {
    while migrate_once(db, version)? {}
    Ok(())
}

/// Takes one step; whether there may be another. What is to be done is asked when nobody else can do it: two
/// processes may start at once.
fn migrate_once(db: &Connection, version: usize) -> Result<bool, StoreError> {
    let turn = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    let done = usize::try_from(check(&turn)?).map_err(|_| StoreError::NotAStore)?;
    let Some(migration) = MIGRATIONS.get(done).filter(|_| done < version) else {
        return Ok(false);
    };
    let number = done + 1;
    turn.execute_batch(&format!(
        "{migration} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};"
    ))?;
    turn.commit()?;
    Ok(true)
}

/// The version that this program writes.
pub(crate) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}
