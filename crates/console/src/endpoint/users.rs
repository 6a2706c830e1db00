//! `/users`: people who sign in with a name and a password.

use authority::credential::{By, ReplaceRefused};
use authority::login::password::PasswordError;
use authority::signals::changed;
use authority::{person, person_claims};
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::User;
use token::id::SubjectId;
use token::restriction::Selector;
use token::secret::Secret;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer, Page};
use crate::change::{Change, Recorded};
use crate::input::{self, After, Body, Query, Segment};
use crate::problem::Problem;

/// A person.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    /// `sub` of their tokens.
    #[schema(value_type = String)]
    id: SubjectId,
    /// The name they sign in with; case does not matter.
    username: String,
    /// Their name as others see it.
    name: Option<String>,
    /// Their mail address.
    email: Option<String>,
    /// Whether the address was proven to be theirs.
    email_verified: bool,
    /// What else is known about them, by the names of claims.
    #[schema(value_type = Object)]
    claims: Map<String, Value>,
    /// Whether they are turned away.
    disabled: bool,
    /// Whether they have to prove more than a password, whatever is usual.
    require_mfa: bool,
    /// When they were added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A person to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserBody {
    /// The name they sign in with, 1 to 128 characters.
    username: String,
    /// Their password: long, and neither predictable nor stolen elsewhere. Without one they cannot sign in.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Secret>,
    /// Their name as others see it.
    name: Option<String>,
    /// Their mail address.
    email: Option<String>,
    /// Whether the address was proven to be theirs.
    #[serde(default)]
    email_verified: bool,
    /// What else is known about them, by the names of claims: `given_name`, `phone_number`, `address`
    /// and the like (OpenID Connect Core 1.0 section 5.1), and those that scopes of the configuration
    /// bring. At most 64, and 8 KiB of JSON.
    #[serde(default)]
    #[schema(value_type = Object)]
    claims: Map<String, Value>,
    /// Whether they have to prove more than a password, whatever is usual.
    #[serde(default)]
    require_mfa: bool,
}

/// What is to be changed of a person; the rest stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    /// The name they sign in with.
    username: Option<String>,
    /// Their name as others see it; `null` takes it away.
    #[serde(default, deserialize_with = "input::given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// Their mail address; `null` takes it away. A new one is not proven to be theirs.
    #[serde(default, deserialize_with = "input::given")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    /// Whether the address was proven to be theirs.
    email_verified: Option<bool>,
    /// Claims to be set; those that are not named stay, `null` takes one away.
    #[serde(default)]
    #[schema(value_type = Object)]
    claims: Map<String, Value>,
    /// Turns them away, ends their sessions and revokes every token issued until now; `false`
    /// lets them sign in again.
    disabled: Option<bool>,
    /// Whether they have to prove more than a password, whatever is usual.
    require_mfa: Option<bool>,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordBody {
    /// Long, and neither predictable nor stolen elsewhere.
    #[schema(value_type = String, format = Password)]
    password: Secret,
}

/// List people.
#[utoipa::path(get, path = "/users", tag = "users", params(After),
    responses((status = 200, description = "A page of people", body = Page<UserView>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    _: Reader,
    Query(page): Query<After>,
) -> Result<Answer<Page<UserView>>, Problem> {
    let after = page.after.map(SubjectId::from);
    let limit = page.limit.rows();
    let rows = console.store().users(after.as_ref(), limit).await?;
    Ok(Answer(Page::of(rows, limit, |row| row.id.to_string(), view)))
}

/// Add a person.
#[utoipa::path(post, path = "/users", tag = "users", request_body = UserBody,
    responses((status = 201, description = "The person", body = UserView),
        (status = 409, description = "The user name is taken", body = Problem)))]
pub(crate) async fn create(
    State(console): State<Console>,
    administrator: Administrator,
    Body(body): Body<UserBody>,
) -> Result<Recorded, Problem> {
    let now = console.authority.now();
    let mut user = User {
        id: SubjectId::generate(console.authority.random()),
        username: body.username,
        password_hash: None,
        name: body.name,
        email_verified: body.email_verified && body.email.is_some(),
        email: body.email,
        claims: body.claims,
        disabled: false,
        require_mfa: body.require_mfa,
        created_at: now,
    };
    check(&user)?;
    if let Some(password) = body.password {
        let ip = administrator.caller().ip;
        let hash = console.authority.hash_password(password, &user, ip).await?;
        user.password_hash = Some(hash);
    }
    console.store().create_user(&user).await?;
    let id = user.id.clone();
    let change = Change { action: "user.create", target: id.as_str(), at: now };
    let shown = answer::json(StatusCode::CREATED, &view(user));
    console.record(&administrator, change, shown).await
}

/// Show a person.
#[utoipa::path(get, path = "/users/{id}", tag = "users",
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens")),
    responses((status = 200, description = "The person", body = UserView),
        (status = 404, description = "Nobody of this id", body = Problem)))]
pub(crate) async fn show(
    State(console): State<Console>,
    _: Reader,
    Segment(id): Segment,
) -> Result<Answer<UserView>, Problem> {
    find(&console, &SubjectId::from(id)).await.map(|user| Answer(view(user)))
}

/// Change a person.
#[utoipa::path(patch, path = "/users/{id}", tag = "users", request_body = UserChange,
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens")),
    responses((status = 200, description = "The person as they are now", body = UserView),
        (status = 404, description = "Nobody of this id", body = Problem),
        (status = 409, description = "The user name is taken", body = Problem)))]
pub(crate) async fn update(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
    Body(body): Body<UserChange>,
) -> Result<Recorded, Problem> {
    let id = SubjectId::from(id);
    let _alone = console.changing.lock().await;
    let now = console.authority.now();
    let disable = body.disabled == Some(true);
    let before = find(&console, &id).await?;
    let was_disabled = before.disabled;
    let user = body.applied_to(before);
    check(&user)?;
    write(&console, &user).await?;
    if disable {
        let selector = Selector::Subject(id.clone());
        console.revoke_until_now(&administrator, selector, "user disabled").await?;
    }
    let action = match (was_disabled, user.disabled) {
        (false, true) => changed::DISABLE,
        (true, false) => changed::ENABLE,
        _ => "user.update",
    };
    let change = Change { action, target: id.as_str(), at: now };
    let shown = answer::json(StatusCode::OK, &view(user));
    console.record(&administrator, change, shown).await
}

/// Set a new password. Ends the person's sessions and revokes every token issued until now.
#[utoipa::path(put, path = "/users/{id}/password", tag = "users", request_body = PasswordBody,
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens")),
    responses((status = 204, description = "The password is set"),
        (status = 404, description = "Nobody of this id", body = Problem)))]
pub(crate) async fn set_password(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
    Body(body): Body<PasswordBody>,
) -> Result<Recorded, Problem> {
    let id = SubjectId::from(id);
    let _alone = console.changing.lock().await;
    let now = console.authority.now();
    let user = find(&console, &id).await?;
    let (actor, caller) = (administrator.actor(), administrator.caller());
    let language = console.authority.settings().catalogue.usual();
    let by = By { actor, caller, link: None, language };
    console.authority.replace_password(&user, body.password, by).await?;
    let change = Change { action: "user.password", target: id.as_str(), at: now };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

/// Delete a person, end their sessions and revoke all their tokens.
#[utoipa::path(delete, path = "/users/{id}", tag = "users",
    params(("id" = String, Path, description = "The person's id: `sub` of their tokens")),
    responses((status = 204, description = "They are deleted"),
        (status = 404, description = "Nobody of this id", body = Problem)))]
pub(crate) async fn remove(
    State(console): State<Console>,
    administrator: Administrator,
    Segment(id): Segment,
) -> Result<Recorded, Problem> {
    let (id, now) = (SubjectId::from(id), console.authority.now());
    if !console.store().delete_user(&id, administrator.actor(), now).await? {
        return Err(Problem::unknown("user"));
    }
    let change = Change { action: "user.delete", target: id.as_str(), at: now };
    console.record(&administrator, change, StatusCode::NO_CONTENT.into_response()).await
}

fn check(user: &User) -> Result<(), Problem> {
    person_claims::check(&user.claims).map_err(Problem::bad_request)?;
    let names = person::check_username(&user.username)
        .and_then(|()| person::check_name(user.name.as_deref()))
        .and_then(|()| person::check_email(user.email.as_deref()));
    names.map_err(Problem::bad_request)
}

pub(super) async fn find(console: &Console, id: &SubjectId) -> Result<User, Problem> {
    console.store().user(id).await?.ok_or_else(|| Problem::unknown("user"))
}

async fn write(console: &Console, user: &User) -> Result<(), Problem> {
    match console.store().update_user(user).await? {
        true => Ok(()),
        false => Err(Problem::unknown("user")),
    }
}

fn view(user: User) -> UserView {
    UserView {
        id: user.id,
        username: user.username,
        name: user.name,
        email: user.email,
        email_verified: user.email_verified,
        claims: user.claims,
        disabled: user.disabled,
        require_mfa: user.require_mfa,
        created_at: user.created_at,
    }
}

// === impl UserChange ===

impl UserChange {
    fn applied_to(self, user: User) -> User {
        let email = self.email.unwrap_or_else(|| user.email.clone());
        let same_address = email == user.email;
        let verified = self.email_verified.unwrap_or(user.email_verified && same_address);
        let mut claims = user.claims;
        claims.extend(self.claims);
        claims.retain(|_, value| !value.is_null());
        User {
            username: self.username.unwrap_or(user.username),
            name: self.name.unwrap_or(user.name),
            email_verified: verified && email.is_some(),
            email,
            claims,
            disabled: self.disabled.unwrap_or(user.disabled),
            require_mfa: self.require_mfa.unwrap_or(user.require_mfa),
            ..user
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Policy(refused) => Self::bad_request(refused),
            PasswordError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
                .with_field(header::RETRY_AFTER, "1"),
            PasswordError::Hashing(_) | PasswordError::List(_) | PasswordError::StoredHash => {
                Self::internal(&error)
            }
        }
    }
}

impl From<ReplaceRefused> for Problem {
    fn from(refused: ReplaceRefused) -> Self {
        match refused {
            ReplaceRefused::Gone => Self::unknown("user"),
            ReplaceRefused::Password(error) => error.into(),
            ReplaceRefused::Store(error) => error.into(),
        }
    }
}
