//! What people allowed clients to do and what they refused, so that they are asked once.

use rusqlite::{Connection, params};
use token::id::{ClientId, GrantId, SubjectId};
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::grant::{self, Narrowing};
use crate::open::Store;
use crate::sql;

const WITHDRAWN: &str = "withdrawn by its person";
const NARROWED: &str = "taken back by its person";

/// What a person has decided about a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Scopes that they allowed.
    pub allowed: ScopeSet,
    /// Scopes that they were asked for and did not give.
    pub refused: ScopeSet,
}

/// What a person takes back from a client that keeps the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenBack {
    /// Scopes that they had allowed.
    pub scopes: ScopeSet,
    /// Claims that these alone have brought, where they were asked for by name.
    pub claims: Vec<String>,
}

impl Store {
    /// What a person has decided about a client; nothing when they were never asked.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn consent(
        &self,
        subject: &SubjectId,
        client: &ClientId,
    ) -> Result<Consent, StoreError> {
        self.read(|db| read(db, subject, client))
    }

    /// Remembers a decision beside those of before; about the same scope the newer one counts.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn save_consent(
        &self,
        subject: &SubjectId,
        client: &ClientId,
        decided: &Consent,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (subject, client, decided) = (subject.clone(), client.clone(), decided.clone());
        self.write(move |act| {
            let consent = read(act.db, &subject, &client)?.changed_by(&decided);
            write(act.db, &subject, &client, &consent, now)
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

    /// Takes back a part of what a person has given a client: it counts as refused, grants, codes and
    /// requests that wait have it no more, and tokens that are out lose it at once. `reach` tells what
    /// scopes include. `false` when there was nothing of it.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn take_back(
        &self,
        subject: &SubjectId,
        client: &ClientId,
        taken: TakenBack,
        reach: impl Fn(&ScopeSet) -> ScopeSet + Send + 'static,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (subject, client, actor) = (subject.clone(), client.clone(), actor.to_owned());
        self.write(move |act| {
            let held = read(act.db, &subject, &client)?;
            let mut found = !held.allowed.intersection(&taken.scopes).is_empty();
            if found {
                let refused = taken.scopes.clone();
                let refusal = Consent { allowed: ScopeSet::default(), refused };
                write(act.db, &subject, &client, &held.changed_by(&refusal), now)?;
            }
            let narrowing =
                Narrowing { taken: &taken, reach: &reach, reason: NARROWED, actor: &actor };
            found |= grant::narrow_all(act, &subject, &client, &narrowing, now)?;
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

fn read(db: &Connection, subject: &SubjectId, client: &ClientId) -> Result<Consent, StoreError> {
    let sql = "SELECT scopes, refused FROM consents WHERE subject = ?1 AND client = ?2";
    let consent = sql::one(db, sql, [subject.as_str(), client.as_str()], |row| {
        Ok(Consent { allowed: row.scopes("scopes")?, refused: row.scopes("refused")? })
    })?;
    Ok(consent.unwrap_or_default())
}

fn write(
    db: &Connection,
    subject: &SubjectId,
    client: &ClientId,
    consent: &Consent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO consents (subject, client, scopes, refused, decided_at) \
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (subject, client) DO UPDATE SET \
               scopes = excluded.scopes, refused = excluded.refused, \
               decided_at = excluded.decided_at";
    let values = params![
        subject.as_str(),
        client.as_str(),
        consent.allowed.to_string(),
        consent.refused.to_string(),
        now.as_millis(),
    ];
    sql::execute(db, sql, values).map(drop)
}

// === impl Consent ===

impl Consent {
    /// This one, with a newer decision.
    fn changed_by(&self, newer: &Self) -> Self {
        Self {
            allowed: self.allowed.difference(&newer.refused).union(&newer.allowed),
            refused: self.refused.difference(&newer.allowed).union(&newer.refused),
        }
    }
}
