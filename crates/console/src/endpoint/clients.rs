//! `/clients`: OAuth clients.

use authority::register::{self, ClientDraft, RegistrationRefused};
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Client, ClientOptions};
use token::id::ClientId;
use token::ladder::Ladder;
use token::opaque::OpaqueHash;
use token::restriction::Selector;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::{ClientAuthMethod, GrantType};
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{After, Body, Query, Segment};
use crate::problem::Problem;

/// Where a client's keys are; one of them.
const KEYS: [&str; 2] = ["jwks", "jwks_uri"];

/// A client; its secret is shown once, when it is made.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientView {
    /// Its id.
    #[schema(value_type = String)]
    client_id: ClientId,
    /// The name that people see.
    client_name: String,
    /// What it may do at the token endpoint.
    #[schema(value_type = Vec<String>)]
    grant_types: Vec<GrantType>,
    /// Where people may be sent back to.
    redirect_uris: Vec<String>,
    /// What it may ask for, separated by spaces.
    #[schema(value_type = String)]
    scope: ScopeSet,
    /// What it gets when it asks for nothing.
    #[schema(value_type = String)]
    default_scope: ScopeSet,
    /// How it authenticates.
    #[schema(value_type = String)]
    token_endpoint_auth_method: ClientAuthMethod,
    /// Its keys, and how it wants its answers: members of RFC 7591 that it was registered with.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    options: ClientOptions,
    /// Whether it is turned away.
    disabled: bool,
    /// Who registered it.
    created_by: String,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Its secret, in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// A client to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ClientBody {
    /// The name that people see, 1 to 100 characters.
    client_name: String,
    /// Those of the authorization server's metadata (`grant_types_supported`); when it is not given,
    /// `client_credentials` alone.
    #[schema(value_type = Option<Vec<String>>)]
    grant_types: Option<Vec<GrantType>>,
    /// Where people may be sent back to.
    #[serde(default)]
    redirect_uris: Vec<String>,
    /// What it may ask for, separated by spaces.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    scope: ScopeSet,
    /// What it gets when it asks for nothing; all of `scope` when it is not given.
    #[schema(value_type = Option<String>)]
    default_scope: Option<ScopeSet>,
    /// `client_secret_basic` (when it is not given), `client_secret_post`, `private_key_jwt`, or
    /// `none` for a client that cannot keep a secret.
    #[schema(value_type = Option<String>)]
    token_endpoint_auth_method: Option<ClientAuthMethod>,
    /// Its keys, and how it wants its answers: the members of RFC 7591, OpenID Connect Dynamic Client
    /// Registration 1.0 and their extensions that the authorization server's metadata speaks of.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    options: Map<String, Value>,
}

/// What is to be changed of a client; the rest stays.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ClientChange {
    /// The name that people see.
    client_name: Option<String>,
    /// What it may do at the token endpoint.
    #[schema(value_type = Option<Vec<String>>)]
    grant_types: Option<Vec<GrantType>>,
    /// Where people may be sent back to.
    redirect_uris: Option<Vec<String>>,
    /// What it may ask for; what it gets by default is cut down to it.
    #[schema(value_type = Option<String>)]
    scope: Option<ScopeSet>,
    /// What it gets when it asks for nothing.
    #[schema(value_type = Option<String>)]
    default_scope: Option<ScopeSet>,
    /// Turns it away, and revokes every token issued to it until now; `false` lets it in again.
    disabled: Option<bool>,
    /// As for a new client; `null` takes a member away, and new keys take the place of the old.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    options: Map<String, Value>,
}

/// List clients.
#[utoipa::path(get, path = "/clients", tag = "clients", params(After),
    responses((status = 200, description = "A page of clients", body = Page<ClientView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(page): Query<After>,
) -> Result<Answer<Page<ClientView>>, Problem> {
    let after = page.after.map(ClientId::from);
    let limit = page.limit.rows();
    let rows = console.store().clients(after.as_ref(), limit).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.id.to_string(), |row| view(row, None))))
}

/// Make a client.
#[utoipa::path(post, path = "/clients", tag = "clients", request_body = ClientBody,
    responses((status = 201, description = "The client with its secret", body = ClientView)))]
pub(crate) async fn create(
    State(console): State<Console>,
    administrator: Administrator,
    Body(body): Body<ClientBody>,
) -> Result<Recorded, Problem> {
    let now = console.authority.now();
    let draft = ClientDraft {
        name: body.client_name,
        auth_method: body.token_endpoint_auth_method.unwrap_or(ClientAuthMethod::ClientSecretBasic),
        grant_types: body.grant_types.unwrap_or_else(|| vec![GrantType::ClientCredentials]),
        redirect_uris: body.redirect_uris,
        default_scopes: body.default_scope.unwrap_or_else(|| body.scope.clone()),
        scopes: body.scope,
        options: options(body.options)?,
        metadata: "{}".to_owned(),
    };
    let (settings, random) = (console.authority.settings(), console.authority.random());
    let created_by = administrator.actor().to_owned();
    let made =
        register::register(console.store(), settings, draft, created_by, random, now).await?;
    let id = made.client.id.clone();
    let change = Change { action: "client.create", target: id.as_str(), at: now };
    let shown = answer::json(StatusCode::CREATED, &view(made.client, made.secret.as_ref()));
    console.record(&administrator, change, shown).await
}

/// Show a client.
#[utoipa::path(get, path = "/clients/{client_id}", tag = "clients",
    params(("client_id" = String, Path, description = "The client's id")),
    responses((status = 200, description = "The client", body = ClientView),
        (status = 404, description = "No client of this id", body = Problem)))]
pub(crate) async fn show(
    State(console): State<Console>,
    _: Reader,
    Segment(id): Segment,
) -> Result<Answer<ClientView>, Problem> {
    find(&console, &ClientId::from(id)).await.map(|client| Answer(view(client, None)))
}

/// Change a client.
#[utoipa::path(patch, path = "/clients/{client_id}", tag = "clients", request_body = ClientChange,
    params(("client_id" = String, Path, description = "The client's id")),
    responses((status = 200, description = "The client as it is now", body = ClientView),
        (status = 404, description = "No client of this id", body = Problem)))]
pub(crate) async fn update(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
    Body(body): Body<ClientChange>,
) -> Result<Recorded, Problem> {
    let id = ClientId::from(id);
    let _alone = console.changing.lock().await;
    let now = console.authority.now();
    let disable = body.disabled == Some(true);
    let before = find(&console, &id).await?;
    let was_disabled = before.disabled;
    let client = body.applied_to(before, &console.authority.settings().ladder)?;
    register::check(&draft(&client), console.authority.settings())?;
    write(&console, &client).await?;
    if disable {
        let selector = Selector::Client(id.clone());
        console.revoke_until_now(&administrator, selector, "client disabled").await?;
    }
    let action = match (was_disabled, client.disabled) {
        (false, true) => "client.disable",
        (true, false) => "client.enable",
        _ => "client.update",
    };
    let change = Change { action, target: id.as_str(), at: now };
    let shown = answer::json(StatusCode::OK, &view(client, None));
    console.record(&administrator, change, shown).await
}

/// Delete a client and revoke all its tokens.
#[utoipa::path(delete, path = "/clients/{client_id}", tag = "clients",
    params(("client_id" = String, Path, description = "The client's id")),
    responses((status = 204, description = "It is deleted"),
        (status = 404, description = "No client of this id", body = Problem)))]
pub(crate) async fn remove(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
) -> Result<Recorded, Problem> {
    let (id, now) = (ClientId::from(id), console.authority.now());
    if !console.store().delete_client(&id, administrator.actor(), now).await? {
        return Err(Problem::unknown("client"));
    }
    let change = Change { action: "client.delete", target: id.as_str(), at: now };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

/// Replace the secret; the old one is refused from now on.
#[utoipa::path(post, path = "/clients/{client_id}/secret", tag = "clients",
    params(("client_id" = String, Path, description = "The client's id")),
    responses((status = 200, description = "The client with its new secret", body = ClientView),
        (status = 404, description = "No client of this id", body = Problem),
        (status = 409, description = "The client has no secret", body = Problem)))]
pub(crate) async fn replace_secret(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
) -> Result<Recorded, Problem> {
    let (id, now) = (ClientId::from(id), console.authority.now());
    let _alone = console.changing.lock().await;
    let mut client = find(&console, &id).await?;
    if !register::has_secret(client.auth_method) {
        return Err(Problem::conflict("this client authenticates without a secret: it has none"));
    }
    let secret = register::new_secret(console.authority.random());
    client.secret_hash = Some(OpaqueHash::of(secret.expose()));
    write(&console, &client).await?;
    let change = Change { action: "client.secret", target: id.as_str(), at: now };
    let shown = answer::json(StatusCode::OK, &view(client, Some(&secret)));
    console.record(&administrator, change, shown).await
}

async fn find(console: &Console, id: &ClientId) -> Result<Client, Problem> {
    let found = console.store().client(id).await?;
    found.map(|client| Client::clone(&client)).ok_or_else(|| Problem::unknown("client"))
}

async fn write(console: &Console, client: &Client) -> Result<(), Problem> {
    match console.store().update_client(client).await? {
        true => Ok(()),
        false => Err(Problem::unknown("client")),
    }
}

fn draft(client: &Client) -> ClientDraft {
    ClientDraft {
        name: client.name.clone(),
        auth_method: client.auth_method,
        grant_types: client.grant_types.clone(),
        redirect_uris: client.redirect_uris.clone(),
        scopes: client.scopes.clone(),
        default_scopes: client.default_scopes.clone(),
        options: client.options.clone(),
        metadata: client.metadata.clone(),
    }
}

fn view(client: Client, secret: Option<&Secret>) -> ClientView {
    ClientView {
        client_id: client.id,
        client_name: client.name,
        grant_types: client.grant_types,
        redirect_uris: client.redirect_uris,
        scope: client.scopes,
        default_scope: client.default_scopes,
        token_endpoint_auth_method: client.auth_method,
        options: client.options,
        disabled: client.disabled,
        created_by: client.created_by,
        created_at: client.created_at,
        client_secret: secret.map(|secret| secret.expose().to_owned()),
    }
}

// === impl ClientChange ===

impl ClientChange {
    fn applied_to(self, client: Client, ladder: &Ladder) -> Result<Client, Problem> {
        let scopes = self.scope.unwrap_or(client.scopes);
        let kept = client.default_scopes.intersection(&ladder.reach(&scopes));
        let mut members = register::options::members(&client.options);
        if KEYS.iter().any(|name| self.options.contains_key(*name)) {
            members.retain(|name, _| !KEYS.contains(&name.as_str()));
        }
        members.extend(self.options);
        Ok(Client {
            name: self.client_name.unwrap_or(client.name),
            grant_types: self.grant_types.unwrap_or(client.grant_types),
            redirect_uris: self.redirect_uris.unwrap_or(client.redirect_uris),
            default_scopes: self.default_scope.unwrap_or(kept),
            scopes,
            options: options(members)?,
            disabled: self.disabled.unwrap_or(client.disabled),
            ..client
        })
    }
}

/// Nobody's member is ignored: one that is not known is refused.
fn options(members: Map<String, Value>) -> Result<ClientOptions, Problem> {
    let unknown = members.keys().find(|name| !register::options::NAMES.contains(&name.as_str()));
    if let Some(name) = unknown {
        let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        return Err(Problem::bad_request(format_args!("unknown field `{name}`")));
    }
    Ok(register::options::parse(&members)?)
}

impl From<RegistrationRefused> for Problem {
    fn from(refused: RegistrationRefused) -> Self {
        match refused {
            RegistrationRefused::Store(error) => error.into(),
            other => Self::bad_request(other),
        }
    }
}
