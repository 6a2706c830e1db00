//! Forgetting what is over, in bites that do not keep other acts waiting.

use std::time::Duration;

use rusqlite::params;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::sign_in::SIGN_INS_KEPT;
use crate::sql;

/// Rows of one act.
const BITE: usize = 1000;

/// Restrictions that can fit nothing any more, personal tokens that have ended, and deliveries that were
/// given up stay readable for this long.
const HISTORY: Duration = Duration::from_secs(7 * 24 * 3600);

/// How many rows were forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Sessions of applications in browsers.
    pub browser_sessions: usize,
    /// Authorization codes.
    pub codes: usize,
    /// Deliveries that were given up, a week after that.
    pub deliveries: usize,
    /// Days of tries to sign in that failed.
    pub failed_tries: usize,
    /// Grants, with their refresh tokens.
    pub grants: usize,
    /// Records of issued tokens.
    pub issued_tokens: usize,
    /// Links in letters.
    pub links: usize,
    /// Personal tokens, a week after their end.
    pub personal_tokens: usize,
    /// Pushed authorization requests.
    pub pushed: usize,
    /// JWTs behind opaque tokens.
    pub references: usize,
    /// Browsers that were remembered.
    pub remembered_browsers: usize,
    /// Restrictions and lifts, from disk.
    pub restrictions: usize,
    /// Sign-in sessions.
    pub sessions: usize,
    /// Sign-ins, for those whose they were.
    pub sign_ins: usize,
    /// Status lists whose last token has expired.
    pub status_lists: usize,
    /// Doubts about detectors that people said were wrong.
    pub tolerances: usize,
    /// Names of what was used once.
    pub used: usize,
    /// Requests that waited for a person.
    pub waiting: usize,
}

const BROWSER_SESSIONS: &str = "DELETE FROM browser_sessions WHERE hash IN \
    (SELECT hash FROM browser_sessions WHERE expires_at <= ?1 LIMIT ?2)";
const CODES: &str = "DELETE FROM codes WHERE hash IN \
    (SELECT hash FROM codes WHERE forget_at <= ?1 LIMIT ?2)";
const DELIVERIES: &str = "DELETE FROM deliveries WHERE id IN \
    (SELECT id FROM deliveries WHERE state = 'dead' AND due_at <= ?1 LIMIT ?2)";
const FAILED_TRIES: &str = "DELETE FROM failed_sign_ins WHERE (subject, day, wrong) IN \
    (SELECT subject, day, wrong FROM failed_sign_ins WHERE last_at <= ?1 LIMIT ?2)";
const GRANTS: &str = "DELETE FROM grants WHERE grant_id IN \
    (SELECT grant_id FROM grants WHERE grant_expires_at <= ?1 LIMIT ?2)";
const ISSUED_TOKENS: &str = "DELETE FROM issued_tokens WHERE token IN \
    (SELECT token FROM issued_tokens WHERE expires_at <= ?1 LIMIT ?2)";
const LINKS: &str = "DELETE FROM links WHERE hash IN \
    (SELECT hash FROM links WHERE expires_at <= ?1 LIMIT ?2)";
const PERSONAL_TOKENS: &str = "DELETE FROM personal_tokens WHERE token IN \
    (SELECT token FROM personal_tokens WHERE expires_at <= ?1 LIMIT ?2)";
const PUSHED: &str = "DELETE FROM pushed_requests WHERE name IN \
    (SELECT name FROM pushed_requests WHERE expires_at <= ?1 LIMIT ?2)";
const REFERENCES: &str = "DELETE FROM token_references WHERE hash IN \
    (SELECT hash FROM token_references WHERE forget_at <= ?1 LIMIT ?2)";
const REMEMBERED: &str = "DELETE FROM remembered_browsers WHERE hash IN \
    (SELECT hash FROM remembered_browsers WHERE expires_at <= ?1 LIMIT ?2)";
const RESTRICTIONS: &str = "DELETE FROM restrictions WHERE seq IN \
    (SELECT seq FROM restrictions WHERE forget_at <= ?1 LIMIT ?2)";
const SESSIONS: &str = "DELETE FROM sessions WHERE id IN \
    (SELECT id FROM sessions WHERE expires_at <= ?1 LIMIT ?2)";
const SIGN_INS: &str = "DELETE FROM sign_ins WHERE session IN \
    (SELECT session FROM sign_ins WHERE at <= ?1 LIMIT ?2)";
const STATUS_LISTS: &str = "DELETE FROM status_lists WHERE list IN \
    (SELECT list FROM status_lists l WHERE forget_at <= ?1 AND NOT EXISTS \
    (SELECT 1 FROM issued_tokens t WHERE t.status_list = l.list) LIMIT ?2)";
const TOLERANCES: &str = "DELETE FROM tolerances WHERE seq IN \
    (SELECT seq FROM tolerances WHERE expires_at <= ?1 LIMIT ?2)";
const USED: &str = "DELETE FROM used_names WHERE (kind, name) IN \
    (SELECT kind, name FROM used_names WHERE expires_at <= ?1 LIMIT ?2)";
const WAITING: &str = "DELETE FROM waiting_requests WHERE hash IN \
    (SELECT hash FROM waiting_requests WHERE expires_at <= ?1 LIMIT ?2)";

impl Store {
    /// Forgets what is over: from memory at once, from disk at most a thousand rows at a time.
    /// To be called every minute.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written; the next call goes on from there.
    pub async fn forget(&self, now: Timestamp) -> Result<Forgotten, StoreError> {
        self.forget_in_memory(now)?;
        Ok(Forgotten {
            browser_sessions: self.bites(BROWSER_SESSIONS, now).await?,
            codes: self.bites(CODES, now).await?,
            deliveries: self.bites(DELIVERIES, now.minus(HISTORY)).await?,
            failed_tries: self.bites(FAILED_TRIES, now.minus(SIGN_INS_KEPT)).await?,
            grants: self.bites(GRANTS, now).await?,
            issued_tokens: self.bites(ISSUED_TOKENS, now).await?,
            links: self.bites(LINKS, now).await?,
            personal_tokens: self.bites(PERSONAL_TOKENS, now.minus(HISTORY)).await?,
            pushed: self.bites(PUSHED, now).await?,
            references: self.bites(REFERENCES, now).await?,
            remembered_browsers: self.bites(REMEMBERED, now).await?,
            restrictions: self.bites(RESTRICTIONS, now.minus(HISTORY)).await?,
            sessions: self.bites(SESSIONS, now).await?,
            sign_ins: self.bites(SIGN_INS, now.minus(SIGN_INS_KEPT)).await?,
            status_lists: self.bites(STATUS_LISTS, now).await?,
            tolerances: self.bites(TOLERANCES, now).await?,
            used: self.bites(USED, now).await?,
            waiting: self.bites(WAITING, now).await?,
        })
    }

    async fn bites(&self, sql: &'static str, until: Timestamp) -> Result<usize, StoreError> {
        let mut total = 0;
        loop {
            let values = (until.as_millis(), sql::page(BITE));
            let done =
                self.write(move |act| sql::execute(act.db, sql, params![values.0, values.1]));
            let done = done.await?;
            total += done;
            if done < BITE {
                return Ok(total);
            }
        }
    }

    /// Rows that end by themselves, and revocations whose last token has expired.
    fn forget_in_memory(&self, now: Timestamp) -> Result<(), StoreError> {
        let index = self.index();
        index.forget_ended(now);
        let sql = "SELECT seq FROM restrictions WHERE until_at IS NULL AND forget_at <= ?1 \
                   AND forget_at > ?2";
        let values = params![now.as_millis(), self.shared().forgotten_until().as_millis()];
        for seq in self.read(|db| sql::all(db, sql, values, |row| row.seq("seq")))? {
            index.forget(seq);
        }
        self.shared().forgot_until(now);
        Ok(())
    }
}
