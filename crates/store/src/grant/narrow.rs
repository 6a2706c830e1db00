//! Taking back a part of a grant: it gives less from now on, and so does what was made of it.

use rusqlite::{Connection, params};
use token::id::{ClientId, SubjectId};
use token::restriction::{Effect, Selector};
use token::scope::ScopeSet;
use token::time::Timestamp;

use super::{COLUMNS, ClaimsRequest, Grant, end, from_columns};
use crate::consent::TakenBack;
use crate::error::StoreError;
use crate::restriction::{LEEWAY, NewRestriction};
use crate::sql;
use crate::writer::{Act, AfterCommit};

/// What is taken back, why and by whom.
pub(crate) struct Narrowing<'a> {
    pub(crate) taken: &'a TakenBack,
    /// What scopes include, with themselves.
    pub(crate) reach: &'a dyn Fn(&ScopeSet) -> ScopeSet,
    pub(crate) reason: &'a str,
    pub(crate) actor: &'a str,
}

/// Narrows all that a person has given a client; `false` when it had nothing of what is taken back.
pub(crate) fn narrow_all(
    act: &mut Act<'_>,
    subject: &SubjectId,
    client: &ClientId,
    narrowing: &Narrowing<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let pair = [subject.as_str(), client.as_str()];
    narrow_waiting(act.db, pair, narrowing)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM grants WHERE subject = ?1 AND client = ?2 AND ended_at IS NULL"
    );
    let mut found = false;
    for grant in sql::all(act.db, &sql, pair, from_columns)? {
        found |= now < grant.expires_at && narrow(act, &grant, narrowing, now)?;
    }
    Ok(found)
}

/// Narrows one grant; `false` when it had nothing of what is taken back. A grant of which nothing is
/// left ends.
fn narrow(
    act: &mut Act<'_>,
    grant: &Grant,
    narrowing: &Narrowing<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let left = grant.scopes.difference(&narrowing.taken.scopes);
    let claims = without(&grant.claims, &narrowing.taken.claims);
    if left == grant.scopes && claims == grant.claims {
        return Ok(false);
    }
    if left.is_empty() && grant.details.is_empty() {
        return end(act, &grant.id, narrowing.reason, narrowing.actor, now);
    }
    let sql = "UPDATE grants SET grant_scopes = ?2, claims = ?3 WHERE grant_id = ?1";
    let values = params![grant.id.as_str(), left.to_string(), sql::json(&claims)?];
    sql::execute(act.db, sql, values)?;
    narrow_families(act.db, grant, narrowing)?;
    // A refresh may have made a token with what a scope includes instead of with the scope.
    let dropped = (narrowing.reach)(&grant.scopes).difference(&(narrowing.reach)(&left));
    if !dropped.is_empty() {
        // As long as the last token that the grant can have, also of one that is being made just now.
        let end = grant.expires_at.plus(act.shared.longest_token_life).plus(LEEWAY);
        let new = NewRestriction {
            selector: Selector::Grant(grant.id.clone()),
            effect: Effect::DropScopes(dropped),
            from: now,
            until: Some(end),
            reason: narrowing.reason.to_owned(),
            actor: narrowing.actor.to_owned(),
        };
        act.restrict(new, now)?;
    }
    act.after_commit(AfterCommit::Grant(grant.id.clone()));
    Ok(true)
}

/// Narrows what was allowed and the client has not fetched yet; what would give nothing is gone.
fn narrow_waiting(
    db: &Connection,
    pair: [&str; 2],
    narrowing: &Narrowing<'_>,
) -> Result<(), StoreError> {
    for (table, waits) in
        [("codes", "redeemed_at IS NULL"), ("waiting_requests", "state = 'approved'")]
    {
        let sql = format!(
            "SELECT hash, {COLUMNS} FROM {table} WHERE subject = ?1 AND client = ?2 AND {waits}"
        );
        let rows = sql::all(db, &sql, pair, |row| Ok((row.hash("hash")?, from_columns(row)?)))?;
        for (hash, grant) in rows {
            let left = grant.scopes.difference(&narrowing.taken.scopes);
            if left.is_empty() && grant.details.is_empty() {
                let sql = format!("DELETE FROM {table} WHERE hash = ?1");
                sql::execute(db, &sql, [hash.as_bytes()])?;
                continue;
            }
            let claims = sql::json(&without(&grant.claims, &narrowing.taken.claims))?;
            let sql = format!("UPDATE {table} SET grant_scopes = ?2, claims = ?3 WHERE hash = ?1");
            sql::execute(db, &sql, params![hash.as_bytes(), left.to_string(), claims])?;
        }
    }
    Ok(())
}

fn narrow_families(
    db: &Connection,
    grant: &Grant,
    narrowing: &Narrowing<'_>,
) -> Result<(), StoreError> {
    let sql = "SELECT family, scopes FROM refresh_families WHERE grant_id = ?1";
    let families = sql::all(db, sql, [grant.id.as_str()], |row| {
        Ok((row.bytes("family")?, row.scopes("scopes")?))
    })?;
    let sql = "UPDATE refresh_families SET scopes = ?2 WHERE family = ?1";
    for (family, scopes) in families {
        let left = scopes.difference(&narrowing.taken.scopes).to_string();
        sql::execute(db, sql, params![family, left])?;
    }
    Ok(())
}

fn without(claims: &ClaimsRequest, taken: &[String]) -> ClaimsRequest {
    let left = |names: &[String]| {
        names.iter().filter(|name| !taken.contains(name)).cloned().collect::<Vec<_>>()
    };
    ClaimsRequest { userinfo: left(&claims.userinfo), id_token: left(&claims.id_token) }
}
