//! What may be registered as a client, by whoever asks: RFC 7591, the admin API, the first start.

mod member;
pub mod metadata;
pub mod options;
pub mod policy;
pub mod statement;

use http::StatusCode;
use store::{Client, ClientOptions, Store, StoreError};
use token::id::ClientId;
use token::opaque::{Family, OpaqueHash};
use token::random::Random;
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::{ClientAuthMethod, GrantType, OAuthErrorCode};
use token::time::Timestamp;

use crate::oauth_error::OAuthError;
use crate::register::statement::StatementRefused;
use crate::rule::redirect_uri::{self, RedirectUriRefused};
use crate::settings::Settings;

const MAX_NAME_CHARS: usize = 100;
/// Clients that registered themselves (RFC 7591) are written down so.
pub(crate) const SELF_REGISTERED: &str = "registration:";
/// Behind it, those that showed nothing to register.
pub(crate) const ANYBODY: &str = "open";
const MAX_REDIRECT_URIS: usize = 20;

/// A client as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDraft {
    /// The name that people see, 1 to 100 characters.
    pub name: String,
    /// How it authenticates; with any method but `none` it gets a secret.
    pub auth_method: ClientAuthMethod,
    /// What it may do at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: ScopeSet,
    /// What it gets when it asks for nothing.
    pub default_scopes: ScopeSet,
    /// Its keys, and how it wants its answers.
    pub options: ClientOptions,
    /// Other members of the registration, as a JSON object.
    pub metadata: String,
}

/// A client that was registered, with its secret, which is shown this once.
#[derive(Clone, Debug)]
pub struct RegisteredClient {
    /// The client as stored.
    pub client: Client,
    /// Its secret, unless it is public.
    pub secret: Option<Secret>,
    /// With what it manages its registration, where it may.
    pub registration_token: Option<Secret>,
}

/// Which member of a registration is wrong, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationRefused {
    /// `client_credentials` without a secret.
    #[error(
        "a public client cannot have the grant types `client_credentials`, jwt-bearer, CIBA and \
         token exchange: give it a secret or a key"
    )]
    CredentialsWithoutSecret,
    /// Default scopes that it may not have.
    #[error("the default scopes `{0}` are not among the client's scopes")]
    DefaultScopes(String),
    /// A grant type that this registration cannot give.
    #[error("`grant_types` has `{0}`, which cannot be had by registration")]
    GrantTypeNotAllowed(GrantType),
    /// Keys in two places.
    #[error("`jwks` and `jwks_uri` cannot both be given")]
    KeysTwice,
    /// An encrypted answer without a key to encrypt to.
    #[error("`{0}` needs `jwks` with a key for it, its `use` being `enc`")]
    NoEncryptionKey(String),
    /// No grant type.
    #[error("`grant_types` must name at least one grant type")]
    NoGrantType,
    /// `authorization_code` without a place to return to.
    #[error("`redirect_uris` must name at least one URI for the grant type `authorization_code`")]
    NoRedirectUri,
    /// Another member.
    #[error("`{member}` {rule}")]
    Member {
        /// Its name.
        member: String,
        /// What it must be.
        rule: &'static str,
    },
    /// A redirect URI that nobody may register.
    #[error("`redirect_uris` has `{uri}`: {refused}")]
    RedirectUri {
        /// The URI.
        uri: String,
        /// The rule it breaks.
        refused: RedirectUriRefused,
    },
    /// A place that this registration cannot give.
    #[error("`redirect_uris` has `{uri}`: {rule}")]
    RedirectNotAllowed {
        /// The URI.
        uri: String,
        /// What it must be.
        rule: &'static str,
    },
    /// `refresh_token` has nothing to refresh.
    #[error(
        "the grant type `refresh_token` needs one beside it that a person begins, such as \
         `authorization_code`"
    )]
    RefreshAlone,
    /// The body is not what RFC 7591 §3.1 says.
    #[error("the body is {0}")]
    Body(#[from] token::json::NotAnObject),
    /// A scope that this registration cannot give.
    #[error("`scope` has `{0}`, which cannot be had by registration")]
    ScopeNotAllowed(String),
    /// A scope that nobody knows.
    #[error("the scope `{0}` is not defined here")]
    ScopeUnknown(String),
    /// The word of a publisher that is not taken.
    #[error(transparent)]
    Statement(#[from] StatementRefused),
    /// State could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More redirect URIs than 20.
    #[error("`redirect_uris` can name at most 20 URIs")]
    TooManyRedirectUris,
}

/// Checks and stores a client. `created_by` is `client:…`, `admin:…` or `authority`.
///
/// # Errors
/// [`RegistrationRefused`] names the member that is wrong.
pub async fn register(
    store: &Store,
    settings: &Settings,
    draft: ClientDraft,
    created_by: String,
    random: &dyn Random,
    now: Timestamp,
) -> Result<RegisteredClient, RegistrationRefused> {
    check(&draft, settings)?;
    let secret = has_secret(draft.auth_method).then(|| new_secret(random));
    let by_itself = created_by.starts_with(SELF_REGISTERED);
    let token = by_itself.then(|| Family::Registration.generate(random));
    let client = Client {
        id: ClientId::generate(random),
        name: draft.name,
        secret_hash: secret.as_ref().map(|secret| OpaqueHash::of(secret.expose())),
        auth_method: draft.auth_method,
        grant_types: draft.grant_types,
        redirect_uris: draft.redirect_uris,
        scopes: draft.scopes,
        default_scopes: draft.default_scopes,
        created_by,
        created_at: now,
        disabled: false,
        options: draft.options,
        registration_token: token.as_ref().map(|token| OpaqueHash::of(token.expose())),
        metadata: draft.metadata,
    };
    store.create_client(&client).await?;
    Ok(RegisteredClient { client, secret, registration_token: token })
}

/// Puts a draft in the place of what a client registered before; it keeps its id, and its secret where
/// it still needs one.
///
/// # Errors
/// [`RegistrationRefused`] names the member that is wrong.
pub(crate) async fn replace(
    store: &Store,
    settings: &Settings,
    client: &Client,
    draft: ClientDraft,
    random: &dyn Random,
) -> Result<RegisteredClient, RegistrationRefused> {
    check(&draft, settings)?;
    let needs_secret = has_secret(draft.auth_method);
    let secret = (needs_secret && client.secret_hash.is_none()).then(|| new_secret(random));
    let hash = secret.as_ref().map(|secret| OpaqueHash::of(secret.expose()));
    // What an administrator gave or cut is not the client's to change, and not to undo either.
    let kept = client.options.clone();
    let options = ClientOptions {
        access_token_life: kept.access_token_life,
        authorization_details_types: kept.authorization_details_types,
        exchange_audiences: kept.exchange_audiences,
        may_act: kept.may_act,
        refresh_absolute_life: kept.refresh_absolute_life,
        refresh_idle_life: kept.refresh_idle_life,
        ..draft.options
    };
    let client = Client {
        name: draft.name,
        secret_hash: hash.or(client.secret_hash).filter(|_| needs_secret),
        auth_method: draft.auth_method,
        grant_types: draft.grant_types,
        redirect_uris: draft.redirect_uris,
        scopes: draft.scopes,
        default_scopes: draft.default_scopes,
        options,
        metadata: draft.metadata,
        ..client.clone()
    };
    store.update_client(&client).await?;
    Ok(RegisteredClient { client, secret, registration_token: None })
}

/// What everybody hears where nobody may register.
pub(crate) fn switched_off() -> OAuthError {
    let words = "clients cannot register themselves here; ask an administrator for one";
    OAuthError::new(OAuthErrorCode::AccessDenied, words).with_status(StatusCode::FORBIDDEN)
}

/// Whether this client registered itself and had nothing to show for it.
pub(crate) fn is_anybody(client: &Client) -> bool {
    client.created_by.strip_prefix(SELF_REGISTERED) == Some(ANYBODY)
}

/// Whether a client that authenticates so has a secret of ours.
pub fn has_secret(method: ClientAuthMethod) -> bool {
    match method {
        ClientAuthMethod::ClientSecretBasic | ClientAuthMethod::ClientSecretPost => true,
        ClientAuthMethod::AttestJwtClientAuth
        | ClientAuthMethod::None
        | ClientAuthMethod::PrivateKeyJwt
        | ClientAuthMethod::SelfSignedTlsClientAuth
        | ClientAuthMethod::TlsClientAuth => false,
    }
}

/// A new client secret: 256 random bits, stored as SHA-256 only.
pub fn new_secret(random: &dyn Random) -> Secret {
    Family::ClientSecret.generate(random)
}

/// Checks a draft, new or changed.
///
/// # Errors
/// [`RegistrationRefused`] names the first member that is wrong.
pub fn check(draft: &ClientDraft, settings: &Settings) -> Result<(), RegistrationRefused> {
    check_name(&draft.name)?;
    check_grant_types(draft)?;
    options::check(draft, settings)?;
    if draft.redirect_uris.len() > MAX_REDIRECT_URIS {
        return Err(RegistrationRefused::TooManyRedirectUris);
    }
    for uri in &draft.redirect_uris {
        redirect_uri::check_registration(uri)
            .map_err(|refused| RegistrationRefused::RedirectUri { uri: shown(uri), refused })?;
    }
    for scope in draft.scopes.iter() {
        if !settings.knows_scope(scope) {
            return Err(RegistrationRefused::ScopeUnknown(scope.to_owned()));
        }
    }
    match draft.default_scopes.difference(&settings.ladder.reach(&draft.scopes)) {
        beyond if beyond.is_empty() => Ok(()),
        beyond => Err(RegistrationRefused::DefaultScopes(beyond.to_string())),
    }
}

fn check_name(name: &str) -> Result<(), RegistrationRefused> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > MAX_NAME_CHARS || !is_visible(name) {
        return Err(RegistrationRefused::Member {
            member: "client_name".to_owned(),
            rule: "must be 1 to 100 characters that can be seen",
        });
    }
    Ok(())
}

/// Whether a name shows all that it has: nothing that makes it look like another one.
pub fn is_visible(name: &str) -> bool {
    !name.chars().any(is_deceptive)
}

/// Control characters, and those that change the direction of text or cannot be seen (`Default_Ignorable_Code_Point`
/// of Unicode, but for the selectors that pictures in a text have).
fn is_deceptive(c: char) -> bool {
    let is_unseen = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}');
    c.is_control() || is_unseen
}

fn check_grant_types(draft: &ClientDraft) -> Result<(), RegistrationRefused> {
    let has = |grant_type| draft.grant_types.contains(&grant_type);
    if draft.grant_types.is_empty() {
        return Err(RegistrationRefused::NoGrantType);
    }
    let machine = has(GrantType::ClientCredentials)
        || has(GrantType::Ciba)
        || has(GrantType::JwtBearer)
        || has(GrantType::TokenExchange);
    if machine && draft.auth_method == ClientAuthMethod::None {
        return Err(RegistrationRefused::CredentialsWithoutSecret);
    }
    let by_person =
        has(GrantType::AuthorizationCode) || has(GrantType::Ciba) || has(GrantType::DeviceCode);
    if has(GrantType::RefreshToken) && !by_person {
        return Err(RegistrationRefused::RefreshAlone);
    }
    if has(GrantType::AuthorizationCode) && draft.redirect_uris.is_empty() {
        return Err(RegistrationRefused::NoRedirectUri);
    }
    Ok(())
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(128).collect()
}

// === impl RegistrationRefused ===

impl RegistrationRefused {
    /// The registered error code (RFC 7591 §3.2.2).
    pub fn code(&self) -> OAuthErrorCode {
        match self {
            Self::NoRedirectUri
            | Self::RedirectNotAllowed { .. }
            | Self::RedirectUri { .. }
            | Self::TooManyRedirectUris => OAuthErrorCode::InvalidRedirectUri,
            Self::Statement(StatementRefused::Unapproved) => {
                OAuthErrorCode::UnapprovedSoftwareStatement
            }
            Self::Statement(_) => OAuthErrorCode::InvalidSoftwareStatement,
            Self::Store(_) => OAuthErrorCode::ServerError,
            Self::Body(_)
            | Self::CredentialsWithoutSecret
            | Self::DefaultScopes(_)
            | Self::GrantTypeNotAllowed(_)
            | Self::KeysTwice
            | Self::Member { .. }
            | Self::NoEncryptionKey(_)
            | Self::NoGrantType
            | Self::RefreshAlone
            | Self::ScopeNotAllowed(_)
            | Self::ScopeUnknown(_) => OAuthErrorCode::InvalidClientMetadata,
        }
    }
}

impl From<RegistrationRefused> for OAuthError {
    fn from(refused: RegistrationRefused) -> Self {
        match refused {
            RegistrationRefused::Store(error) => error.into(),
            other => Self::new(other.code(), other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
