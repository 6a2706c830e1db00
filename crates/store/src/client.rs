//! OAuth clients (RFC 7591 §2).

use std::sync::Arc;

use rusqlite::{Connection, params};
use token::id::ClientId;
use token::opaque::OpaqueHash;
use token::personal::Owner;
use token::restriction::Selector;
use token::scope::ScopeSet;
use token::term::{ClientAuthMethod, GrantType};
use token::time::Timestamp;

use crate::client_options::ClientOptions;
use crate::error::StoreError;
use crate::grant::{self, GrantsOf};
use crate::open::Store;
use crate::personal;
use crate::sql::{self, Columns};
use crate::writer::{Act, AfterCommit};

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub id: ClientId,
    /// The name that people see.
    pub name: String,
    /// The secret's hash; `None` for a public client.
    pub secret_hash: Option<OpaqueHash>,
    /// How it authenticates.
    pub auth_method: ClientAuthMethod,
    /// What it may do at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: ScopeSet,
    /// What it gets when it asks for nothing.
    pub default_scopes: ScopeSet,
    /// Who registered it.
    pub created_by: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Whether it is turned away.
    pub disabled: bool,
    /// Its keys, and how it wants its answers.
    pub options: ClientOptions,
    /// The hash of what it manages its registration with (RFC 7592 §3).
    pub registration_token: Option<OpaqueHash>,
    /// Other members of the registration, as a JSON object.
    pub metadata: String,
}

const COLUMNS: &str = "id, name, secret_hash, auth_method, grant_types, redirect_uris, scopes, \
                       default_scopes, created_by, created_at, disabled, options, metadata, \
                       registration_token";

impl Store {
    /// Adds a client.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is one of this id.
    pub async fn create_client(&self, client: &Client) -> Result<(), StoreError> {
        let client = client.clone();
        self.write(move |act| insert(act, &client)).await
    }

    /// The client of this id; from memory where it was asked for before.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        // The cache refuses what was read before a change that ended meanwhile; what does not
        // exist is not kept, so that made-up names cost no memory.
        let found = self.shared().clients.get_or_insert_with(id, || {
            let found = self.read(|db| read(db, id)).map_err(Some)?;
            found.map(Arc::new).ok_or(None)
        });
        match found {
            Ok(client) => Ok(Some(client)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// The client whose secret has this hash.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub fn client_of_secret(&self, secret: &OpaqueHash) -> Result<Option<ClientId>, StoreError> {
        // Asked for leaked secrets alone: no index for a walk through all clients that is this rare.
        let sql = "SELECT id FROM clients WHERE secret_hash = ?1";
        self.read(|db| sql::one(db, sql, [secret.as_bytes()], |row| row.id("id")))
    }

    /// Clients in order of their id, those behind `after`.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be read.
    pub async fn clients(
        &self,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<Client>, StoreError> {
        let after = after.map_or("", ClientId::as_str);
        let sql = format!("SELECT {COLUMNS} FROM clients WHERE id > ?1 ORDER BY id LIMIT ?2");
        self.read(|db| sql::all(db, &sql, params![after, sql::page(limit)], from_columns))
    }

    /// Changes everything of a client but its id and its origin; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn update_client(&self, client: &Client) -> Result<bool, StoreError> {
        let client = client.clone();
        self.write(move |act| update(act, &client)).await
    }

    /// Removes a client, ends its grants and revokes its tokens; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn delete_client(
        &self,
        id: &ClientId,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, actor) = (id.clone(), actor.to_owned());
        self.write(move |act| delete(act, &id, &actor, now)).await
    }
}

fn insert(act: &mut Act<'_>, client: &Client) -> Result<(), StoreError> {
    let sql = "INSERT INTO clients (id, name, secret_hash, auth_method, grant_types, \
               redirect_uris, scopes, default_scopes, created_by, created_at, disabled, options, \
               metadata, registration_token) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let values = params![
        client.id.as_str(),
        client.name,
        client.secret_hash.as_ref().map(OpaqueHash::as_bytes),
        client.auth_method.as_str(),
        sql::json(&client.grant_types)?,
        sql::json(&client.redirect_uris)?,
        client.scopes.to_string(),
        client.default_scopes.to_string(),
        client.created_by,
        client.created_at.as_millis(),
        client.disabled,
        sql::json(&client.options)?,
        client.metadata,
        client.registration_token.as_ref().map(OpaqueHash::as_bytes),
    ];
    sql::execute(act.db, sql, values).map_err(|error| error.or_taken("client id"))?;
    act.after_commit(AfterCommit::Client(client.id.clone()));
    Ok(())
}

fn update(act: &mut Act<'_>, client: &Client) -> Result<bool, StoreError> {
    let sql = "UPDATE clients SET name = ?2, secret_hash = ?3, auth_method = ?4, \
               grant_types = ?5, redirect_uris = ?6, scopes = ?7, default_scopes = ?8, \
               disabled = ?9, options = ?10, metadata = ?11 WHERE id = ?1";
    let values = params![
        client.id.as_str(),
        client.name,
        client.secret_hash.as_ref().map(OpaqueHash::as_bytes),
        client.auth_method.as_str(),
        sql::json(&client.grant_types)?,
        sql::json(&client.redirect_uris)?,
        client.scopes.to_string(),
        client.default_scopes.to_string(),
        client.disabled,
        sql::json(&client.options)?,
        client.metadata,
    ];
    let changed = sql::execute(act.db, sql, values)? > 0;
    act.after_commit(AfterCommit::Client(client.id.clone()));
    Ok(changed)
}

fn delete(
    act: &mut Act<'_>,
    id: &ClientId,
    actor: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if sql::execute(act.db, "DELETE FROM clients WHERE id = ?1", [id.as_str()])? == 0 {
        return Ok(false);
    }
    sql::execute(act.db, "DELETE FROM consents WHERE client = ?1", [id.as_str()])?;
    sql::execute(act.db, "DELETE FROM waiting_requests WHERE client = ?1", [id.as_str()])?;
    let sql = "DELETE FROM codes WHERE client = ?1 AND redeemed_at IS NULL";
    sql::execute(act.db, sql, [id.as_str()])?;
    grant::end_all(act, GrantsOf::Client(id), "client deleted", now)?;
    personal::revoke_all_of(act, &Owner::Service(id.clone()), now)?;
    act.revoke_for_good(Selector::Client(id.clone()), "client deleted", actor, now)?;
    act.after_commit(AfterCommit::Client(id.clone()));
    Ok(true)
}

fn read(db: &Connection, id: &ClientId) -> Result<Option<Client>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM clients WHERE id = ?1");
    sql::one(db, &sql, [id.as_str()], from_columns)
}

fn from_columns(row: &Columns<'_, '_>) -> Result<Client, StoreError> {
    Ok(Client {
        id: row.id("id")?,
        name: row.text("name")?,
        secret_hash: row.maybe_hash("secret_hash")?,
        auth_method: row.word("auth_method")?,
        grant_types: row.json("grant_types")?,
        redirect_uris: row.json("redirect_uris")?,
        scopes: row.scopes("scopes")?,
        default_scopes: row.scopes("default_scopes")?,
        created_by: row.text("created_by")?,
        created_at: row.time("created_at")?,
        disabled: row.flag("disabled")?,
        options: row.json("options")?,
        metadata: row.text("metadata")?,
        registration_token: row.maybe_hash("registration_token")?,
    })
}
