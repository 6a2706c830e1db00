//! Grants: what one person gave one client at one time, the family of every token made from it.

mod narrow;

use std::sync::Arc;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use token::authorization_details::AuthorizationDetail;
use token::id::{ClientId, GrantId, KeyId, SessionId, SubjectId};
use token::restriction::Selector;
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql::{self, Columns};
use crate::writer::Act;

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its name, in every token made from it.
    pub id: GrantId,
    /// To whom it was given.
    pub client: ClientId,
    /// Who gave it.
    pub subject: SubjectId,
    /// In which session they did.
    pub session: Option<SessionId>,
    /// What it allows.
    pub scopes: ScopeSet,
    /// Whom its tokens are for.
    pub audiences: Vec<String>,
    /// When the person proved who they are.
    pub auth_time: Timestamp,
    /// How they did (RFC 8176).
    pub amr: Vec<String>,
    /// What exactly it allows, where scopes say too little (RFC 9396).
    pub details: Vec<AuthorizationDetail>,
    /// Claims that were asked for by name.
    pub claims: ClaimsRequest,
    /// The key that its client has to show: of its proofs (RFC 9449 §5 and §10), or of its attested
    /// instance.
    pub jkt: Option<KeyId>,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it ends, however often it is refreshed.
    pub expires_at: Timestamp,
}

/// Claims that an authorization request asked for by name (OpenID Connect Core 1.0 §5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// At the UserInfo endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    /// In the ID token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
}

/// Whose grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantsOf<'a> {
    /// Given to this client.
    Client(&'a ClientId),
    /// Given in this session.
    Session(&'a SessionId),
    /// Given by this person.
    Subject(&'a SubjectId),
}

pub(crate) use narrow::{Narrowing, narrow_all};

/// The same in the table `codes`.
pub(crate) const COLUMNS: &str = "grant_id, client, subject, session, grant_scopes, audiences, \
                                  auth_time, amr, granted_at, grant_expires_at, jkt, details, claims";

impl Store {
    /// Ends a grant and revokes every token made from it; `false` when there is none, or when it
    /// was ended before.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn end_grant(
        &self,
        id: &GrantId,
        reason: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, reason, actor) = (id.clone(), reason.to_owned(), actor.to_owned());
        self.write(move |act| end(act, &id, &reason, &actor, now)).await
    }

    /// The grant of this id, ended or not, until it is forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM grants WHERE grant_id = ?1");
        self.read(|db| sql::one(db, &sql, [id.as_str()], from_columns))
    }

    /// What was asked for by name when the grant of this id was given, as far as nobody took it back, until
    /// the grant is forgotten. From memory where it was asked for before.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn claims_of(&self, id: &GrantId) -> Result<Option<Arc<ClaimsRequest>>, StoreError> {
        let found = self.shared().claims.get_or_insert_with(id, || {
            let sql = "SELECT claims FROM grants WHERE grant_id = ?1";
            let found = self.read(|db| sql::one(db, sql, [id.as_str()], |row| row.json("claims")));
            found.map_err(Some)?.map(Arc::new).ok_or(None)
        });
        match found {
            Ok(claims) => Ok(Some(claims)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// Begins a grant that needs no code.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is one of this id.
    pub async fn begin_grant(&self, grant: &Grant) -> Result<(), StoreError> {
        let grant = grant.clone();
        self.write(move |act| insert(act.db, &grant)).await
    }

    /// The grants that are neither ended nor over, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn grants_of(
        &self,
        whose: GrantsOf<'_>,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Grant>, StoreError> {
        let (column, value) = whose.column();
        let sql = format!(
            "SELECT {COLUMNS} FROM grants WHERE {column} = ?1 AND ended_at IS NULL \
             AND grant_expires_at > ?2 ORDER BY granted_at DESC, grant_id LIMIT ?3"
        );
        let values = params![value, now.as_millis(), sql::page(limit)];
        self.read(|db| sql::all(db, &sql, values, from_columns))
    }
}

// === impl GrantsOf ===

impl GrantsOf<'_> {
    fn column(&self) -> (&'static str, &str) {
        match self {
            Self::Client(id) => ("client", id.as_str()),
            Self::Session(id) => ("session", id.as_str()),
            Self::Subject(id) => ("subject", id.as_str()),
        }
    }
}

/// Adds a grant.
pub(crate) fn insert(db: &Connection, grant: &Grant) -> Result<(), StoreError> {
    let sql = "INSERT INTO grants (grant_id, client, subject, session, grant_scopes, audiences, \
               auth_time, amr, granted_at, grant_expires_at, jkt, details, claims) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let values = params![
        grant.id.as_str(),
        grant.client.as_str(),
        grant.subject.as_str(),
        grant.session.as_ref().map(SessionId::as_str),
        grant.scopes.to_string(),
        sql::json(&grant.audiences)?,
        grant.auth_time.as_millis(),
        sql::json(&grant.amr)?,
        grant.created_at.as_millis(),
        grant.expires_at.as_millis(),
        grant.jkt.as_ref().map(KeyId::as_str),
        sql::json(&grant.details)?,
        sql::json(&grant.claims)?,
    ];
    sql::execute(db, sql, values).map_err(|error| error.or_taken("grant id"))?;
    Ok(())
}

/// Ends one grant, once.
pub(crate) fn end(
    act: &mut Act<'_>,
    id: &GrantId,
    reason: &str,
    actor: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE grants SET ended_at = ?2, ended_reason = ?3 \
               WHERE grant_id = ?1 AND ended_at IS NULL";
    if sql::execute(act.db, sql, params![id.as_str(), now.as_millis(), reason])? == 0 {
        return Ok(false);
    }
    act.revoke_for_good(Selector::Grant(id.clone()), reason, actor, now)?;
    Ok(true)
}

/// Ends every grant of one owner; the caller revokes the owner's tokens with one row.
pub(crate) fn end_all(
    act: &mut Act<'_>,
    whose: GrantsOf<'_>,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (column, value) = whose.column();
    let sql = format!(
        "UPDATE grants SET ended_at = ?2, ended_reason = ?3 \
         WHERE {column} = ?1 AND ended_at IS NULL"
    );
    sql::execute(act.db, &sql, params![value, now.as_millis(), reason]).map(drop)
}

pub(crate) fn from_columns(row: &Columns<'_, '_>) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: row.id("grant_id")?,
        client: row.id("client")?,
        subject: row.id("subject")?,
        session: row.maybe_id("session")?,
        scopes: row.scopes("grant_scopes")?,
        audiences: row.json("audiences")?,
        auth_time: row.time("auth_time")?,
        amr: row.json("amr")?,
        jkt: row.maybe_id("jkt")?,
        details: row.json("details")?,
        claims: row.json("claims")?,
        created_at: row.time("granted_at")?,
        expires_at: row.time("grant_expires_at")?,
    })
}
