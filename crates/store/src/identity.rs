//! Who people are at identity providers: one person may have several identities, each belongs to one person.

use rusqlite::{Connection, params};
use token::id::SubjectId;
use token::time::Timestamp;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::open::Store;
use crate::sql::{self, Columns};
use crate::user::{self, User};
use crate::writer::Act;

/// Somebody's account at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its name here.
    pub id: String,
    /// The provider's name here.
    pub provider: String,
    /// The provider's own identifier: where the name is given to another provider, the identity is nobody's.
    pub issuer: String,
    /// Who it is there.
    pub provider_subject: String,
    /// Whose it is.
    pub subject: SubjectId,
    /// What its person calls it: an address or a name there.
    pub label: String,
    /// Whether tokens of the provider are kept.
    pub has_tokens: bool,
    /// When it was connected.
    pub created_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
}

/// An identity that is to be somebody's.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    /// Its name here.
    pub id: String,
    /// The provider's name here.
    pub provider: String,
    /// The provider's own identifier.
    pub issuer: String,
    /// Who it is there.
    pub provider_subject: String,
    /// What its person calls it.
    pub label: String,
    /// Tokens of the provider, in the words of whoever keeps them; sealed before they are written.
    pub tokens: Option<Zeroizing<Vec<u8>>>,
    /// When.
    pub at: Timestamp,
}

/// What came of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityRemoval {
    /// It is gone.
    Removed(Identity),
    /// It is all that its person signs in with, so it stays.
    OnlyWay,
    /// The person has none of this id.
    Unknown,
}

const COLUMNS: &str = "SELECT id, provider, issuer, provider_subject, subject, label, \
                       sealed IS NOT NULL AS has_tokens, created_at, last_used_at FROM identities";

impl Store {
    /// The identity of this name at a provider.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn identity(
        &self,
        provider: &str,
        issuer: &str,
        provider_subject: &str,
    ) -> Result<Option<Identity>, StoreError> {
        let sql =
            format!("{COLUMNS} WHERE provider = ?1 AND issuer = ?2 AND provider_subject = ?3");
        let values = params![provider, issuer, provider_subject];
        self.read(|db| sql::one(db, &sql, values, from_columns))
    }

    /// The identities of a person, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn identities_of(&self, subject: &SubjectId) -> Result<Vec<Identity>, StoreError> {
        let sql = format!("{COLUMNS} WHERE subject = ?1 ORDER BY created_at, id");
        self.read(|db| sql::all(db, &sql, [subject.as_str()], from_columns))
    }

    /// Gives a person an identity; `false` when there is nobody of this id, or, with `only_first`, when they
    /// have one at this provider already.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the identity is somebody's already.
    pub async fn add_identity(
        &self,
        subject: &SubjectId,
        identity: &NewIdentity,
        only_first: bool,
    ) -> Result<bool, StoreError> {
        let sealed = self.sealed_tokens(&identity.id, identity.tokens.as_ref())?;
        let (subject, identity) = (subject.clone(), identity.clone());
        self.write(move |act| {
            if user::by_id(act.db, &subject)?.is_none() {
                return Ok(false);
            }
            if only_first && has_identity_at(act.db, &subject, &identity.provider)? {
                return Ok(false);
            }
            insert(act, &subject, &identity, sealed).map(|()| true)
        })
        .await
    }

    /// Adds a person together with their identity, in one act.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when the user name is in use or the identity is somebody's already; its
    /// `what` says which.
    pub async fn create_user_with_identity(
        &self,
        user: &User,
        identity: &NewIdentity,
    ) -> Result<(), StoreError> {
        let sealed = self.sealed_tokens(&identity.id, identity.tokens.as_ref())?;
        let (user, identity) = (user.clone(), identity.clone());
        self.write(move |act| {
            user::insert(act, &user)?;
            insert(act, &user.id, &identity, sealed)
        })
        .await
    }

    /// Notes that somebody signed in with it. Tokens that are given take the place of those before.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn note_identity_use(
        &self,
        id: &str,
        label: &str,
        tokens: Option<&Zeroizing<Vec<u8>>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sealed = self.sealed_tokens(id, tokens)?;
        let (id, label) = (id.to_owned(), label.to_owned());
        self.write(move |act| {
            let sql = "UPDATE identities SET label = ?2, last_used_at = ?3, \
                       sealed = coalesce(?4, sealed) WHERE id = ?1";
            sql::execute(act.db, sql, params![id, label, now.as_millis(), sealed]).map(drop)
        })
        .await
    }

    /// Takes an identity from a person; with `keep_a_way` not the last thing that they sign in with: a
    /// password, a passkey, or another identity.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn remove_identity(
        &self,
        subject: &SubjectId,
        id: &str,
        keep_a_way: bool,
    ) -> Result<IdentityRemoval, StoreError> {
        let (subject, id) = (subject.clone(), id.to_owned());
        self.write(move |act| {
            let sql = format!("{COLUMNS} WHERE subject = ?1 AND id = ?2");
            let found = sql::one(act.db, &sql, params![subject.as_str(), id], from_columns)?;
            let Some(identity) = found else { return Ok(IdentityRemoval::Unknown) };
            if keep_a_way && !has_another_way(act.db, &subject, &id)? {
                return Ok(IdentityRemoval::OnlyWay);
            }
            sql::execute(act.db, "DELETE FROM identities WHERE id = ?1", [&id])?;
            Ok(IdentityRemoval::Removed(identity))
        })
        .await
    }

    /// The tokens of the provider that are kept with an identity; `None` where there are none.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when they do not open: they were altered, or are another identity's.
    pub async fn identity_tokens(
        &self,
        subject: &SubjectId,
        id: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let sql = "SELECT sealed FROM identities WHERE subject = ?1 AND id = ?2";
        let values = params![subject.as_str(), id];
        let sealed = self.read(|db| sql::one(db, sql, values, |row| row.maybe_bytes("sealed")))?;
        sealed.flatten().map(|sealed| self.sealer().open(&label(id), &sealed)).transpose()
    }

    fn sealed_tokens(
        &self,
        id: &str,
        tokens: Option<&Zeroizing<Vec<u8>>>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        tokens.map(|tokens| self.sealer().seal(&label(id), tokens)).transpose()
    }
}

fn insert(
    act: &mut Act<'_>,
    subject: &SubjectId,
    identity: &NewIdentity,
    sealed: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO identities (id, provider, issuer, provider_subject, subject, label, sealed, \
               created_at, last_used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)";
    let values = params![
        identity.id,
        identity.provider,
        identity.issuer,
        identity.provider_subject,
        subject.as_str(),
        identity.label,
        sealed,
        identity.at.as_millis(),
    ];
    sql::execute(act.db, sql, values).map_err(|error| error.or_taken("identity")).map(drop)
}

fn has_identity_at(
    db: &Connection,
    subject: &SubjectId,
    provider: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS one FROM identities WHERE subject = ?1 AND provider = ?2";
    Ok(sql::one(db, sql, params![subject.as_str(), provider], |_| Ok(()))?.is_some())
}

fn has_another_way(db: &Connection, subject: &SubjectId, id: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS one FROM users WHERE id = ?1 AND (password_hash IS NOT NULL \
               OR EXISTS (SELECT 1 FROM passkeys WHERE subject = ?1) \
               OR EXISTS (SELECT 1 FROM identities WHERE subject = ?1 AND id <> ?2))";
    Ok(sql::one(db, sql, params![subject.as_str(), id], |_| Ok(()))?.is_some())
}

/// Tokens that are moved to another identity do not open; an identity never changes its person.
fn label(id: &str) -> String {
    format!("tokens of identity {id}")
}

fn from_columns(row: &Columns<'_, '_>) -> Result<Identity, StoreError> {
    Ok(Identity {
        id: row.text("id")?,
        provider: row.text("provider")?,
        issuer: row.text("issuer")?,
        provider_subject: row.text("provider_subject")?,
        subject: row.id("subject")?,
        label: row.text("label")?,
        has_tokens: row.flag("has_tokens")?,
        created_at: row.time("created_at")?,
        last_used_at: row.maybe_time("last_used_at")?,
    })
}
