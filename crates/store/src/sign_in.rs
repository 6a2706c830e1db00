//! Sign-ins of people, and tries that failed: what somebody is shown of their own account.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use rusqlite::{Connection, params};
use token::id::{ClientId, SessionId, SubjectId};
use token::time::Timestamp;

use crate::background::Record;
use crate::error::StoreError;
use crate::open::Store;
use crate::session::Session;
use crate::sql::{self, Columns};

/// The newest so many sign-ins of a person are kept.
pub const MOST_SIGN_INS: usize = 50;
/// For how long both are kept.
pub const SIGN_INS_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
const DAY_SECS: i64 = 24 * 3600;

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The session that it began, over or not.
    pub session: SessionId,
    /// When it was.
    pub at: Timestamp,
    /// How they proved who they are (RFC 8176), with what was added later.
    pub amr: Vec<String>,
    /// The address that it came from.
    pub ip: Option<IpAddr>,
    /// The browser, in words for its person.
    pub browser: Option<String>,
    /// The identity provider on whose word it stands.
    pub provider: Option<String>,
    /// The application that it was for; `None` for a page of the account.
    pub client: Option<ClientId>,
}

/// What was wrong at a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A code, after the first step was right.
    Code,
    /// The password.
    Password,
}

/// A try that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedTry {
    /// Whose account it was about.
    pub subject: SubjectId,
    /// What was wrong.
    pub wrong: Wrong,
    /// When.
    pub at: Timestamp,
    /// The address that it came from.
    pub ip: Option<IpAddr>,
    /// The browser, in words for its person.
    pub browser: Option<String>,
}

/// The tries of one day (UTC) that failed for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedTries {
    /// What was wrong.
    pub wrong: Wrong,
    /// How many there were.
    pub tries: u64,
    /// When the first was.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
    /// The address that the last came from.
    pub ip: Option<IpAddr>,
    /// The browser of the last, in words for its person.
    pub browser: Option<String>,
}

impl Store {
    /// The sign-ins of a person that are kept, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn sign_ins_of(&self, subject: &SubjectId) -> Result<Vec<SignIn>, StoreError> {
        let sql = "SELECT session, at, amr, ip, browser, provider, client FROM sign_ins \
                   WHERE subject = ?1 ORDER BY at DESC, session LIMIT ?2";
        let values = params![subject.as_str(), sql::page(MOST_SIGN_INS)];
        self.read(|db| {
            sql::all(db, sql, values, |row| {
                Ok(SignIn {
                    session: row.id("session")?,
                    at: row.time("at")?,
                    amr: row.json("amr")?,
                    ip: address(row)?,
                    browser: row.maybe_text("browser")?,
                    provider: row.maybe_text("provider")?,
                    client: row.maybe_id("client")?,
                })
            })
        })
    }

    /// Tries to sign in as a person that failed, by day, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn failed_tries_of(
        &self,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<FailedTries>, StoreError> {
        let sql = "SELECT wrong, tries, first_at, last_at, ip, browser FROM failed_sign_ins \
                   WHERE subject = ?1 ORDER BY day DESC, wrong LIMIT ?2";
        let values = params![subject.as_str(), sql::page(limit)];
        self.read(|db| {
            sql::all(db, sql, values, |row| {
                Ok(FailedTries {
                    wrong: row.word("wrong")?,
                    tries: row.seq("tries")?,
                    first_at: row.time("first_at")?,
                    last_at: row.time("last_at")?,
                    ip: address(row)?,
                    browser: row.maybe_text("browser")?,
                })
            })
        })
    }

    /// Counts a try that failed, in the background: whoever tries waits for nothing, and cannot tell by the
    /// time that there is somebody of that name.
    pub fn note_failed_try(&self, tried: FailedTry) {
        self.leave(Record::FailedTry(tried));
    }
}

/// Adds a sign-in, as part of the act that begins its session; the oldest go when there are too many.
pub(crate) fn insert(
    db: &Connection,
    session: &Session,
    client: Option<&ClientId>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO sign_ins (session, subject, at, amr, ip, browser, provider, client) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![
        session.id.as_str(),
        session.subject.as_str(),
        session.created_at.as_millis(),
        sql::json(&session.amr)?,
        session.ip.as_ref().map(IpAddr::to_string),
        session.browser,
        session.upstream.as_ref().map(|upstream| &upstream.provider),
        client.map(ClientId::as_str),
    ];
    sql::execute(db, sql, values).map_err(|error| error.or_taken("session id or cookie"))?;
    let sql = "DELETE FROM sign_ins WHERE session IN (SELECT session FROM sign_ins \
               WHERE subject = ?1 ORDER BY at DESC, session LIMIT -1 OFFSET ?2)";
    sql::execute(db, sql, params![session.subject.as_str(), sql::page(MOST_SIGN_INS)]).map(drop)
}

/// Writes down that somebody has proven anew who they are in a session; as part of the act that renews it.
pub(crate) fn renew(
    db: &Connection,
    session: &Session,
    client: Option<&ClientId>,
) -> Result<(), StoreError> {
    sql::execute(db, "DELETE FROM sign_ins WHERE session = ?1", [session.id.as_str()])?;
    insert(db, &Session { created_at: session.last_used_at, ..session.clone() }, client)
}

/// Writes down that more was proven in a session.
pub(crate) fn raise(db: &Connection, session: &SessionId, amr: &str) -> Result<(), StoreError> {
    let sql = "UPDATE sign_ins SET amr = ?2 WHERE session = ?1";
    sql::execute(db, sql, params![session.as_str(), amr]).map(drop)
}

/// Counts a try.
pub(crate) fn count(db: &Connection, tried: &FailedTry) -> Result<(), StoreError> {
    let sql = "INSERT INTO failed_sign_ins \
               (subject, day, wrong, tries, first_at, last_at, ip, browser) \
               VALUES (?1, ?2, ?3, 1, ?4, ?4, ?5, ?6) ON CONFLICT (subject, day, wrong) \
               DO UPDATE SET tries = tries + 1, last_at = excluded.last_at, ip = excluded.ip, \
               browser = excluded.browser";
    let values = params![
        tried.subject.as_str(),
        tried.at.as_secs().div_euclid(DAY_SECS),
        tried.wrong.as_str(),
        tried.at.as_millis(),
        tried.ip.as_ref().map(IpAddr::to_string),
        tried.browser,
    ];
    sql::execute(db, sql, values).map(drop)
}

/// Forgets all of a person who is deleted.
pub(crate) fn forget(db: &Connection, subject: &SubjectId) -> Result<(), StoreError> {
    for table in ["sign_ins", "failed_sign_ins"] {
        let sql = format!("DELETE FROM {table} WHERE subject = ?1");
        sql::execute(db, &sql, [subject.as_str()])?;
    }
    Ok(())
}

fn address(row: &Columns<'_, '_>) -> Result<Option<IpAddr>, StoreError> {
    let ip = row.maybe_text("ip")?.map(|ip| ip.parse()).transpose();
    ip.map_err(|_| StoreError::Corrupt { what: "ip" })
}

// === impl Wrong ===

impl Wrong {
    fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Password => "password",
        }
    }
}

impl FromStr for Wrong {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "code" => Ok(Self::Code),
            "password" => Ok(Self::Password),
            _ => Err(()),
        }
    }
}
