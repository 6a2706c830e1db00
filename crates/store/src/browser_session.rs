//! Sessions of applications in browsers: the tokens that the server keeps for a cookie, sealed under it.

use rusqlite::params;
use token::id::GrantId;
use token::opaque::OpaqueHash;
use token::secret::Secret;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::{seal, sql};

/// What the tokens are sealed for.
const SEAL: &str = "tokens of a browser session";

/// What is kept for a browser.
#[derive(Clone, Debug)]
pub struct BrowserSession {
    /// The application's origin: at any other the cookie is worth nothing.
    pub origin: String,
    /// The grant that the tokens come from.
    pub grant: GrantId,
    /// The tokens, in whatever form their keeper wants them back.
    pub tokens: Secret,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
}

impl Store {
    /// Begins a session for this cookie.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn start_browser_session(
        &self,
        cookie: &Secret,
        session: &BrowserSession,
    ) -> Result<(), StoreError> {
        let hash = OpaqueHash::of(cookie.expose());
        let sealed = seal::seal_to(cookie.expose(), SEAL, session.tokens.expose().as_bytes())?;
        let BrowserSession { origin, grant, expires_at, .. } = session.clone();
        self.write(move |act| {
            let sql = "INSERT INTO browser_sessions (hash, origin, grant_id, sealed, expires_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let end = expires_at.as_millis();
            let values = params![hash.as_bytes(), origin, grant.as_str(), sealed, end];
            sql::execute(act.db, sql, values).map_err(|error| error.or_taken("cookie"))?;
            Ok(())
        })
        .await
    }

    /// The session of this cookie at this origin, unless it was ended or is over.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub fn browser_session(
        &self,
        cookie: &str,
        origin: &str,
        now: Timestamp,
    ) -> Result<Option<BrowserSession>, StoreError> {
        let hash = OpaqueHash::of(cookie);
        let sql = "SELECT grant_id, sealed, expires_at FROM browser_sessions \
                   WHERE hash = ?1 AND origin = ?2 AND expires_at > ?3";
        let values = params![hash.as_bytes(), origin, now.as_millis()];
        let row = self.read(|db| {
            sql::one(db, sql, values, |row| {
                Ok((row.id("grant_id")?, row.maybe_bytes("sealed")?, row.time("expires_at")?))
            })
        })?;
        let Some((grant, Some(sealed), expires_at)) = row else { return Ok(None) };
        let tokens = seal::open_from(cookie, SEAL, &sealed)?;
        let corrupt = |_| StoreError::Corrupt { what: "browser session" };
        let tokens = Secret::new(str::from_utf8(&tokens).map_err(corrupt)?);
        Ok(Some(BrowserSession { origin: origin.to_owned(), grant, tokens, expires_at }))
    }

    /// Puts newer tokens in place of those that are kept; `false` when the session was ended meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn renew_browser_session(
        &self,
        cookie: &str,
        tokens: &Secret,
    ) -> Result<bool, StoreError> {
        let hash = OpaqueHash::of(cookie);
        let sealed = seal::seal_to(cookie, SEAL, tokens.expose().as_bytes())?;
        self.write(move |act| {
            let sql = "UPDATE browser_sessions SET sealed = ?2 WHERE hash = ?1";
            Ok(sql::execute(act.db, sql, params![hash.as_bytes(), sealed])? > 0)
        })
        .await
    }

    /// Forgets the session of this cookie; its grant is another matter.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn end_browser_session(&self, cookie: &str) -> Result<(), StoreError> {
        let hash = OpaqueHash::of(cookie);
        self.write(move |act| {
            let sql = "DELETE FROM browser_sessions WHERE hash = ?1";
            sql::execute(act.db, sql, [hash.as_bytes()]).map(drop)
        })
        .await
    }
}
