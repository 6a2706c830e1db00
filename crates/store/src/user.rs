//! People who sign in with a name and a password.

use std::sync::Arc;

use rusqlite::{Connection, params};
use serde_json::{Map, Value};
use token::id::SubjectId;
use token::personal::Owner;
use token::restriction::Selector;
use token::secret::Secret;
use token::time::Timestamp;

use crate::error::StoreError;
use crate::grant::{self, GrantsOf};
use crate::open::Store;
use crate::personal;
use crate::sign_in;
use crate::sql::{self, Columns};
use crate::writer::{Act, AfterCommit};

/// The reason of the restriction with which a person is deleted.
pub const USER_DELETED: &str = "user deleted";

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    /// `sub` of their tokens.
    pub id: SubjectId,
    /// The name they sign in with, as they write it; case and surrounding space do not matter.
    pub username: String,
    /// Argon2id in PHC form; `None` when they cannot sign in with a password.
    pub password_hash: Option<Secret>,
    /// Their name as others see it.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// Whether the address was proven to be theirs.
    pub email_verified: bool,
    /// What else is known about them, by the names of claims.
    pub claims: Map<String, Value>,
    /// Whether they are turned away.
    pub disabled: bool,
    /// Whether they have to prove more than a password, whatever is usual.
    pub require_mfa: bool,
    /// When they were added.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, username, password_hash, name, email, email_verified, claims, disabled, \
                       require_mfa, created_at";

impl Store {
    /// Adds a person.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the id or the user name is in use.
    pub async fn create_user(&self, user: &User) -> Result<(), StoreError> {
        let user = user.clone();
        self.write(move |act| insert(act, &user)).await
    }

    /// The person of this id; from memory where they were asked for before.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn user(&self, id: &SubjectId) -> Result<Option<User>, StoreError> {
        // As with clients: a change that ends meanwhile wins, and nobody is not kept.
        let found = self.shared().users.get_or_insert_with(id, || {
            let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1");
            let found = self.read(|db| sql::one(db, &sql, [id.as_str()], from_columns));
            found.map_err(Some)?.map(Arc::new).ok_or(None)
        });
        match found {
            Ok(user) => Ok(Some((*user).clone())),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// The person who signs in with this name; case and surrounding space do not matter.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn user_by_name(&self, username: &str) -> Result<Option<User>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE username_key = ?1");
        self.read(|db| sql::one(db, &sql, [username_key(username)], from_columns))
    }

    /// People who have this address, whatever its case; at most `limit`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn users_by_email(&self, email: &str, limit: usize) -> Result<Vec<User>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM users WHERE email IS NOT NULL AND lower(email) = lower(?1) \
             ORDER BY created_at, id LIMIT ?2"
        );
        self.read(|db| sql::all(db, &sql, params![email, sql::page(limit)], from_columns))
    }

    /// People in order of their id, those behind `after`.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn users(
        &self,
        after: Option<&SubjectId>,
        limit: usize,
    ) -> Result<Vec<User>, StoreError> {
        let after = after.map_or("", SubjectId::as_str);
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id > ?1 ORDER BY id LIMIT ?2");
        self.read(|db| sql::all(db, &sql, params![after, sql::page(limit)], from_columns))
    }

    /// Changes everything of a person but the id and when they were added; `false` when there is
    /// nobody of this id.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the new user name is in use.
    pub async fn update_user(&self, user: &User) -> Result<bool, StoreError> {
        let user = user.clone();
        self.write(move |act| update(act, &user)).await
    }

    /// Removes a person, ends their sessions and grants and revokes their tokens; `false` when
    /// there is nobody of this id.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn delete_user(
        &self,
        id: &SubjectId,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, actor) = (id.clone(), actor.to_owned());
        self.write(move |act| delete(act, &id, &actor, now)).await
    }
}

pub(crate) fn insert(act: &mut Act<'_>, user: &User) -> Result<(), StoreError> {
    let sql = "INSERT INTO users (id, username, username_key, password_hash, name, email, \
               email_verified, disabled, created_at, claims, require_mfa) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let values = params![
        user.id.as_str(),
        user.username,
        username_key(&user.username),
        user.password_hash.as_ref().map(Secret::expose),
        user.name,
        user.email,
        user.email_verified,
        user.disabled,
        user.created_at.as_millis(),
        sql::json(&user.claims)?,
        user.require_mfa,
    ];
    sql::execute(act.db, sql, values).map_err(|error| error.or_taken("user name or id"))?;
    act.after_commit(AfterCommit::User(user.id.clone()));
    Ok(())
}

/// The person of this id, as the transaction sees them.
pub(crate) fn by_id(db: &Connection, id: &SubjectId) -> Result<Option<User>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1");
    sql::one(db, &sql, [id.as_str()], from_columns)
}

fn update(act: &mut Act<'_>, user: &User) -> Result<bool, StoreError> {
    let sql = "UPDATE users SET username = ?2, username_key = ?3, password_hash = ?4, name = ?5, \
               email = ?6, email_verified = ?7, disabled = ?8, claims = ?9, require_mfa = ?10 WHERE id = ?1";
    let values = params![
        user.id.as_str(),
        user.username,
        username_key(&user.username),
        user.password_hash.as_ref().map(Secret::expose),
        user.name,
        user.email,
        user.email_verified,
        user.disabled,
        sql::json(&user.claims)?,
        user.require_mfa,
    ];
    let changed = sql::execute(act.db, sql, values).map_err(|error| error.or_taken("user name"))?;
    act.after_commit(AfterCommit::User(user.id.clone()));
    Ok(changed > 0)
}

fn delete(
    act: &mut Act<'_>,
    id: &SubjectId,
    actor: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if sql::execute(act.db, "DELETE FROM users WHERE id = ?1", [id.as_str()])? == 0 {
        return Ok(false);
    }
    sql::execute(act.db, "DELETE FROM consents WHERE subject = ?1", [id.as_str()])?;
    sql::execute(act.db, "DELETE FROM sessions WHERE subject = ?1", [id.as_str()])?;
    sign_in::forget(act.db, id)?;
    let sql = "DELETE FROM codes WHERE subject = ?1 AND redeemed_at IS NULL";
    sql::execute(act.db, sql, [id.as_str()])?;
    grant::end_all(act, GrantsOf::Subject(id), USER_DELETED, now)?;
    personal::revoke_all_of(act, &Owner::Person(id.clone()), now)?;
    act.revoke_for_good(Selector::Subject(id.clone()), USER_DELETED, actor, now)?;
    act.after_commit(AfterCommit::User(id.clone()));
    Ok(true)
}

/// What makes two ways of writing a name the same name.
fn username_key(username: &str) -> String {
    username.trim().to_lowercase()
}

fn from_columns(row: &Columns<'_, '_>) -> Result<User, StoreError> {
    Ok(User {
        id: row.id("id")?,
        username: row.text("username")?,
        password_hash: row.maybe_text("password_hash")?.map(Secret::new),
        name: row.maybe_text("name")?,
        email: row.maybe_text("email")?,
        email_verified: row.flag("email_verified")?,
        claims: row.json("claims")?,
        disabled: row.flag("disabled")?,
        require_mfa: row.flag("require_mfa")?,
        created_at: row.time("created_at")?,
    })
}
