//! The table of personal tokens, row by row.

use std::borrow::Cow;
use std::time::Duration;

use rusqlite::{Connection, params};
use token::id::{KeyId, TokenId};
use token::opaque::OpaqueHash;
use token::personal::{KEY, Owner, Terms, Use};
use token::reason::Reason;
use token::scope::ScopeSet;
use token::time::Timestamp;

use super::{LastUse, StoredPersonal};
use crate::error::StoreError;
use crate::issued::{self, IssuedToken};
use crate::sql::{self, Columns};
use crate::writer::{Act, AfterCommit};

const COLUMNS: &str = "token, owner_kind, owner, name, scopes, audiences, networks, jkt, created_by, \
                       created_at, expires_at, idle, last_used_at, last_used_ip, last_used_route, \
                       used_scopes, rotated_from, rotated_to, revoked_at, places";

pub(super) fn insert(
    act: &mut Act<'_>,
    hash: &OpaqueHash,
    new: &StoredPersonal,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO personal_tokens (hash, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
         ?10, ?11, ?12, ?13, NULL, NULL, NULL, ?14, ?15, NULL, NULL, ?16)"
    );
    let terms = &new.terms;
    let values = params![
        hash.as_bytes(),
        terms.token.as_str(),
        terms.owner.kind(),
        terms.owner.name(),
        new.name,
        terms.scopes.to_string(),
        sql::json(&terms.audiences)?,
        sql::json(&terms.networks)?,
        terms.jkt.as_ref().map(KeyId::as_str),
        new.created_by,
        terms.created_at.as_millis(),
        terms.expires_at.as_millis(),
        terms.idle.map(|idle| sql::position(idle.as_secs())),
        new.used_scopes.to_string(),
        new.rotated_from.as_ref().map(TokenId::as_str),
        sql::json(&terms.places)?,
    ];
    sql::execute(act.db, &sql, values).map_err(|error| error.or_taken("personal token"))?;
    // By this record restrictions that can fit the token are kept as long as it lives.
    issued::insert(act, &record(terms))
}

fn record(terms: &Terms) -> IssuedToken {
    let facts = terms.facts();
    IssuedToken {
        token: facts.token,
        kind: match terms.owner {
            Owner::Person(_) => Cow::Borrowed("personal"),
            Owner::Service(_) => Cow::Borrowed("service"),
        },
        subject: facts.subject,
        client: facts.client,
        grant: None,
        session: None,
        scopes: terms.scopes.clone(),
        audiences: terms.audiences.clone(),
        issued_at: terms.created_at,
        expires_at: terms.expires_at,
        key: KeyId::from(KEY),
        status: None,
    }
}

pub(super) fn of(db: &Connection, token: &TokenId) -> Result<Option<StoredPersonal>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM personal_tokens WHERE token = ?1");
    sql::one(db, &sql, [token.as_str()], from_columns)
}

pub(super) fn by_hash(
    db: &Connection,
    hash: &OpaqueHash,
) -> Result<Option<StoredPersonal>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM personal_tokens WHERE hash = ?1");
    sql::one(db, &sql, [hash.as_bytes()], from_columns)
}

pub(super) fn list(
    db: &Connection,
    owner: Option<&Owner>,
    after: Option<&TokenId>,
    limit: usize,
) -> Result<Vec<StoredPersonal>, StoreError> {
    let (after, limit) = (after.map_or("", TokenId::as_str), sql::page(limit));
    match owner {
        Some(owner) => {
            let sql = format!(
                "SELECT {COLUMNS} FROM personal_tokens WHERE owner_kind = ?1 AND owner = ?2 \
                 AND token > ?3 ORDER BY token LIMIT ?4"
            );
            sql::all(db, &sql, params![owner.kind(), owner.name(), after, limit], from_columns)
        }
        None => {
            let sql = format!(
                "SELECT {COLUMNS} FROM personal_tokens WHERE token > ?1 ORDER BY token LIMIT ?2"
            );
            sql::all(db, &sql, params![after, limit], from_columns)
        }
    }
}

pub(super) fn ending(
    db: &Connection,
    within: Duration,
    now: Timestamp,
) -> Result<Vec<StoredPersonal>, StoreError> {
    let before = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
    let sql = format!(
        "SELECT {COLUMNS} FROM personal_tokens WHERE owner_kind = 'person' AND expires_at > ?1 \
         AND expires_at <= ?2 AND revoked_at IS NULL AND rotated_to IS NULL \
         AND (told_before IS NULL OR told_before > ?3) AND expires_at - created_at > ?3 + ?3 / 2 \
         ORDER BY token LIMIT ?4"
    );
    let until = now.plus(within).as_millis();
    let values = params![now.as_millis(), until, before, sql::page(usize::MAX)];
    let found = sql::all(db, &sql, values, from_columns)?;
    for one in &found {
        let sql = "UPDATE personal_tokens SET told_before = ?2 WHERE token = ?1";
        sql::execute(db, sql, params![one.terms.token.as_str(), before])?;
    }
    Ok(found)
}

/// What the owner may do at most, where that is bound, and why nothing of theirs is good any more.
pub(super) fn owner(
    db: &Connection,
    owner: &Owner,
) -> Result<(Option<ScopeSet>, Option<Reason>), StoreError> {
    let ended = |disabled: Option<bool>| match disabled {
        None => Some(Reason::Revoked),
        Some(true) => Some(Reason::Disabled),
        Some(false) => None,
    };
    match owner {
        Owner::Person(id) => {
            let sql = "SELECT disabled FROM users WHERE id = ?1";
            let held = sql::one(db, sql, [id.as_str()], |row| row.flag("disabled"))?;
            Ok((None, ended(held)))
        }
        Owner::Service(id) => {
            let sql = "SELECT disabled, scopes FROM clients WHERE id = ?1";
            let held = sql::one(db, sql, [id.as_str()], |row| {
                Ok((row.flag("disabled")?, row.scopes("scopes")?))
            })?;
            let (disabled, scopes) = held.unzip();
            Ok((scopes, ended(disabled)))
        }
    }
}

/// Ends all tokens of an owner who is gone.
pub(crate) fn revoke_all_of(
    act: &mut Act<'_>,
    owner: &Owner,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE personal_tokens SET revoked_at = ?3 \
               WHERE owner_kind = ?1 AND owner = ?2 AND revoked_at IS NULL";
    sql::execute(act.db, sql, params![owner.kind(), owner.name(), now.as_millis()])?;
    act.after_commit(AfterCommit::Personal);
    Ok(())
}

/// Writes a use down, unless a later one is there.
pub(crate) fn keep_use(act: &Act<'_>, used: &Use) -> Result<(), StoreError> {
    let sql = "UPDATE personal_tokens SET last_used_at = ?2, last_used_ip = ?3, \
               last_used_route = ?4, used_scopes = ?5 \
               WHERE token = ?1 AND (last_used_at IS NULL OR last_used_at <= ?2)";
    let values = params![
        used.token.as_str(),
        used.at.as_millis(),
        used.ip.map(|ip| ip.to_string()),
        used.route,
        used.scopes.to_string(),
    ];
    sql::execute(act.db, sql, values).map(drop)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<StoredPersonal, StoreError> {
    let owner = Owner::of(&row.text("owner_kind")?, &row.text("owner")?);
    let terms = Terms {
        token: row.id("token")?,
        owner: owner.ok_or(StoreError::Corrupt { what: "owner_kind" })?,
        scopes: row.scopes("scopes")?,
        audiences: row.json("audiences")?,
        networks: row.json("networks")?,
        places: row.json("places")?,
        jkt: row.maybe_id("jkt")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        idle: row.maybe_seq("idle")?.map(Duration::from_secs),
    };
    Ok(StoredPersonal {
        terms,
        name: row.text("name")?,
        created_by: row.text("created_by")?,
        last_use: last_use(row)?,
        used_scopes: row.scopes("used_scopes")?,
        rotated_from: row.maybe_id("rotated_from")?,
        rotated_to: row.maybe_id("rotated_to")?,
        revoked_at: row.maybe_time("revoked_at")?,
    })
}

fn last_use(row: &Columns<'_, '_>) -> Result<Option<LastUse>, StoreError> {
    let Some(at) = row.maybe_time("last_used_at")? else { return Ok(None) };
    let ip = row.maybe_text("last_used_ip")?.map(|ip| ip.parse()).transpose();
    let ip = ip.map_err(|_| StoreError::Corrupt { what: "last_used_ip" })?;
    Ok(Some(LastUse { at, ip, route: row.maybe_text("last_used_route")? }))
}
