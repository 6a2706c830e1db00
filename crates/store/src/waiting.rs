//! Requests that wait for a person who is elsewhere (RFC 8628, CIBA Core 1.0): decided once, redeemed once.

use std::str::FromStr;

use rusqlite::{Connection, params};
use token::authorization_details::AuthorizationDetail;
use token::id::{ClientId, GrantId, KeyId, SessionId, SubjectId};
use token::opaque::OpaqueHash;
use token::scope::ScopeSet;
use token::time::Timestamp;

use crate::code::Redeemed;
use crate::error::StoreError;
use crate::grant::{self, ClaimsRequest, Grant};
use crate::open::Store;
use crate::refresh::{self, NewRefresh};
use crate::sql::{self, Columns};
use crate::writer::Act;

/// Which specification a request follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingKind {
    /// A client asked about a person that it named (CIBA Core 1.0).
    Backchannel,
    /// A device shows a code that its person types elsewhere (RFC 8628).
    Device,
}

/// A request that waits for somebody's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The hash of what the client polls with: `device_code` or `auth_req_id`.
    pub hash: OpaqueHash,
    /// By which specification.
    pub kind: WaitingKind,
    /// The hash of the code that a person types.
    pub user_code: Option<OpaqueHash>,
    /// Who asks.
    pub client: ClientId,
    /// Who is asked, where that is known beforehand.
    pub subject: Option<SubjectId>,
    /// What for.
    pub scopes: ScopeSet,
    /// Where it can be used.
    pub audiences: Vec<String>,
    /// What exactly for (RFC 9396).
    pub details: Vec<AuthorizationDetail>,
    /// What the client wants shown beside the question.
    pub message: Option<String>,
    /// The address that the request came from.
    pub asked_from: Option<String>,
    /// The software that it came from, as that says.
    pub asked_by: Option<String>,
    /// When.
    pub asked_at: Timestamp,
    /// When it is too late to decide and to redeem.
    pub expires_at: Timestamp,
    /// How the client is told of the decision, sealed by the caller.
    pub notify: Option<Vec<u8>>,
}

/// How far such a request has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Granted, not redeemed yet.
    Approved(Box<Grant>),
    /// The person said no.
    Denied,
    /// The grant has begun.
    Redeemed(Box<Grant>),
    /// Nobody has decided.
    Waiting,
}

/// A request as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingState {
    /// The request.
    pub request: Waiting,
    /// How far it has come.
    pub progress: Progress,
}

const COLUMNS: &str = "hash, kind, user_code, client, subject, grant_scopes, audiences, message, \
                       asked_from, asked_by, asked_at, expires_at, notify, state, grant_id, session, \
                       auth_time, amr, granted_at, grant_expires_at, jkt, details, claims";

impl Store {
    /// Keeps a request.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when its code is in use.
    pub async fn save_waiting(&self, request: &Waiting) -> Result<(), StoreError> {
        let request = request.clone();
        self.write(move |act| insert(act.db, &request)).await
    }

    /// The request that a client polls for, decided or over or not.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn waiting(&self, hash: &OpaqueHash) -> Result<Option<WaitingState>, StoreError> {
        self.read(|db| read(db, hash))
    }

    /// The request whose code a person has typed, unless it is over.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn waiting_by_user_code(
        &self,
        code: &OpaqueHash,
        now: Timestamp,
    ) -> Result<Option<WaitingState>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM waiting_requests WHERE user_code = ?1 AND expires_at > ?2"
        );
        let values = params![code.as_bytes(), now.as_millis()];
        self.read(|db| sql::one(db, &sql, values, from_columns))
    }

    /// The undecided requests about a person, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn waiting_for(
        &self,
        subject: &SubjectId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WaitingState>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM waiting_requests WHERE subject = ?1 AND state = 'waiting' \
             AND expires_at > ?2 ORDER BY asked_at LIMIT ?3"
        );
        let values = params![subject.as_str(), now.as_millis(), sql::page(limit)];
        self.read(|db| sql::all(db, &sql, values, from_columns))
    }

    /// Writes down what a person decided: a grant, or `None` for no. `false` when it was decided
    /// before, or is over.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn decide_waiting(
        &self,
        hash: &OpaqueHash,
        grant: Option<Grant>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let hash = *hash;
        self.write(move |act| match &grant {
            Some(grant) => approve(act.db, &hash, grant, now),
            None => deny(act.db, &hash, now),
        })
        .await
    }

    /// Redeems an approved request: its grant begins, with a first refresh token where one is given,
    /// bound to the key `jkt` from now on. Works once; a second time ends the grant.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn redeem_waiting(
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

fn insert(db: &Connection, request: &Waiting) -> Result<(), StoreError> {
    let sql = "INSERT INTO waiting_requests (hash, kind, user_code, client, subject, grant_scopes, \
               audiences, message, asked_from, asked_by, asked_at, expires_at, notify, details, state) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 'waiting')";
    let values = params![
        request.hash.as_bytes(),
        request.kind.as_str(),
        request.user_code.as_ref().map(OpaqueHash::as_bytes),
        request.client.as_str(),
        request.subject.as_ref().map(SubjectId::as_str),
        request.scopes.to_string(),
        sql::json(&request.audiences)?,
        request.message,
        request.asked_from,
        request.asked_by,
        request.asked_at.as_millis(),
        request.expires_at.as_millis(),
        request.notify,
        sql::json(&request.details)?,
    ];
    sql::execute(db, sql, values).map_err(|error| error.or_taken("user code"))?;
    Ok(())
}

fn approve(
    db: &Connection,
    hash: &OpaqueHash,
    grant: &Grant,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE waiting_requests SET state = 'approved', grant_id = ?3, subject = ?4, \
               session = ?5, auth_time = ?6, amr = ?7, granted_at = ?8, grant_expires_at = ?9, \
               grant_scopes = ?10 WHERE hash = ?1 AND state = 'waiting' AND expires_at > ?2";
    let values = params![
        hash.as_bytes(),
        now.as_millis(),
        grant.id.as_str(),
        grant.subject.as_str(),
        grant.session.as_ref().map(SessionId::as_str),
        grant.auth_time.as_millis(),
        sql::json(&grant.amr)?,
        grant.created_at.as_millis(),
        grant.expires_at.as_millis(),
        grant.scopes.to_string(),
    ];
    Ok(sql::execute(db, sql, values)? > 0)
}

fn deny(db: &Connection, hash: &OpaqueHash, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE waiting_requests SET state = 'denied' \
               WHERE hash = ?1 AND state = 'waiting' AND expires_at > ?2";
    Ok(sql::execute(db, sql, params![hash.as_bytes(), now.as_millis()])? > 0)
}

fn redeem(
    act: &mut Act<'_>,
    hash: &OpaqueHash,
    refresh: Option<&NewRefresh>,
    jkt: Option<KeyId>,
    now: Timestamp,
) -> Result<Redeemed, StoreError> {
    let Some(state) = read(act.db, hash)? else { return Ok(Redeemed::Unknown) };
    if now >= state.request.expires_at {
        return Ok(Redeemed::Unknown);
    }
    let grant = match state.progress {
        Progress::Approved(grant) => Grant { jkt, ..*grant },
        Progress::Redeemed(grant) => {
            grant::end(act, &grant.id, "device code used twice", "authority", now)?;
            return Ok(Redeemed::Replayed { grant: grant.id });
        }
        Progress::Denied | Progress::Waiting => return Ok(Redeemed::Unknown),
    };
    let sql = "UPDATE waiting_requests SET state = 'redeemed' WHERE hash = ?1";
    sql::execute(act.db, sql, [hash.as_bytes()])?;
    grant::insert(act.db, &grant)?;
    if let Some(first) = refresh {
        refresh::insert(act.db, first, &grant.id)?;
    }
    Ok(Redeemed::Done)
}

fn read(db: &Connection, hash: &OpaqueHash) -> Result<Option<WaitingState>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM waiting_requests WHERE hash = ?1");
    sql::one(db, &sql, [hash.as_bytes()], from_columns)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<WaitingState, StoreError> {
    let state = row.text("state")?;
    let progress = match state.as_str() {
        "waiting" => Progress::Waiting,
        "denied" => Progress::Denied,
        "approved" => Progress::Approved(Box::new(grant::from_columns(row)?)),
        "redeemed" => Progress::Redeemed(Box::new(grant::from_columns(row)?)),
        _ => return Err(StoreError::Corrupt { what: "state" }),
    };
    let request = Waiting {
        hash: row.hash("hash")?,
        kind: row.word("kind")?,
        user_code: row.maybe_hash("user_code")?,
        client: row.id("client")?,
        subject: row.maybe_id("subject")?,
        scopes: row.scopes("grant_scopes")?,
        audiences: row.json("audiences")?,
        details: row.json("details")?,
        message: row.maybe_text("message")?,
        asked_from: row.maybe_text("asked_from")?,
        asked_by: row.maybe_text("asked_by")?,
        asked_at: row.time("asked_at")?,
        expires_at: row.time("expires_at")?,
        notify: row.maybe_bytes("notify")?,
    };
    Ok(WaitingState { request, progress })
}

// === impl Waiting ===

impl Waiting {
    /// The grant that a person's yes begins.
    pub fn granted(
        &self,
        id: GrantId,
        session: &crate::session::Session,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Grant {
        Grant {
            id,
            client: self.client.clone(),
            subject: session.subject.clone(),
            session: Some(session.id.clone()),
            scopes: self.scopes.clone(),
            audiences: self.audiences.clone(),
            auth_time: session.auth_time,
            amr: session.amr.clone(),
            details: self.details.clone(),
            claims: ClaimsRequest::default(),
            jkt: None,
            created_at: now,
            expires_at,
        }
    }
}

// === impl WaitingKind ===

impl WaitingKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Backchannel => "backchannel",
            Self::Device => "device",
        }
    }
}

impl FromStr for WaitingKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "backchannel" => Ok(Self::Backchannel),
            "device" => Ok(Self::Device),
            _ => Err(()),
        }
    }
}
