//! Why an authorization request is refused: to the person by a page, or to the client.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use store::{Client, StoreError};
use token::event::{EventKind, Who};
use token::id::ClientId;
use token::scope::ScopeSet;
use token::term::OAuthErrorCode;

use super::response;
use super::return_to::ReturnTo;
use crate::endpoint::document;
use crate::endpoint::visit::Visit;
use crate::metadata_document::{DocumentRefused, FindRefused};
use crate::oauth_error::OAuthError;
use crate::page::problem::{Problem, ProblemPage};
use crate::parameters::ParametersRefused;
use crate::request_object::RequestObjectRefused;
use crate::rule::authorization_details::DetailsRefused;
use crate::rule::claims_request::ClaimsRefused;
use crate::rule::dpop_jkt::NotAThumbprint;
use crate::rule::max_age::NotAnAge;
use crate::rule::pkce::PkceRefused;
use crate::rule::prompt::PromptRefused;
use crate::rule::resource::ResourceRefused;
use crate::rule::response_type::ResponseTypeRefused;
use crate::rule::scope::ScopeRefused;

/// A refusal, and who hears of it.
pub(crate) enum Refused {
    /// The client, at its redirect URI.
    ToClient(Box<(Arc<Client>, ReturnTo, AuthorizeRefused)>),
    /// The person: there is no place known to send them to.
    ToPerson(PageRefused),
}

/// Why a request goes no further than a page of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageRefused {
    /// The network is blocked.
    #[error("requests from this network are refused for the time being")]
    Blocked,
    /// The client is turned away.
    #[error("the client `{0}` is disabled or suspended")]
    ClientDisabled(ClientId),
    /// No client named.
    #[error("the parameter `client_id` is missing")]
    ClientMissing,
    /// Nobody has registered it.
    #[error("there is no client `{0}` here")]
    ClientUnknown(String),
    /// The document that its id leads to does not describe it well.
    #[error(transparent)]
    ClientDocument(#[from] DocumentRefused),
    /// A form that is no form.
    #[error("{}", .0.description)]
    Form(OAuthError),
    /// A page asked for by itself.
    #[error("this address only takes the form of its page")]
    OutOfTurn,
    /// Not an ID token of ours, or not the client's.
    #[error("`id_token_hint` is no ID token of this server, or another client's than `client_id`")]
    Hint,
    /// Not one of those that the client registered.
    #[error("the `post_logout_redirect_uri` `{uri}` is not registered for the client `{client}`")]
    LogoutUriUnknown {
        /// The client.
        client: ClientId,
        /// What was asked for.
        uri: String,
    },
    /// The parameters cannot be read.
    #[error(transparent)]
    Parameters(#[from] ParametersRefused),
    /// None given, and it is not clear which is meant.
    #[error("the parameter `redirect_uri` is missing")]
    RedirectUriMissing(ClientId),
    /// Not one of those that the client registered.
    #[error("the `redirect_uri` `{uri}` is not registered for the client `{client}`")]
    RedirectUriUnknown {
        /// The client.
        client: ClientId,
        /// What was asked for.
        uri: String,
    },
    /// Nobody went to the provider from this browser, or they did so too long ago, or are back already.
    #[error("`state` is not one that this browser took to the provider, or it was used before")]
    Returned,
    /// State could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No request was pushed under this name, or its time is over, or it was answered.
    #[error("the `request_uri` is unknown, has expired, or was used before")]
    RequestUriUnknown,
    /// A request object that is not good (RFC 9101 §6).
    #[error(transparent)]
    RequestObject(#[from] RequestObjectRefused),
    /// No code that a device could show.
    #[error("`user_code` is missing or is no such code")]
    UserCode,
    /// More than fits into a URL.
    #[error("the authorization request is longer than 16 KiB")]
    TooLong,
}

/// Why a request is refused to its client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorizeRefused {
    /// RFC 9396 §5.
    #[error(transparent)]
    Details(#[from] DetailsRefused),
    /// OpenID Connect Core 1.0 §5.5.
    #[error(transparent)]
    Claims(#[from] ClaimsRefused),
    /// The client was not registered for codes.
    #[error("the client is not registered for the grant type `authorization_code`")]
    ClientMayNot,
    /// Not an ID token that this client got here.
    #[error("`id_token_hint` is no ID token that this server issued to this client")]
    IdTokenHint,
    /// `prompt=none`, but the person has to be asked.
    #[error("the person has not agreed to this yet, and `prompt=none` allows no page")]
    ConsentNeeded,
    /// More than a password is demanded, and the person has nothing to show.
    #[error("this needs a second factor, and the person has none and may set none up here")]
    FactorMissing,
    /// The person said no.
    #[error("the person refused the request")]
    Denied,
    /// The client promised to push its requests (RFC 9126 §6).
    #[error("this client must push its requests to the pushed authorization request endpoint")]
    NotPushed,
    /// `prompt=none`, but nobody is signed in.
    #[error("the person has to sign in, and `prompt=none` allows no page")]
    LoginNeeded,
    /// RFC 9449 §10.
    #[error(transparent)]
    DpopJkt(#[from] NotAThumbprint),
    /// OpenID Connect Core 1.0 §3.1.2.1.
    #[error(transparent)]
    MaxAge(#[from] NotAnAge),
    /// RFC 7636.
    #[error(transparent)]
    Pkce(#[from] PkceRefused),
    /// OpenID Connect Core 1.0 §3.1.2.1.
    #[error(transparent)]
    Prompt(#[from] PromptRefused),
    /// The client promised to sign its requests (RFC 9101 §10.5).
    #[error("this client must sign its requests; send a request object in `request`")]
    NotSigned,
    /// OpenID Connect Core 1.0 §7.2.1: a client describes itself where it registers.
    #[error("`registration` is not taken here; register at the registration endpoint")]
    Registration,
    /// RFC 9101.
    #[error(
        "a `request_uri` can only be one that the pushed authorization request endpoint gave; send \
         the request object itself in `request`"
    )]
    RequestUri,
    /// RFC 8707.
    #[error(transparent)]
    Resource(#[from] ResourceRefused),
    /// RFC 6749 §3.1.1.
    #[error(transparent)]
    ResponseType(#[from] ResponseTypeRefused),
    /// RFC 6749 §3.3.
    #[error(transparent)]
    Scope(#[from] ScopeRefused),
    /// State could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives a refusal to whom it is for, and tells the watcher.
pub(crate) fn answer(visit: &Visit, refused: Refused) -> Response {
    match refused {
        Refused::ToClient(refused) => {
            let (client, return_to, why) = *refused;
            let who = Who { client: Some(client.id.clone()), ..Who::default() };
            observe(visit, who, why.event_result(), return_to.host());
            response::refusal(visit, &client, &return_to, &why.to_oauth())
        }
        Refused::ToPerson(refused) => {
            if let Some(result) = refused.event_result() {
                observe(visit, refused.who(), result, None);
            }
            page(visit, &refused)
        }
    }
}

fn page(visit: &Visit, refused: &PageRefused) -> Response {
    let (status, problem) = (refused.status(), refused.problem());
    let page = ProblemPage::new(&visit.reader(), problem, refused, status);
    let response = document::page(status, page.finish());
    match status {
        StatusCode::METHOD_NOT_ALLOWED => document::allow_post(response),
        StatusCode::SERVICE_UNAVAILABLE => document::retry_after(response, 1),
        _ => response,
    }
}

fn observe(visit: &Visit, who: Who, result: &str, redirect_host: Option<String>) {
    let result = result.to_owned();
    visit.emit(who, EventKind::Authorize { scopes: ScopeSet::default(), result, redirect_host });
}

// === impl Refused ===

impl From<PageRefused> for Refused {
    fn from(refused: PageRefused) -> Self {
        Self::ToPerson(refused)
    }
}

impl From<FindRefused> for PageRefused {
    fn from(refused: FindRefused) -> Self {
        match refused {
            FindRefused::Document(refused) => Self::ClientDocument(refused),
            FindRefused::Store(error) => Self::Store(error),
        }
    }
}

// === impl PageRefused ===

impl PageRefused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Blocked => StatusCode::FORBIDDEN,
            Self::Form(error) => error.status,
            Self::OutOfTurn => StatusCode::METHOD_NOT_ALLOWED,
            Self::Store(StoreError::Closed | StoreError::Overloaded) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Store(error) => {
                tracing::error!(cause = %error, "request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::TooLong => StatusCode::URI_TOO_LONG,
            Self::ClientDisabled(_)
            | Self::ClientDocument(_)
            | Self::ClientMissing
            | Self::ClientUnknown(_)
            | Self::Hint
            | Self::LogoutUriUnknown { .. }
            | Self::Parameters(_)
            | Self::RedirectUriMissing(_)
            | Self::RedirectUriUnknown { .. }
            | Self::RequestObject(_)
            | Self::RequestUriUnknown
            | Self::Returned
            | Self::UserCode => StatusCode::BAD_REQUEST,
        }
    }

    /// Which page is shown.
    fn problem(&self) -> Problem {
        match self {
            Self::Blocked => Problem::Blocked,
            Self::ClientDisabled(_) => Problem::ClientDisabled,
            Self::ClientDocument(_) | Self::ClientMissing | Self::ClientUnknown(_) => {
                Problem::ClientUnknown
            }
            Self::LogoutUriUnknown { .. } => Problem::ReturnAddress,
            Self::Form(_)
            | Self::Hint
            | Self::Parameters(_)
            | Self::RequestObject(_)
            | Self::TooLong
            | Self::UserCode => Problem::Malformed,
            Self::OutOfTurn => Problem::OutOfTurn,
            Self::RequestUriUnknown => Problem::Overtaken,
            Self::Returned => Problem::Returned,
            Self::RedirectUriMissing(_) | Self::RedirectUriUnknown { .. } => Problem::ReturnAddress,
            Self::Store(_) => Problem::Ours,
        }
    }

    /// What events call it; nothing where no authorization was asked for.
    fn event_result(&self) -> Option<&'static str> {
        match self {
            Self::ClientDisabled(_) => Some("client_disabled"),
            Self::ClientDocument(_) | Self::ClientMissing | Self::ClientUnknown(_) => {
                Some("unknown_client")
            }
            Self::RedirectUriMissing(_) | Self::RedirectUriUnknown { .. } => {
                Some("bad_redirect_uri")
            }
            Self::Blocked
            | Self::Form(_)
            | Self::Hint
            | Self::LogoutUriUnknown { .. }
            | Self::OutOfTurn
            | Self::Parameters(_)
            | Self::RequestObject(_)
            | Self::RequestUriUnknown
            | Self::Returned
            | Self::Store(_)
            | Self::TooLong
            | Self::UserCode => None,
        }
    }

    fn who(&self) -> Who {
        match self {
            Self::ClientUnknown(name) => {
                Who { claimed_client: Some(name.clone()), ..Who::default() }
            }
            Self::ClientDisabled(id)
            | Self::RedirectUriMissing(id)
            | Self::RedirectUriUnknown { client: id, .. } => {
                Who { client: Some(id.clone()), ..Who::default() }
            }
            _ => Who::default(),
        }
    }
}

/// Text of a stranger, for a page and for events: bounded, and without characters that cannot be
/// seen or that turn the others around.
pub(crate) fn shown(text: &str) -> String {
    let visible = |c: char| match c {
        ' '..='~' => c.to_string(),
        other => other.escape_unicode().to_string(),
    };
    text.chars().take(256).map(visible).collect()
}

// === impl AuthorizeRefused ===

impl AuthorizeRefused {
    /// The registered code (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6).
    pub(crate) fn code(&self) -> OAuthErrorCode {
        match self {
            Self::ClientMayNot => OAuthErrorCode::UnauthorizedClient,
            Self::ConsentNeeded => OAuthErrorCode::ConsentRequired,
            Self::Denied => OAuthErrorCode::AccessDenied,
            Self::LoginNeeded => OAuthErrorCode::LoginRequired,
            Self::Details(_) => OAuthErrorCode::InvalidAuthorizationDetails,
            Self::FactorMissing | Self::Claims(ClaimsRefused::Acr) => {
                OAuthErrorCode::UnmetAuthenticationRequirements
            }
            Self::Registration => OAuthErrorCode::RegistrationNotSupported,
            Self::RequestUri => OAuthErrorCode::RequestUriNotSupported,
            Self::Resource(_) => OAuthErrorCode::InvalidTarget,
            Self::ResponseType(ResponseTypeRefused::TypeUnsupported) => {
                OAuthErrorCode::UnsupportedResponseType
            }
            Self::Scope(_) => OAuthErrorCode::InvalidScope,
            Self::Store(_) => OAuthErrorCode::ServerError,
            Self::Claims(ClaimsRefused::Form)
            | Self::DpopJkt(_)
            | Self::IdTokenHint
            | Self::NotPushed
            | Self::NotSigned
            | Self::MaxAge(_)
            | Self::Pkce(_)
            | Self::Prompt(_)
            | Self::ResponseType(_) => OAuthErrorCode::InvalidRequest,
        }
    }

    /// What events call it.
    pub(crate) fn event_result(&self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Pkce(_) => "bad_pkce",
            other => other.code().as_str(),
        }
    }

    /// The refusal as it travels.
    pub(crate) fn to_oauth(&self) -> OAuthError {
        match self {
            Self::Store(StoreError::Closed | StoreError::Overloaded) => {
                let words = "the server is busy or stopping; try again shortly";
                OAuthError::new(OAuthErrorCode::TemporarilyUnavailable, words)
            }
            Self::Store(error) => OAuthError::internal(error),
            other => OAuthError::new(other.code(), other.to_string()),
        }
    }
}
