//! The restriction log in pages, for those who keep a copy of it.

use rusqlite::{Connection, params};
use token::restriction::{LogEntry, Restriction};
use token::time::Timestamp;

use super::row;
use crate::error::StoreError;
use crate::open::Store;
use crate::sql;

/// A part of the log, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Its entries, without those that fit nothing any more. A restriction has an end at the latest
    /// when the last token that it can fit has ended.
    pub entries: Vec<LogEntry>,
    /// The position up to which this is the whole log.
    pub upto: u64,
    /// Whether there is more.
    pub more: bool,
}

impl Store {
    /// What was written after the position `after`, at most `limit` entries of it.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn restriction_log(
        &self,
        after: u64,
        limit: usize,
        now: Timestamp,
    ) -> Result<LogPage, StoreError> {
        // Read first: what is written meanwhile belongs to the next page.
        let last = self.index().last_seq();
        self.read(|db| page(db, after, last, limit, now))
    }
}

fn page(
    db: &Connection,
    after: u64,
    last: u64,
    limit: usize,
    now: Timestamp,
) -> Result<LogPage, StoreError> {
    let within = (sql::position(after), sql::position(last));
    let sql = format!(
        "SELECT {}, r.lifts, r.forget_at FROM restrictions r \
         WHERE r.seq > ?1 AND r.seq <= ?2 AND (r.lifts IS NOT NULL \
         OR ((r.forget_at IS NULL OR r.forget_at > ?3) \
         AND NOT EXISTS (SELECT 1 FROM restrictions l WHERE l.lifts = r.seq))) \
         ORDER BY r.seq LIMIT ?4",
        row::COLUMNS
    );
    let values = params![within.0, within.1, now.as_millis(), sql::page(limit)];
    let entries = sql::all(db, &sql, values, |columns| {
        Ok(match columns.maybe_seq("lifts")? {
            Some(lifts) => LogEntry::Lift { seq: columns.seq("seq")?, lifts },
            None => {
                let read = row::from_columns(columns)?;
                let until = read.until.or(columns.maybe_time("forget_at")?);
                LogEntry::Restrict(Restriction { until, ..read })
            }
        })
    })?;
    let more = entries.len() >= limit;
    let upto = entries.last().filter(|_| more).map_or(last.max(after), LogEntry::seq);
    Ok(LogPage { entries, upto, more })
}
