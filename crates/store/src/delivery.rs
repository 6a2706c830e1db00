//! What is to be told to others, and waits here until they have taken it or it is given up.

use std::str::FromStr;

use rusqlite::{Connection, params};
use token::id::DeliveryId;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::meta;
use crate::open::Store;
use crate::sql::{self, Columns};

/// Deliveries that wait for one outlet; a further one is given up at once.
const MOST_WAITING: i64 = 10_000;
const TOO_MANY: &str = "10000 deliveries wait already";

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its name, which stays the same however often it is tried: who gets it twice knows it by that.
    pub id: DeliveryId,
    /// Through which outlet.
    pub outlet: String,
    /// What it is about, for whoever looks at the list: a finding's id.
    pub about: String,
    /// What is told.
    pub body: String,
    /// When it is worth nothing any more; `None`: it never is.
    pub until: Option<Timestamp>,
}

/// Something to be told, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its name.
    pub id: DeliveryId,
    /// Where it is in the list: grows with every delivery.
    pub position: u64,
    /// Through which outlet.
    pub outlet: String,
    /// What it is about.
    pub about: String,
    /// What is told.
    pub body: String,
    /// Since when it is to be told.
    pub created_at: Timestamp,
    /// When it is tried next, or when it was given up.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub tries: u64,
    /// Whether it waits.
    pub state: DeliveryState,
    /// Why it was not taken at the last try.
    pub cause: Option<String>,
    /// When it is worth nothing any more.
    pub until: Option<Timestamp>,
}

/// Whether a delivery waits or was given up. What was taken is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It was given up.
    Dead,
    /// It is tried again.
    Waiting,
}

/// How many deliveries of an outlet there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Those that wait.
    pub waiting: u64,
    /// Those that were given up.
    pub dead: u64,
}

const COLUMNS: &str = "id, position, outlet, about, body, created_at, due_at, tries, state, \
                       cause, until_at";

impl Store {
    /// Keeps what is to be told.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is one of this id.
    pub async fn add_deliveries(
        &self,
        new: Vec<NewDelivery>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |act| insert(act.db, &new, now).map(drop)).await
    }

    /// Keeps something to be told without waiting: the act has begun when this returns, so that acts that
    /// come later find it done. The future says whether it was kept: where too many wait, what has an end is
    /// not.
    pub fn begin_delivery(
        &self,
        new: NewDelivery,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send + 'static {
        self.begin(move |act| Ok(insert(act.db, &[new], now)? == 1))
    }

    /// Keeps what is to be told of a log, and under `mark` ([`Store::meta`]) how far that was read: neither can
    /// be without the other, so that a crash has nothing told twice and nothing left out.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn add_deliveries_upto(
        &self,
        new: Vec<NewDelivery>,
        mark: &str,
        upto: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mark = mark.to_owned();
        self.write(move |act| {
            insert(act.db, &new, now)?;
            meta::set(act.db, &mark, &upto.to_string())
        })
        .await
    }

    /// What is due through an outlet, that which waits longest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn due_deliveries(
        &self,
        outlet: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM deliveries WHERE outlet = ?1 AND state = 'waiting' \
             AND due_at <= ?2 ORDER BY due_at, position LIMIT ?3"
        );
        let values = params![outlet, now.as_millis(), sql::page(limit)];
        self.read(|db| sql::all(db, &sql, values, from_columns))
    }

    /// When the next one is due through an outlet; `None` when nothing waits.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn next_delivery(&self, outlet: &str) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MIN(due_at) AS due_at FROM deliveries \
                   WHERE outlet = ?1 AND state = 'waiting'";
        let due = self.read(|db| sql::one(db, sql, [outlet], |row| row.maybe_time("due_at")))?;
        Ok(due.flatten())
    }

    /// Forgets what was taken; `false` when there was none of this id.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn remove_delivery(&self, id: &DeliveryId) -> Result<bool, StoreError> {
        let id = id.clone();
        let sql = "DELETE FROM deliveries WHERE id = ?1";
        Ok(self.write(move |act| sql::execute(act.db, sql, [id.as_str()])).await? > 0)
    }

    /// Forgets what somebody who fetches has taken of an outlet's deliveries, and gives up what they refuse, with
    /// the cause. Names of other outlets' deliveries, and those that nobody knows, are left alone. How many were
    /// taken, and how many refused.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn settle_deliveries(
        &self,
        outlet: &str,
        taken: Vec<DeliveryId>,
        refused: Vec<(DeliveryId, String)>,
        now: Timestamp,
    ) -> Result<(usize, usize), StoreError> {
        let outlet = outlet.to_owned();
        self.write(move |act| {
            let sql = "DELETE FROM deliveries WHERE id = ?1 AND outlet = ?2";
            let mut done = (0, 0);
            for id in &taken {
                done.0 += sql::execute(act.db, sql, params![id.as_str(), outlet])?;
            }
            let sql = "UPDATE deliveries SET tries = tries + 1, state = 'dead', due_at = ?3, cause = ?4 \
                       WHERE id = ?1 AND outlet = ?2 AND state = 'waiting'";
            for (id, cause) in &refused {
                let values = params![id.as_str(), outlet, now.as_millis(), cause];
                done.1 += sql::execute(act.db, sql, values)?;
            }
            Ok(done)
        })
        .await
    }

    /// Gives up what has waited since before `before` to be fetched through an outlet. How many these were.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn give_up_deliveries(
        &self,
        outlet: &str,
        before: Timestamp,
        cause: &str,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let (outlet, cause) = (outlet.to_owned(), cause.to_owned());
        self.write(move |act| {
            let sql = "UPDATE deliveries SET state = 'dead', due_at = ?3, cause = ?4 \
                       WHERE outlet = ?1 AND state = 'waiting' AND due_at < ?2";
            let values = params![outlet, before.as_millis(), now.as_millis(), cause];
            sql::execute(act.db, sql, values)
        })
        .await
    }

    /// Writes down that a try was in vain: it is tried again at `due`, or never where there is none.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn delivery_failed(
        &self,
        id: &DeliveryId,
        due: Option<Timestamp>,
        cause: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, cause) = (id.clone(), cause.to_owned());
        let state = if due.is_some() { DeliveryState::Waiting } else { DeliveryState::Dead };
        let at = due.unwrap_or(now);
        self.write(move |act| {
            let sql = "UPDATE deliveries SET tries = tries + 1, state = ?2, due_at = ?3, cause = ?4 \
                       WHERE id = ?1";
            let values = params![id.as_str(), state.as_str(), at.as_millis(), cause];
            sql::execute(act.db, sql, values).map(drop)
        })
        .await
    }

    /// Has a delivery tried again at once, as if it was new; `false` when there is none of
    /// this id.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn deliver_again(&self, id: &DeliveryId, now: Timestamp) -> Result<bool, StoreError> {
        let id = id.clone();
        let done = self.write(move |act| {
            let sql =
                "UPDATE deliveries SET state = 'waiting', tries = 0, due_at = ?2 WHERE id = ?1";
            sql::execute(act.db, sql, params![id.as_str(), now.as_millis()])
        });
        Ok(done.await? > 0)
    }

    /// The delivery of this id.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE id = ?1");
        self.read(|db| sql::one(db, &sql, [id.as_str()], from_columns))
    }

    /// Deliveries of one state, the newest first, those before this position.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn deliveries(
        &self,
        state: DeliveryState,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM deliveries WHERE state = ?1 AND position < ?2 \
             ORDER BY position DESC LIMIT ?3"
        );
        let before = before.map_or(i64::MAX, sql::position);
        let values = params![state.as_str(), before, sql::page(limit)];
        self.read(|db| sql::all(db, &sql, values, from_columns))
    }

    /// How many deliveries of an outlet there are.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn delivery_counts(&self, outlet: &str) -> Result<DeliveryCounts, StoreError> {
        let sql = "SELECT COUNT(*) AS number FROM deliveries WHERE outlet = ?1 AND state = ?2";
        let count = |state: DeliveryState| {
            let counted = self.read(|db| {
                sql::one(db, sql, params![outlet, state.as_str()], |row| row.seq("number"))
            });
            counted.map(Option::unwrap_or_default)
        };
        Ok(DeliveryCounts {
            waiting: count(DeliveryState::Waiting)?,
            dead: count(DeliveryState::Dead)?,
        })
    }
}

/// Part of the act that makes what is told, so that neither can be without the other. How many were kept:
/// where too many wait, what has an end is not, since nobody would look at it later.
pub(crate) fn insert(
    db: &Connection,
    new: &[NewDelivery],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let full = "SELECT 1 FROM deliveries WHERE outlet = ?1 AND state = 'waiting' LIMIT 1 OFFSET ?2";
    let sql = "INSERT INTO deliveries \
               (id, position, outlet, about, body, created_at, due_at, tries, state, cause, until_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 0, ?7, ?8, ?9)";
    let mut kept = 0;
    for one in new {
        let is_full = sql::one(db, full, params![one.outlet, MOST_WAITING - 1], |_| Ok(()))?;
        if is_full.is_some() && one.until.is_some() {
            continue;
        }
        kept += 1;
        let state = if is_full.is_some() { DeliveryState::Dead } else { DeliveryState::Waiting };
        let values = params![
            one.id.as_str(),
            sql::next(db, "deliveries")?,
            one.outlet,
            one.about,
            one.body,
            now.as_millis(),
            state.as_str(),
            is_full.map(|()| TOO_MANY),
            one.until.map(Timestamp::as_millis),
        ];
        sql::execute(db, sql, values).map_err(|error| error.or_taken("delivery id"))?;
    }
    Ok(kept)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.id("id")?,
        position: row.seq("position")?,
        outlet: row.text("outlet")?,
        about: row.text("about")?,
        body: row.text("body")?,
        created_at: row.time("created_at")?,
        due_at: row.time("due_at")?,
        tries: row.seq("tries")?,
        state: row.word("state")?,
        cause: row.maybe_text("cause")?,
        until: row.maybe_time("until_at")?,
    })
}

// === impl DeliveryState ===

impl DeliveryState {
    /// `waiting` or `dead`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Waiting => "waiting",
        }
    }
}

impl FromStr for DeliveryState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "dead" => Ok(Self::Dead),
            "waiting" => Ok(Self::Waiting),
            _ => Err(()),
        }
    }
}
