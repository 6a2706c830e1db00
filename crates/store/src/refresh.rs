//! Refresh tokens: honest rotation (RFC 9700 §4.14.2).
//!
//! A refresh token works once. The same party's repeat within seconds, before the successor was
//! used, gets the same answer again; any other second use ends the grant in the transaction that
//! notices it. The answer is kept in memory, sealed: who comes back after a restart may rotate once
//! more, and the successor that nobody used is void.

use std::sync::LazyLock;
use std::time::Duration;

use rusqlite::{Connection, params};
use token::id::GrantId;
use token::opaque::OpaqueHash;
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::grant::{self, Grant};
use crate::open::Store;
use crate::sql::{self, Columns};
use crate::writer::Act;

/// A refresh token that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefresh {
    /// The hash of the token.
    pub hash: OpaqueHash,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
    /// What it can be used for.
    pub scopes: ScopeSet,
}

/// A refresh token as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshState {
    /// The grant that it belongs to.
    pub grant: Grant,
    /// What it can be used for.
    pub scopes: ScopeSet,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
    /// When it was used.
    pub rotated_at: Option<Timestamp>,
    /// Whether its grant was ended.
    pub ended: bool,
}

/// One use of a refresh token.
#[derive(Clone, Debug)]
pub struct Rotate {
    /// The token that was shown.
    pub presented: OpaqueHash,
    /// What it is to be rotated to; `None` asks for the answer of a rotation that was.
    pub next: Option<Next>,
    /// Who shows it: a hash of the token and of everything by which two callers can be told apart.
    pub party: [u8; 32],
    /// How long the same party may ask again.
    pub retry_window: Duration,
    /// Now.
    pub now: Timestamp,
}

/// What a refresh token is rotated to.
#[derive(Clone, Debug)]
pub struct Next {
    /// The token that takes its place.
    pub successor: NewRefresh,
    /// The answer, sealed under the token that was shown ([`crate::seal::seal_to`]).
    pub answer: Vec<u8>,
}

/// An answer that was given, for who did not get it.
pub(crate) struct Given {
    successor: OpaqueHash,
    sealed: Vec<u8>,
}

/// What came of using a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Its grant was ended.
    Ended,
    /// It, or its grant, is over.
    Expired,
    /// It can be rotated, but to nothing: [`Rotate::next`] is wanted.
    NextWanted,
    /// The same party asks again: here is the same answer.
    Retry {
        /// As it was sealed.
        answer: Vec<u8>,
    },
    /// It came back from elsewhere or too late: the grant is ended now.
    Reused {
        /// The grant.
        grant: Box<Grant>,
    },
    /// The successor is in its place.
    Rotated,
    /// There is no such token.
    Unknown,
}

/// What a first use looks at.
struct Standing {
    grant: GrantId,
    grant_expires_at: Timestamp,
    ended: bool,
    expires_at: Timestamp,
    rotated_at: Option<Timestamp>,
}

/// What a second use looks at besides.
struct Row {
    state: RefreshState,
    party: Option<Vec<u8>>,
    /// As long as it was not used itself.
    successor: Option<OpaqueHash>,
}

impl Store {
    /// The refresh token of this hash.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn refresh(&self, hash: &OpaqueHash) -> Result<Option<RefreshState>, StoreError> {
        self.read(|db| Ok(read(db, hash)?.map(|row| row.state)))
    }

    /// The same for who goes on to rotate it, from memory where it was good before: only
    /// [`Store::rotate_refresh`] can say whether it was used or its grant ended meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn refresh_to_rotate(
        &self,
        hash: &OpaqueHash,
    ) -> Result<Option<RefreshState>, StoreError> {
        let unused = &self.shared().unused;
        if let Some(state) = unused.get(hash) {
            return Ok(Some(RefreshState::clone(&state)));
        }
        let state = self.refresh(hash).await?;
        let good = |state: &&RefreshState| state.rotated_at.is_none() && !state.ended;
        if let Some(state) = state.as_ref().filter(good) {
            unused.insert(*hash, state.clone().into());
        }
        Ok(state)
    }

    /// Uses a refresh token: whichever of any number of calls comes first wins.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn rotate_refresh(&self, rotate: Rotate) -> Result<Rotation, StoreError> {
        self.write(move |act| decide(act, rotate)).await
    }
}

fn decide(act: &mut Act<'_>, rotate: Rotate) -> Result<Rotation, StoreError> {
    let found = standing(act.db, &rotate.presented)?;
    let Some(found) = found else { return Ok(Rotation::Unknown) };
    if found.ended {
        return Ok(Rotation::Ended);
    }
    if rotate.now >= found.grant_expires_at {
        return Ok(Rotation::Expired);
    }
    if let Some(rotated_at) = found.rotated_at {
        return judge_second_use(act, rotated_at, &rotate);
    }
    if rotate.now >= found.expires_at {
        return Ok(Rotation::Expired);
    }
    let Some(next) = &rotate.next else { return Ok(Rotation::NextWanted) };
    let sql = "UPDATE refresh_tokens SET rotated_at = ?2, successor = ?3, party = ?4 \
               WHERE hash = ?1";
    let values = params![
        rotate.presented.as_bytes(),
        rotate.now.as_millis(),
        next.successor.hash.as_bytes(),
        rotate.party,
    ];
    sql::execute(act.db, sql, values)?;
    succeed(act, &rotate, next, &found.grant)
}

fn judge_second_use(
    act: &mut Act<'_>,
    rotated_at: Timestamp,
    rotate: &Rotate,
) -> Result<Rotation, StoreError> {
    let Some(row) = read(act.db, &rotate.presented)? else { return Ok(Rotation::Unknown) };
    let in_time = rotate.now < rotated_at.plus(rotate.retry_window);
    let same_party = row.party.as_deref() == Some(rotate.party.as_slice());
    if let Some(successor) = row.successor.filter(|_| in_time && same_party) {
        return repeat(act, rotate, &successor, &row.state.grant.id);
    }
    let grant = Box::new(row.state.grant);
    grant::end(act, &grant.id, "refresh token used twice", "authority", rotate.now)?;
    Ok(Rotation::Reused { grant })
}

/// The same answer again, or, where it is not in memory any more, one in its place.
fn repeat(
    act: &Act<'_>,
    rotate: &Rotate,
    successor: &OpaqueHash,
    grant: &GrantId,
) -> Result<Rotation, StoreError> {
    let given = act.shared.answers.get(&rotate.presented);
    if let Some(given) = given.filter(|given| given.successor == *successor) {
        return Ok(Rotation::Retry { answer: given.sealed.clone() });
    }
    let Some(next) = &rotate.next else { return Ok(Rotation::NextWanted) };
    // Whoever shows the void successor later is not who gets this answer.
    act.shared.unused.remove(successor);
    let sql = "UPDATE refresh_tokens SET rotated_at = ?2 WHERE hash = ?1";
    sql::execute(act.db, sql, params![successor.as_bytes(), rotate.now.as_millis()])?;
    let sql = "UPDATE refresh_tokens SET successor = ?2 WHERE hash = ?1";
    let values = params![rotate.presented.as_bytes(), next.successor.hash.as_bytes()];
    sql::execute(act.db, sql, values)?;
    succeed(act, rotate, next, grant)
}

fn succeed(
    act: &Act<'_>,
    rotate: &Rotate,
    next: &Next,
    grant: &GrantId,
) -> Result<Rotation, StoreError> {
    insert(act.db, &next.successor, grant)?;
    // Before the commit, for a repeat within it; without the commit nothing leads to it.
    let given = Given { successor: next.successor.hash, sealed: next.answer.clone() };
    act.shared.answers.insert(rotate.presented, given.into());
    if let Some((_, before)) = act.shared.unused.remove(&rotate.presented) {
        let (scopes, expires_at) = (next.successor.scopes.clone(), next.successor.expires_at);
        let state = RefreshState { scopes, expires_at, ..RefreshState::clone(&before) };
        act.shared.unused.insert(next.successor.hash, state.into());
    }
    Ok(Rotation::Rotated)
}

/// Adds a refresh token to a grant.
pub(crate) fn insert(db: &Connection, new: &NewRefresh, grant: &GrantId) -> Result<(), StoreError> {
    let sql = "INSERT INTO refresh_tokens (hash, grant_id, scopes, expires_at) \
               VALUES (?1, ?2, ?3, ?4)";
    let values = params![
        new.hash.as_bytes(),
        grant.as_str(),
        new.scopes.to_string(),
        new.expires_at.as_millis(),
    ];
    sql::execute(db, sql, values).map_err(|error| error.or_taken("refresh token"))?;
    Ok(())
}

fn standing(db: &Connection, hash: &OpaqueHash) -> Result<Option<Standing>, StoreError> {
    let sql = "SELECT r.grant_id, grants.grant_expires_at, grants.ended_at, r.expires_at, \
               r.rotated_at FROM refresh_tokens r \
               JOIN grants ON grants.grant_id = r.grant_id WHERE r.hash = ?1";
    sql::one(db, sql, [hash.as_bytes()], |row| {
        Ok(Standing {
            grant: row.id("grant_id")?,
            grant_expires_at: row.time("grant_expires_at")?,
            ended: row.maybe_time("ended_at")?.is_some(),
            expires_at: row.time("expires_at")?,
            rotated_at: row.maybe_time("rotated_at")?,
        })
    })
}

fn read(db: &Connection, hash: &OpaqueHash) -> Result<Option<Row>, StoreError> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {}, r.scopes, r.expires_at, r.rotated_at, r.party, grants.ended_at, \
         s.hash AS unused_successor FROM refresh_tokens r \
         JOIN grants ON grants.grant_id = r.grant_id \
         LEFT JOIN refresh_tokens s ON s.hash = r.successor AND s.rotated_at IS NULL WHERE r.hash = ?1",
            grant::COLUMNS.replacen("grant_id", "grants.grant_id", 1)
        )
    });
    sql::one(db, &SQL, [hash.as_bytes()], from_columns)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<Row, StoreError> {
    let state = RefreshState {
        grant: grant::from_columns(row)?,
        scopes: row.scopes("scopes")?,
        expires_at: row.time("expires_at")?,
        rotated_at: row.maybe_time("rotated_at")?,
        ended: row.maybe_time("ended_at")?.is_some(),
    };
    Ok(Row {
        state,
        party: row.maybe_bytes("party")?,
        successor: row.maybe_hash("unused_successor")?,
    })
}
