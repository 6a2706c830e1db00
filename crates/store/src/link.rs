//! Links in letters: made for one purpose and one address, used once.

use std::str::FromStr;

use rusqlite::{Connection, params};
use token::id::SubjectId;
use token::opaque::OpaqueHash;
use token::secret::Secret;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql::{self, Columns};
use crate::user::{self, User};
use crate::writer::{Act, AfterCommit};

/// Links of one purpose to one address; the oldest goes when there are more.
const MOST: i64 = 5;

/// What a link is for: one of one purpose does nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Its person shows that an address is theirs.
    Address,
    /// Its person says that somebody else uses their account.
    Disown,
    /// Somebody who was invited makes an account.
    Invitation,
    /// Its person sets a new password.
    Reset,
    /// Somebody who asked for it makes an account.
    SignUp,
}

/// A link; its secret is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The hash of its secret.
    pub hash: OpaqueHash,
    /// Its public name.
    pub id: String,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Whose account it is about; `None` where there is none yet.
    pub subject: Option<SubjectId>,
    /// The address that it was sent to.
    pub address: String,
    /// The user name that an invitation proposes.
    pub username: Option<String>,
    /// The name that an invitation proposes.
    pub name: Option<String>,
    /// Who had it sent.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

const COLUMNS: &str =
    "hash, id, purpose, subject, address, username, name, created_by, created_at, expires_at";

impl Store {
    /// Keeps a link. Of one purpose and address the newest five are good.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the id or the secret is in use.
    pub async fn save_link(&self, link: &Link) -> Result<(), StoreError> {
        let link = link.clone();
        self.write(move |act| insert(act.db, &link)).await
    }

    /// The link of this secret, unless it was used or is over.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn link(
        &self,
        hash: &OpaqueHash,
        now: Timestamp,
    ) -> Result<Option<Link>, StoreError> {
        let hash = *hash;
        self.read(|db| read(db, &hash, now))
    }

    /// Links of a purpose in order of their ids, those behind `after`.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn links(
        &self,
        purpose: LinkPurpose,
        after: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Link>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM links WHERE purpose = ?1 AND id > ?2 AND expires_at > ?3 \
             ORDER BY id LIMIT ?4"
        );
        let after = after.unwrap_or_default();
        let values = params![purpose.as_str(), after, now.as_millis(), sql::page(limit)];
        self.read(|db| sql::all(db, &sql, values, from_columns))
    }

    /// Takes a link back before it is used; `false` when there is none of this purpose and id.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn withdraw_link(&self, purpose: LinkPurpose, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |act| {
            let sql = "DELETE FROM links WHERE purpose = ?1 AND id = ?2";
            Ok(sql::execute(act.db, sql, params![purpose.as_str(), id])? > 0)
        })
        .await
    }

    /// Uses a link up and adds the person that it lets in, with the address that it was sent to; `false` when it was used or is over.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the user name is in use; then the link is good still.
    pub async fn create_user_by_link(
        &self,
        hash: &OpaqueHash,
        user: &User,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (hash, user) = (*hash, user.clone());
        self.write(move |act| {
            let lets_in = [LinkPurpose::Invitation, LinkPurpose::SignUp];
            let Some(link) = used_up(act.db, &hash, &lets_in, now)? else { return Ok(false) };
            let user = User { email: Some(link.address), email_verified: true, ..user };
            user::insert(act, &user)?;
            Ok(true)
        })
        .await
    }

    /// Uses a link up and gives its person the address that it was sent to, as one that is theirs. Links to
    /// set a password went to the address before and end. The person as they were before; `None` when the
    /// link was used or is over.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn confirm_address(
        &self,
        hash: &OpaqueHash,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let hash = *hash;
        self.write(move |act| {
            let found = used_up(act.db, &hash, &[LinkPurpose::Address], now)?;
            let Some(Link { subject: Some(subject), address, .. }) = found else {
                return Ok(None);
            };
            let Some(before) = user::by_id(act.db, &subject)? else { return Ok(None) };
            let sql = "UPDATE users SET email = ?2, email_verified = 1 WHERE id = ?1";
            sql::execute(act.db, sql, params![subject.as_str(), address])?;
            let sql = "DELETE FROM links WHERE subject = ?1";
            sql::execute(act.db, sql, [subject.as_str()])?;
            act.after_commit(AfterCommit::User(subject));
            Ok(Some(before))
        })
        .await
    }

    /// Sets a person's password, forgets the browsers that were remembered for them, and voids every link of
    /// theirs. With the hash of a link this uses that up, and shows that its address is theirs. `false` when
    /// there is nobody of this id, or the link is over or was sent to another address than they have now.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn set_password(
        &self,
        subject: &SubjectId,
        password_hash: &Secret,
        link: Option<&OpaqueHash>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (subject, password_hash) = (subject.clone(), password_hash.clone());
        let link = link.copied();
        self.write(move |act| set_password(act, &subject, &password_hash, link.as_ref(), now)).await
    }
}

fn set_password(
    act: &mut Act<'_>,
    subject: &SubjectId,
    password_hash: &Secret,
    link: Option<&OpaqueHash>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if let Some(hash) = link {
        let Some(user) = user::by_id(act.db, subject)? else { return Ok(false) };
        let found = used_up(act.db, hash, &[LinkPurpose::Reset], now)?;
        let Some(link) = found else { return Ok(false) };
        if link.subject.as_ref() != Some(subject) || user.email.as_ref() != Some(&link.address) {
            return Ok(false);
        }
        let sql = "UPDATE users SET email_verified = 1 WHERE id = ?1";
        sql::execute(act.db, sql, [subject.as_str()])?;
    }
    let sql = "UPDATE users SET password_hash = ?2 WHERE id = ?1";
    if sql::execute(act.db, sql, params![subject.as_str(), password_hash.expose()])? == 0 {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM links WHERE subject = ?1",
        "DELETE FROM remembered_browsers WHERE subject = ?1",
    ] {
        sql::execute(act.db, sql, [subject.as_str()])?;
    }
    act.after_commit(AfterCommit::User(subject.clone()));
    Ok(true)
}

fn insert(db: &Connection, link: &Link) -> Result<(), StoreError> {
    let sql =
        format!("INSERT INTO links ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    let values = params![
        link.hash.as_bytes(),
        link.id,
        link.purpose.as_str(),
        link.subject.as_ref().map(SubjectId::as_str),
        link.address,
        link.username,
        link.name,
        link.created_by,
        link.created_at.as_millis(),
        link.expires_at.as_millis(),
    ];
    sql::execute(db, &sql, values).map_err(|error| error.or_taken("link"))?;
    let sql = "DELETE FROM links WHERE purpose = ?1 AND address = ?2 AND hash NOT IN (SELECT hash \
               FROM links WHERE purpose = ?1 AND address = ?2 ORDER BY created_at DESC, id LIMIT ?3)";
    sql::execute(db, sql, params![link.purpose.as_str(), link.address, MOST]).map(drop)
}

fn read(db: &Connection, hash: &OpaqueHash, now: Timestamp) -> Result<Option<Link>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM links WHERE hash = ?1 AND expires_at > ?2");
    sql::one(db, &sql, params![hash.as_bytes(), now.as_millis()], from_columns)
}

/// The link, when it is for one of these purposes; then it is gone.
fn used_up(
    db: &Connection,
    hash: &OpaqueHash,
    purposes: &[LinkPurpose],
    now: Timestamp,
) -> Result<Option<Link>, StoreError> {
    let found = read(db, hash, now)?.filter(|link| purposes.contains(&link.purpose));
    if found.is_none() {
        return Ok(None);
    }
    sql::execute(db, "DELETE FROM links WHERE hash = ?1", [hash.as_bytes()])?;
    Ok(found)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<Link, StoreError> {
    Ok(Link {
        hash: row.hash("hash")?,
        id: row.text("id")?,
        purpose: row.word("purpose")?,
        subject: row.maybe_id("subject")?,
        address: row.text("address")?,
        username: row.maybe_text("username")?,
        name: row.maybe_text("name")?,
        created_by: row.text("created_by")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

// === impl LinkPurpose ===

impl LinkPurpose {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Disown => "disown",
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::SignUp => "sign_up",
        }
    }
}

impl FromStr for LinkPurpose {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "address" => Ok(Self::Address),
            "disown" => Ok(Self::Disown),
            "invitation" => Ok(Self::Invitation),
            "reset" => Ok(Self::Reset),
            "sign_up" => Ok(Self::SignUp),
            _ => Err(()),
        }
    }
}
