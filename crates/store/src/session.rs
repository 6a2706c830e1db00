//! Sign-in sessions of people, found by their cookie.

use std::net::IpAddr;
use std::time::Duration;

use rusqlite::params;
use token::id::{ClientId, SessionId, SubjectId};
use token::opaque::OpaqueHash;
use token::restriction::Selector;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::grant::{self, GrantsOf};
use crate::open::Store;
use crate::sign_in;
use crate::sql::{self, Columns};
use crate::writer::Act;

/// A sign-in session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `sid` of the tokens that come from it.
    pub id: SessionId,
    /// The hash of the cookie's value.
    pub cookie: OpaqueHash,
    /// Who signed in.
    pub subject: SubjectId,
    /// When they proved who they are.
    pub auth_time: Timestamp,
    /// How they did (RFC 8176).
    pub amr: Vec<String>,
    /// When the session began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When its cookie was last shown, to the minute.
    pub last_used_at: Timestamp,
    /// The address that it was begun from.
    pub ip: Option<IpAddr>,
    /// The browser that it was begun with, in words for its person.
    pub browser: Option<String>,
    /// On whose word it stands, when that is another's.
    pub upstream: Option<Upstream>,
}

/// An identity provider's word on which a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// The provider's name here.
    pub provider: String,
    /// Who it is there.
    pub subject: String,
    /// The session there (`sid`), when the provider names it.
    pub session: Option<String>,
}

/// How often the use of a session is written down.
const NOTED_EVERY: Duration = Duration::from_secs(60);

const COLUMNS: &str = "SELECT id, cookie, subject, auth_time, amr, created_at, expires_at, \
                       last_used_at, ip, browser, provider, provider_subject, provider_session \
                       FROM sessions";

impl Store {
    /// Begins a session, for this application or for a page of the account; its sign-in is written down.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the id or the cookie is in use.
    pub async fn start_session(
        &self,
        session: &Session,
        client: Option<&ClientId>,
    ) -> Result<(), StoreError> {
        let (session, client) = (session.clone(), client.cloned());
        self.write(move |act| {
            insert(act, &session)?;
            sign_in::insert(act.db, &session, client.as_ref())
        })
        .await
    }

    /// Goes on with a session in which its person has proven anew who they are: it has the cookie, the times, the
    /// place and the word of `new`, under its own id, so that its grants and its applications stay in it. Its
    /// sign-in is the new one from now on. `false` when the session is over, or its cookie is another.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the new cookie is in use.
    pub async fn renew_session(
        &self,
        old: &OpaqueHash,
        new: &Session,
        client: Option<&ClientId>,
    ) -> Result<bool, StoreError> {
        let (old, new, client) = (*old, new.clone(), client.cloned());
        self.write(move |act| {
            let renewed = renew(act, &old, &new)?;
            if renewed {
                sign_in::renew(act.db, &new, client.as_ref())?;
            }
            Ok(renewed)
        })
        .await
    }

    /// The session of this cookie, unless it was ended or is over.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn session_by_cookie(
        &self,
        cookie: &OpaqueHash,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let sql = format!("{COLUMNS} WHERE cookie = ?1 AND expires_at > ?2");
        self.read(|db| {
            sql::one(db, &sql, params![cookie.as_bytes(), now.as_millis()], from_columns)
        })
    }

    /// The sessions of a person that are neither ended nor over, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn sessions_of(
        &self,
        subject: &SubjectId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        let sql = format!(
            "{COLUMNS} WHERE subject = ?1 AND expires_at > ?2 ORDER BY created_at DESC, id"
        );
        let values = params![subject.as_str(), now.as_millis()];
        self.read(|db| sql::all(db, &sql, values, from_columns))
    }

    /// The sessions that stand on a provider's word about somebody, or on one session there: both when both
    /// are named. Those that are neither ended nor over.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn sessions_by_provider(
        &self,
        provider: &str,
        subject: Option<&str>,
        session: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        if subject.is_none() && session.is_none() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "{COLUMNS} WHERE provider = ?1 AND (?2 IS NULL OR provider_subject = ?2) \
             AND (?3 IS NULL OR provider_session = ?3) AND expires_at > ?4"
        );
        let values = params![provider, subject, session, now.as_millis()];
        self.read(|db| sql::all(db, &sql, values, from_columns))
    }

    /// Writes down that a session is used, where that was not done within the last minute.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn note_session_use(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if now.since(session.last_used_at) < NOTED_EVERY {
            return Ok(());
        }
        let id = session.id.clone();
        self.write(move |act| {
            let sql = "UPDATE sessions SET last_used_at = ?2 WHERE id = ?1";
            sql::execute(act.db, sql, params![id.as_str(), now.as_millis()]).map(drop)
        })
        .await
    }

    /// Writes down that somebody has proven more of who they are, and gives their session another cookie:
    /// whoever had the old one has nothing now. `false` when the session is over, or its cookie is another.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the new cookie is in use.
    pub async fn raise_session(
        &self,
        session: &Session,
        cookie: &OpaqueHash,
        amr: &[String],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, old, new) = (session.id.clone(), session.cookie, *cookie);
        let amr = sql::json(amr)?;
        self.write(move |act| {
            let sql = "UPDATE sessions SET cookie = ?3, amr = ?4 \
                       WHERE id = ?1 AND cookie = ?2 AND expires_at > ?5";
            let values = params![id.as_str(), old.as_bytes(), new.as_bytes(), amr, now.as_millis()];
            let raised = sql::execute(act.db, sql, values);
            let raised = raised.map_err(|error| error.or_taken("cookie"))? > 0;
            if raised {
                sign_in::raise(act.db, &id, &amr)?;
            }
            Ok(raised)
        })
        .await
    }

    /// Ends a session and its grants and revokes its tokens; `false` when there is none. Grants with
    /// `offline_access` live on without it (OpenID Connect Back-Channel Logout 1.0 §2.7).
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn end_session(
        &self,
        id: &SessionId,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, actor) = (id.clone(), actor.to_owned());
        self.write(move |act| end(act, &id, &actor, now)).await
    }
}

fn insert(act: &mut Act<'_>, session: &Session) -> Result<(), StoreError> {
    let sql = "INSERT INTO sessions (id, cookie, subject, auth_time, amr, created_at, expires_at, \
               last_used_at, ip, browser, provider, provider_subject, provider_session) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let upstream = session.upstream.as_ref();
    let values = params![
        session.id.as_str(),
        session.cookie.as_bytes(),
        session.subject.as_str(),
        session.auth_time.as_millis(),
        sql::json(&session.amr)?,
        session.created_at.as_millis(),
        session.expires_at.as_millis(),
        session.last_used_at.as_millis(),
        session.ip.as_ref().map(IpAddr::to_string),
        session.browser,
        upstream.map(|upstream| &upstream.provider),
        upstream.map(|upstream| &upstream.subject),
        upstream.and_then(|upstream| upstream.session.as_ref()),
    ];
    sql::execute(act.db, sql, values).map_err(|error| error.or_taken("session id or cookie"))?;
    Ok(())
}

fn renew(act: &mut Act<'_>, old: &OpaqueHash, new: &Session) -> Result<bool, StoreError> {
    let sql = "UPDATE sessions SET cookie = ?3, auth_time = ?4, amr = ?5, expires_at = ?6, \
               last_used_at = ?7, ip = ?8, browser = ?9, provider = ?10, provider_subject = ?11, \
               provider_session = ?12 WHERE id = ?1 AND cookie = ?2 AND expires_at > ?7";
    let upstream = new.upstream.as_ref();
    let values = params![
        new.id.as_str(),
        old.as_bytes(),
        new.cookie.as_bytes(),
        new.auth_time.as_millis(),
        sql::json(&new.amr)?,
        new.expires_at.as_millis(),
        new.last_used_at.as_millis(),
        new.ip.as_ref().map(IpAddr::to_string),
        new.browser,
        upstream.map(|upstream| &upstream.provider),
        upstream.map(|upstream| &upstream.subject),
        upstream.and_then(|upstream| upstream.session.as_ref()),
    ];
    Ok(sql::execute(act.db, sql, values).map_err(|error| error.or_taken("cookie"))? > 0)
}

fn end(act: &mut Act<'_>, id: &SessionId, actor: &str, now: Timestamp) -> Result<bool, StoreError> {
    if sql::execute(act.db, "DELETE FROM sessions WHERE id = ?1", [id.as_str()])? == 0 {
        return Ok(false);
    }
    let sql = "DELETE FROM codes WHERE session = ?1 AND redeemed_at IS NULL";
    sql::execute(act.db, sql, [id.as_str()])?;
    let sql = "UPDATE grants SET session = NULL WHERE session = ?1 AND ended_at IS NULL \
               AND ' ' || grant_scopes || ' ' LIKE '% offline_access %'";
    sql::execute(act.db, sql, [id.as_str()])?;
    grant::end_all(act, GrantsOf::Session(id), "session ended", now)?;
    act.revoke_for_good(Selector::Session(id.clone()), "session ended", actor, now)?;
    Ok(true)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<Session, StoreError> {
    let ip = row.maybe_text("ip")?.map(|ip| ip.parse()).transpose();
    let created_at = row.time("created_at")?;
    Ok(Session {
        id: row.id("id")?,
        cookie: row.hash("cookie")?,
        subject: row.id("subject")?,
        auth_time: row.time("auth_time")?,
        amr: row.json("amr")?,
        created_at,
        expires_at: row.time("expires_at")?,
        // Sessions of before this was written down.
        last_used_at: row.maybe_time("last_used_at")?.unwrap_or(created_at),
        ip: ip.map_err(|_| StoreError::Corrupt { what: "ip" })?,
        browser: row.maybe_text("browser")?,
        upstream: upstream(row)?,
    })
}

fn upstream(row: &Columns<'_, '_>) -> Result<Option<Upstream>, StoreError> {
    let both = row.maybe_text("provider")?.zip(row.maybe_text("provider_subject")?);
    let Some((provider, subject)) = both else { return Ok(None) };
    Ok(Some(Upstream { provider, subject, session: row.maybe_text("provider_session")? }))
}
