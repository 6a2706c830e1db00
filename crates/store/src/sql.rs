//! Statements and columns: what every act and every read says to SQLite.
//!
//! Statements name their parameters `?1`, `?2`, … and keep to what PostgreSQL also understands.

use rusqlite::{Connection, Params, Row};
use token::opaque::OpaqueHash;
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::error::StoreError;

/// A list is never answered with more rows than this.
const PAGE_MAX: usize = 1000;

/// One row, read by the names of its columns.
pub(crate) struct Columns<'a, 'stmt>(&'a Row<'stmt>);

/// Runs a statement; returns how many rows it changed.
pub(crate) fn execute(
    db: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<usize, StoreError> {
    Ok(db.prepare_cached(sql)?.execute(params)?)
}

/// Reads the first row, if there is one.
pub(crate) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Columns<'_, '_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    match rows.next()? {
        Some(row) => read(&Columns(row)).map(Some),
        None => Ok(None),
    }
}

/// Reads every row.
pub(crate) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Columns<'_, '_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(read(&Columns(row))?);
    }
    Ok(list)
}

/// Shows every row, one after the other.
pub(crate) fn each(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut see: impl FnMut(&Columns<'_, '_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        see(&Columns(row))?;
    }
    Ok(())
}

/// The next number of a counter that starts at 1; taken back with the act that took it.
pub(crate) fn next(db: &Connection, counter: &str) -> Result<i64, StoreError> {
    let sql = "INSERT INTO counters (name, value) VALUES (?1, 1) \
               ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value";
    let number = one(db, sql, [counter], |row| row.number("value"))?;
    number.ok_or(StoreError::Corrupt { what: "counter" })
}

/// A page's size as a parameter.
pub(crate) fn page(limit: usize) -> i64 {
    i64::try_from(limit.min(PAGE_MAX)).unwrap_or(i64::MAX)
}

/// A position as a parameter; what no row can have becomes the end of all.
pub(crate) fn position(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A list of texts as its stored text.
pub(crate) fn json<T: serde::Serialize + ?Sized>(list: &T) -> Result<String, StoreError> {
    serde_json::to_string(list).map_err(|_| StoreError::Corrupt { what: "list" })
}

// === impl Columns ===

impl Columns<'_, '_> {
    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        Ok(self.0.get(column)?)
    }

    pub(crate) fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        Ok(self.0.get(column)?)
    }

    pub(crate) fn id<T: From<String>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column).map(T::from)
    }

    pub(crate) fn maybe_id<T: From<String>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.maybe_text(column)?.map(T::from))
    }

    pub(crate) fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        Ok(self.0.get(column)?)
    }

    pub(crate) fn seq(&self, column: &'static str) -> Result<u64, StoreError> {
        u64::try_from(self.number(column)?).map_err(|_| StoreError::Corrupt { what: column })
    }

    pub(crate) fn maybe_seq(&self, column: &'static str) -> Result<Option<u64>, StoreError> {
        let number: Option<i64> = self.0.get(column)?;
        number
            .map(|number| u64::try_from(number).map_err(|_| StoreError::Corrupt { what: column }))
            .transpose()
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.number(column)? != 0)
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.number(column).map(Timestamp::from_millis)
    }

    pub(crate) fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let millis: Option<i64> = self.0.get(column)?;
        Ok(millis.map(Timestamp::from_millis))
    }

    pub(crate) fn maybe_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(column)?)
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        Ok(self.0.get(column)?)
    }

    pub(crate) fn hash(&self, column: &'static str) -> Result<OpaqueHash, StoreError> {
        self.maybe_hash(column)?.ok_or(StoreError::Corrupt { what: column })
    }

    pub(crate) fn maybe_hash(
        &self,
        column: &'static str,
    ) -> Result<Option<OpaqueHash>, StoreError> {
        self.maybe_bytes(column)?
            .map(|bytes| OpaqueHash::from_slice(&bytes).ok_or(StoreError::Corrupt { what: column }))
            .transpose()
    }

    pub(crate) fn scopes(&self, column: &'static str) -> Result<ScopeSet, StoreError> {
        ScopeSet::parse(&self.text(column)?).map_err(|_| StoreError::Corrupt { what: column })
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|_| StoreError::Corrupt { what: column })
    }

    /// A word of a closed list.
    pub(crate) fn word<T: std::str::FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| StoreError::Corrupt { what: column })
    }
}
