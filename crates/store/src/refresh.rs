//! Refresh tokens: honest rotation (RFC 9700 §4.14.2).
//!
//! A refresh token works once. The same party's retry within seconds, before the successor was
//! used, gets the same answer again; any other second use ends the grant in the transaction that
//! notices it. A family has one row, which names the token that can be used and the one before it; any
//! other of the family was used earlier. The answer is kept in memory, sealed: who comes back after a
//! restart may rotate once more, and the successor that nobody used is void.

use std::sync::LazyLock;
use std::time::Duration;

use rusqlite::{Connection, params};
use token::id::GrantId;
use token::opaque::OpaqueHash;
use token::refresh::RefreshName;
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::grant::{self, Grant};
use crate::open::Store;
use crate::sql::{self, Columns};
use crate::writer::Act;

/// The first refresh token of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefresh {
    /// Its family, and the hash of the token.
    pub name: RefreshName,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
    /// What it, and every token after it, can be used for (RFC 6749 §6).
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
    /// When it was used, or, of one from long ago, the last of its family that was.
    pub rotated_at: Option<Timestamp>,
    /// Whether its grant was ended.
    pub ended: bool,
}

/// One use of a refresh token.
#[derive(Clone, Debug)]
pub struct Rotate {
    /// The token that was shown.
    pub presented: RefreshName,
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
    /// The hash of the token that takes its place.
    pub successor: OpaqueHash,
    /// When that ends unless it is used.
    pub expires_at: Timestamp,
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

/// What a use looks at.
struct Standing {
    grant_expires_at: Timestamp,
    ended: bool,
    current: OpaqueHash,
    expires_at: Timestamp,
    /// The token before the current one.
    before: Option<Before>,
}

/// A token that was used last.
struct Before {
    hash: OpaqueHash,
    rotated_at: Timestamp,
    party: Vec<u8>,
}

impl Store {
    /// The refresh token of this name.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn refresh(&self, name: &RefreshName) -> Result<Option<RefreshState>, StoreError> {
        self.read(|db| read(db, name))
    }

    /// The same for who goes on to rotate it, from memory where it was good before: only
    /// [`Store::rotate_refresh`] can say whether it was used or its grant ended meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn refresh_to_rotate(
        &self,
        name: &RefreshName,
    ) -> Result<Option<RefreshState>, StoreError> {
        let unused = &self.shared().unused;
        if let Some(state) = unused.get(&name.hash) {
            return Ok(Some(RefreshState::clone(&state)));
        }
        let state = self.refresh(name).await?;
        let good = |state: &&RefreshState| state.rotated_at.is_none() && !state.ended;
        if let Some(state) = state.as_ref().filter(good) {
            unused.insert(name.hash, state.clone().into());
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
    if rotate.presented.hash != found.current {
        return judge_second_use(act, &found, &rotate);
    }
    if rotate.now >= found.expires_at {
        return Ok(Rotation::Expired);
    }
    let Some(next) = &rotate.next else { return Ok(Rotation::NextWanted) };
    let sql = "UPDATE refresh_families SET current = ?2, expires_at = ?3, previous = ?4, \
               rotated_at = ?5, party = ?6 WHERE family = ?1";
    let values = params![
        rotate.presented.family.as_bytes(),
        next.successor.as_bytes(),
        next.expires_at.as_millis(),
        rotate.presented.hash.as_bytes(),
        rotate.now.as_millis(),
        rotate.party,
    ];
    sql::execute(act.db, sql, values)?;
    Ok(succeed(act, &rotate, next))
}

fn judge_second_use(
    act: &mut Act<'_>,
    found: &Standing,
    rotate: &Rotate,
) -> Result<Rotation, StoreError> {
    let last = found.before.as_ref().filter(|before| {
        before.hash == rotate.presented.hash
            && rotate.now < before.rotated_at.plus(rotate.retry_window)
            && before.party == rotate.party
    });
    if last.is_some() {
        return repeat(act, &found.current, rotate);
    }
    let Some(state) = read(act.db, &rotate.presented)? else { return Ok(Rotation::Unknown) };
    let grant = Box::new(state.grant);
    grant::end(act, &grant.id, "refresh token used twice", "authority", rotate.now)?;
    Ok(Rotation::Reused { grant })
}

/// The same answer again, or, where it is not in memory any more, one in its place.
fn repeat(act: &Act<'_>, successor: &OpaqueHash, rotate: &Rotate) -> Result<Rotation, StoreError> {
    let given = act.shared.answers.get(&rotate.presented.hash);
    if let Some(given) = given.filter(|given| given.successor == *successor) {
        return Ok(Rotation::Retry { answer: given.sealed.clone() });
    }
    let Some(next) = &rotate.next else { return Ok(Rotation::NextWanted) };
    // Whoever shows the void successor later is not who gets this answer.
    act.shared.unused.remove(successor);
    let sql = "UPDATE refresh_families SET current = ?2, expires_at = ?3 WHERE family = ?1";
    let values = params![
        rotate.presented.family.as_bytes(),
        next.successor.as_bytes(),
        next.expires_at.as_millis(),
    ];
    sql::execute(act.db, sql, values)?;
    Ok(succeed(act, rotate, next))
}

/// Before the commit, for a repeat within it; without the commit nothing leads to it.
fn succeed(act: &Act<'_>, rotate: &Rotate, next: &Next) -> Rotation {
    let given = Given { successor: next.successor, sealed: next.answer.clone() };
    act.shared.answers.insert(rotate.presented.hash, given.into());
    if let Some((_, before)) = act.shared.unused.remove(&rotate.presented.hash) {
        let state = RefreshState { expires_at: next.expires_at, ..RefreshState::clone(&before) };
        act.shared.unused.insert(next.successor, state.into());
    }
    Rotation::Rotated
}

/// Begins the family of a grant.
pub(crate) fn insert(db: &Connection, new: &NewRefresh, grant: &GrantId) -> Result<(), StoreError> {
    let sql = "INSERT INTO refresh_families (family, grant_id, scopes, current, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![
        new.name.family.as_bytes(),
        grant.as_str(),
        new.scopes.to_string(),
        new.name.hash.as_bytes(),
        new.expires_at.as_millis(),
    ];
    sql::execute(db, sql, values).map_err(|error| error.or_taken("refresh token family"))?;
    Ok(())
}

fn standing(db: &Connection, name: &RefreshName) -> Result<Option<Standing>, StoreError> {
    let sql = "SELECT grants.grant_expires_at, grants.ended_at, f.current, \
               f.expires_at, f.previous, f.rotated_at, f.party FROM refresh_families f \
               JOIN grants ON grants.grant_id = f.grant_id WHERE f.family = ?1";
    sql::one(db, sql, [name.family.as_bytes()], |row| {
        Ok(Standing {
            grant_expires_at: row.time("grant_expires_at")?,
            ended: row.maybe_time("ended_at")?.is_some(),
            current: row.hash("current")?,
            expires_at: row.time("expires_at")?,
            before: before(row)?,
        })
    })
}

fn before(row: &Columns<'_, '_>) -> Result<Option<Before>, StoreError> {
    let Some(hash) = row.maybe_hash("previous")? else { return Ok(None) };
    let (rotated_at, party) = (row.time("rotated_at")?, row.bytes("party")?);
    Ok(Some(Before { hash, rotated_at, party }))
}

fn read(db: &Connection, name: &RefreshName) -> Result<Option<RefreshState>, StoreError> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {}, f.scopes, f.expires_at, f.rotated_at, f.current, grants.ended_at \
             FROM refresh_families f JOIN grants ON grants.grant_id = f.grant_id \
             WHERE f.family = ?1",
            grant::COLUMNS.replacen("grant_id", "grants.grant_id", 1)
        )
    });
    sql::one(db, &SQL, [name.family.as_bytes()], |row| {
        let grant = grant::from_columns(row)?;
        let used = row.hash("current")? != name.hash;
        let last = row.maybe_time("rotated_at")?.unwrap_or(grant.created_at);
        Ok(RefreshState {
            grant,
            scopes: row.scopes("scopes")?,
            expires_at: row.time("expires_at")?,
            rotated_at: used.then_some(last),
            ended: row.maybe_time("ended_at")?.is_some(),
        })
    })
}
