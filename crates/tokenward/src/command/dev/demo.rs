//! What `dev` puts into an empty store, and renews at every start because only hashes are kept.

use std::path::PathBuf;
use std::time::Duration;

use authority::issue::{AccessTokenOrder, mint};
use store::{Client, User};
use token::base62;
use token::id::{ClientId, SubjectId};
use token::opaque::{Family, OpaqueHash};
use token::random::OsRandom;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::{ClientAuthMethod, GrantType, scope};
use token::time::Timestamp;

use super::routes;
use crate::command::Failure;
use crate::compose::Product;

const CLIENT: &str = "demo";
const USERNAME: &str = "demo";
/// Exact, but for the port of a native application (RFC 8252 §7.3).
const REDIRECT: &str = "http://127.0.0.1/callback";
const TOKEN_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// What runs where.
pub(super) struct Demo {
    pub(super) issuer: String,
    pub(super) gateway: String,
    pub(super) admin: String,
    pub(super) upstream: String,
    /// Whether that is an API of the person's own.
    pub(super) own_upstream: bool,
    pub(super) data_dir: PathBuf,
}

/// What a person or a test needs to use it.
pub(super) struct Credentials {
    pub(super) admin_token: Secret,
    pub(super) initial_access_token: Secret,
    pub(super) client_id: &'static str,
    pub(super) client_secret: Secret,
    pub(super) username: &'static str,
    pub(super) password: Secret,
}

// === impl Demo ===

impl Demo {
    /// Makes or renews the demo client and the demo user, and fresh tokens.
    ///
    /// # Errors
    /// [`Failure`] when the store cannot be written.
    pub(super) async fn prepare(&self, product: &Product) -> Result<Credentials, Failure> {
        let now = product.clock.now();
        let client_secret = prepare_client(product, now).await?;
        let password = prepare_user(product, now).await?;
        Ok(Credentials {
            admin_token: self.token(product, scope::ADMIN, now)?,
            initial_access_token: self.token(product, scope::REGISTER, now)?,
            client_id: CLIENT,
            client_secret,
            username: USERNAME,
            password,
        })
    }

    fn token(&self, product: &Product, scope: &str, now: Timestamp) -> Result<Secret, Failure> {
        let order = AccessTokenOrder {
            subject: SubjectId::from("operator"),
            client: ClientId::from("tokenward-dev"),
            scopes: ScopeSet::parse(scope).map_err(Failure::new)?,
            audiences: vec![self.issuer.clone()],
            life: TOKEN_LIFE,
            grant: None,
            session: None,
            auth_time: None,
            acr: None,
            details: Vec::new(),
            cnf: None,
            act: None,
            may_act: None,
        };
        let keys = product.authority.keys();
        let issued = mint(order, &self.issuer, keys, &product.store, now, &OsRandom::new());
        issued.map(|issued| issued.token).map_err(Failure::new)
    }
}

async fn prepare_client(product: &Product, now: Timestamp) -> Result<Secret, Failure> {
    let id = ClientId::from(CLIENT);
    let secret = Family::ClientSecret.generate(&OsRandom::new());
    let held = product.store.client(&id).await.map_err(Failure::new)?;
    let client = Client {
        id,
        name: "Demo application".to_owned(),
        secret_hash: Some(OpaqueHash::of(secret.expose())),
        auth_method: ClientAuthMethod::ClientSecretBasic,
        grant_types: GrantType::ALL.to_vec(),
        redirect_uris: vec![REDIRECT.to_owned()],
        scopes: ScopeSet::parse(&routes::all_scopes()).map_err(Failure::new)?,
        default_scopes: ScopeSet::parse(&routes::read_scopes()).map_err(Failure::new)?,
        created_by: "dev".to_owned(),
        created_at: held.as_ref().map_or(now, |held| held.created_at),
        disabled: false,
        options: Default::default(),
        registration_token: None,
        metadata: "{}".to_owned(),
    };
    if held.is_some() {
        product.store.update_client(&client).await.map_err(Failure::new)?;
    } else {
        product.store.create_client(&client).await.map_err(Failure::new)?;
    }
    Ok(secret)
}

async fn prepare_user(product: &Product, now: Timestamp) -> Result<Secret, Failure> {
    let password = Secret::new(base62::random(16, &OsRandom::new()));
    let held = product.store.user_by_name(USERNAME).await.map_err(Failure::new)?;
    let mut user = User {
        id: held
            .as_ref()
            .map_or_else(|| SubjectId::generate(&OsRandom::new()), |held| held.id.clone()),
        username: USERNAME.to_owned(),
        password_hash: None,
        name: Some("Dana Demo".to_owned()),
        email: Some("demo@example.com".to_owned()),
        email_verified: true,
        claims: Default::default(),
        disabled: false,
        require_mfa: false,
        created_at: held.as_ref().map_or(now, |held| held.created_at),
    };
    let hash = product.authority.hash_password(password.clone(), &user).await;
    user.password_hash = Some(hash.map_err(Failure::new)?);
    if held.is_some() {
        product.store.update_user(&user).await.map_err(Failure::new)?;
    } else {
        product.store.create_user(&user).await.map_err(Failure::new)?;
    }
    Ok(password)
}
