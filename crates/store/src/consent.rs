//! What people allowed clients to do, so that they are asked once.

use rusqlite::{Connection, params};
use token::id::{ClientId, GrantId, SubjectId};
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::grant;
use crate::open::Store;
use crate::sql;

const WITHDRAWN: &str = "withdrawn by its person";

impl Store {
    /// The scopes that a person has allowed a client; empty when they were never asked.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn consent(
        &self,
        subject: &SubjectId,
        client: &ClientId,
    ) -> Result<ScopeSet, StoreError> {
        self.read(|db| read(db, subject, client))
    }

    /// Remembers that a person allowed these scopes, beside those that they allowed before.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn save_consent(
        &self,
        subject: &SubjectId,
        client: &ClientId,
        scopes: &ScopeSet,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (subject, client, scopes) = (subject.clone(), client.clone(), scopes.clone());
        let sql = "INSERT INTO consents (subject, client, scopes, decided_at) \
                   VALUES (?1, ?2, ?3, ?4) ON CONFLICT (subject, client) \
                   DO UPDATE SET scopes = excluded.scopes, decided_at = excluded.decided_at";
        self.write(move |act| {
            let scopes = read(act.db, &subject, &client)?.union(&scopes).to_string();
            let values = params![subject.as_str(), client.as_str(), scopes, now.as_millis()];
            sql::execute(act.db, sql, values).map(drop)
        })
        .await
    }

    /// The clients that a person has allowed something, with what that is.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn consents_of(
        &self,
        subject: &SubjectId,
    ) -> Result<Vec<(ClientId, ScopeSet)>, StoreError> {
        let sql = "SELECT client, scopes FROM consents WHERE subject = ?1 ORDER BY client";
        self.read(|db| {
            sql::all(db, sql, [subject.as_str()], |row| {
                Ok((row.id("client")?, row.scopes("scopes")?))
            })
        })
    }

    /// Takes back all that a person has given a client: what they allowed, codes that wait, grants and
    /// every token made from them. `false` when there was nothing.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn withdraw(
        &self,
        subject: &SubjectId,
        client: &ClientId,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (subject, client, actor) = (subject.clone(), client.clone(), actor.to_owned());
        self.write(move |act| {
            let pair = [subject.as_str(), client.as_str()];
            let sql = "DELETE FROM consents WHERE subject = ?1 AND client = ?2";
            let mut found = sql::execute(act.db, sql, pair)? > 0;
            let sql =
                "DELETE FROM codes WHERE subject = ?1 AND client = ?2 AND redeemed_at IS NULL";
            sql::execute(act.db, sql, pair)?;
            let sql = "SELECT grant_id FROM grants \
                       WHERE subject = ?1 AND client = ?2 AND ended_at IS NULL";
            for id in sql::all(act.db, sql, pair, |row| row.id::<GrantId>("grant_id"))? {
                found |= grant::end(act, &id, WITHDRAWN, &actor, now)?;
            }
            Ok(found)
        })
        .await
    }

    /// Forgets what a person allowed a client; `false` when there was nothing.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn forget_consent(
        &self,
        subject: &SubjectId,
        client: &ClientId,
    ) -> Result<bool, StoreError> {
        let (subject, client) = (subject.clone(), client.clone());
        let sql = "DELETE FROM consents WHERE subject = ?1 AND client = ?2";
        self.write(move |act| {
            Ok(sql::execute(act.db, sql, [subject.as_str(), client.as_str()])? > 0)
        })
        .await
    }
}

fn read(db: &Connection, subject: &SubjectId, client: &ClientId) -> Result<ScopeSet, StoreError> {
    let sql = "SELECT scopes FROM consents WHERE subject = ?1 AND client = ?2";
    let scopes =
        sql::one(db, sql, [subject.as_str(), client.as_str()], |row| row.scopes("scopes"))?;
    Ok(scopes.unwrap_or_default())
}
