//! Authorization codes: redeemed once (RFC 6749 §4.1.2).

use rusqlite::{Connection, params};
use token::id::{GrantId, KeyId, SessionId};
use token::opaque::OpaqueHash;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::grant::{self, Grant};
use crate::open::Store;
use crate::refresh::{self, NewRefresh};
use crate::sql::{self, Columns};
use crate::writer::Act;

/// A code, and the grant that begins when it is redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The hash of the code.
    pub hash: OpaqueHash,
    /// What redeeming it gives.
    pub grant: Grant,
    /// Where it was sent to.
    pub redirect_uri: String,
    /// Whether the authorization request named that place.
    pub redirect_uri_sent: bool,
    /// The S256 code challenge (RFC 7636 §4.2).
    pub challenge: Option<String>,
    /// The authorization request's nonce.
    pub nonce: Option<String>,
    /// When it can no longer be redeemed.
    pub expires_at: Timestamp,
}

/// A code as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeState {
    /// The code.
    pub code: Code,
    /// Whether it was redeemed; then it is remembered as long as its grant lives.
    pub redeemed: bool,
}

/// What came of redeeming a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// The grant began.
    Done,
    /// It was redeemed before: whoever did is no longer trusted, and its grant is ended.
    Replayed {
        /// The grant.
        grant: GrantId,
    },
    /// There is no such code, or its time is over.
    Unknown,
}

impl Store {
    /// Keeps a code.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is such a code.
    pub async fn save_code(&self, code: &Code) -> Result<(), StoreError> {
        let code = code.clone();
        self.write(move |act| insert(act.db, &code)).await
    }

    /// The code of this hash, expired or redeemed or not.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn code(&self, hash: &OpaqueHash) -> Result<Option<CodeState>, StoreError> {
        self.read(|db| read(db, hash))
    }

    /// Redeems a code: its grant begins, with a first refresh token where one is given, bound to
    /// the key `jkt` from now on. Works once; a second time ends the grant and revokes its tokens, in the same transaction.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn redeem_code(
        &self,
        hash: &OpaqueHash,
        refresh: Option<NewRefresh>,
        jkt: Option<KeyId>,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        let hash = *hash;
        self.write(move |act| redeem(act, &hash, refresh.as_ref(), jkt, now)).await
    }
}

fn redeem(
    act: &mut Act<'_>,
    hash: &OpaqueHash,
    refresh: Option<&NewRefresh>,
    jkt: Option<KeyId>,
    now: Timestamp,
) -> Result<Redeemed, StoreError> {
    let Some(state) = read(act.db, hash)? else { return Ok(Redeemed::Unknown) };
    let grant = Grant { jkt, ..state.code.grant };
    if state.redeemed {
        grant::end(act, &grant.id, "authorization code used twice", "authority", now)?;
        return Ok(Redeemed::Replayed { grant: grant.id });
    }
    if now >= state.code.expires_at {
        return Ok(Redeemed::Unknown);
    }
    let sql = "UPDATE codes SET redeemed_at = ?2, forget_at = grant_expires_at \
               WHERE hash = ?1 AND redeemed_at IS NULL";
    sql::execute(act.db, sql, params![hash.as_bytes(), now.as_millis()])?;
    grant::insert(act.db, &grant)?;
    if let Some(first) = refresh {
        refresh::insert(act.db, first, &grant.id)?;
    }
    Ok(Redeemed::Done)
}

pub(crate) fn insert(db: &Connection, code: &Code) -> Result<(), StoreError> {
    let sql = "INSERT INTO codes (hash, grant_id, client, subject, session, grant_scopes, \
               audiences, auth_time, amr, granted_at, grant_expires_at, redirect_uri, \
               redirect_uri_sent, challenge, nonce, expires_at, forget_at, jkt, details, claims) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
               ?16, ?17, ?18, ?19)";
    let values = params![
        code.hash.as_bytes(),
        code.grant.id.as_str(),
        code.grant.client.as_str(),
        code.grant.subject.as_str(),
        code.grant.session.as_ref().map(SessionId::as_str),
        code.grant.scopes.to_string(),
        sql::json(&code.grant.audiences)?,
        code.grant.auth_time.as_millis(),
        sql::json(&code.grant.amr)?,
        code.grant.created_at.as_millis(),
        code.grant.expires_at.as_millis(),
        code.redirect_uri,
        code.redirect_uri_sent,
        code.challenge,
        code.nonce,
        code.expires_at.as_millis(),
        code.grant.jkt.as_ref().map(KeyId::as_str),
        sql::json(&code.grant.details)?,
        sql::json(&code.grant.claims)?,
    ];
    sql::execute(db, sql, values).map_err(|error| error.or_taken("authorization code"))?;
    Ok(())
}

fn read(db: &Connection, hash: &OpaqueHash) -> Result<Option<CodeState>, StoreError> {
    let sql = format!(
        "SELECT hash, {}, redirect_uri, redirect_uri_sent, challenge, nonce, expires_at, \
         redeemed_at FROM codes WHERE hash = ?1",
        grant::COLUMNS
    );
    sql::one(db, &sql, [hash.as_bytes()], from_columns)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<CodeState, StoreError> {
    let code = Code {
        hash: row.hash("hash")?,
        grant: grant::from_columns(row)?,
        redirect_uri: row.text("redirect_uri")?,
        redirect_uri_sent: row.flag("redirect_uri_sent")?,
        challenge: row.maybe_text("challenge")?,
        nonce: row.maybe_text("nonce")?,
        expires_at: row.time("expires_at")?,
    };
    Ok(CodeState { code, redeemed: row.maybe_time("redeemed_at")?.is_some() })
}
