//! Records of issued tokens, for whoever asks later what a `jti` was; never waited for.

use std::borrow::Cow;

use rusqlite::params;
use token::id::{ClientId, GrantId, KeyId, SessionId, SubjectId, TokenId};
use token::restriction::TokenFacts;
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::background::Record;
use crate::error::StoreError;
use crate::open::Store;
use crate::sql::{self, Columns};
use crate::status_list::StatusPlace;
use crate::writer::Act;

/// What a token was made from; the token itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// Its `jti`.
    pub token: TokenId,
    /// What it is, such as `access`.
    pub kind: Cow<'static, str>,
    /// Whom it speaks for.
    pub subject: SubjectId,
    /// To whom it was issued.
    pub client: ClientId,
    /// The grant it came from.
    pub grant: Option<GrantId>,
    /// The session behind it.
    pub session: Option<SessionId>,
    /// What it allows.
    pub scopes: ScopeSet,
    /// Whom it is for.
    pub audiences: Vec<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Which key signed it.
    pub key: KeyId,
    /// Where its status is published.
    pub status: Option<StatusPlace>,
}

// === impl IssuedToken ===

impl IssuedToken {
    /// What a restriction can fit on.
    pub fn facts(&self) -> TokenFacts {
        TokenFacts {
            token: self.token.clone(),
            grant: self.grant.clone(),
            session: self.session.clone(),
            subject: self.subject.clone(),
            client: self.client.clone(),
            key: self.key.clone(),
            issued_at: self.issued_at,
            foreign: None,
        }
    }
}

impl Store {
    /// Leaves a record to be written; never waits. When too many wait, or the disk refuses it, it
    /// is lost and counted ([`crate::Health::lost_background`]).
    pub fn record_token(&self, token: IssuedToken) {
        self.leave(Record::Issued(token));
    }

    /// The record of this token, until the token has expired. One that was left a moment ago may
    /// not be written yet.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn issued_token(&self, token: &TokenId) -> Result<Option<IssuedToken>, StoreError> {
        let sql = "SELECT token, kind, subject, client, grant_id, session, scopes, audiences, \
                   issued_at, expires_at, key_id, status_list, status_idx FROM issued_tokens WHERE token = ?1";
        self.read(|db| sql::one(db, sql, [token.as_str()], from_columns))
    }
}

/// Writes a record; of two for one token the first stays.
pub(crate) fn insert(act: &Act<'_>, record: &IssuedToken) -> Result<(), StoreError> {
    let sql = "INSERT INTO issued_tokens (token, kind, subject, client, grant_id, session, \
               scopes, audiences, issued_at, expires_at, key_id, long_lived, status_list, \
               status_idx) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
               ON CONFLICT (token) DO NOTHING";
    let life = record.expires_at.since(record.issued_at);
    let values = params![
        record.token.as_str(),
        record.kind,
        record.subject.as_str(),
        record.client.as_str(),
        record.grant.as_ref().map(GrantId::as_str),
        record.session.as_ref().map(SessionId::as_str),
        record.scopes.to_string(),
        sql::json(&record.audiences)?,
        record.issued_at.as_millis(),
        record.expires_at.as_millis(),
        record.key.as_str(),
        life > act.shared.longest_token_life,
        record.status.as_ref().map(|place| place.list.as_str()),
        record.status.as_ref().map(|place| sql::position(place.idx)),
    ];
    sql::execute(act.db, sql, values).map(drop)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<IssuedToken, StoreError> {
    Ok(IssuedToken {
        token: row.id("token")?,
        kind: row.text("kind")?.into(),
        subject: row.id("subject")?,
        client: row.id("client")?,
        grant: row.maybe_id("grant_id")?,
        session: row.maybe_id("session")?,
        scopes: row.scopes("scopes")?,
        audiences: row.json("audiences")?,
        issued_at: row.time("issued_at")?,
        expires_at: row.time("expires_at")?,
        key: row.id("key_id")?,
        status: place(row)?,
    })
}

fn place(row: &Columns<'_, '_>) -> Result<Option<StatusPlace>, StoreError> {
    let list = row.maybe_id("status_list")?;
    Ok(list.zip(row.maybe_seq("status_idx")?).map(|(list, idx)| StatusPlace { list, idx }))
}
